// The events of one YAML document as a flat list, in the order of the text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <yaml-cpp/eventhandler.h>

#include "schema/internal/text_position.hpp"
#include "schema/yaml.hpp"

namespace venvoy::schema {

// A node, followed by what is in it: the items of a sequence, the keys and values of a mapping by turns. An alias is
// one record that names the record it stands for, so a text full of aliases stays small until nodes are made of it.
struct YamlRecord {
  YamlNode::Kind kind = YamlNode::Kind::scalar;
  YamlNode::Style style = YamlNode::Style::plain;
  bool is_alias = false;
  std::uint32_t tag = 0;     // index in YamlRecords::tags
  std::uint32_t end = 0;     // the record after everything that is in this one; 0 while it is open
  std::uint32_t target = 0;  // of an alias: the record it stands for
  int line = 0;
  int column = 0;
  int text_line = 0;
  int text_column = 0;
  std::string text;
  std::vector<YamlNode::Line> more_lines;
};

struct YamlRecords {
  std::vector<YamlRecord> nodes;
  std::vector<std::string> tags = {""};
  bool has_aliases = false;
};

// Listens to yaml-cpp and fills in from the text what its events leave out. Throws Errors for limits and for an alias
// to a node that contains it; they pass through yaml-cpp, which holds nothing that they could break.
class YamlRecorder final : public YAML::EventHandler {
 public:
  // The arguments must outlive the recorder.
  YamlRecorder(std::string_view text, const std::string& file, const YamlLimits& limits);

  // All nodes of the document; the recorder is empty afterwards.
  YamlRecords take() { return std::move(records_); }
  // Where the node of the last event starts: how far the parser has come.
  const std::size_t& last_offset() const noexcept { return last_offset_; }
  bool document_ended() const noexcept { return document_ended_; }
  // Whether there is an empty block scalar with a tag or anchor: yaml-cpp may have overlooked its lines
  // (with_tabs_before_properties).
  bool has_empty_block_scalar() const noexcept { return has_empty_block_scalar_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override { document_ended_ = true; }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override;
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override;
  void OnMapEnd() override { close(); }

 private:
  // A sequence or mapping that has not ended.
  struct Open {
    std::uint32_t record;
    std::uint32_t children = 0;
  };
  // A null with a text may turn out to be empty, and the text that of the next node.
  struct DoubtfulNull {
    bool active = false;
    std::size_t text_offset = 0;
    char indicator = '\0';  // what stands before it if it is empty
  };

  YamlRecord& add(std::size_t offset, YAML::anchor_t anchor);
  void open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor);
  void close();
  void place(YamlRecord& record, std::size_t offset);
  void place_text(YamlRecord& record, std::size_t offset);
  void place_scalar(YamlRecord& record, std::size_t offset);
  void place_empty(YamlRecord& record, std::size_t mark, char indicator);
  char indicator_before(std::size_t mark) const;
  void settle_null(std::size_t next_offset);
  std::uint32_t tag_index(const std::string& tag, std::size_t offset);
  std::size_t offset_of(const YAML::Mark& mark) const noexcept;
  Position position(std::size_t offset) const;

  std::string_view text_;
  const std::string& file_;
  const YamlLimits& limits_;
  TextCursor cursor_;
  YamlRecords records_;
  std::unordered_map<std::string, std::uint32_t> tag_indexes_;
  std::vector<std::uint32_t> anchors_;  // the record of each of yaml-cpp's anchors, which it counts from 1
  std::vector<Open> open_;
  DoubtfulNull doubtful_;
  std::size_t last_offset_ = 0;
  bool document_ended_ = false;
  bool has_empty_block_scalar_ = false;
};

}  // namespace venvoy::schema
