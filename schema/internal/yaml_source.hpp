// What yaml-cpp's events leave out, read from the text itself: offsets are bytes of the text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/yaml.hpp"

namespace venvoy::schema {

// Where the tag and the anchor of a node end, and where the token after them starts.
struct NodeStart {
  std::size_t properties_end = 0;
  std::size_t token = 0;
};
// `offset` is the start of the node; both are `offset` for a node without tag and anchor.
NodeStart skip_properties(std::string_view text, std::size_t offset);

// Whether the node that starts here has a tag of its own; yaml-cpp gives every quoted scalar the tag `!`.
bool has_tag(std::string_view text, std::size_t offset);

// The style of the scalar whose text starts here.
YamlNode::Style style_at(std::string_view text, std::size_t offset);

// Whether the quoted text that starts here has its closing quote.
bool is_closed(std::string_view text, std::size_t offset);

// The plain scalar here if it is a null: `~`, `null`, `Null` or `NULL`, else nothing.
std::string_view plain_null_at(std::string_view text, std::size_t offset);

// A node without any text has its mark at the token after it. Finds the place after the last `indicator` (`:` or `-`)
// before that mark with only blanks, comments and line breaks between them.
std::optional<std::size_t> place_of_empty(std::string_view text, std::size_t mark, char indicator);

// Where the text of a plain scalar goes on after line breaks: byte of the scalar, and offset.
struct Continuation {
  std::size_t byte = 0;
  std::size_t offset = 0;
};
std::vector<Continuation> continuations(std::string_view text, std::size_t start, std::string_view scalar);

// Of a literal scalar whose `|` is at `start`: the offset of its first line, and how far its lines are indented.
struct LiteralStart {
  std::size_t line = 0;
  std::size_t indent = 0;
};
LiteralStart literal_start(std::string_view text, std::size_t start, std::string_view scalar);

// yaml-cpp writes the single bytes 85 and A0 for the escapes `\N` and `\_`; this makes UTF-8 of them.
void repair_escapes(std::string& scalar);

}  // namespace venvoy::schema
