// Progress as a few lines at the end of a terminal, drawn anew again and again.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "workflow/run_observer.hpp"

namespace venvoy::report {

struct LiveStyle {
  bool color = false;
  bool utf8 = true;  // whether the terminal shows more than ASCII
};

// One line of the display, with its colours, and how many cells it takes.
struct LiveLine {
  std::string text;
  std::size_t width = 0;
};

// What goes on at this moment: a line for each step that runs and each plugin that is made ready, and one with counts
// at the end. What has failed, what was installed, warnings and the end of the run stay on the terminal as lines of
// text. Called on the engine's loop.
//
//   installing my-plugin 1861f7c                                     6.2 s
//   running    greet (hello)                                          40 s
//   running    all (each.yaml)   ━━━━━━━━━━────────── 12 of 25 items  41 s
//   1 m 02 s · 4 of 12 steps done · 1 failed · 2 running
class LiveProgress final : public workflow::RunObserver {
 public:
  // `write` gets whole lines with their line feed, which stay. The clock outlives this object.
  LiveProgress(std::function<void(std::string_view)> write, LiveStyle style, const Clock& clock);

  // How many steps the workflow has, once that is known.
  void expect_steps(std::size_t count) { expected_steps_ = count; }
  // How long the run will take, by what is known of earlier ones.
  void expect_duration(std::chrono::milliseconds duration) { expected_duration_ = duration; }
  // The run has been asked to end.
  void show_stopping() { stopping_ = true; }
  // What is to be seen now: no line wider than `columns`, not more lines than `rows` (both at least 1). Nothing once
  // the run has ended.
  std::vector<LiveLine> lines(std::size_t columns, std::size_t rows) const;

  void progress(const Progress& progress) override;
  void run_started(const workflow::RunStarted& event) override;
  void run_finished(const workflow::RunFinished& event) override;
  void step_started(const workflow::StepStarted& event) override;
  void step_finished(const workflow::StepFinished& event) override;
  void item_started(const workflow::ItemStarted& event) override;
  void item_finished(const workflow::ItemFinished& event) override;

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  struct Row {
    std::string id;    // "step " or "module " and what it is
    std::string verb;  // what is being done
    std::string name;
    std::string unit;  // what is counted
    std::string more;  // behind the count
    TimePoint start;
    std::uint64_t done = 0;
    std::uint64_t total = 0;  // 0: not known, or nothing to count
    bool is_step = false;
  };
  enum class Color { none, dim, green, yellow, red, cyan };

  Row* find(const std::string& id);
  Row& module_row(const std::string& reference);
  void erase(const std::string& id);
  void set_verb(const Progress& event, const char* verb);
  void module_finished(const Progress& event, const char* doing, const char* next);
  void module_ready(const Progress& event);
  void machines_awaited(const Progress& event);
  void keep(const std::string& text) const;
  std::string since(TimePoint start) const;

  LiveLine row_line(const Row& row, std::size_t columns) const;
  LiveLine footer(std::size_t columns) const;
  std::string time_left(std::string_view dot) const;
  std::string bar(std::uint64_t done, std::uint64_t total, std::size_t cells) const;
  LiveLine line(std::string_view text, std::size_t columns, std::size_t painted, Color color) const;

  std::function<void(std::string_view)> write_;
  LiveStyle style_;
  const Clock& clock_;
  TimePoint start_;
  TimePoint run_start_;
  std::vector<Row> rows_;  // in the order in which they began
  std::size_t expected_steps_ = 0;
  std::optional<std::chrono::milliseconds> expected_duration_;
  std::string machines_;  // that steps run on, other than this one
  std::size_t succeeded_ = 0;
  std::size_t failed_ = 0;
  std::size_t disabled_ = 0;
  std::size_t cancelled_ = 0;
  bool running_ = false;
  bool ended_ = false;
  bool stopping_ = false;
};

}  // namespace venvoy::report
