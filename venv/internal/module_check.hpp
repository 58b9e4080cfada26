// Whether `python -m <module>` would find something to run, without running anything.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace venvoy::venv::internal {

// Where an environment keeps its packages: `lib/python3.11/site-packages`. Throws an Error (install) if there is no
// such folder.
std::filesystem::path site_packages_of(const std::filesystem::path& environment);

// What is wrong; nothing if the module can be run: a module of that name, or a package (also one without __init__.py)
// with a __main__. The dots of a name lead into packages. Blocks for a few system calls.
std::optional<std::string> module_fault(const std::filesystem::path& environment, const std::string& module);

}  // namespace venvoy::venv::internal
