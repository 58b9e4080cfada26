#include "venv/internal/module_check.hpp"

#include <algorithm>
#include <system_error>

#include <fmt/format.h>

#include "base/error.hpp"

namespace venvoy::venv::internal {
namespace {

namespace fs = std::filesystem;

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

// Source, or byte code without it. Extension modules cannot be run with -m.
bool is_module(const fs::path& stem) {
  return is_file(stem.string() + ".py") || is_file(stem.string() + ".pyc");
}

}  // namespace

fs::path site_packages_of(const fs::path& environment) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(environment / "lib", error))
    if (fs::is_directory(entry.path() / "site-packages")) return entry.path() / "site-packages";
  throw Error(ErrorCode::install, fmt::format("'{}' is not a virtual environment", environment.string()));
}

std::optional<std::string> module_fault(const fs::path& environment, const std::string& module) {
  std::string relative = module;
  std::replace(relative.begin(), relative.end(), '.', '/');
  const fs::path path = site_packages_of(environment) / relative;
  if (is_module(path / "__main__")) return std::nullopt;
  // A package hides a module of the same name.
  if (is_module(path / "__init__"))
    return fmt::format("the package's '{}' has no __main__.py, so `python -m {}` cannot run it", module, module);
  if (is_module(path)) return std::nullopt;
  return fmt::format("the package has no module '{}' that `python -m {}` could run", module, module);
}

}  // namespace venvoy::venv::internal
