#include <algorithm>
#include <cmath>
#include <iterator>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "schema/internal/text_form.hpp"
#include "schema/json.hpp"

namespace venvoy::schema {
namespace {

// 1 and "1" are two keys of a map, but one in JSON.
void check_keys(const std::vector<KeyedEntry>& entries) {
  if (std::ranges::all_of(entries, [](const KeyedEntry& item) { return item.entry->key.kind() == Kind::text; })) return;
  std::unordered_set<std::string_view> seen;
  for (const KeyedEntry& item : entries)
    if (!seen.insert(item.key_text).second)
      throw Error(ErrorCode::schema, fmt::format("cannot be written as JSON: two keys of a map read {} there",
                                                 describe(Value(item.key_text))));
}

class JsonWriter {
 public:
  explicit JsonWriter(const JsonWriteOptions& options) : options_(options) {}

  void write(const Value& value, int level);
  std::string take() { return std::move(out_); }

 private:
  void write_text(std::string_view text);
  void write_float(double value);
  void write_list(const List& list, int level);
  void write_map(const Map& map, int level);
  void line(int level);

  const JsonWriteOptions& options_;
  std::string out_;
};

void JsonWriter::write(const Value& value, int level) {
  switch (value.kind()) {
    case Kind::floating:
      return write_float(value.as_float());
    case Kind::text:
      return write_text(value.as_text());
    case Kind::bytes:
      return write_text(to_base64(value.as_bytes()));
    case Kind::list:
      return write_list(value.as_list(), level);
    case Kind::map:
      return write_map(value.as_map(), level);
    case Kind::invalid:
      throw Error(ErrorCode::schema, "cannot be written as JSON: " + value.invalid_reason());
    default:
      out_ += text_form(value);
  }
}

void JsonWriter::write_text(std::string_view text) {
  if (!is_valid_utf8(text)) return write_text(to_valid_utf8(text));
  out_ += '"';
  for (const char byte : text) {
    switch (byte) {
      case '"':
        out_ += "\\\"";
        break;
      case '\\':
        out_ += "\\\\";
        break;
      case '\b':
        out_ += "\\b";
        break;
      case '\f':
        out_ += "\\f";
        break;
      case '\n':
        out_ += "\\n";
        break;
      case '\r':
        out_ += "\\r";
        break;
      case '\t':
        out_ += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(byte) < 0x20) {
          fmt::format_to(std::back_inserter(out_), "\\u{:04x}", byte);
        } else {
          out_ += byte;
        }
    }
  }
  out_ += '"';
}

void JsonWriter::write_float(double value) {
  if (std::isnan(value)) return write_text("NaN");
  if (std::isinf(value)) return write_text(value > 0 ? "Infinity" : "-Infinity");
  const std::size_t start = out_.size();
  fmt::format_to(std::back_inserter(out_), "{}", value);
  // So that it is read back as a float.
  if (out_.find_first_of(".e", start) == std::string::npos) out_ += ".0";
}

void JsonWriter::write_list(const List& list, int level) {
  out_ += '[';
  bool first = true;
  for (const Value& item : list) {
    if (!std::exchange(first, false)) out_ += ',';
    line(level + 1);
    write(item, level + 1);
  }
  if (!list.empty()) line(level);
  out_ += ']';
}

void JsonWriter::write_map(const Map& map, int level) {
  const std::vector<KeyedEntry> entries = keyed_entries(map, options_.sort_keys);
  check_keys(entries);
  out_ += '{';
  bool first = true;
  for (const KeyedEntry& entry : entries) {
    if (!std::exchange(first, false)) out_ += ',';
    line(level + 1);
    write_text(entry.key_text);
    out_ += options_.indent > 0 ? ": " : ":";
    write(entry.entry->value, level + 1);
  }
  if (!entries.empty()) line(level);
  out_ += '}';
}

void JsonWriter::line(int level) {
  if (options_.indent == 0) return;
  out_ += '\n';
  out_.append(static_cast<std::size_t>(level) * static_cast<std::size_t>(options_.indent), ' ');
}

}  // namespace

std::string write_json(const Value& value, const JsonWriteOptions& options) {
  JsonWriter writer(options);
  writer.write(value, 0);
  return writer.take();
}

}  // namespace venvoy::schema
