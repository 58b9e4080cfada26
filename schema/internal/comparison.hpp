// Whether values of one type can go where another type stands: the work behind incompatibilities() and
// unreadable_parts(), which walk types alike and judge the pairs they meet by different rules.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "schema/internal/given_view.hpp"
#include "schema/internal/objects.hpp"
#include "schema/internal/trail.hpp"
#include "schema/type.hpp"

namespace venvoy::schema {

enum class Rules {
  accept,  // by the kinds of the types, objects by their ids too: spec/protocol-and-schema.md 4.16
  read,    // by what would be read from the values: spec/workflow.md 3.8
};

// Scalars and any: why no value of `given` fits `expected`; empty if one may.
std::string accept_problem(const Type& expected, const Type& given);
std::string read_problem(const Type& expected, const Type& given);

// "object id "A" has conflicting field "kind"; …": the field of an option of !oneof has the name of its discriminator.
std::string conflicting_option(std::string_view object_id, std::string_view field);

// Collects what does not fit in `findings`, which must outlive it. Pairs of objects that were met before are not looked
// at again, so types that refer to themselves come to an end.
class Comparison {
 public:
  Comparison(Rules rules, Findings& findings) : rules_(rules), findings_(findings) {}

  void compare(const Type& expected, const Type& given, const Trail& where);
  void compare(const Type& expected, const GivenView& given, const Trail& where);

 private:
  bool reading() const noexcept { return rules_ == Rules::read; }
  bool met_before(const void* expected, const void* given, const std::string* apart, const Trail& where);
  void refuse(const Type& expected, std::string_view given, const Trail& where);

  // Types against types. The property named `apart` is left out on both sides: it is the discriminator of a one-of,
  // which may be a property of its members or not.
  void compare_object(const Type& expected, const Type& given, const Trail& where);
  void compare_linked(const Type& expected, const Type& given, const std::string* apart, const Trail& where);
  void compare_properties(const ObjectType& expected, const ObjectType& given, const std::string* apart,
                          const Trail& where);
  void compare_one_of(const Type& expected, const Type& given, const Trail& where);
  void compare_map(const Type& expected, const Type& given, const Trail& where);
  // What only the reading rules take: a one-of as an object or a map, an object as a map, any value as an object with
  // one property.
  void read_object_from_one_of(const Type& expected, const OneOfMembers& given, const Trail& where);
  void read_map_from_object(const MapType& expected, const ObjectType& given, const std::string* apart,
                            const Trail& where);
  void read_map_from_one_of(const MapType& expected, const OneOfMembers& given, const Trail& where);
  void read_discriminator(const ObjectType& expected, const std::string& field, const Type& given, const Trail& where);
  template <class Given>
  void read_inlined(const ObjectType& expected, const Given& given, const void* identity, const Trail& where);

  // Types against literals and mixtures.
  void compare_scalar(const Type& expected, const GivenView& given, const Trail& where);
  void compare_items(const ListType& expected, const GivenView& given, const Trail& where);
  void compare_map(const MapType& expected, const GivenView& given, const Trail& where);
  void compare_object(const Type& expected, const GivenView& given, const Trail& where);
  void compare_entries(const ObjectType& expected, const GivenView& given, const std::string* apart,
                       const Trail& where);
  void compare_entry(const Property& property, const EntryView& entry, const Trail& where);
  void compare_member(const Type& expected, const GivenView& given, const Trail& where);
  // The key of the member that a mapping chooses; null if that cannot be told or is wrong.
  Value chosen_key(const Type& expected, const GivenView& given, const Trail& where);
  void compare_choice(const Type& expected, const GivenView& given, const Trail& where);
  void compare_option(const Type& expected, const EntryView& option, const std::string& discriminator,
                      const Trail& where);
  bool options_are_objects(const GivenView& given, const Trail& where);
  void compare_free(const GivenView& given, const Trail& where);
  void compare_free_items(const GivenView& given, const Trail& where);
  void compare_free_keys(const GivenView& given, const Trail& where);

  Rules rules_;
  Findings& findings_;
  std::set<std::tuple<const void*, const void*, std::string_view>> met_;
  std::vector<std::pair<const ObjectType*, const void*>> inlined_;
};

}  // namespace venvoy::schema
