// The file .gitmodules (gitmodules(5)), in the syntax of git's configuration.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace venvoy::source {

struct GitModule {
  std::string name;
  std::string path;
  std::string url;     // as written
  std::string update;  // empty if not said
};

// Sections other than `submodule` and unknown keys are passed over; of a key that is given twice the last counts.
// Throws an Error (unresolvable) that names the line when the text is not in that syntax.
std::vector<GitModule> parse_gitmodules(std::string_view text);

// The URL of a submodule as one that can be fetched. "./x" and "../x" are relative to the parent's URL,
// "user@host:path" is ssh, a path is a repository on this machine. Throws an Error (unresolvable) for what must not be
// followed: a repository on this machine when the parent comes from elsewhere, and what is no URL.
std::string submodule_url(std::string_view written, std::string_view parent_url);

}  // namespace venvoy::source
