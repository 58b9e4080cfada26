// An emitter of our own: yaml-cpp's has other rules for quotes, block scalars and indentation, and no options that
// would make it write what Go's yaml.v3 writes.
#include "schema/yaml_writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "schema/internal/text_form.hpp"
#include "schema/internal/yaml_scalar_form.hpp"

namespace venvoy::schema {
namespace {

constexpr std::string_view binary_tag = "!!binary";
// Base64 of yaml.v3 has lines of this length.
constexpr std::size_t binary_line = 70;

// The digits come from to_chars in scientific form, since its fixed form prints all digits of large numbers
// (99999999999999991611392 for 1e23) and not the shortest ones.
std::string decimal_form(double value) {
  std::array<char, 32> buffer;
  const auto end = std::to_chars(buffer.begin(), buffer.end(), std::abs(value), std::chars_format::scientific).ptr;
  const auto exponent_mark = std::find(buffer.begin(), end, 'e');
  int exponent = 0;
  std::from_chars(exponent_mark + (exponent_mark[1] == '+' ? 2 : 1), end, exponent);
  std::string digits(1, buffer[0]);
  if (buffer[1] == '.') digits.append(buffer.begin() + 2, exponent_mark);
  if (exponent < 0) {
    digits.insert(0, static_cast<std::size_t>(-exponent), '0');
    exponent = 0;
  }
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) digits.append(whole - digits.size() + 1, '0');
  digits.insert(whole, 1, '.');
  return std::signbit(value) ? "-" + digits : digits;
}

// Base64, in lines with a line feed each if it is longer than one.
std::string binary_text(const Bytes& bytes) {
  const std::string whole = to_base64(bytes);
  if (whole.size() < binary_line) return whole;
  std::string lines;
  for (std::size_t start = 0; start < whole.size(); start += binary_line)
    lines.append(whole, start, binary_line).append("\n");
  return lines;
}

// Writes nodes one after the other. A line is indented when the first thing is written to it; until something other
// than `-`, `?` and `:` stands in it, what follows may stand in the same line.
class YamlWriter {
 public:
  explicit YamlWriter(const YamlWriteOptions& options)
      : options_(options), step_(static_cast<std::size_t>(std::clamp(options.indent / 2 * 2, 2, 8))) {}

  std::string write(const Value& root);

 private:
  // Where a node stands: what its own contents are indented from.
  struct Parent {
    enum class Kind { document, list, map };
    Kind kind = Kind::document;
    std::size_t indent = 0;
  };

  void node(const Value& value, Parent parent);
  void list(const List& list, Parent parent);
  void map(const Map& map, Parent parent);
  void entry(const KeyedEntry& entry, std::size_t indent);
  void scalar(const Value& value, Parent parent);
  void text(std::string_view text, Parent parent);
  void literal(std::string_view text, Parent parent);
  void word(std::string_view word);
  void start_item(std::size_t indent);
  void new_line();
  std::size_t indent_in(Parent parent, bool is_scalar) const;
  std::size_t column() const { return out_.size() - line_start_; }

  const YamlWriteOptions& options_;
  const std::size_t step_;
  std::string out_;
  std::size_t line_start_ = 0;
  bool only_indicators_ = true;  // since the start of the line
};

std::string YamlWriter::write(const Value& root) {
  node(root, {});
  if (column() > 0) out_ += '\n';
  return std::move(out_);
}

void YamlWriter::node(const Value& value, Parent parent) {
  switch (value.kind()) {
    case Kind::list:
      return list(value.as_list(), parent);
    case Kind::map:
      return map(value.as_map(), parent);
    case Kind::invalid:
      throw Error(ErrorCode::schema, "cannot be written as YAML: " + value.invalid_reason());
    default:
      return scalar(value, parent);
  }
}

// What is in a list item goes two columns further, behind its `- `; everything else to the next multiple of the step.
std::size_t YamlWriter::indent_in(Parent parent, bool is_scalar) const {
  switch (parent.kind) {
    case Parent::Kind::document:
      return is_scalar ? step_ : 0;
    case Parent::Kind::list:
      return parent.indent + 2;
    case Parent::Kind::map:
      return (parent.indent + step_) / step_ * step_;
  }
  return 0;
}

void YamlWriter::list(const List& list, Parent parent) {
  if (list.empty()) return word("[]");
  const std::size_t indent = indent_in(parent, false);
  for (const Value& item : list) {
    start_item(indent);
    out_ += '-';
    node(item, {Parent::Kind::list, indent});
  }
}

void YamlWriter::map(const Map& map, Parent parent) {
  if (map.empty()) return word("{}");
  const std::size_t indent = indent_in(parent, false);
  for (const KeyedEntry& item : keyed_entries(map, options_.sort_keys)) entry(item, indent);
}

void YamlWriter::entry(const KeyedEntry& entry, std::size_t indent) {
  const Parent here{Parent::Kind::map, indent};
  const auto& [key, value] = *entry.entry;
  const bool is_binary = key.kind() == Kind::bytes;
  const bool is_long =
      is_binary ? needs_question_mark(binary_text(key.as_bytes()), binary_tag) : needs_question_mark(entry.key_text);
  start_item(indent);
  if (is_long) out_ += '?';
  const bool would_merge =
      key.kind() == Kind::text && key.as_text() == "<<" && (value.kind() == Kind::map || value.kind() == Kind::list);
  if (would_merge) {
    // yaml.v3 leaves the quotes away, and then reads a merge key; here the value counts more than the bytes.
    word("\"<<\"");
  } else {
    scalar(key, here);
  }
  if (is_long) start_item(indent);
  out_ += ':';
  node(value, here);
}

void YamlWriter::scalar(const Value& value, Parent parent) {
  switch (value.kind()) {
    case Kind::floating:
      return word(yaml_float(value.as_float()));
    case Kind::text:
      return is_valid_utf8(value.as_text()) ? text(value.as_text(), parent)
                                            : text(to_valid_utf8(value.as_text()), parent);
    case Kind::bytes: {
      word(binary_tag);
      const std::string base64 = binary_text(value.as_bytes());
      if (base64.empty()) return word("\"\"");
      return base64.ends_with('\n') ? literal(base64, parent) : word(base64);
    }
    default:
      return word(text_form(value));
  }
}

void YamlWriter::text(std::string_view text, Parent parent) {
  const ScalarForm form = form_of_text(text);
  if (form == ScalarForm::literal) return literal(text, parent);
  if (form == ScalarForm::plain) return word(text);
  word("");
  if (form == ScalarForm::single_quoted) {
    append_single_quoted(out_, text);
  } else {
    append_double_quoted(out_, text);
  }
}

void YamlWriter::literal(std::string_view text, Parent parent) {
  const std::size_t indent = indent_in(parent, true);
  word("|");
  // yaml.v3 always writes the step here, not how far the text is indented, none for a tab, and loses a line feed at the
  // start: its own reader then fails or reads another text. Where it writes what can be read, this is the same.
  if (text.find_first_of(" \t\n") == 0) out_ += static_cast<char>('0' + (indent - parent.indent));
  if (!text.ends_with('\n')) {
    out_ += '-';
  } else if (text == "\n" || text.ends_with("\n\n")) {
    out_ += '+';
  }
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    new_line();
    if (end > start) out_.append(indent, ' ').append(text, start, end - start);
    start = end + 1;
  }
  only_indicators_ = false;
  if (text.ends_with('\n')) new_line();
}

// Something that is no indicator, behind a blank if something stands before it.
void YamlWriter::word(std::string_view word) {
  if (column() > 0 && out_.back() != ' ') out_ += ' ';
  out_ += word;
  only_indicators_ = false;
}

void YamlWriter::start_item(std::size_t indent) {
  if (!only_indicators_ || column() > indent) new_line();
  out_.append(indent - column(), ' ');
}

void YamlWriter::new_line() {
  out_ += '\n';
  line_start_ = out_.size();
  only_indicators_ = true;
}

}  // namespace

std::string write_yaml(const Value& value, const YamlWriteOptions& options) {
  return YamlWriter(options).write(value);
}

std::string yaml_float(double value) {
  if (std::isnan(value)) return ".nan";
  if (std::isinf(value)) return value > 0 ? ".inf" : "-.inf";
  return decimal_form(value);
}

}  // namespace venvoy::schema
