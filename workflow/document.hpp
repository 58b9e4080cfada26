// A workflow file as its author wrote it: keys, tags and expressions, every node with its place (spec/workflow.md
// section 3). Nothing about types yet.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/issue.hpp"
#include "base/position.hpp"
#include "expressions/expression.hpp"
#include "schema/value.hpp"
#include "schema/yaml.hpp"

namespace venvoy::workflow {

// A value of a workflow file: literals, expressions and the optional and alternative values of 3.2.
struct DocValue {
  struct Entry;
  struct Literal {
    schema::Value value;  // a text, or a written null
  };
  struct Expression {
    expressions::Expression expression;
  };
  enum class Wait { until_decided, never };  // `!wait-optional`, `!soft-optional`
  struct Optional {
    expressions::Expression expression;
    Wait wait = Wait::until_decided;
  };
  // `!oneof` and `!ordisabled`
  struct OneOf {
    std::string discriminator;
    std::vector<Entry> options;
  };
  // What could not be read; it has been reported.
  struct Broken {};
  using Items = std::vector<DocValue>;
  using Entries = std::vector<Entry>;

  std::variant<Broken, Literal, Expression, Optional, OneOf, Items, Entries> form;
  // Where it stands; lives as long as the document.
  const schema::YamlNode* node = nullptr;
};

struct DocValue::Entry {
  std::string key;
  DocValue value;
  const schema::YamlNode* key_node = nullptr;
};

struct DocStep {
  std::string id;
  std::string kind;  // "plugin", "foreach"
  const schema::YamlNode* id_node = nullptr;
  const schema::YamlNode* node = nullptr;
  std::vector<DocValue::Entry> fields;  // all keys but `kind`

  const DocValue::Entry* find(std::string_view key) const noexcept;
};

// The reference of a plugin step. `deployment_type` of the old form (a plain text) is "python".
struct DocPlugin {
  std::string source;
  std::string deployment_type;
  const schema::YamlNode* source_node = nullptr;
  const schema::YamlNode* type_node = nullptr;
};

struct Document {
  std::string file;  // as the user wrote it: for positions
  std::string text;
  std::shared_ptr<const schema::YamlNode> root;
  std::string version;
  const schema::YamlNode* input = nullptr;
  std::vector<DocStep> steps;
  std::vector<DocValue::Entry> outputs;  // `output` is an output named `success`
  std::vector<std::pair<std::string, const schema::YamlNode*>> output_schemas;

  const DocStep* find_step(std::string_view id) const noexcept;
  std::vector<std::string> step_ids() const;
  Position position(const schema::YamlNode& node) const { return node.position(file); }
};

struct ParsedDocument {
  // Null if the text is no YAML, or so wrong that nothing can be made of it; otherwise what could be read.
  std::shared_ptr<const Document> document;
  Issues issues;
};

struct ParseOptions {
  // Only the main workflow's version is compared with the supported one (3.3).
  bool check_version = true;
};

// Reads a workflow file's text. Everything that is wrong with it comes back as issues; nothing is thrown.
ParsedDocument parse_document(std::string text, const std::string& file, const ParseOptions& options = {});

// The parts of a step that are no expressions; an issue for each that is wrong, in which case the result is nothing.
std::optional<DocPlugin> plugin_of(const Document& document, const DocStep& step, Issues& issues);
std::optional<std::string> literal_text(const DocValue::Entry& entry);

// The keys that a step of this kind may have; empty for an unknown kind.
const std::vector<std::string>& step_keys(std::string_view kind);

}  // namespace venvoy::workflow
