// The references of a mirror: one file, replaced as a whole.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace venvoy::source {

// We write git's `packed-refs` and `HEAD` ourselves: a reader sees the references of before a fetch or of after it,
// thousands of tags cost one file, and there is nothing to lock or to clean up.
struct RefTable {
  std::map<std::string, std::string> refs;  // full name → object id, 40 hexadecimal digits; annotated tags not followed
  std::string head;                         // "ref: refs/heads/…", or an object id

  // Missing files are an empty table. Throws an Error: io, limit.
  static RefTable load(const std::filesystem::path& repository);
  void save(const std::filesystem::path& repository) const;

  // The default branch's full name, empty if HEAD is not a branch.
  std::string default_branch() const;
  std::optional<std::string> find(const std::string& name) const;
};

}  // namespace venvoy::source
