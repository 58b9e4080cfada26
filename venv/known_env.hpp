// What can be said of an environment without making it.
#pragma once

#include <filesystem>
#include <string>

namespace venvoy::venv {

struct KnownEnv {
  // What Environments::get would do.
  enum class Fate {
    reuse,    // it is there
    build,    // it would be made, or made anew
    unknown,  // what the reference means must be asked of a server first
  };
  Fate fate = Fate::unknown;
  std::string why;             // one sentence, without a full stop
  std::string reference;       // as written, without secrets
  std::string source_kind;     // "git", "index" or "path"
  std::string version;         // full commit, version, or tree hash; empty if not known
  std::string python_version;  // of the interpreter that it has, or would be made with; empty if not known
  // Of the one that is there, also when it would be made anew; empty and 0 if there is none.
  std::filesystem::path path;
  std::string key;
  unsigned generation = 0;
};

}  // namespace venvoy::venv
