#include "workflow/internal/namespaces.hpp"

#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.hpp"
#include "schema/check.hpp"
#include "schema/read_type.hpp"

namespace venvoy::workflow::internal {
namespace {

// The scope behind a field's or output's type: itself, or the items of a list of it.
const schema::ScopeType* scope_of(const schema::TypePtr& type) {
  if (!type) return nullptr;
  if (const auto* list = type->as<schema::ListType>()) return list->items->as<schema::ScopeType>();
  return type->as<schema::ScopeType>();
}

void add_scope(Namespaces& namespaces, const std::string& name, const schema::ScopeType& scope) {
  auto& objects = namespaces[name];
  for (const auto& [id, object] : scope.objects) objects.emplace(id, object);
  const schema::ObjectPtr root = scope.root_object();
  if (!root) return;
  // Properties that point into another namespace get one of their own, so that loops in loops can name their items.
  for (const auto& [property_id, property] : root->properties) {
    const auto* reference = property.type->as<schema::RefType>();
    if (!reference || reference->name_space.empty() || !reference->linked()) continue;
    namespaces[name + "." + property_id].emplace(reference->id, reference->target());
  }
}

std::string available(const Namespaces& namespaces) {
  std::string text;
  for (const auto& [name, objects] : namespaces) {
    text += "\n\t" + name + ":";
    for (const auto& [id, object] : objects) text += " " + id;
  }
  return text;
}

}  // namespace

Namespaces collect_namespaces(const std::vector<PlanStep>& steps) {
  Namespaces namespaces;
  for (const PlanStep& step : steps) {
    for (const Stage& stage : step.lifecycle.stages) {
      const std::string prefix = fmt::format("$.steps.{}.{}", step.id(), stage.id);
      for (const StageField& field : stage.fields)
        if (const auto* scope = scope_of(field.type)) add_scope(namespaces, prefix + ".inputs." + field.name, *scope);
      for (const StageOutput& output : stage.outputs)
        if (const auto* scope = scope_of(output.type)) add_scope(namespaces, prefix + ".outputs." + output.id, *scope);
    }
  }
  return namespaces;
}

std::vector<schema::Mismatch> link_namespaces(const schema::Type& input, const Namespaces& namespaces) {
  std::vector<schema::Mismatch> problems;
  std::set<std::string> wanted;
  for (const auto& reference : schema::unlinked_references(input)) wanted.insert(reference.name_space);
  for (const std::string& name : wanted) {
    const auto place = namespaces.find(name);
    if (place == namespaces.end()) continue;
    const std::vector<std::pair<std::string, schema::ObjectPtr>> objects(place->second.begin(), place->second.end());
    for (schema::Mismatch& problem : schema::apply_namespace(input, name, objects))
      problems.push_back(std::move(problem));
  }
  std::vector<std::string> names;
  for (const auto& [name, objects] : namespaces) names.push_back(name);
  for (const auto& reference : schema::unlinked_references(input)) {
    if (namespaces.count(reference.name_space)) continue;  // reported by apply_namespace
    problems.push_back({reference.path,
                        fmt::format("there is no namespace '{}' for the object '{}'{}; available namespaces and their "
                                    "objects:{}",
                                    reference.name_space, reference.id, did_you_mean(reference.name_space, names),
                                    available(namespaces)),
                        {}});
  }
  return problems;
}

}  // namespace venvoy::workflow::internal

namespace venvoy::workflow {

std::vector<NamespaceRow> namespace_table(const Plan& plan) {
  std::vector<NamespaceRow> rows;
  for (const auto& [name, objects] : internal::collect_namespaces(plan.steps))
    for (const auto& [id, object] : objects) rows.push_back({id, name});
  return rows;
}

}  // namespace venvoy::workflow
