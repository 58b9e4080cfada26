// The types of the schema language (spec/protocol-and-schema.md section 3): plain data, made once, then const.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "schema/value.hpp"

namespace venvoy::schema {

struct Type;
struct ObjectType;
// Types are shared and immutable; only the link of a reference is set later (see Reference).
using TypePtr = std::shared_ptr<const Type>;
using ObjectPtr = std::shared_ptr<const ObjectType>;

// In the order of Type::Form.
enum class TypeId {
  any,
  boolean,
  string,
  pattern,
  integer,
  floating,
  enum_string,
  enum_integer,
  list,
  map,
  object,
  reference,
  scope,
  one_of_string,
  one_of_int,
};

// As on the wire: "any", "bool", "string", "pattern", "integer", "float", "enum_string", "enum_integer", "list", "map",
// "object", "ref", "scope", "one_of_string", "one_of_int".
std::string_view to_text(TypeId id) noexcept;
std::optional<TypeId> type_id_from(std::string_view text) noexcept;

struct Display {
  std::optional<std::string> name;
  std::optional<std::string> description;
  std::optional<std::string> icon;
};

// One unit of measure: "B", "B", "byte", "bytes".
struct Unit {
  std::string name_short_singular;
  std::string name_short_plural;
  std::string name_long_singular;
  std::string name_long_plural;
};

struct Units {
  Unit base_unit;
  // How many base units one of them has (more than 1) -> the unit.
  std::map<std::int64_t, Unit> multipliers;
};

// A regular expression: its source, and its compiled form unless RE2 does not take the source (a plugin's pattern may
// use Python's look-around; it is then not checked here, spec/protocol-and-schema.md 3.4).
class Pattern {
 public:
  // Named limits: bytes of the source, and bytes that RE2 may use for one compiled pattern. A pattern beyond them does
  // not compile.
  static constexpr std::size_t max_length = 64 * 1024;
  static constexpr std::int64_t max_memory = 8 << 20;

  explicit Pattern(std::string source);
  const std::string& source() const noexcept { return source_; }
  bool compiles() const noexcept { return compiled_ != nullptr; }
  // Why it does not compile, in RE2's words; empty if it does.
  const std::string& problem() const noexcept { return problem_; }
  // Whether the pattern is found anywhere in the text; true for one that does not compile.
  bool found_in(std::string_view text) const;

 private:
  struct Compiled;
  std::string source_;
  std::string problem_;
  std::shared_ptr<const Compiled> compiled_;
};

struct AnyType {};
struct BoolType {};
struct PatternType {};

// Lengths are in code points, inclusive.
struct StringType {
  std::optional<std::int64_t> min;
  std::optional<std::int64_t> max;
  std::optional<Pattern> pattern;
};

struct IntegerType {
  std::optional<std::int64_t> min;
  std::optional<std::int64_t> max;
  std::shared_ptr<const Units> units;
};

struct FloatType {
  std::optional<double> min;
  std::optional<double> max;
  std::shared_ptr<const Units> units;
};

struct EnumStringType {
  std::vector<std::pair<std::string, Display>> values;
};

struct EnumIntegerType {
  std::vector<std::pair<std::int64_t, Display>> values;
  std::shared_ptr<const Units> units;
};

struct ListType {
  TypePtr items;
  std::optional<std::int64_t> min;
  std::optional<std::int64_t> max;
};

struct MapType {
  TypePtr keys;  // string, integer, enum_string or enum_integer
  TypePtr values;
  std::optional<std::int64_t> min;
  std::optional<std::int64_t> max;
};

struct Property {
  TypePtr type;
  std::optional<Display> display;
  bool required = true;
  std::vector<std::string> required_if;      // required if any of these is set
  std::vector<std::string> required_if_not;  // required if none of these is set
  std::vector<std::string> conflicts;
  // The JSON text as on the wire, and what it says (before it goes through the type); both or neither.
  std::optional<std::string> default_text;
  std::optional<Value> default_value;
  std::vector<std::string> examples;  // JSON texts
  bool disabled = false;
  std::optional<std::string> disabled_reason;
};

struct ObjectType {
  std::string id;
  std::vector<std::pair<std::string, Property>> properties;  // in declaration order
  bool id_unenforced = false;

  // nullptr if there is none of that name.
  const Property* find(std::string_view name) const noexcept;
  // In declaration order.
  std::vector<std::string> property_names() const;
};

// Names an object of a scope. The namespace "" is the nearest enclosing scope; others are linked by the engine.
struct RefType {
  std::string id;
  std::string name_space;
  std::optional<Display> display;

  // Where the link is kept. It is the one part of a type that is set after the type was made, by apply_namespace and
  // before anybody else sees the type. It does not keep the target alive: scopes may be recursive. Whoever uses a type
  // that came out of a scope keeps that scope (in practice: the plugin's schema, or the plan).
  struct Link {
    std::weak_ptr<const ObjectType> target;
  };
  std::shared_ptr<Link> link = std::make_shared<Link>();

  // The object that the reference stands for. Throws an Error (schema) if it is not linked.
  ObjectPtr target() const;
  bool linked() const noexcept { return !link->target.expired(); }
};

struct ScopeType {
  std::vector<std::pair<std::string, ObjectPtr>> objects;  // in declaration order
  std::string root;

  ObjectPtr find(std::string_view id) const noexcept;
  // Never null in a scope that read_scope made.
  ObjectPtr root_object() const noexcept { return find(root); }
};

// A tagged union. In a OneOfStringType the keys are texts, in a OneOfIntType integers.
struct OneOfMembers {
  std::string discriminator;
  bool inlined = false;                          // the discriminator is a property of the members too
  std::vector<std::pair<Value, TypePtr>> types;  // ref, scope or object

  // The member of that key; nullptr if there is none.
  const TypePtr* find(const Value& key) const noexcept;
};
struct OneOfStringType : OneOfMembers {};
struct OneOfIntType : OneOfMembers {};

struct Type {
  using Form =
      std::variant<AnyType, BoolType, StringType, PatternType, IntegerType, FloatType, EnumStringType, EnumIntegerType,
                   ListType, MapType, ObjectType, RefType, ScopeType, OneOfStringType, OneOfIntType>;
  Form form;

  TypeId id() const noexcept { return static_cast<TypeId>(form.index()); }
  std::string_view name() const noexcept { return to_text(id()); }
  template <class T>
  const T* as() const noexcept {
    return std::get_if<T>(&form);
  }
  // The members of either kind of one-of; nullptr for other types.
  const OneOfMembers* one_of() const noexcept;
};

template <class T>
TypePtr make_type(T form) {
  return std::make_shared<const Type>(Type{std::move(form)});
}

// Shared instances of the types without parameters.
const TypePtr& any_type();
const TypePtr& bool_type();
const TypePtr& string_type();
const TypePtr& integer_type();
const TypePtr& float_type();

// The object behind an object, a linked reference or a scope; null for every other type. Throws an Error (schema) for a
// reference that is not linked. An object type's own ObjectPtr shares ownership with `type`.
ObjectPtr object_of(const TypePtr& type);

// Letters, digits, '$', '@', '-' and '_', 1 to 255 of them: ids of objects, steps, outputs and signals.
bool is_id(std::string_view text) noexcept;

}  // namespace venvoy::schema
