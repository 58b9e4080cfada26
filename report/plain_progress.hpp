// Progress as lines: for logs, pipes and terminals without a live display.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "workflow/run_observer.hpp"

namespace venvoy::report {

// One line for what begins and ends, and one every few seconds for what takes long. Called on the engine's loop.
class PlainProgress final : public workflow::RunObserver {
 public:
  // `write` gets whole lines with their line feed. The clock outlives this object.
  PlainProgress(std::function<void(std::string_view)> write, const Clock& clock);

  void progress(const Progress& progress) override;
  void run_started(const workflow::RunStarted& event) override;
  void run_finished(const workflow::RunFinished& event) override;
  void step_started(const workflow::StepStarted& event) override;
  void step_finished(const workflow::StepFinished& event) override;
  void item_finished(const workflow::ItemFinished& event) override;

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  void line(const std::string& text);
  std::string since(TimePoint start) const;

  std::function<void(std::string_view)> write_;
  const Clock& clock_;
  TimePoint run_start_;
  std::map<std::string, TimePoint> steps_;
  std::map<std::string, TimePoint> work_;        // of each reference: when its present work began
  std::map<std::string, TimePoint> last_fetch_;  // when a fetch was told last
  std::map<std::string, std::size_t> items_done_;
};

// "1.2 s", "2 m 05 s"
std::string duration_text(std::chrono::milliseconds duration);

}  // namespace venvoy::report
