#include "schema/internal/given_view.hpp"

#include "schema/internal/wording.hpp"

namespace venvoy::schema {

GivenView::GivenView(const Given& given) : given_(&given), literal_(std::get_if<Value>(&given.form)) {}

GivenView::Form GivenView::form() const noexcept {
  if (literal_) {
    if (literal_->kind() == Kind::list) return Form::list;
    return literal_->kind() == Kind::map ? Form::map : Form::literal;
  }
  if (const auto* type = std::get_if<TypePtr>(&given_->form)) return *type ? Form::type : Form::unknown;
  if (std::holds_alternative<Given::Items>(given_->form)) return Form::list;
  return std::holds_alternative<Given::Entries>(given_->form) ? Form::map : Form::one_of;
}

std::string_view GivenView::word() const noexcept {
  switch (form()) {
    case Form::literal:
      return kind_word(*literal_);
    case Form::unknown:
      return "unknown";
    case Form::type:
      return type().name();
    case Form::list:
      return "list";
    case Form::map:
      return "map";
    case Form::one_of:
      return to_text(TypeId::one_of_string);
  }
  return {};
}

std::size_t GivenView::size() const noexcept {
  if (literal_) return literal_->kind() == Kind::list ? literal_->as_list().size() : literal_->as_map().size();
  if (const auto* items = std::get_if<Given::Items>(&given_->form)) return items->size();
  return std::get_if<Given::Entries>(&given_->form)->size();
}

GivenView GivenView::item(std::size_t index) const {
  if (literal_) return literal_->as_list()[index];
  return std::get<Given::Items>(given_->form)[index];
}

EntryView GivenView::entry(std::size_t index) const {
  if (literal_) {
    const Map::Entry& entry = literal_->as_map().begin()[static_cast<std::ptrdiff_t>(index)];
    return {entry.key, entry.value};
  }
  const Given::Entry& entry = std::get<Given::Entries>(given_->form)[index];
  return {entry.key, entry.value, entry.optional, &entry.key_at};
}

std::optional<EntryView> GivenView::find(std::string_view key) const {
  for (std::size_t index = 0; index < size(); ++index)
    if (entry(index).has_name(key)) return entry(index);
  return std::nullopt;
}

}  // namespace venvoy::schema
