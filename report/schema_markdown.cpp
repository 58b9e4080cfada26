#include "report/schema_markdown.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "report/schema_objects.hpp"

namespace venvoy::report {
namespace {

// Characters that mean something in CommonMark; in a cell a bar does too, and a line break ends the row.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char letter : to_valid_utf8(text)) {
    if (letter == '\n' || letter == '\r') {
      if (!result.ends_with(' ')) result += ' ';
      continue;
    }
    if (std::string_view("\\`*_[]<>#|~&!").find(letter) != std::string_view::npos) result += '\\';
    result += letter;
  }
  return result;
}

// As code, whatever backticks are in it. A bar would end the cell even in code.
std::string code(std::string_view text) {
  std::string shown;
  std::size_t longest = 0;
  std::size_t run = 0;
  for (const char letter : to_valid_utf8(text)) {
    run = letter == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
    if (letter == '|') shown += '\\';
    shown += letter == '\n' || letter == '\r' ? ' ' : letter;
  }
  if (shown.empty()) shown = " ";
  const std::string fence(longest + 1, '`');
  const std::string space = shown.starts_with('`') || shown.ends_with('`') ? " " : "";
  return fence + space + shown + space + fence;
}

std::string joined(const std::vector<std::string>& parts, std::string_view between) {
  return fmt::format("{}", fmt::join(parts, between));
}

std::string code_list(const std::vector<std::string>& words) {
  std::vector<std::string> parts;
  for (const std::string& word : words) parts.push_back(code(word));
  return joined(parts, ", ");
}

template <class Number>
std::string range_text(const std::optional<Number>& min, const std::optional<Number>& max, std::string_view unit) {
  std::string range;
  if (min && max)
    range = *min == *max ? fmt::format("{}", *min) : fmt::format("{} to {}", *min, *max);
  else if (min)
    range = fmt::format("at least {}", *min);
  else if (max)
    range = fmt::format("at most {}", *max);
  else
    return {};
  return ", " + range + std::string(unit);
}

std::string units_text(const std::shared_ptr<const schema::Units>& units) {
  if (!units) return {};
  std::vector<std::string> names = {code(units->base_unit.name_short_plural)};
  for (const auto& [multiplier, unit] : units->multipliers) names.push_back(code(unit.name_short_plural));
  return ", with units: " + joined(names, ", ");
}

// Gives phrases for types, and meets the objects in them on the way.
class Phrases {
 public:
  explicit Phrases(SchemaObjects& objects) : objects_(objects) {}

  std::string of(const schema::TypePtr& type) {
    return std::visit([&](const auto& form) { return phrase(form, type); }, type->form);
  }

 private:
  std::string phrase(const schema::AnyType&, const schema::TypePtr&) { return "any"; }
  std::string phrase(const schema::BoolType&, const schema::TypePtr&) { return "bool"; }
  std::string phrase(const schema::PatternType&, const schema::TypePtr&) { return "pattern (a regular expression)"; }
  std::string phrase(const schema::StringType& type, const schema::TypePtr&) {
    std::string text = "string" + range_text(type.min, type.max, " characters");
    return type.pattern ? text + ", matching " + code(type.pattern->source()) : text;
  }
  std::string phrase(const schema::IntegerType& type, const schema::TypePtr&) {
    return "integer" + range_text(type.min, type.max, "") + units_text(type.units);
  }
  std::string phrase(const schema::FloatType& type, const schema::TypePtr&) {
    return "float" + range_text(type.min, type.max, "") + units_text(type.units);
  }
  template <class Values>
  static std::string choices(const Values& values) {
    std::vector<std::string> parts;
    for (const auto& [value, display] : values) {
      std::string part = code(fmt::format("{}", value));
      if (display.name && *display.name != fmt::format("{}", value)) part += " (" + escaped(*display.name) + ")";
      parts.push_back(std::move(part));
    }
    return joined(parts, ", ");
  }
  std::string phrase(const schema::EnumStringType& type, const schema::TypePtr&) {
    return "one of " + choices(type.values);
  }
  std::string phrase(const schema::EnumIntegerType& type, const schema::TypePtr&) {
    return "one of " + choices(type.values) + units_text(type.units);
  }
  std::string phrase(const schema::ListType& type, const schema::TypePtr&) {
    return "list of " + of(type.items) + range_text(type.min, type.max, " items");
  }
  std::string phrase(const schema::MapType& type, const schema::TypePtr&) {
    return "map of " + of(type.keys) + " to " + of(type.values) + range_text(type.min, type.max, " entries");
  }
  std::string object(const schema::TypePtr& type, const std::string& id) {
    const std::string name = objects_.name_of(type);
    return code(name.empty() ? id : name);
  }
  std::string phrase(const schema::ObjectType& form, const schema::TypePtr& type) { return object(type, form.id); }
  std::string phrase(const schema::RefType& form, const schema::TypePtr& type) { return object(type, form.id); }
  std::string phrase(const schema::ScopeType& form, const schema::TypePtr& type) { return object(type, form.root); }
  std::string one_of(const schema::OneOfMembers& type) {
    std::vector<std::string> parts;
    for (const auto& [key, member] : type.types) {
      const std::string text = key.kind() == schema::Kind::text ? key.as_text() : std::to_string(key.as_integer());
      parts.push_back(code(text) + ": " + of(member));
    }
    return "object that " + code(type.discriminator) + " tells apart (" + joined(parts, ", ") + ")";
  }
  std::string phrase(const schema::OneOfStringType& type, const schema::TypePtr&) { return one_of(type); }
  std::string phrase(const schema::OneOfIntType& type, const schema::TypePtr&) { return one_of(type); }

  SchemaObjects& objects_;
};

// When a field must be given.
std::string needed_text(const schema::Property& property) {
  if (property.disabled) return "never";
  std::vector<std::string> parts;
  if (property.default_text)
    parts.push_back("no");
  else if (property.required)
    parts.push_back("yes");
  else if (property.required_if.empty() && property.required_if_not.empty())
    parts.push_back("no");
  if (!property.required_if.empty()) parts.push_back("with " + code_list(property.required_if));
  if (!property.required_if_not.empty()) parts.push_back("without " + code_list(property.required_if_not));
  if (!property.conflicts.empty()) parts.push_back("not beside " + code_list(property.conflicts));
  return joined(parts, "; ");
}

std::string display_text(const std::optional<schema::Display>& display) {
  if (!display) return {};
  std::string text;
  if (display->name) {
    const std::string_view name = trim(*display->name);
    text = "**" + escaped(name) + (name.ends_with('.') || !display->description ? "**" : ".**");
  }
  if (display->description) text += (text.empty() ? "" : " ") + escaped(trim(*display->description));
  return text;
}

std::string meaning_text(const schema::Property& property) {
  std::string text = display_text(property.display);
  const auto add = [&](const std::string& more) { text += (text.empty() ? "" : " ") + more; };
  if (!property.examples.empty()) add("For example " + code_list(property.examples) + ".");
  if (property.disabled)
    add(property.disabled_reason ? "Disabled: " + escaped(*property.disabled_reason) : "Disabled.");
  return text;
}

class Writer {
 public:
  std::string write(const schema::PluginSchema& plugin, const std::string& title) {
    text_ = "# " + escaped(title) + "\n";
    if (plugin.steps.empty()) text_ += "\nThe plugin has no steps.\n";
    for (const auto& [id, step] : plugin.steps) add_step(step);
    return std::move(text_);
  }

 private:
  void add_paragraph(const std::string& paragraph) {
    if (!paragraph.empty()) text_ += "\n" + paragraph + "\n";
  }

  void add_step(const schema::StepSchema& step) {
    add_paragraph("## Step " + code(step.id));
    add_paragraph(display_text(step.display));
    if (step.can_cancel()) add_paragraph("It can be asked to end early.");
    add_scope("Input", step.input, {});
    for (const auto& [id, output] : step.outputs)
      add_scope("Output " + code(id) + (output.error ? " (an error)" : ""), output.data, output.display);
    for (const auto& [id, signal] : step.signal_handlers)
      add_scope("Signal to the step: " + code(id), signal.data, signal.display);
    for (const auto& [id, signal] : step.signal_emitters)
      add_scope("Signal from the step: " + code(id), signal.data, signal.display);
  }

  // The root object, then all others that can be met from it.
  void add_scope(const std::string& heading, const schema::TypePtr& scope,
                 const std::optional<schema::Display>& display) {
    add_paragraph("### " + heading);
    add_paragraph(display_text(display));
    SchemaObjects objects;
    objects.name_of(scope);
    for (std::size_t index = 0; index < objects.size(); ++index) {
      const auto [name, object] = objects.at(index);
      if (index > 0) add_paragraph("#### Object " + code(name));
      add_fields(*object, objects);
    }
  }

  void add_fields(const schema::ObjectType& object, SchemaObjects& objects) {
    if (object.properties.empty()) return add_paragraph("No fields.");
    Phrases phrases(objects);
    text_ += "\n| Field | Type | Needed | Default | Meaning |\n|---|---|---|---|---|\n";
    for (const auto& [name, property] : object.properties) {
      text_ += fmt::format("| {} | {} | {} | {} | {} |\n", code(name), phrases.of(property.type), needed_text(property),
                           property.default_text ? code(*property.default_text) : "", meaning_text(property));
    }
  }

  std::string text_;
};

}  // namespace

std::string schema_markdown(const schema::PluginSchema& plugin, const std::string& title) {
  return Writer().write(plugin, title);
}

std::string type_phrase(const schema::TypePtr& type) {
  SchemaObjects objects;
  return Phrases(objects).of(type);
}

}  // namespace venvoy::report
