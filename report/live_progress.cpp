#include "report/live_progress.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "report/internal/display_width.hpp"
#include "report/internal/progress_words.hpp"
#include "report/plain_progress.hpp"

namespace venvoy::report {

using internal::cut_to_width;
using internal::display_width;
using internal::printable;

namespace {

constexpr std::size_t verb_cells = 11;
constexpr std::size_t bar_cells = 12;
// Below this a line has no room for a bar.
constexpr std::size_t columns_for_bar = 64;
// On wider terminals the time stands where one can still read it together with the name.
constexpr std::size_t max_columns = 100;
// A name is not made shorter than this for what stands behind it.
constexpr std::size_t name_cells = 12;

constexpr const char* machines_id = "machines";

std::string module_id(const std::string& reference) {
  return "module " + reference;
}
std::string step_id(const workflow::StepName& name) {
  return "step " + internal::step_text(name);
}

// Without tabs, whose width depends on where they stand.
std::string one_line(std::string_view text) {
  std::string result = printable(internal::first_line(text));
  std::replace(result.begin(), result.end(), '\t', ' ');
  return result;
}

// Tenths of a second only as long as they matter.
std::string elapsed_text(std::chrono::milliseconds time) {
  using namespace std::chrono_literals;
  if (time < 10s) return fmt::format("{:.1f} s", std::floor(static_cast<double>(time.count()) / 100) / 10);
  return time < 60s ? fmt::format("{} s", time.count() / 1000) : duration_text(time);
}

}  // namespace

LiveProgress::LiveProgress(std::function<void(std::string_view)> write, LiveStyle style, const Clock& clock)
    : write_(std::move(write)), style_(style), clock_(clock), start_(clock.monotonic()), run_start_(start_) {}

void LiveProgress::keep(const std::string& text) const {
  write_(printable(text) + "\n");
}

std::string LiveProgress::since(TimePoint start) const {
  return duration_text(std::chrono::floor<std::chrono::milliseconds>(clock_.monotonic() - start));
}

LiveProgress::Row* LiveProgress::find(const std::string& id) {
  const auto place = std::find_if(rows_.begin(), rows_.end(), [&](const Row& row) { return row.id == id; });
  return place == rows_.end() ? nullptr : &*place;
}

void LiveProgress::erase(const std::string& id) {
  std::erase_if(rows_, [&](const Row& row) { return row.id == id; });
}

LiveProgress::Row& LiveProgress::module_row(const std::string& reference) {
  const std::string id = module_id(reference);
  if (Row* row = find(id)) return *row;
  Row row;
  row.id = id;
  row.verb = "preparing";
  row.name = module_label(reference);
  row.start = clock_.monotonic();
  return rows_.emplace_back(std::move(row));
}

void LiveProgress::set_verb(const Progress& event, const char* verb) {
  Row& row = module_row(event.reference);
  row.verb = verb;
  row.done = row.total = 0;
  row.unit.clear();
  row.more.clear();
}

void LiveProgress::progress(const Progress& event) {
  switch (event.kind) {
    case Progress::Kind::warning:
      return keep("warning: " + event.text);
    case Progress::Kind::resolve_started:
      return set_verb(event, "resolving");
    case Progress::Kind::resolve_finished:
      if (event.outcome == "ok")
        module_row(event.reference).name = internal::resolved_label(event.reference, event.text);
      return module_finished(event, "resolving", "preparing");
    case Progress::Kind::fetch_progress: {
      Row& row = module_row(event.reference);
      row.verb = "fetching";
      row.done = event.done;
      row.total = event.total;
      row.unit = "objects";
      row.more = fmt::format(", {:.1f} MB", static_cast<double>(event.bytes) / 1e6);
      return;
    }
    case Progress::Kind::build_started:
      return set_verb(event, "building");
    case Progress::Kind::build_finished:
      return module_finished(event, "building a wheel", "preparing");
    case Progress::Kind::install_started:
      return set_verb(event, "installing");
    case Progress::Kind::install_finished:
      return module_finished(event, "installing", "starting");
    case Progress::Kind::environment_ready:
      return module_ready(event);
    case Progress::Kind::machines_awaited:
      return machines_awaited(event);
    case Progress::Kind::machines_ready:
      machines_ = event.text;
      return erase(machines_id);
  }
}

void LiveProgress::machines_awaited(const Progress& event) {
  Row* row = find(machines_id);
  if (!row) {
    row = &rows_.emplace_back();
    row->id = machines_id;
    row->verb = "waiting";
    row->start = clock_.monotonic();
  }
  row->name = one_line(event.text);
}

void LiveProgress::module_finished(const Progress& event, const char* doing, const char* next) {
  if (event.outcome == "ok") return set_verb(event, next);
  const Row& row = module_row(event.reference);
  const std::string_view how = event.outcome == "cancelled" ? "was cancelled" : "failed";
  keep(fmt::format("{}: {} {} after {}", row.name, doing, how, since(row.start)));
  erase(row.id);
}

void LiveProgress::module_ready(const Progress& event) {
  const Row& row = module_row(event.reference);
  if (event.text != "reused") keep(fmt::format("{}: ready in {}", row.name, since(row.start)));
  erase(row.id);
}

void LiveProgress::run_started(const workflow::RunStarted&) {
  running_ = true;
  run_start_ = clock_.monotonic();
}

void LiveProgress::run_finished(const workflow::RunFinished& event) {
  running_ = false;
  ended_ = true;
  rows_.clear();
  const std::string outcome =
      event.error.empty() ? fmt::format("output '{}'", event.output_id) : std::string(to_text(event.outcome));
  std::vector<std::string> counts;
  const auto count = [&](std::size_t number, const char* what) {
    if (number) counts.push_back(fmt::format("{} {}", number, what));
  };
  count(succeeded_, "succeeded");
  count(failed_, "failed");
  count(disabled_, "disabled");
  count(cancelled_, "cancelled");
  keep(fmt::format("run finished in {}: {}{}", since(run_start_), outcome,
                   counts.empty() ? std::string() : fmt::format("; steps: {}", fmt::join(counts, ", "))));
}

void LiveProgress::step_started(const workflow::StepStarted& event) {
  Row row;
  row.id = step_id(event.name);
  row.verb = "running";
  row.name = one_line(fmt::format("{} ({}{}{})", internal::step_text(event.name), event.plugin_step,
                                  event.node.empty() ? "" : " on node ", event.node));
  row.start = clock_.monotonic();
  row.is_step = true;
  rows_.push_back(std::move(row));
}

void LiveProgress::step_finished(const workflow::StepFinished& event) {
  const std::string id = step_id(event.name);
  const Row* row = find(id);
  const std::string time = row ? since(row->start) : std::string();
  erase(id);
  // A step that never began and was closed because the run is over is nothing to tell.
  const bool nothing = event.outcome == workflow::Outcome::cancelled && time.empty();
  if (event.outcome == workflow::Outcome::failed || (event.outcome == workflow::Outcome::cancelled && !nothing))
    keep(fmt::format("step {}: {}", internal::step_text(event.name), internal::ending_text(event, time)));
  if (!event.name.item.empty()) return;
  switch (event.outcome) {
    case workflow::Outcome::succeeded:
      ++succeeded_;
      return;
    case workflow::Outcome::failed:
      ++failed_;
      return;
    case workflow::Outcome::disabled:
      ++disabled_;
      return;
    case workflow::Outcome::cancelled:
      ++cancelled_;
      return;
  }
}

void LiveProgress::item_started(const workflow::ItemStarted& event) {
  Row* row = find(step_id(event.loop));
  if (!row) return;
  row->total = event.count;
  row->unit = "items";
}

void LiveProgress::item_finished(const workflow::ItemFinished& event) {
  if (Row* row = find(step_id(event.loop))) ++row->done;
  if (event.outcome == workflow::Outcome::failed)
    keep(fmt::format("step {}: item {} failed: {}", internal::step_text(event.loop), event.index,
                     internal::first_line(event.error)));
}

std::vector<LiveLine> LiveProgress::lines(std::size_t columns, std::size_t rows) const {
  std::vector<LiveLine> lines;
  if (ended_) return lines;
  if (rows > 1) {
    const std::size_t room = rows - 1;
    const std::size_t shown = rows_.size() <= room ? rows_.size() : room - 1;
    for (std::size_t index = 0; index < shown; ++index) lines.push_back(row_line(rows_[index], columns));
    if (shown < rows_.size())
      lines.push_back(line(fmt::format("{} and {} more", style_.utf8 ? "…" : "...", rows_.size() - shown), columns,
                           std::string::npos, Color::dim));
  }
  lines.push_back(footer(columns));
  return lines;
}

std::string LiveProgress::bar(std::uint64_t done, std::uint64_t total, std::size_t cells) const {
  const std::size_t full = total ? static_cast<std::size_t>(std::min(done, total) * cells / total) : 0;
  std::string text;
  for (std::size_t cell = 0; cell < cells; ++cell)
    text += cell < full ? (style_.utf8 ? "━" : "=") : (style_.utf8 ? "─" : "-");
  return text;
}

// verb, name, bar, count, time: the name gives way first, then the bar, then the count.
LiveLine LiveProgress::row_line(const Row& row, std::size_t columns) const {
  columns = std::min(columns, max_columns);
  const auto time = elapsed_text(std::chrono::floor<std::chrono::milliseconds>(clock_.monotonic() - row.start));
  const bool counts = row.total > 0 || row.done > 0;
  std::string right;
  if (counts && columns >= columns_for_bar) {
    if (row.total > 0) right = bar(row.done, row.total, bar_cells) + " ";
    right += fmt::format("{} {}{}", internal::counted(row.done, row.total), row.unit, row.more);
  } else if (counts) {
    right = row.total > 0 ? fmt::format("{}/{}", row.done, row.total) : std::to_string(row.done);
  }
  right += fmt::format("{}{:>6}", right.empty() ? "" : "  ", time);
  const std::size_t right_cells = display_width(right);
  const std::size_t taken = verb_cells + right_cells + 1;
  const std::size_t room = columns > taken + name_cells ? columns - taken : name_cells;
  const std::string name = cut_to_width(row.name, room, style_.utf8 ? "…" : ".");
  std::string text = fmt::format("{:<{}}{}", row.verb, verb_cells, name);
  text.append(room - display_width(name) + 1, ' ');
  return line(text + right, columns, row.verb.size(), row.is_step ? Color::cyan : Color::green);
}

LiveLine LiveProgress::footer(std::size_t columns) const {
  const auto steps =
      static_cast<std::size_t>(std::count_if(rows_.begin(), rows_.end(), [](const Row& row) { return row.is_step; }));
  const std::string_view dot = style_.utf8 ? " · " : ", ";
  std::string text = elapsed_text(
      std::chrono::floor<std::chrono::milliseconds>(clock_.monotonic() - (running_ ? run_start_ : start_)));
  if (stopping_) text += fmt::format("{}stopping", dot);
  const auto others = static_cast<std::size_t>(
      std::count_if(rows_.begin(), rows_.end(), [](const Row& row) { return !row.is_step && row.id != machines_id; }));
  if (others > 0) text += fmt::format("{}preparing {}", dot, others);
  if (running_) {
    const std::size_t done = succeeded_ + failed_ + disabled_ + cancelled_;
    text += fmt::format("{}{} steps done", dot, internal::counted(done, expected_steps_));
    if (failed_) text += fmt::format("{}{} failed", dot, failed_);
    text += fmt::format("{}{} running", dot, steps);
    text += time_left(dot);
    if (!machines_.empty()) text += fmt::format("{}{}", dot, machines_);
  }
  return line(text, columns, std::string::npos, failed_ || stopping_ ? Color::yellow : Color::dim);
}

// Nothing when the run takes longer than the earlier ones: then nobody knows.
std::string LiveProgress::time_left(std::string_view dot) const {
  if (!expected_duration_ || stopping_ || failed_ > 0) return {};
  const auto left = *expected_duration_ - (clock_.monotonic() - run_start_);
  if (left < std::chrono::seconds(1)) return {};
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(left);
  if (seconds < std::chrono::minutes(2)) return fmt::format("{}about {} s left", dot, seconds.count());
  return fmt::format("{}about {} m left", dot, std::chrono::ceil<std::chrono::minutes>(seconds).count());
}

// The first bytes of the text in a colour, all of it cut to the columns.
LiveLine LiveProgress::line(std::string_view text, std::size_t columns, std::size_t painted, Color color) const {
  const std::string shown = cut_to_width(text, columns, style_.utf8 ? "…" : ".");
  const std::size_t width = display_width(shown);
  if (!style_.color || color == Color::none) return {shown, width};
  static constexpr std::string_view codes[] = {"", "\x1b[2m", "\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[36m"};
  const std::size_t end = std::min(painted, shown.size());
  return {fmt::format("{}{}\x1b[0m{}", codes[static_cast<std::size_t>(color)], shown.substr(0, end), shown.substr(end)),
          width};
}

}  // namespace venvoy::report
