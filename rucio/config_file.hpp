// `rucio.cfg`, as Rucio reads it: an INI file by the rules of Python's ConfigParser.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace venvoy::rucio {

// Sections keep their spelling, option names are lower-cased, values keep everything but blanks around them: a `;` or a
// quote in a line is part of the value. A line that is indented deeper than its option belongs to the value before.
class ConfigFile {
 public:
  struct Option {
    std::string name;  // lower case
    std::string value;
    int line = 0;       // from 1
    int last_line = 0;  // of a value of several lines
    int indent = 0;     // of the option's name
  };
  struct Section {
    std::string name;
    int line = 0;
    std::vector<Option> options;
  };

  // `file` names the text in errors. Throws an Error (document) with its position for what ConfigParser refuses: a line
  // without a value, an option or section given twice, an option before the first section.
  static ConfigFile parse(std::string_view text, const std::string& file);

  const std::string& file() const noexcept { return file_; }
  bool has_section(std::string_view section) const noexcept;
  // Nothing if it is not there, also not in [DEFAULT].
  const Option* find(std::string_view section, std::string_view option) const noexcept;

  // The text with these options of one section set. Other lines stay as they are, in their order; an option that has
  // its value already is not touched. A new line never becomes part of another value, and takes no following lines into
  // its own.
  std::string edited(const std::string& section, const std::vector<std::pair<std::string, std::string>>& options) const;

 private:
  const Section* section_of(std::string_view name) const noexcept;
  std::string file_;
  std::vector<std::string> lines_;  // with their line ends
  std::vector<Section> sections_;
};

// true/yes/on/1 and false/no/off/0 in any case; nothing for other texts.
std::optional<bool> config_bool(std::string_view value);

}  // namespace venvoy::rucio
