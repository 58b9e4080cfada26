#include "rucio/config_file.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace venvoy::rucio {
namespace {

constexpr std::string_view blanks = " \t\f\v\r\n";

std::string lower_ascii(std::string_view text) {
  std::string result(text);
  for (char& symbol : result)
    if (symbol >= 'A' && symbol <= 'Z') symbol = static_cast<char>(symbol - 'A' + 'a');
  return result;
}

std::string_view stripped(std::string_view text) {
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::vector<std::string> lines_with_ends(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto length = end == std::string_view::npos ? text.size() : end + 1;
    lines.emplace_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return lines;
}

bool is_comment(std::string_view content) {
  return content.starts_with('#') || content.starts_with(';');
}

int indent_of(std::string_view line) {
  const auto first = line.find_first_not_of(blanks);
  return first == std::string_view::npos ? 0 : static_cast<int>(first);
}

[[noreturn]] void refuse(const std::string& file, int line, std::string text) {
  throw Error(ErrorCode::document, std::move(text)).at({file, line, 0});
}

}  // namespace

ConfigFile ConfigFile::parse(std::string_view text, const std::string& file) {
  ConfigFile config;
  config.file_ = file;
  config.lines_ = lines_with_ends(text);
  ConfigFile::Option* open = nullptr;
  int number = 0;
  for (const std::string& line : config.lines_) {
    ++number;
    const std::string_view content = stripped(line);
    if (is_comment(content)) continue;
    // Empty lines belong to a value if one of its lines follows; none that we ask for has such.
    if (content.empty()) continue;
    const int indent = indent_of(line);
    if (open && indent > open->indent) {
      open->value += "\n" + std::string(content);
      open->last_line = number;
      continue;
    }
    if (content.front() == '[' && content.find(']') != std::string_view::npos) {
      const std::string name(content.substr(1, content.rfind(']') - 1));
      if (config.section_of(name)) refuse(file, number, fmt::format("the section [{}] is there twice", name));
      config.sections_.push_back({name, number, {}});
      open = nullptr;
      continue;
    }
    if (config.sections_.empty()) refuse(file, number, "there is an option before the first section, such as [policy]");
    const auto sign = content.find_first_of("=:");
    if (sign == std::string_view::npos || sign == 0)
      refuse(file, number, fmt::format("'{}' is no option: `name = value` was expected", content));
    ConfigFile::Section& section = config.sections_.back();
    ConfigFile::Option option{lower_ascii(stripped(content.substr(0, sign))),
                              std::string(stripped(content.substr(sign + 1))), number, number, indent};
    for (const ConfigFile::Option& other : section.options)
      if (other.name == option.name)
        refuse(file, number,
               fmt::format("the option '{}' of [{}] is there twice, first in line {}", option.name, section.name,
                           other.line));
    section.options.push_back(std::move(option));
    open = &section.options.back();
  }
  return config;
}

const ConfigFile::Section* ConfigFile::section_of(std::string_view name) const noexcept {
  const auto place = std::ranges::find(sections_, name, &Section::name);
  return place == sections_.end() ? nullptr : &*place;
}

bool ConfigFile::has_section(std::string_view section) const noexcept {
  return section_of(section) != nullptr;
}

const ConfigFile::Option* ConfigFile::find(std::string_view section, std::string_view option) const noexcept {
  if (!has_section(section)) return nullptr;
  for (const std::string_view name : {section, std::string_view("DEFAULT")})
    if (const Section* found = section_of(name)) {
      const auto place = std::ranges::find(found->options, option, &Option::name);
      if (place != found->options.end()) return &*place;
    }
  return nullptr;
}

std::string ConfigFile::edited(const std::string& section,
                               const std::vector<std::pair<std::string, std::string>>& options) const {
  std::vector<std::string> lines = lines_;
  std::string added;
  const Section* found = section_of(section);
  for (const auto& [name, value] : options) {
    const auto* known = found ? find(section, name) : nullptr;
    const bool own = known && std::ranges::any_of(found->options, [&](const Option& each) { return &each == known; });
    if (own && known->value == value) continue;
    if (!own) {
      added += fmt::format("{} = {}\n", name, value);
      continue;
    }
    // The first line of the old value becomes the new one, its other lines go.
    const auto first = static_cast<std::size_t>(known->line) - 1;
    lines[first] =
        fmt::format("{}{} = {}\n", lines[first].substr(0, static_cast<std::size_t>(known->indent)), name, value);
    for (int line = known->line; line < known->last_line; ++line)
      if (const auto content = stripped(lines[static_cast<std::size_t>(line)]);
          !content.empty() && !is_comment(content))
        lines[static_cast<std::size_t>(line)].clear();
  }
  if (!added.empty() && found) {
    // Behind the section's last option: what is indented below it stays its own.
    int behind = found->line;
    int indent = 0;
    for (const Option& option : found->options) {
      behind = std::max(behind, option.last_line);
      indent = option.indent;
    }
    // As deep as the option before, or it would be part of its value.
    if (indent > 0) {
      std::string deeper;
      for (const std::string& line : lines_with_ends(added))
        deeper += std::string(static_cast<std::size_t>(indent), ' ') + line;
      added = deeper;
    }
    std::string& before = lines[static_cast<std::size_t>(behind) - 1];
    if (!before.empty() && before.back() != '\n') before += '\n';
    lines.insert(lines.begin() + behind, added);
  } else if (!added.empty()) {
    if (!lines.empty()) {
      if (lines.back().back() != '\n') lines.back() += '\n';
      added = "\n[" + section + "]\n" + added;
    } else {
      added = "[" + section + "]\n" + added;
    }
    lines.push_back(added);
  }
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

std::optional<bool> config_bool(std::string_view value) {
  const std::string word = lower_ascii(value);
  for (const char* yes : {"1", "yes", "true", "on"})
    if (word == yes) return true;
  for (const char* no : {"0", "no", "false", "off"})
    if (word == no) return false;
  return std::nullopt;
}

}  // namespace venvoy::rucio
