#include "venv/known_dependencies.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include "base/text.hpp"
#include "venv/internal/origin.hpp"
#include "venv/internal/pyproject.hpp"
#include "venv/internal/release.hpp"

namespace venvoy::venv {
namespace {

using Requirements = std::vector<std::string>;

constexpr std::string_view name_characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
constexpr std::string_view version_characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-*+!";

bool has_only(std::string_view text, std::string_view characters) {
  return text.find_first_not_of(characters) == std::string_view::npos;
}

// Nothing that an installer would take for an option or a file.
bool is_plain_name(std::string_view name) {
  constexpr std::array<std::string_view, 5> files = {".whl", ".zip", ".gz", ".txt", ".toml"};
  const auto is_file = [&](std::string_view end) { return name.ends_with(end); };
  return !name.empty() && has_only(name, name_characters) && name.find_first_of("-._") != 0 &&
         std::none_of(files.begin(), files.end(), is_file);
}

// "name", "name[extra] >=1,<2", "name (>=1) ; python_version < '4'"
bool is_plain_requirement(std::string_view text) {
  if (text.size() > max_known_dependency) return false;
  const std::string_view requirement = text.substr(0, text.find(';'));
  const std::size_t end = requirement.find_first_not_of(name_characters);
  const std::string_view rest = end == std::string_view::npos ? std::string_view() : requirement.substr(end);
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7F; };
  return is_plain_name(requirement.substr(0, end)) && rest.find_first_of("@/\\:") == std::string_view::npos &&
         std::none_of(text.begin(), text.end(), is_control);
}

std::string package_in(std::string_view requirement) {
  return internal::normalised_name(std::string(requirement.substr(0, requirement.find_first_not_of(name_characters))));
}

std::optional<Requirements> of_project(const toml::table& project) {
  const toml::array* const dependencies = project["dependencies"].as_array();
  const toml::array* const dynamic = project["dynamic"].as_array();
  const auto is_dependencies = [](const toml::node& node) { return node.value<std::string>() == "dependencies"; };
  if (!dependencies || (dynamic && std::any_of(dynamic->begin(), dynamic->end(), is_dependencies))) return std::nullopt;
  Requirements requirements;
  for (const toml::node& node : *dependencies) {
    const auto text = node.value<std::string>();
    if (!text) return std::nullopt;
    requirements.emplace_back(trim(*text));
  }
  return requirements;
}

// "^1.2" and "~1.2" as PEP 440 says it.
std::optional<std::string> bounded(std::string_view version, bool is_caret) {
  const auto release = internal::read_release(version);
  if (!release || release->length != version.size() || release->star) return std::nullopt;
  const auto end = is_caret ? internal::caret_end(release->numbers) : internal::tilde_end(release->numbers);
  return fmt::format(">={},<{}", version, fmt::join(end, "."));
}

// One of Poetry's specifiers that stand between commas.
std::optional<std::string> specifier(std::string_view text) {
  constexpr std::array<std::string_view, 9> operators = {"~=", "==", "!=", "<=", ">=", "<", ">", "^", "~"};
  const auto* const found =
      std::find_if(operators.begin(), operators.end(), [&](std::string_view each) { return text.starts_with(each); });
  const std::string_view sign = found == operators.end() ? std::string_view("==") : *found;
  const std::string_view version = found == operators.end() ? text : trim(text.substr(sign.size()));
  if (version.empty() || !is_digit(version.front()) || !has_only(version, version_characters)) return std::nullopt;
  if (sign == "^" || sign == "~") return bounded(version, sign == "^");
  return fmt::format("{}{}", sign, version);
}

std::optional<std::string> specifiers(std::string_view text) {
  if (trim(text) == "*") return std::string();
  Requirements all;
  for (;;) {
    const std::size_t comma = text.find(',');
    auto one = specifier(trim(text.substr(0, comma)));
    if (!one) return std::nullopt;
    all.push_back(std::move(*one));
    if (comma == std::string_view::npos) return fmt::format("{}", fmt::join(all, ","));
    text.remove_prefix(comma + 1);
  }
}

// A text, or a table of no more than a version and extras.
std::optional<std::string> of_poetry(std::string_view name, const toml::node& value) {
  std::string extras;
  std::optional<std::string> version = value.value<std::string>();
  if (const toml::table* const table = value.as_table()) {
    version = (*table)["version"].value<std::string>();
    const toml::array* const listed = (*table)["extras"].as_array();
    if (table->size() != (listed ? 2u : 1u)) return std::nullopt;
    Requirements names;
    if (listed)
      for (const toml::node& extra : *listed) names.push_back(extra.value_or(std::string()));
    if (!std::all_of(names.begin(), names.end(), is_plain_name)) return std::nullopt;
    if (!names.empty()) extras = fmt::format("[{}]", fmt::join(names, ","));
  }
  if (!version) return std::nullopt;
  const auto bounds = specifiers(*version);
  if (!bounds) return std::nullopt;
  return fmt::format("{}{}{}", name, extras, *bounds);
}

std::optional<Requirements> of_poetry(const toml::table& dependencies) {
  Requirements requirements;
  for (const auto& [key, value] : dependencies) {
    if (key.str() == "python") continue;
    auto requirement = of_poetry(key.str(), value);
    if (!requirement) return std::nullopt;
    requirements.push_back(std::move(*requirement));
  }
  return requirements;
}

bool is_built_by_poetry(const toml::table& document) {
  const auto backend = document["build-system"]["build-backend"].value<std::string>();
  return backend == "poetry.core.masonry.api" || backend == "poetry.masonry.api";
}

}  // namespace

std::vector<std::string> known_dependencies(std::string_view pyproject) {
  const auto document = internal::read_pyproject(pyproject);
  if (!document) return {};
  const toml::table* const project = (*document)["project"].as_table();
  const toml::table* const poetry = (*document)["tool"]["poetry"]["dependencies"].as_table();
  std::optional<Requirements> found;
  std::string own_name;
  if (project) {
    found = of_project(*project);
    own_name = package_in((*project)["name"].value_or(std::string_view()));
  } else if (poetry && is_built_by_poetry(*document)) {
    found = of_poetry(*poetry);
    own_name = package_in((*document)["tool"]["poetry"]["name"].value_or(std::string_view()));
  }
  if (!found || found->size() > max_known_dependencies) return {};
  // A package that names itself, with extras, means the one that is being built.
  const auto is_usable = [&](const std::string& each) {
    return is_plain_requirement(each) && package_in(each) != own_name;
  };
  if (!std::all_of(found->begin(), found->end(), is_usable)) return {};
  return std::move(*found);
}

}  // namespace venvoy::venv
