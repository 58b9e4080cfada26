// Which Pythons a project runs on: what it says, and whether an interpreter suits.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace venvoy::venv {

// What a project demands of its Python.
struct PythonRequirement {
  std::string text;   // ">=3.9,<4", or Poetry's "^3.9"; empty: nothing is said
  std::string place;  // "pyproject.toml", "setup.cfg", "the package's metadata"
};

// Out of the files of a project, as texts; empty for a file that is not there. `[project] requires-python`, else the
// `python` of `[tool.poetry.dependencies]`, else `python_requires` of setup.cfg. No code is run. A file that cannot be
// read says nothing.
PythonRequirement python_requirement(std::string_view pyproject, std::string_view setup_cfg);

// Whether a version, such as "3.11.2", fits: PEP 440 specifiers joined with ',', and Poetry's '^', '~', '*', blanks for
// ',' and '||' for "or". What is not understood is no hindrance: then the installer decides.
bool suits(std::string_view version, std::string_view requirement);

}  // namespace venvoy::venv
