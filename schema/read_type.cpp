// Reading the schema language (spec/protocol-and-schema.md 3.2).
#include "schema/read_type.hpp"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>

#include "schema/internal/links.hpp"
#include "schema/internal/schema_reader.hpp"
#include "schema/internal/wording.hpp"
#include "schema/units.hpp"

namespace venvoy::schema {
namespace {

constexpr std::array key_types = {TypeId::enum_integer, TypeId::enum_string, TypeId::integer, TypeId::string};
constexpr std::array member_types = {TypeId::object, TypeId::reference, TypeId::scope};
constexpr std::array all_types = {TypeId::any,       TypeId::boolean,    TypeId::enum_integer,  TypeId::enum_string,
                                  TypeId::floating,  TypeId::integer,    TypeId::list,          TypeId::map,
                                  TypeId::object,    TypeId::one_of_int, TypeId::one_of_string, TypeId::pattern,
                                  TypeId::reference, TypeId::scope,      TypeId::string};

class TypeReader {
 public:
  TypeReader(SchemaReader& reader, const Value& data, const Trail& where)
      : reader_(reader), data_(data), where_(where) {}

  // One of the given types; a placeholder after a finding.
  TypePtr read(std::span<const TypeId> allowed) {
    const std::optional<TypeId> id = read_id(allowed);
    if (!id || reader_.depth >= reader_.options.max_depth) {
      if (id) reader_.findings.add(where_, fmt::format("types nest deeper than {} levels", reader_.options.max_depth));
      return any_type();
    }
    ++reader_.depth;
    TypePtr type = read_form(*id);
    --reader_.depth;
    return type;
  }

 private:
  std::optional<TypeId> read_id(std::span<const TypeId> allowed) {
    if (data_.kind() != Kind::map) {
      reader_.findings.add(where_,
                           fmt::format("Invalid type for one-of type: \"{}\". Expected map.", kind_word(data_)));
      return std::nullopt;
    }
    const Value* name = data_.find("type_id");
    if (!name) {
      reader_.findings.add(where_, fmt::format("Missing discriminator field 'type_id' in '{}'", plain(data_)));
      return std::nullopt;
    }
    const std::optional<TypeId> id = name->kind() == Kind::text ? type_id_from(name->as_text()) : std::nullopt;
    if (id && std::ranges::find(allowed, *id) != allowed.end()) return id;
    std::vector<std::string> names;
    for (const TypeId type : allowed) names.emplace_back(to_text(type));
    reader_.findings.add(where_, invalid_choice("type_id", *name, names));
    return std::nullopt;
  }

  Fields fields(std::initializer_list<std::string_view> known) { return Fields(reader_, data_, where_, known); }

  TypePtr read_form(TypeId id) {
    // Objects and scopes count themselves, since they are also read where no type_id is.
    if (id == TypeId::object) return make_type(read_object_type(reader_, data_, where_, true));
    if (id == TypeId::scope) return read_scope_type(reader_, data_, where_, true);
    reader_.count_type(where_);
    switch (id) {
      case TypeId::boolean:
        return plain_type(bool_type());
      case TypeId::pattern:
        return plain_type(make_type(PatternType()));
      case TypeId::string:
        return read_string();
      case TypeId::integer:
        return read_integer();
      case TypeId::floating:
        return read_float();
      case TypeId::enum_string:
        return read_enum_string();
      case TypeId::enum_integer:
        return read_enum_integer();
      case TypeId::list:
        return read_list();
      case TypeId::map:
        return read_map();
      case TypeId::reference:
        return read_reference();
      case TypeId::one_of_string:
        return read_one_of<OneOfStringType>(text_entries(reader_, types(), types_trail()));
      case TypeId::one_of_int:
        return read_one_of<OneOfIntType>(integer_entries(reader_, types(), types_trail()));
      default:
        return plain_type(any_type());
    }
  }

  TypePtr plain_type(const TypePtr& type) {
    fields({"type_id"});
    return type;
  }

  TypePtr read_string() {
    const Fields of = fields({"type_id", "min", "max", "pattern"});
    StringType type;
    type.min = of.size("min", &character_units());
    type.max = of.size("max", &character_units());
    if (auto source = of.text("pattern")) type.pattern = read_pattern(std::move(*source), of.trail("pattern"));
    return make_type(std::move(type));
  }

  // What a plugin writes may be in Python's dialect; it is then not checked here but by the plugin (3.4).
  Pattern read_pattern(std::string source, const Trail& where) {
    Pattern pattern(std::move(source));
    if (pattern.compiles()) return pattern;
    const std::string problem = fmt::format("Invalid pattern ({})", pattern.problem());
    if (reader_.lenient()) {
      reader_.warn(where, problem + "; texts are not checked against it");
    } else {
      reader_.findings.add(where, problem);
    }
    return pattern;
  }

  TypePtr read_integer() {
    const Fields of = fields({"type_id", "min", "max", "units"});
    return make_type(IntegerType{of.integer("min"), of.integer("max"), units(of)});
  }

  TypePtr read_float() {
    const Fields of = fields({"type_id", "min", "max", "units"});
    return make_type(FloatType{of.number("min"), of.number("max"), units(of)});
  }

  std::shared_ptr<const Units> units(const Fields& of) {
    const Value* units = of.find("units");
    return units ? read_units(reader_, *units, of.trail("units")) : nullptr;
  }

  template <class Entries, class Values>
  void read_values(const Entries& entries, const Trail& where, Values& values) {
    if (entries.empty()) reader_.findings.add(where, "Must have at least 1 items, 0 given");
    for (const auto& entry : entries) {
      const Trail trail = where.value(*entry.raw_key);
      values.emplace_back(entry.key, read_display(reader_, *entry.value, trail).value_or(Display()));
    }
  }

  TypePtr read_enum_string() {
    const Fields of = fields({"type_id", "values"});
    EnumStringType type;
    const Trail where = of.trail("values");
    if (const Value* values = of.need("values")) read_values(text_entries(reader_, *values, where), where, type.values);
    return make_type(std::move(type));
  }

  TypePtr read_enum_integer() {
    const Fields of = fields({"type_id", "values", "units"});
    EnumIntegerType type;
    const Trail where = of.trail("values");
    if (const Value* values = of.need("values"))
      read_values(integer_entries(reader_, *values, where), where, type.values);
    type.units = units(of);
    return make_type(std::move(type));
  }

  TypePtr inner(const Fields& of, std::string_view name, std::span<const TypeId> allowed) {
    const Value* data = of.need(name);
    return data ? TypeReader(reader_, *data, of.trail(name)).read(allowed) : any_type();
  }

  TypePtr read_list() {
    const Fields of = fields({"type_id", "items", "min", "max"});
    return make_type(ListType{inner(of, "items", all_types), of.size("min"), of.size("max")});
  }

  TypePtr read_map() {
    const Fields of = fields({"type_id", "keys", "values", "min", "max"});
    return make_type(
        MapType{inner(of, "keys", key_types), inner(of, "values", all_types), of.size("min"), of.size("max")});
  }

  TypePtr read_reference() {
    const Fields of = fields({"type_id", "id", "display", "namespace"});
    RefType type;
    type.id = of.needed_id("id");
    type.name_space = of.text("namespace").value_or(std::string());
    type.display = of.display("display");
    return make_type(std::move(type));
  }

  // An absent `types` is a union that accepts nothing.
  const Value& types() const {
    static const Value none = Map();
    const Value* types = data_.find("types");
    return types && !(types->is_null() && reader_.lenient()) ? *types : none;
  }
  Trail types_trail() const { return where_.property("types"); }

  template <class OneOf, class Entries>
  TypePtr read_one_of(const Entries& entries) {
    const Fields of = fields({"type_id", "discriminator_field_name", "discriminator_inlined", "types"});
    OneOf type;
    type.discriminator = of.needed_text("discriminator_field_name");
    type.inlined = of.flag("discriminator_inlined").value_or(false);
    const Trail where = types_trail();
    for (const auto& entry : entries) {
      const Trail trail = where.value(*entry.raw_key);
      type.types.emplace_back(Value(entry.key), TypeReader(reader_, *entry.value, trail).read(member_types));
    }
    return make_type(std::move(type));
  }

  SchemaReader& reader_;
  const Value& data_;
  const Trail& where_;
};

}  // namespace

TypePtr read_any_type(SchemaReader& reader, const Value& data, const Trail& where) {
  return TypeReader(reader, data, where).read(all_types);
}

TypePtr read_type(const Value& data, const ReadOptions& options) {
  SchemaReader reader(options);
  const Trail root;
  const bool by_id = data.find("type_id") != nullptr;
  TypePtr type;
  if (!by_id && data.find("objects")) {
    type = read_scope_type(reader, data, root, false);
  } else if (!by_id && data.find("properties")) {
    type = make_type(read_object_type(reader, data, root, false));
  } else {
    type = read_any_type(reader, data, root);
  }
  if (reader.findings.empty()) check_one_ofs(*type, root, reader.findings);
  reader.findings.throw_if_any();
  return type;
}

TypePtr read_scope(const Value& data, const ReadOptions& options) {
  SchemaReader reader(options);
  TypePtr scope = read_scope_type(reader, data, Trail(), false);
  reader.findings.throw_if_any();
  return scope;
}

}  // namespace venvoy::schema
