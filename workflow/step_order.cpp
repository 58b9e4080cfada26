#include "workflow/step_order.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "expressions/tree.hpp"

namespace venvoy::workflow {
namespace {

// `$.steps` or, since names stand for those of `$`, `steps`.
bool means_all_steps(const expressions::Tree& tree, const expressions::Node& node) {
  using Kind = expressions::NodeKind;
  if (node.kind == Kind::identifier) return !node.relative && node.name() == "steps";
  if (node.kind == Kind::dot) return node.name() == "steps" && tree[node.left].kind == Kind::root;
  return false;
}

class StepNames {
 public:
  explicit StepNames(const Document& document) {
    for (std::size_t index = 0; index < document.steps.size(); ++index)
      places_.emplace(document.steps[index].id, index);
  }

  void look_at(const DocValue& value) {
    if (const auto* expression = std::get_if<DocValue::Expression>(&value.form)) {
      look_at(expression->expression.tree());
    } else if (const auto* optional = std::get_if<DocValue::Optional>(&value.form)) {
      look_at(optional->expression.tree());
    } else if (const auto* one_of = std::get_if<DocValue::OneOf>(&value.form)) {
      for (const DocValue::Entry& option : one_of->options) look_at(option.value);
    } else if (const auto* items = std::get_if<DocValue::Items>(&value.form)) {
      for (const DocValue& item : *items) look_at(item);
    } else if (const auto* entries = std::get_if<DocValue::Entries>(&value.form)) {
      for (const DocValue::Entry& entry : *entries) look_at(entry.value);
    }
  }

  // What was found since the last call, but for the step itself.
  StepList take(std::size_t own) {
    found_.erase(own);
    StepList list(found_.begin(), found_.end());
    found_.clear();
    return list;
  }

 private:
  void look_at(const expressions::Tree& tree) {
    for (const expressions::Node& node : tree.nodes) {
      if (node.kind == expressions::NodeKind::dot && means_all_steps(tree, tree[node.left])) add(node.name());
      if (node.kind != expressions::NodeKind::bracket || !means_all_steps(tree, tree[node.left])) continue;
      const expressions::Node& key = tree[node.right];
      if (key.kind == expressions::NodeKind::literal && key.value.kind() == schema::Kind::text)
        add(key.value.as_text());
    }
  }

  void add(const std::string& id) {
    const auto place = places_.find(id);
    if (place != places_.end()) found_.insert(place->second);
  }

  std::map<std::string, std::size_t, std::less<>> places_;
  std::set<std::size_t> found_;
};

}  // namespace

std::vector<StepList> step_dependencies(const Document& document) {
  StepNames names(document);
  std::vector<StepList> dependencies;
  for (std::size_t index = 0; index < document.steps.size(); ++index) {
    for (const DocValue::Entry& field : document.steps[index].fields) names.look_at(field.value);
    dependencies.push_back(names.take(index));
  }
  return dependencies;
}

std::vector<StepList> parallel_groups(const std::vector<StepList>& dependencies) {
  std::vector<StepList> groups;
  std::vector<bool> placed(dependencies.size(), false);
  StepList left(dependencies.size());
  for (std::size_t index = 0; index < left.size(); ++index) left[index] = index;
  while (!left.empty()) {
    StepList group;
    for (const std::size_t step : left) {
      const StepList& needed = dependencies[step];
      if (std::all_of(needed.begin(), needed.end(), [&](std::size_t other) { return placed[other]; }))
        group.push_back(step);
    }
    if (group.empty()) group.push_back(left.front());
    for (const std::size_t step : group) placed[step] = true;
    std::erase_if(left, [&](std::size_t step) { return placed[step]; });
    groups.push_back(std::move(group));
  }
  return groups;
}

}  // namespace venvoy::workflow
