// Reading foreign data as a type: the work behind unserialize().
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "schema/internal/objects.hpp"
#include "schema/internal/trail.hpp"
#include "schema/type.hpp"
#include "schema/value.hpp"

namespace venvoy::schema {

// Collects what does not fit in `findings`, which must outlive it. Recursion is bounded by the depth of trails.
class Unserializer {
 public:
  Unserializer(bool fill_defaults, Findings& findings) : fill_defaults_(fill_defaults), findings_(&findings) {}

  // The value in the type's own kinds. Anything, when a finding was added.
  Value read(const Type& type, const Value& data, const Trail& where);

 private:
  // An object whose only property is being read from data that is no map (4.10, inline shortcut).
  struct Inlined {
    const ObjectType* object;
    const Value* data;
    const Inlined* outer;
  };

  Value read_as(const AnyType&, const Value& data, const Trail& where);
  Value read_as(const BoolType&, const Value& data, const Trail& where);
  Value read_as(const StringType& type, const Value& data, const Trail& where);
  Value read_as(const PatternType& type, const Value& data, const Trail& where);
  Value read_as(const IntegerType& type, const Value& data, const Trail& where);
  Value read_as(const FloatType& type, const Value& data, const Trail& where);
  Value read_as(const EnumStringType& type, const Value& data, const Trail& where);
  Value read_as(const EnumIntegerType& type, const Value& data, const Trail& where);
  Value read_as(const ListType& type, const Value& data, const Trail& where);
  Value read_as(const MapType& type, const Value& data, const Trail& where);
  Value read_one_of(const Type& type, const Value& data, const Trail& where);
  Value read_object(const ObjectType& object, const Value& data, const Trail& where);

  template <class Type>
  Value read_text(const Type& type, const Value& data, const Trail& where);
  Value read_items(const ListType& type, const List& list, const Trail& where);
  // The converted discriminator of a one-of; null after a finding.
  Value read_discriminator(const Type& type, const Value& data, const Trail& where);

  // Reads `data` into `result`. The entry named `apart`, if there is one, is left to the caller.
  void read_properties(const ObjectType& object, const Map& data, const std::string* apart, const Trail& where,
                       Map& result);
  Value read_property(const std::string& name, const Property& property, const Value& data, const Trail& where);
  void report_unknown(const ObjectType& object, const Map& data, const std::string* apart, const Trail& where);
  static bool is_misspelled(const ObjectType& object, const Map& data, const std::string& name);
  bool may_add_default(const Trail& where);
  Value read_inlined(const ObjectType& object, const Value& data, const Trail& where);

  bool fill_defaults_;
  Findings* findings_;
  std::size_t defaults_ = 0;  // filled in so far
  const Inlined* inlined_ = nullptr;
};

}  // namespace venvoy::schema
