#include "expressions/internal/message.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "expressions/internal/float_text.hpp"

namespace venvoy::expressions {

using schema::Kind;

std::string excerpt(std::string_view text) {
  constexpr std::size_t limit = 300;  // bytes; what is longer no longer helps to find the place
  const bool cut = text.size() > limit;
  std::size_t end = cut ? limit : text.size();
  while (cut && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  std::string line = to_valid_utf8(text.substr(0, end));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return cut ? line + "…" : line;
}

std::string key_text(const schema::Value& key) {
  switch (key.kind()) {
    case Kind::text:
      return excerpt(key.as_text());
    case Kind::floating:
      return format_float(key.as_float(), 'g', -1);
    default:
      return schema::describe(key);
  }
}

namespace {

// The name after a dot, the key in brackets, else the start.
std::size_t offset_in(const Tree& tree, const Node& node) {
  if (node.kind == NodeKind::dot) return node.name_offset();
  return node.kind == NodeKind::bracket ? tree[node.right].begin : node.begin;
}

}  // namespace

ExpressionError located(const ExpressionError& error, const Tree& tree, const Node& node) {
  const std::string_view source = tree.source(node);
  const std::string_view whole = tree.source(tree[tree.root()]);
  std::string message = error.message() + " in '" + excerpt(source) + "'";
  if (source != whole) message += " of the expression '" + excerpt(whole) + "'";
  ExpressionError result(error.code(), std::move(message), error.offset().value_or(offset_in(tree, node)),
                         error.absent());
  result.with_hint(error.hint());
  return result;
}

}  // namespace venvoy::expressions
