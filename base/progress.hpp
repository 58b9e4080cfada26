// What happens while a plugin is made ready: facts for whoever shows them. Who observes a run observes these too.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace venvoy {

// The stages of making a reference runnable, in the words of spec/command.md section 8; and what becomes of the
// machines that steps wait for, which no reference belongs to.
struct Progress {
  enum class Kind {
    resolve_started,
    resolve_finished,
    fetch_progress,
    build_started,
    build_finished,
    install_started,
    install_finished,
    environment_ready,
    machines_awaited,  // that steps are to run on; the text says what for
    machines_ready,    // the text says how many, and how many steps can run on them at a time
    warning,
  };
  Kind kind;
  std::string reference;  // as written, without secrets
  // What happened, in a few words: a commit, a wheel's name, an error, "reused" …
  std::string text;
  // Of the _finished kinds: "ok", "failed" or "cancelled".
  std::string outcome;
  // Of fetch_progress; a total of 0 is not known.
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  std::uint64_t bytes = 0;
};

class ProgressSink {
 public:
  virtual ~ProgressSink() = default;
  // Called on the engine's loop thread; returns quickly and does not throw.
  virtual void progress(const Progress&) {}
};

}  // namespace venvoy
