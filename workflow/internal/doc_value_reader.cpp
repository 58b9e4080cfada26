#include "workflow/internal/doc_value_reader.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include "base/text.hpp"
#include "expressions/parse.hpp"

namespace venvoy::workflow::internal {
namespace {

using schema::YamlNode;

const std::vector<std::string>& known_tags() {
  static const std::vector<std::string> tags = {"!expr", "!oneof", "!ordisabled", "!wait-optional", "!soft-optional"};
  return tags;
}

bool is_local_tag(const std::string& tag) {
  return tag.size() > 1 && tag.front() == '!';
}

std::string joined(const std::string& path, std::string_view segment) {
  return path.empty() ? std::string(segment) : fmt::format("{} -> {}", path, segment);
}

}  // namespace

void DocValueReader::report(const YamlNode& node, std::string text, std::string hint) {
  issues_.push_back({Severity::error, node.position(file_), std::move(text), std::move(hint)});
}

void DocValueReader::refuse_tags(const YamlNode& node, const std::string& section) {
  if (is_local_tag(node.tag))
    report(node,
           fmt::format("the tag {} means nothing in '{}': unsupported data type for 'any' type", node.tag, section));
  for (const YamlNode& item : node.items) refuse_tags(item, section);
  for (const auto& [key, value] : node.entries) refuse_tags(value, section);
}

DocValue DocValueReader::read(const YamlNode& node, const std::string& path) {
  DocValue value = is_local_tag(node.tag) ? read_tagged(node, path) : read_untagged(node, path);
  value.node = &node;
  return value;
}

DocValue DocValueReader::read_untagged(const YamlNode& node, const std::string& path) {
  DocValue value;
  if (node.is_sequence()) {
    DocValue::Items items;
    items.reserve(node.items.size());
    for (std::size_t index = 0; index < node.items.size(); ++index)
      items.push_back(read(node.items[index], joined(path, std::to_string(index))));
    value.form = std::move(items);
  } else if (node.is_mapping()) {
    DocValue::Entries entries;
    entries.reserve(node.entries.size());
    for (const auto& [key, item] : node.entries)
      entries.push_back({key.text, read(item, joined(path, key.text)), &key});
    value.form = std::move(entries);
  } else {
    value.form = DocValue::Literal{schema::to_text_value(node)};
  }
  return value;
}

DocValue DocValueReader::read_tagged(const YamlNode& node, const std::string& path) {
  if (node.tag == "!oneof") return read_one_of(node, path);
  const auto& tags = known_tags();
  if (std::find(tags.begin(), tags.end(), node.tag) == tags.end()) {
    report(node, fmt::format("unknown tag {}{}", node.tag, did_you_mean(node.tag, tags)),
           "the tags of a workflow are " + quoted_list(tags));
    return read_untagged(node, path);
  }
  if (!node.is_scalar()) {
    report(node, fmt::format("{} found on non-string node at {}", node.tag, path));
    return read_untagged(node, path);
  }
  if (node.tag == "!ordisabled") return read_or_disabled(node, path);
  DocValue value;
  const auto expression = compile(node, node.text, path);
  if (!expression) return value;
  if (node.tag == "!expr") {
    value.form = DocValue::Expression{*expression};
  } else {
    const bool wait = node.tag == "!wait-optional";
    value.form = DocValue::Optional{*expression, wait ? DocValue::Wait::until_decided : DocValue::Wait::never};
  }
  return value;
}

DocValue DocValueReader::read_one_of(const YamlNode& node, const std::string& path) {
  DocValue value;
  if (!node.is_mapping()) {
    report(node, fmt::format("!oneof found on non-map node at {}", path));
    return value;
  }
  const YamlNode* discriminator = node.find("discriminator");
  const YamlNode* options = node.find("one_of");
  const auto complain = [&](const YamlNode& at, std::string_view key, std::string_view what) {
    report(at, fmt::format("key \"{}\" {} within !oneof at {}", key, what, path));
  };
  if (!discriminator) complain(node, "discriminator", "not present");
  if (!options) complain(node, "one_of", "not present");
  if (discriminator && !discriminator->is_scalar()) complain(*discriminator, "discriminator", "should be a string");
  if (discriminator && discriminator->is_scalar() && discriminator->text.empty())
    complain(*discriminator, "discriminator", "is empty");
  if (options && !options->is_mapping()) complain(*options, "one_of", "should be a map");
  if (options && options->is_mapping() && options->entries.empty()) complain(*options, "one_of", "has no options");
  if (!discriminator || !discriminator->is_scalar() || !options || !options->is_mapping()) return value;

  DocValue::OneOf one_of{discriminator->text, {}};
  for (const auto& [key, option] : options->entries)
    one_of.options.push_back({key.text, read(option, joined(path, key.text)), &key});
  value.form = std::move(one_of);
  return value;
}

DocValue DocValueReader::read_or_disabled(const YamlNode& node, const std::string& path) {
  // The pattern of the Go engine, whose dot after '$' matches anything.
  static const RE2 step_path(R"(((?:\$.)?steps\.[^.]+)(\..+))");
  DocValue value;
  std::string step;
  if (!RE2::PartialMatch(node.text, step_path, &step)) {
    report(
        node,
        fmt::format("unable to parse expression in !ordisabled at {}: '{}' names no stage of a step", path, node.text),
        "write it like $.steps.STEP.outputs.success");
    return value;
  }
  const auto enabled = compile(node, node.text, path);
  const auto disabled = compile(node, step + ".disabled.output", path);
  if (!enabled || !disabled) return value;
  DocValue::OneOf one_of{"result", {}};
  one_of.options.push_back({"enabled", {DocValue::Expression{*enabled}, &node}, &node});
  one_of.options.push_back({"disabled", {DocValue::Expression{*disabled}, &node}, &node});
  value.form = std::move(one_of);
  return value;
}

std::optional<expressions::Expression> DocValueReader::compile(const YamlNode& node, const std::string& text,
                                                               const std::string& path) {
  try {
    return expressions::parse(text);
  } catch (const expressions::ExpressionError& error) {
    const bool exact = error.offset() && text == node.text;
    issues_.push_back({Severity::error, exact ? node.position_in_text(file_, *error.offset()) : node.position(file_),
                       fmt::format("failed to compile expression at {} ({})", path, error.what()), error.hint()});
    return std::nullopt;
  }
}

}  // namespace venvoy::workflow::internal
