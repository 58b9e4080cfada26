#include "venv/python_requirement.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <toml++/toml.h>

#include "base/text.hpp"
#include "venv/internal/pyproject.hpp"
#include "venv/internal/release.hpp"

namespace venvoy::venv {
namespace {

int at(const std::vector<int>& numbers, std::size_t index) {
  return index < numbers.size() ? numbers[index] : 0;
}

// As versions: "3.9" is "3.9.0".
int compare(const std::vector<int>& left, const std::vector<int>& right) {
  for (std::size_t index = 0; index < std::max(left.size(), right.size()); ++index)
    if (const int difference = at(left, index) - at(right, index); difference != 0) return difference;
  return 0;
}

bool starts_with(const std::vector<int>& version, const std::vector<int>& start) {
  for (std::size_t index = 0; index < start.size(); ++index)
    if (at(version, index) != start[index]) return false;
  return true;
}

bool is_between(const std::vector<int>& version, const std::vector<int>& first, const std::vector<int>& end) {
  return compare(version, first) >= 0 && compare(version, end) < 0;
}

// One specifier: an operator and a version.
bool suits_one(const std::vector<int>& version, std::string_view specifier) {
  constexpr std::array<std::string_view, 10> operators = {"===", "~=", "==", "!=", "<=", ">=", "<", ">", "^", "~"};
  const auto* const found = std::find_if(operators.begin(), operators.end(),
                                         [&](std::string_view each) { return specifier.starts_with(each); });
  const std::string_view sign = found == operators.end() ? std::string_view("==") : *found;
  if (found != operators.end()) specifier = trim(specifier.substr(sign.size()));
  const auto wanted = internal::read_release(specifier);
  if (!wanted) return true;
  const std::vector<int>& numbers = wanted->numbers;
  // Poetry's "3.9" and everybody's "==3.9.*".
  const bool same = wanted->star ? starts_with(version, numbers) : compare(version, numbers) == 0;
  if (sign == "==" || sign == "===") return same;
  if (sign == "!=") return !same;
  if (numbers.empty()) return true;
  if (sign == "<=") return compare(version, numbers) <= 0;
  if (sign == ">=") return compare(version, numbers) >= 0;
  if (sign == "<") return compare(version, numbers) < 0;
  if (sign == ">") return compare(version, numbers) > 0;
  if (sign == "^") return is_between(version, numbers, internal::caret_end(numbers));
  if (sign == "~=")
    return numbers.size() < 2 || is_between(version, numbers, internal::next_at(numbers, numbers.size() - 2));
  return is_between(version, numbers, internal::tilde_end(numbers));
}

// A comma or blanks between specifiers mean "and"; blanks also stand behind operators.
bool suits_all(const std::vector<int>& version, std::string_view text) {
  std::string specifier;
  const auto holds = [&] { return specifier.empty() || suits_one(version, specifier); };
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\t';
    const bool ended =
        c == ',' || (blank && !specifier.empty() && (is_digit(specifier.back()) || specifier.back() == '*'));
    if (ended) {
      if (!holds()) return false;
      specifier.clear();
    } else if (!blank) {
      specifier += c;
    }
  }
  return holds();
}

std::string of_pyproject(std::string_view text) {
  const auto document = internal::read_pyproject(text);
  if (!document) return {};
  if (const auto project = (*document)["project"]["requires-python"].value<std::string>()) return *project;
  const auto python = (*document)["tool"]["poetry"]["dependencies"]["python"];
  if (const auto plain = python.value<std::string>()) return *plain;
  return python["version"].value_or(std::string());
}

// `python_requires = …` of the section [options].
std::string of_setup_cfg(std::string_view text) {
  bool in_options = false;
  for (std::string_view line : split_lines(text)) {
    line = trim(line);
    if (line.starts_with('[')) in_options = line == "[options]";
    const std::size_t equals = line.find('=');
    if (!in_options || equals == std::string_view::npos) continue;
    const std::string_view key = trim(line.substr(0, equals));
    if (key == "python_requires" || key == "python-requires") return std::string(trim(line.substr(equals + 1)));
  }
  return {};
}

bool is_plain_line(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7F; });
}

}  // namespace

PythonRequirement python_requirement(std::string_view pyproject, std::string_view setup_cfg) {
  constexpr std::size_t longest = 200;
  const auto fits = [](const std::string& text) {
    return !text.empty() && text.size() <= longest && is_plain_line(text);
  };
  if (std::string text = of_pyproject(pyproject); fits(text)) return {std::move(text), "pyproject.toml"};
  if (std::string text = of_setup_cfg(setup_cfg); fits(text)) return {std::move(text), "setup.cfg"};
  return {};
}

bool suits(std::string_view version, std::string_view requirement) {
  const auto release = internal::read_release(version);
  if (!release) return true;
  for (std::size_t start = 0;;) {
    const std::size_t bars = requirement.find("||", start);
    if (suits_all(release->numbers, requirement.substr(start, bars - start))) return true;
    if (bars == std::string_view::npos) return false;
    start = bars + 2;
  }
}

}  // namespace venvoy::venv
