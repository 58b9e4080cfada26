// Reading the files that describe a project.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include <toml++/toml.h>

namespace venvoy::venv::internal {

// Of a file that describes a project, in bytes.
inline constexpr std::size_t max_project_file = 1u << 20;

// Nothing if it is no TOML: then the build back end says what is wrong with it.
inline std::optional<toml::table> read_pyproject(std::string_view text) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error&) {
    return std::nullopt;
  }
}

}  // namespace venvoy::venv::internal
