// What stands after `src:` of a plugin: the text by which a user names code (spec/command.md section 4).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <variant>

namespace venvoy::source {

// `name@git+URL[@VERSION][#subdirectory=DIR]`
struct GitRef {
  std::string url;      // as written, with its login if it has one; without version and fragment
  std::string version;  // commit, tag or branch; empty: the default branch
  // Folder of the Python project, relative, with '/', without "." and ".."; empty: the root of the repository.
  std::string subdirectory;
};

// `name==version` or `name`: a package of the index.
struct IndexRef {
  std::string version;  // empty: not said
};

// `./path`, `../path` or `/path`: a plugin under development.
struct LocalRef {
  std::filesystem::path path;  // as written; relative to the folder of the workflow, the caller knows which
};

struct ModuleRef {
  std::string text;  // exactly as written; may hold a password
  std::string name;  // empty for a local path
  std::variant<GitRef, IndexRef, LocalRef> source;

  const GitRef* git() const noexcept { return std::get_if<GitRef>(&source); }
  const IndexRef* index() const noexcept { return std::get_if<IndexRef>(&source); }
  const LocalRef* local() const noexcept { return std::get_if<LocalRef>(&source); }

  // The text for people and logs, without passwords and tokens (see safe_url).
  std::string to_safe_text() const;
};

// Throws an Error (reference): `"<text>" has wrong module name format, please use
// <module-name>@git+<repo_url>[@<commit_sha>]`, the words of the seed (spec/workflow.md 8.1), without secrets; the hint
// says what is wrong in particular.
ModuleRef parse_module_ref(std::string_view text);

// The name that Python imports: every '-' is a '_' (spec/workflow.md 8.5).
std::string import_name(std::string_view module_name);

}  // namespace venvoy::source
