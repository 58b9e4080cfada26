// Standard error as a terminal: text that stays, and below it a few lines that are drawn anew again and again.
#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "report/live_progress.hpp"

namespace venvoy::cli {

struct ScreenSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};

// Callable from any thread. Nothing of the terminal's state is changed: the cursor stays visible and stands below the
// lines, so whatever ends the program leaves a usable terminal.
class Screen {
 public:
  // The descriptor is borrowed.
  explicit Screen(int descriptor) noexcept : descriptor_(descriptor) {}

  // Whether lines can be drawn anew: a terminal that is not a dumb one.
  bool can_draw() const noexcept;
  // Asked anew each time, so that a resized terminal is drawn on as it is; no signal is waited for.
  ScreenSize size() const noexcept;

  // Whole lines that stay, above the live ones. Written at once.
  void write(std::string_view text);
  // The same, but while lines are shown the text may wait for their next drawing: for text that may come in floods.
  void write_soon(std::string_view text);

  // Puts these lines in the place of those that are shown. None: the place is free again.
  void show(std::vector<report::LiveLine> lines);

 private:
  void draw();

  const int descriptor_;
  std::mutex mutex_;
  std::vector<report::LiveLine> lines_;  // to be shown
  std::vector<std::size_t> drawn_;       // widths of the lines that are on the terminal
  std::string waiting_;                  // text that is to be written above them
};

}  // namespace venvoy::cli
