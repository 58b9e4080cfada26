// Progress as lines: for logs, pipes and terminals without a live display.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "workflow/run_observer.hpp"

namespace venvoy::report {

// A line for what begins and takes long, and for what has ended; for fetches and loops one every few seconds. What is
// over at once, and what goes well inside of loops, has none. Called on the engine's loop.
//
//   my-plugin 1861f7c: building a wheel
//   my-plugin 1861f7c: built a wheel in 6.2 s
//   my-plugin 1861f7c: ready in 7.9 s
//   step greet: started (hello)
//   step greet: succeeded in 40 ms (success)
class PlainProgress final : public workflow::RunObserver {
 public:
  // `write` gets whole lines with their line feed. The clock outlives this object.
  PlainProgress(std::function<void(std::string_view)> write, const Clock& clock);

  void progress(const Progress& progress) override;
  void run_started(const workflow::RunStarted& event) override;
  void run_finished(const workflow::RunFinished& event) override;
  void step_started(const workflow::StepStarted& event) override;
  void step_finished(const workflow::StepFinished& event) override;
  void item_started(const workflow::ItemStarted& event) override;
  void item_finished(const workflow::ItemFinished& event) override;

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  struct Module {
    std::string label;
    TimePoint first;       // when it was heard of
    TimePoint work;        // when its present work began
    TimePoint last_fetch;  // when its fetch began, or was told last
  };
  struct Loop {
    std::size_t done = 0;
    std::size_t count = 0;
    TimePoint last;  // when it began, or was told last
  };

  Module& module_of(const std::string& reference);
  void resolved(Module& module, const Progress& event);
  void ended(const Module& module, const Progress& event, std::string_view doing, const std::string& done);
  void fetching(Module& module, const Progress& event);
  bool is_due(TimePoint& last) const;
  void line(const std::string& text);
  std::string since(TimePoint start) const;

  std::function<void(std::string_view)> write_;
  const Clock& clock_;
  TimePoint run_start_;
  std::map<std::string, Module> modules_;
  std::map<std::string, TimePoint> steps_;
  std::map<std::string, Loop> loops_;
};

// "40 ms", "1.2 s", "2 m 05 s"
std::string duration_text(std::chrono::milliseconds duration);

// What a module is called in a line: its name, and the first digits of its commit or its version if it names one. A
// path is its own name.
std::string module_label(std::string_view reference);

}  // namespace venvoy::report
