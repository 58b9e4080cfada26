#include "workflow/document.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <re2/re2.h>

#include "base/text.hpp"
#include "schema/type.hpp"
#include "workflow/internal/doc_value_reader.hpp"
#include "workflow/internal/issue_order.hpp"

namespace venvoy::workflow {
namespace {

using internal::DocValueReader;
using schema::YamlNode;

constexpr std::string_view supported_version = "v0.2.0";
const std::vector<std::string>& top_level_keys() {
  static const std::vector<std::string> keys = {"input", "output", "outputSchema", "outputs", "steps", "version"};
  return keys;
}

std::string invalid_parameter(const std::string& key, const std::vector<std::string>& known) {
  return fmt::format("Invalid parameter '{}', expected one of: {}{}", key, fmt::join(known, ", "),
                     did_you_mean(key, known));
}

// Reads the sections of one file.
class DocumentParser {
 public:
  DocumentParser(Document& document, Issues& issues, const ParseOptions& options)
      : document_(document), options_(options), values_(document.file, issues) {}

  void parse() {
    const YamlNode& root = *document_.root;
    if (!root.is_mapping())
      return report(root, fmt::format("a workflow must be a map: Must be a map to convert to object, {} given",
                                      root.kind_text()));
    for (const auto& [key, value] : root.entries)
      if (std::find(top_level_keys().begin(), top_level_keys().end(), key.text) == top_level_keys().end())
        report(key, invalid_parameter(key.text, top_level_keys()));
    parse_version();
    parse_input();
    parse_steps();
    parse_outputs();
    parse_output_schema();
  }

 private:
  void report(const YamlNode& node, std::string text) { values_.report(node, std::move(text)); }

  const YamlNode* section(std::string_view key) { return document_.root->find(key); }
  const YamlNode* required_section(const std::string& key, std::string hint) {
    const YamlNode* node = section(key);
    if (!node && !is_misspelled(key))
      values_.report(*document_.root, fmt::format("Validation failed for '{}': This field is required", key),
                     std::move(hint));
    return node;
  }
  // Whether an unknown key was taken for this one: then it is not missing as well.
  bool is_misspelled(const std::string& key) const {
    const auto meant = [&](const auto& entry) {
      const auto& known = top_level_keys();
      return std::find(known.begin(), known.end(), entry.first.text) == known.end() &&
             nearest(entry.first.text, known) == key;
    };
    return std::any_of(document_.root->entries.begin(), document_.root->entries.end(), meant);
  }

  void parse_version() {
    static const RE2 form(R"(v\d+\.\d+\.\d+)");
    const YamlNode* node =
        required_section("version", fmt::format("begin the file with 'version: {}'", supported_version));
    if (!node) return;
    if (!node->is_scalar() || node->text.size() > 255 || !RE2::FullMatch(node->text, form))
      return values_.report(*node,
                            fmt::format("Validation failed for 'version': String '{}' must match the pattern "
                                        "'^v\\d+\\.\\d+\\.\\d+$'",
                                        node->text),
                            fmt::format("write 'version: {}'", supported_version));
    document_.version = node->text;
    if (options_.check_version && node->text != supported_version)
      report(*node,
             fmt::format("unsupported workflow schema version: {} (supported: {})", node->text, supported_version));
  }

  void parse_input() {
    document_.input = required_section(
        "input", "without any input: 'input: {root: Input, objects: {Input: {id: Input, properties: {}}}}'");
    if (document_.input) values_.refuse_tags(*document_.input, "input");
  }

  void parse_steps() {
    const YamlNode* steps = required_section("steps", "a workflow has at least one step");
    if (!steps) return;
    if (!steps->is_mapping())
      return report(*steps, fmt::format("Validation failed for 'steps': Must be a map, {} given", steps->kind_text()));
    if (steps->entries.empty()) report(*steps, "Validation failed for 'steps': Must have at least 1 items, 0 given");
    for (const auto& [key, value] : steps->entries) {
      if (!schema::is_id(key.text))
        report(key, fmt::format("Validation failed for 'steps' -> '{{{0}}}': String '{0}' must match the pattern "
                                "'^[$@a-zA-Z0-9-_]+$'",
                                key.text));
      parse_step(key, value);
    }
  }

  void parse_step(const YamlNode& key, const YamlNode& node) {
    if (!node.is_mapping())
      return report(
          node, fmt::format("step {} has an invalid type: a map is expected, {} given", key.text, node.kind_text()));
    DocStep step{key.text, "plugin", &key, &node, {}};
    if (const YamlNode* kind = node.find("kind")) {
      if (!kind->is_scalar())
        return report(*kind, fmt::format("invalid step configuration for {} (the kind must be a text, {} given)",
                                         key.text, kind->kind_text()));
      step.kind = kind->text;
    }
    const auto& known = step_keys(step.kind);
    if (known.empty()) {
      report(*node.find("kind"), fmt::format("the following step provider is not supported: {} (only the "
                                             "following providers are supported: plugin, foreach){}",
                                             step.kind, did_you_mean(step.kind, {"plugin", "foreach"})));
      // It is there, so that what refers to it is not wrong too.
      document_.steps.push_back(std::move(step));
      return;
    }
    for (const auto& [name, value] : node.entries) {
      if (name.text == "kind") continue;
      if (std::find(known.begin(), known.end(), name.text) == known.end()) {
        report(name,
               fmt::format("invalid step configuration for {} ({})", key.text, invalid_parameter(name.text, known)));
        continue;
      }
      step.fields.push_back(
          {name.text, values_.read(value, fmt::format("steps -> {} -> {}", key.text, name.text)), &name});
    }
    document_.steps.push_back(std::move(step));
  }

  void parse_outputs() {
    const YamlNode* outputs = section("outputs");
    const YamlNode* output = section("output");
    if (output && outputs)
      report(*document_.root->find_key("output"),
             "Validation failed for 'output': Field conflicts 'outputs', set one of the two, not both");
    if (output && section("outputSchema"))
      report(*document_.root->find_key("output"),
             "Validation failed for 'output': Field conflicts 'outputSchema', set one of the two, not both");
    if (!output && !outputs) {
      if (!is_misspelled("outputs") && !is_misspelled("output"))
        values_.report(*document_.root,
                       "Validation failed for 'output': This field is required because 'outputs' is not set",
                       "say what the result is: 'outputs: {success: {NAME: !expr $.steps.STEP.outputs}}'");
      return;
    }
    if (!outputs) {
      document_.outputs.push_back({"success", values_.read(*output, "output"), document_.root->find_key("output")});
      return;
    }
    if (!outputs->is_mapping())
      return report(*outputs,
                    fmt::format("Validation failed for 'outputs': Must be a map, {} given", outputs->kind_text()));
    if (outputs->entries.empty())
      report(*outputs, "Validation failed for 'outputs': Must have at least 1 items, 0 given");
    for (const auto& [key, value] : outputs->entries) {
      if (!schema::is_id(key.text))
        report(key, fmt::format("Validation failed for 'outputs' -> '{{{0}}}': String '{0}' must match the pattern "
                                "'^[$@a-zA-Z0-9-_]+$'",
                                key.text));
      document_.outputs.push_back({key.text, values_.read(value, "outputs -> " + key.text), &key});
    }
  }

  void parse_output_schema() {
    const YamlNode* schemas = section("outputSchema");
    if (!schemas) return;
    values_.refuse_tags(*schemas, "outputSchema");
    if (!section("outputs"))
      report(*document_.root->find_key("outputSchema"),
             "Validation failed for 'outputs': This field is required because 'outputSchema' is set");
    if (!schemas->is_mapping())
      return report(*schemas,
                    fmt::format("Validation failed for 'outputSchema': Must be a map, {} given", schemas->kind_text()));
    for (const auto& [key, value] : schemas->entries) document_.output_schemas.emplace_back(key.text, &value);
  }

  Document& document_;
  const ParseOptions& options_;
  DocValueReader values_;
};

}  // namespace

const DocValue::Entry* DocStep::find(std::string_view key) const noexcept {
  const auto place = std::find_if(fields.begin(), fields.end(), [&](const auto& field) { return field.key == key; });
  return place == fields.end() ? nullptr : &*place;
}

const DocStep* Document::find_step(std::string_view id) const noexcept {
  const auto place = std::find_if(steps.begin(), steps.end(), [&](const DocStep& step) { return step.id == id; });
  return place == steps.end() ? nullptr : &*place;
}

std::vector<std::string> Document::step_ids() const {
  std::vector<std::string> ids;
  for (const DocStep& step : steps) ids.push_back(step.id);
  return ids;
}

const std::vector<std::string>& step_keys(std::string_view kind) {
  static const std::vector<std::string> plugin = {
      "closure_wait_timeout", "deploy", "enabled", "input", "plugin", "step", "stop_if", "wait_for"};
  static const std::vector<std::string> foreach = {"enabled", "items", "parallelism", "wait_for", "workflow"};
  static const std::vector<std::string> none;
  if (kind == "plugin") return plugin;
  if (kind == "foreach") return foreach;
  return none;
}

ParsedDocument parse_document(std::string text, const std::string& file, const ParseOptions& options) {
  ParsedDocument result;
  if (text.empty()) {
    result.issues.push_back({Severity::error, {file, 1, 1}, "empty workflow file provided in context", {}});
    return result;
  }
  auto document = std::make_shared<Document>();
  document->file = file;
  try {
    document->root = std::make_shared<const YamlNode>(schema::read_yaml(text, file));
  } catch (const Error& error) {
    result.issues.push_back(
        {Severity::error, error.position(), fmt::format("invalid workflow YAML ({})", error.what()), error.hint()});
    return result;
  }
  document->text = std::move(text);
  if (document->root->is_null() && document->root->text.empty()) {
    result.issues.push_back({Severity::error, {file, 1, 1}, "empty YAML file given", {}});
    return result;
  }
  DocumentParser(*document, result.issues, options).parse();
  internal::sort_by_place(result.issues, file);
  result.document = std::move(document);
  return result;
}

std::optional<std::string> literal_text(const DocValue::Entry& entry) {
  const auto* literal = std::get_if<DocValue::Literal>(&entry.value.form);
  if (!literal || !entry.value.node->is_scalar()) return std::nullopt;
  return entry.value.node->text;
}

std::optional<DocPlugin> plugin_of(const Document& document, const DocStep& step, Issues& issues) {
  const auto complain = [&](const YamlNode& node, std::string_view path, std::string_view what) {
    issues.push_back(
        {Severity::error,
         document.position(node),
         fmt::format("invalid step configuration for {} (Validation failed for '{}': {})", step.id, path, what),
         {}});
    return std::nullopt;
  };
  const DocValue::Entry* field = step.find("plugin");
  if (!field) return complain(*step.node, "plugin", "This field is required");
  // The form of the seed and of old engines: the reference alone (spec/command.md section 4).
  if (const auto text = literal_text(*field)) {
    if (text->empty()) return complain(*field->value.node, "plugin", "String must be at least 1 characters, 0 given");
    return DocPlugin{*text, "python", field->value.node, field->value.node};
  }
  const YamlNode& node = *field->value.node;
  if (!node.is_mapping() || !node.tag.empty())
    return complain(node, "plugin", "Must be a map to convert to object, expressions are not possible here");
  static const std::vector<std::string> keys = {"deployment_type", "src"};
  for (const auto& [key, value] : node.entries)
    if (std::find(keys.begin(), keys.end(), key.text) == keys.end())
      return complain(key, "plugin", invalid_parameter(key.text, keys));
  DocPlugin plugin;
  for (const std::string& key : {std::string("src"), std::string("deployment_type")}) {
    const YamlNode* value = node.find(key);
    const std::string path = "plugin' -> '" + key;
    if (!value) return complain(node, path, "This field is required");
    if (!value->is_scalar() || !value->tag.empty()) return complain(*value, path, "must be a text");
    if (value->text.empty()) return complain(*value, path, "String must be at least 1 characters, 0 given");
    (key == "src" ? plugin.source : plugin.deployment_type) = value->text;
  }
  plugin.source_node = node.find("src");
  plugin.type_node = node.find("deployment_type");
  return plugin;
}

}  // namespace venvoy::workflow
