// What a project's package will need, known before the package is built.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace venvoy::venv {

// Named limits: a project with more is built first.
inline constexpr std::size_t max_known_dependencies = 200;
inline constexpr std::size_t max_known_dependency = 500;  // characters

// The requirements that the metadata of the project's wheel will have, out of the text of its pyproject.toml: those of
// `[project] dependencies` (PEP 621: a back end may not change what is not called dynamic), else those of
// `[tool.poetry.dependencies]`, in the form of PEP 508. All of them or none: none where one is not plain, such as a
// path, an address or Poetry's "||", or when the build may add others.
std::vector<std::string> known_dependencies(std::string_view pyproject);

}  // namespace venvoy::venv
