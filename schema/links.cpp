#include "schema/internal/links.hpp"

#include <optional>
#include <unordered_map>

#include <fmt/format.h>

#include "schema/internal/objects.hpp"
#include "schema/internal/wording.hpp"
#include "schema/read_type.hpp"

namespace venvoy::schema {
namespace {

using Visit = std::function<bool(const Type&, const Trail&)>;

void walk_object(const ObjectType& object, const Trail& where, const Visit& visit) {
  const Trail properties = where.property("properties");
  for (const auto& [name, property] : object.properties) {
    const Trail trail = properties.value_named(name);
    walk_types(*property.type, trail.property("type"), visit);
  }
}

void walk_scope(const ScopeType& scope, const Trail& where, const Visit& visit) {
  const Trail objects = where.property("objects");
  for (const auto& [id, object] : scope.objects) walk_object(*object, objects.value_named(id), visit);
}

// The property that a one-of tells its members apart by, as text in one of texts, as integer in one of integers.
bool has_kind_of(const Type& one_of, const Type& field) {
  if (one_of.id() == TypeId::one_of_string) return field.id() == TypeId::string || field.id() == TypeId::enum_string;
  return field.id() == TypeId::integer || field.id() == TypeId::enum_integer;
}

void check_member(const Type& type, const ObjectType& object, const Trail& where, Findings& findings) {
  const OneOfMembers& one_of = *type.one_of();
  const Property* field = object.find(one_of.discriminator);
  if (!one_of.inlined) {
    if (field)
      findings.add(where, fmt::format("object id \"{}\" has conflicting field \"{}\"; either remove that field or set "
                                      "inline to true for the {}",
                                      object.id, one_of.discriminator, type.name()));
  } else if (!field) {
    findings.add(where, fmt::format("object id \"{}\" needs discriminator field \"{}\"; either add that field or set "
                                    "inline to false for the {}",
                                    object.id, one_of.discriminator, type.name()));
  } else if (!has_kind_of(type, *field->type)) {
    findings.add(where, fmt::format("the type of object id {}'s discriminator field \"{}\" does not match the one-of's "
                                    "discriminator type; expected {} got {}",
                                    object.id, one_of.discriminator,
                                    type.id() == TypeId::one_of_string ? "string" : "integer", field->type->name()));
  }
}

// Links the references of one namespace, or none.
class Linker {
 public:
  Linker(std::optional<std::string_view> name_space, const std::vector<std::pair<std::string, ObjectPtr>>& objects,
         Findings& findings)
      : name_space_(name_space), objects_(objects), findings_(findings) {
    for (const auto& [id, object] : objects) by_id_.emplace(id, &object);
  }

  Visit linking() {
    return [this](const Type& type, const Trail& where) {
      if (const auto* reference = type.as<RefType>(); reference && reference->name_space == name_space_)
        link(*reference, where);
      return enters(type);
    };
  }

  // To be walked after everything is linked.
  Visit checking() {
    return [this](const Type& type, const Trail& where) {
      if (type.one_of()) check_members(type, where.property("types"));
      return enters(type);
    };
  }

 private:
  // A nested scope resolves the references without a namespace by itself.
  bool enters(const Type& type) const { return type.id() != TypeId::scope || (name_space_ && !name_space_->empty()); }

  void link(const RefType& reference, const Trail& where) {
    const auto found = by_id_.find(reference.id);
    if (found != by_id_.end()) {
      reference.link->target = *found->second;
      return;
    }
    std::vector<std::string> ids;
    for (const auto& [id, object] : objects_) ids.push_back(id);
    findings_.add(where, fmt::format("{}; available: {}{}", not_linked(reference), name_list(ids),
                                     suggestion(reference.id, ids)));
  }

  // Members that are references are known from now on; those that are written in place were from the beginning.
  void check_members(const Type& type, const Trail& types) {
    const bool in_place = !name_space_ || name_space_->empty();
    for (const auto& [key, member] : type.one_of()->types) {
      const auto* reference = member->as<RefType>();
      if (reference ? reference->name_space != name_space_ || !reference->linked() : !in_place) continue;
      const Trail trail = types.value(key);
      // A scope without its root has been reported.
      Findings known;
      if (const ObjectHandle object = object_behind(*member, trail, known))
        check_member(type, *object, trail, findings_);
    }
  }

  std::optional<std::string_view> name_space_;
  const std::vector<std::pair<std::string, ObjectPtr>>& objects_;
  Findings& findings_;
  std::unordered_map<std::string_view, const ObjectPtr*> by_id_;
};

}  // namespace

void walk_types(const Type& type, const Trail& where, const Visit& visit) {
  if (!visit(type, where)) return;
  if (const auto* list = type.as<ListType>()) {
    walk_types(*list->items, where.property("items"), visit);
  } else if (const auto* map = type.as<MapType>()) {
    walk_types(*map->keys, where.property("keys"), visit);
    walk_types(*map->values, where.property("values"), visit);
  } else if (const auto* object = type.as<ObjectType>()) {
    walk_object(*object, where, visit);
  } else if (const auto* scope = type.as<ScopeType>()) {
    walk_scope(*scope, where, visit);
  } else if (const OneOfMembers* one_of = type.one_of()) {
    const Trail types = where.property("types");
    for (const auto& [key, member] : one_of->types) walk_types(*member, types.value(key), visit);
  }
}

void link_scope(const ScopeType& scope, const Trail& where, Findings& findings) {
  Linker linker("", scope.objects, findings);
  const bool good = findings.empty();
  walk_scope(scope, where, linker.linking());
  // What was read with mistakes has placeholders, about which there is nothing to say.
  if (good) walk_scope(scope, where, linker.checking());
}

void check_one_ofs(const Type& type, const Trail& where, Findings& findings) {
  const std::vector<std::pair<std::string, ObjectPtr>> none;
  walk_types(type, where, Linker(std::nullopt, none, findings).checking());
}

std::vector<Mismatch> apply_namespace(const Type& type, std::string_view name_space,
                                      const std::vector<std::pair<std::string, ObjectPtr>>& objects) {
  Findings findings;
  Linker linker(name_space, objects, findings);
  // Without a namespace, a scope means its own references, not those of the scope around it.
  const auto* scope = name_space.empty() ? type.as<ScopeType>() : nullptr;
  for (const Visit& visit : {linker.linking(), linker.checking()})
    scope ? walk_scope(*scope, Trail(), visit) : walk_types(type, Trail(), visit);
  return findings.take();
}

std::vector<UnlinkedReference> unlinked_references(const Type& type) {
  std::vector<UnlinkedReference> references;
  walk_types(type, Trail(), [&](const Type& inner, const Trail& where) {
    if (const auto* reference = inner.as<RefType>(); reference && !reference->linked())
      references.push_back({where.path(), reference->id, reference->name_space});
    return true;
  });
  return references;
}

}  // namespace venvoy::schema
