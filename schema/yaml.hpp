// Reading YAML (design D17): by events, under limits, with the place of every node.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/position.hpp"
#include "schema/value.hpp"

namespace venvoy::schema {

// A node of a YAML document. Aliases and merge keys have been resolved: their nodes are copies that stand where the
// alias stands.
struct YamlNode {
  // Declared here and made elsewhere: the pairs in `entries` can be complete types only after YamlNode is, and clang
  // asks for them when it finds this constructor made for it.
  YamlNode();

  enum class Kind { scalar, sequence, mapping };
  enum class Style { plain, quoted, literal, folded };

  Kind kind = Kind::scalar;
  Style style = Style::plain;  // of a scalar
  // "" for none, "!expr" as written for a local tag, "tag:yaml.org,2002:int" for `!!int`.
  std::string tag;
  std::string text;  // of a scalar, unescaped; of a plain null as written (`null`, `~`, nothing)
  // Where the node starts (its tag or anchor if it has one; where it would stand if it is empty), and where the text of
  // a scalar starts, from 1.
  int line = 0;
  int column = 0;
  // Of a plain or literal scalar the first character, of the others the quote or `>`. A node that stands for an alias
  // has the alias' place, but its text and what is in it keep the places where they are written.
  int text_line = 0;
  int text_column = 0;
  // Where the text of a plain scalar goes on after a line break.
  struct Line {
    std::size_t byte = 0;  // of the text
    int line = 0;
    int column = 0;
  };
  std::vector<Line> more_lines;
  std::vector<YamlNode> items;                         // of a sequence
  std::vector<std::pair<YamlNode, YamlNode>> entries;  // of a mapping, in file order, keys are scalars

  bool is_scalar() const noexcept { return kind == Kind::scalar; }
  bool is_sequence() const noexcept { return kind == Kind::sequence; }
  bool is_mapping() const noexcept { return kind == Kind::mapping; }
  // A plain scalar that YAML's core schema reads as null, and that has no tag.
  bool is_null() const noexcept;
  // "a mapping", "a list", "a text": for messages.
  std::string_view kind_text() const noexcept;

  // The value under a key of a mapping; nullptr if there is none or this is no mapping.
  const YamlNode* find(std::string_view key) const noexcept;
  const YamlNode* find_key(std::string_view key) const noexcept;

  Position position(const std::string& file) const { return {file, line, column}; }
  // The place of a byte of the scalar's text: exact for plain and literal scalars of any number of lines, the start of
  // the scalar for the others.
  Position position_in_text(const std::string& file, std::size_t byte) const;
};

struct YamlLimits {
  std::size_t max_bytes = 64u << 20;
  std::size_t max_nodes = 4'000'000;  // after aliases have been copied
  int max_depth = 200;
};

// Reads the first document of a text. Every violation is an Error (document, or limit) with its position: a syntax
// error, a key given twice ("duplicate key 'x'", with the line of the first), a key that is no scalar, an unknown
// anchor, a limit. A text without a document gives a plain null at 1:1.
// `file` is the name for positions.
YamlNode read_yaml(std::string_view text, const std::string& file, const YamlLimits& limits = {});

// The value with every scalar as text, tags passed over: how workflow and input files are read (spec/workflow.md 3.1).
// A plain null becomes Value::written_null.
Value to_text_value(const YamlNode& node);

// The value by the core schema of YAML 1.2: plain scalars become null, booleans, integers and floats. For
// configuration files and for our own output read back. The tags `!!str`, `!!int`, `!!float`, `!!bool`, `!!null` and
// `!!binary` are followed, others passed over. Throws an Error (document) with its position for a text that its tag
// does not fit, for a number beyond 64 bits, and for keys that are texts of one value (`1` and `0x1`). `file` names the
// text.
Value to_typed_value(const YamlNode& node, const std::string& file = {});

}  // namespace venvoy::schema
