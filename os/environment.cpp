#include "os/environment.hpp"

#include <algorithm>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace venvoy::os {
namespace {

// Whether a "NAME=value" line is that of the variable.
bool names(std::string_view line, std::string_view name) {
  return line.size() > name.size() && line[name.size()] == '=' && line.substr(0, name.size()) == name;
}

bool is_program(const std::filesystem::path& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0;
}

}  // namespace

Environment current_environment() {
  Environment result;
  for (char** line = environ; line && *line; ++line) result.emplace_back(*line);
  return result;
}

void set_variable(Environment& environment, std::string_view name, std::string_view value) {
  unset_variable(environment, name);
  environment.push_back(std::string(name).append("=").append(value));
}

void unset_variable(Environment& environment, std::string_view name) {
  std::erase_if(environment, [name](const std::string& line) { return names(line, name); });
}

std::optional<std::string> get_variable(const Environment& environment, std::string_view name) {
  // The first of two lines counts, as for getenv(3).
  const auto found = std::find_if(environment.begin(), environment.end(),
                                  [name](const std::string& line) { return names(line, name); });
  if (found == environment.end()) return std::nullopt;
  return found->substr(name.size() + 1);
}

std::optional<std::filesystem::path> find_program(std::string_view name, const Environment& environment) {
  if (name.empty()) return std::nullopt;
  if (name.find('/') != name.npos) return is_program(name) ? std::optional<std::filesystem::path>(name) : std::nullopt;
  const std::string folders = get_variable(environment, "PATH").value_or("");
  for (std::size_t begin = 0; begin <= folders.size();) {
    const std::size_t end = std::min(folders.find(':', begin), folders.size());
    const std::filesystem::path folder = folders.substr(begin, end - begin);
    if (!folder.empty() && is_program(folder / name)) return folder / name;
    begin = end + 1;
  }
  return std::nullopt;
}

}  // namespace venvoy::os
