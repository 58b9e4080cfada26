#include "schema/internal/yaml_errors.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <re2/re2.h>
#include <yaml-cpp/depthguard.h>

#include "schema/internal/text_position.hpp"

namespace venvoy::schema {
namespace {

struct Rewording {
  std::string_view yaml_cpp;  // the beginning of its message
  std::string_view message;
  std::string_view hint;
};

constexpr std::string_view check_indentation = "check the indentation of this line and of those before it";
constexpr std::string_view quote_it = "a text that contains such a character is written in quotes";

// yaml-cpp's constants are no constant expressions.
const Rewording rewordings[] = {
    {YAML::ErrorMsg::END_OF_MAP_FLOW, "expected ',' or '}'", ""},
    {YAML::ErrorMsg::END_OF_MAP, "expected the next key of the mapping, or its end", check_indentation},
    {YAML::ErrorMsg::END_OF_SEQ_FLOW, "expected ',' or ']'", ""},
    {YAML::ErrorMsg::END_OF_SEQ, "expected the next '- ' of the list, or its end", check_indentation},
    {YAML::ErrorMsg::EOF_IN_SCALAR, "a quoted text does not end", ""},
    {YAML::ErrorMsg::DOC_IN_SCALAR, "a document ends inside a quoted text", ""},
    {YAML::ErrorMsg::TAB_IN_INDENTATION, "a tab in the indentation", "YAML is indented with spaces"},
    {YAML::ErrorMsg::FLOW_END, "a closing bracket that fits no opening one", quote_it},
    {YAML::ErrorMsg::BLOCK_ENTRY, "a list cannot start here", check_indentation},
    {more_text_follows, more_text_follows, check_indentation},
    {YAML::ErrorMsg::MAP_KEY, "a key cannot stand here", check_indentation},
    {YAML::ErrorMsg::MAP_VALUE, "a ':' cannot stand here",
     "check the indentation; a text with ': ' in it is written in quotes"},
};

std::string_view line_at(std::string_view text, std::size_t offset) {
  const std::size_t start = offset == 0 ? 0 : text.rfind('\n', offset - 1) + 1;
  return text.substr(start, std::min(text.find('\n', start), text.size()) - start);
}

// What the lines tell that the parser does not: a tab that indents, a key without the blank behind its colon.
std::string hint_from_lines(std::string_view text, std::size_t offset) {
  static const RE2 no_blank(R"(\s*(?:- )?([A-Za-z_][\w-]*):([^\s:/].*))");
  const std::string_view here = line_at(text, offset);
  if (here.substr(0, here.find_first_not_of(" \t")).find('\t') != std::string_view::npos)
    return "there is a tab in the indentation of this line; YAML is indented with spaces";
  const std::size_t start = static_cast<std::size_t>(here.data() - text.data());
  if (start == 0) return {};
  std::string key;
  std::string value;
  if (!RE2::FullMatch(line_at(text, start - 1), no_blank, &key, &value)) return {};
  return fmt::format("a blank is missing behind the colon in the line before: '{}: {}'", key, value.substr(0, 40));
}

std::string word_at(std::string_view text, std::size_t offset) {
  const std::size_t end = std::min({text.find_first_of(" \t\r\n,[]{}", offset), text.size(), offset + 60});
  return std::string(text.substr(offset, end - offset));
}

// One code point.
std::string_view character_at(std::string_view text, std::size_t offset) {
  if (offset >= text.size()) return {};
  std::size_t end = offset + 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
  return text.substr(offset, end - offset);
}

}  // namespace

Error invalid_yaml(std::string_view what, Position position) {
  Error error(ErrorCode::document, fmt::format("invalid YAML: {}", what));
  error.at(std::move(position));
  return error;
}

Error too_deep(const YamlLimits& limits, Position position) {
  Error error(ErrorCode::limit, fmt::format("the YAML text is nested deeper than {} levels", limits.max_depth));
  error.at(std::move(position));
  return error;
}

Error too_many_nodes(const YamlLimits& limits, Position position) {
  Error error(ErrorCode::limit, fmt::format("the YAML text has more than {} nodes", limits.max_nodes));
  error.at(std::move(position)).with_hint("an alias counts as many nodes as it stands for");
  return error;
}

Error syntax_error(const YAML::Exception& exception, std::string_view text, const std::string& file) {
  if (exception.mark.is_null()) return invalid_yaml(exception.msg, {file, 0, 0});
  const std::size_t offset = std::min(static_cast<std::size_t>(std::max(exception.mark.pos, 0)), text.size());
  const Position position = position_at(text, offset, file);
  const std::string_view message = exception.msg;
  if (dynamic_cast<const YAML::DeepRecursion*>(&exception))
    return Error(ErrorCode::limit, "the YAML text is nested deeper than the parser goes").at(position);
  if (message.starts_with("the referenced anchor is not defined"))
    return invalid_yaml(fmt::format("unknown anchor '{}'", word_at(text, offset + 1)), position);
  if (message == YAML::ErrorMsg::UNKNOWN_TOKEN && offset < text.size())
    return invalid_yaml(fmt::format("a text without quotes cannot start with '{}'", character_at(text, offset)),
                        position)
        .with_hint(std::string(quote_it));
  if (message.starts_with(YAML::ErrorMsg::INVALID_ESCAPE)) {
    const std::size_t start = std::min(text.rfind('\\', offset), offset);  // the mark is behind it
    return invalid_yaml(fmt::format("unknown escape '\\{}'", character_at(text, start + 1)),
                        position_at(text, start, file));
  }
  for (const Rewording& rewording : rewordings)
    if (message.starts_with(rewording.yaml_cpp)) {
      const std::string seen = hint_from_lines(text, offset);
      return invalid_yaml(rewording.message, position).with_hint(seen.empty() ? std::string(rewording.hint) : seen);
    }
  return invalid_yaml(message, position);
}

}  // namespace venvoy::schema
