// How the versions of a plugin's dependencies are chosen (design D6).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cache/key.hpp"
#include "venv/settings.hpp"

namespace venvoy::venv::internal {

// What is known of a plugin's source about the time of its making.
struct SourceFacts {
  std::optional<std::int64_t> time;  // of the commit, in seconds since 1970
  std::string lock;                  // name of the lock file; empty if there is none
  std::string lock_sha256;
};

// One way to choose.
struct Choice {
  enum class By { lock, date, newest };
  By by = By::newest;
  std::int64_t date = 0;  // of By::date

  // "locked", "asOfCommit", "newest"
  std::string_view mode() const noexcept;
};

struct Resolution {
  // Which are tried, one after the other: the next one when nothing can be found by the one before.
  std::vector<Choice> for_install = {{}};
  std::vector<Choice> for_build = {{}};  // what the build needs is in no lock file
  SourceFacts facts;
  // Its part of the keys of environments and wheels.
  cache::KeyInputs inputs;

  // For the manifest: the lock file with its hash, or the date.
  std::string input_of(const Choice& choice) const;
};

// Throws an Error (install) if the setting asks for a lock file or a date and there is none.
Resolution plan_resolution(DependencyResolution setting, SourceFacts facts, const std::string& reference);

// "2026-01-02T03:04:05Z"
std::string date_text(std::int64_t seconds);

}  // namespace venvoy::venv::internal
