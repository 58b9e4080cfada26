// One way to look at literals and at what a workflow file gives: a literal list or map is walked like a written one.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "base/position.hpp"
#include "schema/given.hpp"
#include "schema/value.hpp"

namespace venvoy::schema {

struct EntryView;

// Looks at a Given or at a Value inside one; both must outlive the view.
class GivenView {
 public:
  enum class Form {
    literal,  // a Value that is no list and no map
    unknown,  // an expression whose type is not known
    type,
    list,
    map,
    one_of,
  };

  GivenView(const Given& given);
  GivenView(const Value& literal) : literal_(&literal) {}

  Form form() const noexcept;
  // "string", "list", …: the kind of a literal or the name of a type; "one_of_string" for a one-of.
  std::string_view word() const noexcept;
  // Where it stands; nullptr for what is inside a literal.
  const Position* at() const noexcept { return given_ ? &given_->at : nullptr; }

  // Tells things that are looked at apart.
  const void* identity() const noexcept { return given_ ? static_cast<const void*>(given_) : literal_; }

  // Only for a literal, which may also be a list or map.
  const Value* literal() const noexcept { return literal_; }
  // Only for their forms.
  const Type& type() const { return **std::get_if<TypePtr>(&given_->form); }
  const TypePtr& type_ptr() const { return *std::get_if<TypePtr>(&given_->form); }
  const Given::OneOf& one_of() const { return *std::get_if<Given::OneOf>(&given_->form); }

  // Of a list or map.
  std::size_t size() const noexcept;
  GivenView item(std::size_t index) const;
  EntryView entry(std::size_t index) const;
  // The entry of a text key of a map.
  std::optional<EntryView> find(std::string_view key) const;

 private:
  const Given* given_ = nullptr;
  const Value* literal_ = nullptr;
};

struct EntryView {
  const Value& key;
  GivenView value;
  bool optional = false;
  const Position* key_at = nullptr;

  bool has_name(std::string_view name) const { return key.kind() == Kind::text && key.as_text() == name; }
};

}  // namespace venvoy::schema
