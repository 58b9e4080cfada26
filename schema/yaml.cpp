#include "schema/yaml.hpp"

#include <algorithm>
#include <istream>
#include <limits>
#include <string>

#include <fmt/format.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "base/text.hpp"
#include "schema/internal/text_position.hpp"
#include "schema/internal/yaml_builder.hpp"
#include "schema/internal/yaml_errors.hpp"
#include "schema/internal/yaml_recorder.hpp"
#include "schema/internal/yaml_stream.hpp"
#include "schema/internal/yaml_tokens.hpp"

namespace venvoy::schema {
namespace {

void check_size(std::string_view text, const std::string& file, const YamlLimits& limits) {
  // yaml-cpp counts bytes in an int, and records are counted in 32 bits.
  const std::size_t limit = std::min<std::size_t>(limits.max_bytes, std::numeric_limits<int>::max());
  if (text.size() <= limit) return;
  throw Error(ErrorCode::limit,
              fmt::format("the YAML text has {} bytes, more than the limit of {}", text.size(), limit))
      .at({file, 0, 0});
}

std::size_t sequence_length(char first) {
  const auto byte = static_cast<unsigned char>(first);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

// Characters that YAML forbids. They must not reach yaml-cpp, for which the byte 04 is the end of the text and a NUL
// the sign of UTF-16.
bool is_forbidden(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (first < 0x20) return first != '\t' && first != '\n' && first != '\r';
  if (first == 0xC2) return static_cast<unsigned char>(character[1]) < 0xA0 && character != "\u0085";
  return first == 0x7F || character == "\xEF\xBF\xBE" || character == "\xEF\xBF\xBF";
}

void check_characters(std::string_view text, const std::string& file) {
  const bool is_valid = is_valid_utf8(text);
  for (std::size_t offset = 0; offset < text.size();) {
    const std::string_view character = text.substr(offset, sequence_length(text[offset]));
    if (!is_valid && !is_valid_utf8(character))
      throw invalid_yaml(fmt::format("the byte {:02X} is not UTF-8", static_cast<unsigned char>(text[offset])),
                         position_at(text, offset, file));
    if (is_forbidden(character))
      throw invalid_yaml("a control character; in a double-quoted text it is written as an escape",
                         position_at(text, offset, file));
    offset += character.size();
  }
}

// Carriage returns that end a line alone, as YAML allows, become line feeds: versions of yaml-cpp disagree about them.
// Nothing if there are none.
std::string with_line_feeds(std::string_view text) {
  std::string changed;
  for (std::size_t at = text.find('\r'); at != std::string_view::npos; at = text.find('\r', at + 1)) {
    if (text.substr(at + 1).starts_with('\n')) continue;
    if (changed.empty()) changed = text;
    changed[at] = '\n';
  }
  return changed;
}

// Thrown out of yaml-cpp when a second document starts.
struct NextDocument {
  YAML::Mark mark;
};

class DocumentProbe final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override { throw NextDocument{mark}; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

// One run of the parser.
class YamlReading {
 public:
  // `parsed` is what yaml-cpp reads: the text, or one of the same length that it understands better.
  YamlReading(std::string_view text, std::string_view parsed, const std::string& file, const YamlLimits& limits)
      : text_(text),
        file_(file),
        recorder_(text, file, limits),
        buffer_(parsed, recorder_.last_offset(), file, limits),
        stream_(&buffer_),
        parser_(stream_) {}

  // The records of the first document; none if there is no document. Throws YAML::Exception for what is no YAML.
  YamlRecords run();
  bool has_empty_block_scalar() const noexcept { return recorder_.has_empty_block_scalar(); }

 private:
  void check_rest();
  bool has_marker_before(const YAML::Mark& mark) const;

  std::string_view text_;
  const std::string& file_;
  YamlRecorder recorder_;
  YamlStreamBuffer buffer_;
  std::istream stream_;
  YAML::Parser parser_;
};

YamlRecords YamlReading::run() {
  try {
    if (parser_.HandleNextDocument(recorder_)) check_rest();
  } catch (const YAML::Exception& exception) {
    // What is wrong behind the first document does not matter.
    if (!recorder_.document_ended() || !has_marker_before(exception.mark)) throw;
  }
  return recorder_.take();
}

// yaml-cpp takes what follows a finished node for another document, also without a marker.
void YamlReading::check_rest() {
  try {
    DocumentProbe probe;
    parser_.HandleNextDocument(probe);
  } catch (const NextDocument& next) {
    throw YAML::ParserException(next.mark, more_text_follows);
  }
}

// Whether a line with a document marker starts between the last node and here, or here.
bool YamlReading::has_marker_before(const YAML::Mark& mark) const {
  const std::size_t last = recorder_.last_offset();
  const std::size_t end = std::min(static_cast<std::size_t>(std::max(mark.pos, 0)) + 3, text_.size());
  const std::size_t start = std::min(last == 0 ? 0 : last - 1, end);
  const std::string_view between = text_.substr(start, end - start);
  for (const std::string_view marker : {"\n---", "\n..."})
    if (between.find(marker) != std::string_view::npos) return true;
  return last == 0 && (between.starts_with("---") || between.starts_with("..."));
}

YamlRecords read_records(std::string_view text, const std::string& file, const YamlLimits& limits) {
  std::string with_tabs;
  try {
    YamlReading reading(text, text, file, limits);
    YamlRecords records = reading.run();
    if (reading.has_empty_block_scalar()) with_tabs = with_tabs_before_properties(text);
    if (with_tabs.empty()) return records;
  } catch (const YAML::Exception& exception) {
    with_tabs = with_tabs_before_properties(text);
    if (with_tabs.empty()) throw syntax_error(exception, text, file);
  }
  try {
    return YamlReading(text, with_tabs, file, limits).run();
  } catch (const YAML::Exception& exception) {
    throw syntax_error(exception, text, file);
  }
}

YamlNode empty_document() {
  YamlNode node;
  node.line = node.column = node.text_line = node.text_column = 1;
  return node;
}

}  // namespace

YamlNode read_yaml(std::string_view text, const std::string& file, const YamlLimits& limits) {
  check_size(text, file, limits);
  while (text.starts_with(byte_order_mark)) text = without_byte_order_mark(text);
  check_characters(text, file);
  const std::string changed = with_line_feeds(text);
  YamlRecords records = read_records(changed.empty() ? text : changed, file, limits);
  if (records.nodes.empty()) return empty_document();
  return YamlBuilder(records, file, limits).build();
}

}  // namespace venvoy::schema
