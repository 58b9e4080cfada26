// What happens while a plugin is made ready: facts for whoever shows them. Who observes a run observes these too.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace venvoy {

// The stages of making a reference runnable, in the words of spec/command.md section 8.
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
