#include "report/plain_progress.hpp"

#include <fmt/format.h>

namespace venvoy::report {

using namespace std::chrono_literals;

namespace {

// Between two lines about the same fetch.
constexpr auto fetch_pause = 5s;

std::string step_text(const workflow::StepName& name) {
  return name.item.empty() ? name.step : fmt::format("{}[{}]", name.step, name.item);
}

std::string counted(std::uint64_t done, std::uint64_t total) {
  return total == 0 ? std::to_string(done) : fmt::format("{} of {}", done, total);
}

}  // namespace

std::string duration_text(std::chrono::milliseconds duration) {
  if (duration < 60s) return fmt::format("{:.1f} s", static_cast<double>(duration.count()) / 1000);
  const auto minutes = std::chrono::floor<std::chrono::minutes>(duration);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(duration - minutes);
  return fmt::format("{} m {:02} s", minutes.count(), seconds.count());
}

PlainProgress::PlainProgress(std::function<void(std::string_view)> write, const Clock& clock)
    : write_(std::move(write)), clock_(clock) {}

void PlainProgress::line(const std::string& text) {
  write_(text + "\n");
}

std::string PlainProgress::since(TimePoint start) const {
  return duration_text(std::chrono::floor<std::chrono::milliseconds>(clock_.monotonic() - start));
}

void PlainProgress::progress(const Progress& event) {
  const auto begin = [&](std::string_view doing) {
    work_[event.reference] = clock_.monotonic();
    line(fmt::format("{} {}", doing, event.reference));
  };
  const auto end = [&](std::string_view what) {
    const auto start = work_.find(event.reference);
    const std::string time = start == work_.end() ? std::string() : fmt::format(" in {}", since(start->second));
    line(fmt::format("{} {}{}{}", event.reference, event.outcome == "ok" ? what : event.outcome, time,
                     event.text.empty() ? "" : ": " + event.text));
  };
  switch (event.kind) {
    case Progress::Kind::resolve_started:
      begin("resolving");
      return;
    case Progress::Kind::resolve_finished:
      end("resolved");
      return;
    case Progress::Kind::build_started:
      begin("building");
      return;
    case Progress::Kind::build_finished:
      end("built");
      return;
    case Progress::Kind::install_started:
      begin("installing");
      return;
    case Progress::Kind::install_finished:
      end("installed");
      return;
    case Progress::Kind::environment_ready:
      line(fmt::format("{} is ready ({})", event.reference, event.text));
      return;
    case Progress::Kind::warning:
      line(fmt::format("warning: {}", event.text));
      return;
    case Progress::Kind::fetch_progress:
      break;
  }
  TimePoint& last = last_fetch_[event.reference];
  const TimePoint now = clock_.monotonic();
  if (last != TimePoint() && now - last < fetch_pause) return;
  last = now;
  line(fmt::format("fetching {}: {} objects, {:.1f} MB", event.reference, counted(event.done, event.total),
                   static_cast<double>(event.bytes) / 1e6));
}

void PlainProgress::run_started(const workflow::RunStarted& event) {
  run_start_ = clock_.monotonic();
  line(fmt::format("running {}", event.workflow));
}

void PlainProgress::run_finished(const workflow::RunFinished& event) {
  const std::string outcome =
      event.error.empty() ? fmt::format("output '{}'", event.output_id) : std::string(to_text(event.outcome));
  line(fmt::format("run finished in {}: {}", since(run_start_), outcome));
}

void PlainProgress::step_started(const workflow::StepStarted& event) {
  const std::string name = step_text(event.name);
  steps_[name] = clock_.monotonic();
  line(fmt::format("step {} started ({})", name, event.plugin_step));
}

void PlainProgress::step_finished(const workflow::StepFinished& event) {
  const std::string name = step_text(event.name);
  const auto start = steps_.find(name);
  const std::string time = start == steps_.end() ? std::string() : fmt::format(" after {}", since(start->second));
  line(fmt::format("step {} {}{}: {}.{}", name, to_text(event.outcome), time, event.stage, event.output_id));
  if (start != steps_.end()) steps_.erase(start);
}

void PlainProgress::item_finished(const workflow::ItemFinished& event) {
  const std::string name = step_text(event.loop);
  const std::size_t done = ++items_done_[name];
  line(fmt::format("step {}: {} items done, item {} {}", name, done, event.index, to_text(event.outcome)));
}

}  // namespace venvoy::report
