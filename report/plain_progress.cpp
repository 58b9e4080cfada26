#include "report/plain_progress.hpp"

#include <cmath>

#include <fmt/format.h>

#include "report/internal/progress_words.hpp"

namespace venvoy::report {

using namespace std::chrono_literals;
using internal::counted;
using internal::ending_text;
using internal::first_line;
using internal::names_version;
using internal::resolved_label;
using internal::step_text;
using workflow::Outcome;

namespace {

// Between two lines about the same fetch or loop.
constexpr auto pause = 3s;
// What took less to resolve was known already.
constexpr auto trivial = 500ms;
}  // namespace

std::string duration_text(std::chrono::milliseconds duration) {
  if (duration < 1s) return fmt::format("{} ms", duration.count());
  if (duration < 60s) return fmt::format("{:.1f} s", std::floor(static_cast<double>(duration.count()) / 100) / 10);
  const auto minutes = std::chrono::floor<std::chrono::minutes>(duration);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(duration - minutes);
  return fmt::format("{} m {:02} s", minutes.count(), seconds.count());
}

std::string module_label(std::string_view reference) {
  return resolved_label(reference, {});
}

PlainProgress::PlainProgress(std::function<void(std::string_view)> write, const Clock& clock)
    : write_(std::move(write)), clock_(clock) {}

void PlainProgress::line(const std::string& text) {
  write_(text + "\n");
}

std::string PlainProgress::since(TimePoint start) const {
  return duration_text(std::chrono::floor<std::chrono::milliseconds>(clock_.monotonic() - start));
}

bool PlainProgress::is_due(TimePoint& last) const {
  const TimePoint now = clock_.monotonic();
  if (now - last < pause) return false;
  last = now;
  return true;
}

PlainProgress::Module& PlainProgress::module_of(const std::string& reference) {
  const auto [place, added] = modules_.try_emplace(reference);
  Module& module = place->second;
  if (added) {
    module.label = module_label(reference);
    module.first = module.work = module.last_fetch = clock_.monotonic();
  }
  return module;
}

void PlainProgress::progress(const Progress& event) {
  if (event.kind == Progress::Kind::warning) return line(fmt::format("warning: {}", event.text));
  if (event.kind == Progress::Kind::machines_awaited) return line(fmt::format("waiting for machines: {}", event.text));
  if (event.kind == Progress::Kind::machines_ready) return line(fmt::format("machines: {}", event.text));
  Module& module = module_of(event.reference);
  switch (event.kind) {
    case Progress::Kind::resolve_started:
      module.work = module.last_fetch = clock_.monotonic();
      return;
    case Progress::Kind::resolve_finished:
      return resolved(module, event);
    case Progress::Kind::fetch_progress:
      return fetching(module, event);
    case Progress::Kind::build_started:
      module.work = clock_.monotonic();
      return line(fmt::format("{}: building a wheel", module.label));
    case Progress::Kind::build_finished:
      return ended(module, event, "building a wheel", "built a wheel");
    case Progress::Kind::install_started:
      module.work = clock_.monotonic();
      return line(fmt::format("{}: installing", module.label));
    case Progress::Kind::install_finished:
      return ended(module, event, "installing",
                   event.text.empty() ? "installed" : fmt::format("installed with {}", event.text));
    case Progress::Kind::environment_ready:
      line(event.text == "reused" ? fmt::format("{}: ready (from the store)", module.label)
                                  : fmt::format("{}: ready in {}", module.label, since(module.first)));
      modules_.erase(event.reference);
      return;
    case Progress::Kind::machines_awaited:
    case Progress::Kind::machines_ready:
    case Progress::Kind::warning:
      return;
  }
}

void PlainProgress::resolved(Module& module, const Progress& event) {
  if (event.outcome != "ok") return ended(module, event, "resolving", {});
  const bool was_known = event.text.empty() || names_version(event.reference, event.text);
  if (!was_known) module.label = resolved_label(event.reference, event.text);
  if (was_known && clock_.monotonic() - module.work < trivial) return;
  ended(module, event, "resolving", "resolved");
}

void PlainProgress::ended(const Module& module, const Progress& event, std::string_view doing,
                          const std::string& done) {
  const std::string time = since(module.work);
  if (event.outcome == "ok") return line(fmt::format("{}: {} in {}", module.label, done, time));
  const std::string_view how = event.outcome == "cancelled" ? "was cancelled" : "failed";
  line(fmt::format("{}: {} {} after {}", module.label, doing, how, time));
}

void PlainProgress::fetching(Module& module, const Progress& event) {
  if (!is_due(module.last_fetch)) return;
  line(fmt::format("{}: fetching, {} objects, {:.1f} MB", module.label, counted(event.done, event.total),
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
  if (event.name.item.empty())
    line(fmt::format("step {}: started ({}{}{})", name, event.plugin_step, event.node.empty() ? "" : " on node ",
                     event.node));
}

void PlainProgress::step_finished(const workflow::StepFinished& event) {
  const std::string name = step_text(event.name);
  const auto start = steps_.find(name);
  const bool began = start != steps_.end();
  const std::string time = began ? since(start->second) : std::string();
  if (began) steps_.erase(start);
  loops_.erase(name);
  if (event.outcome == Outcome::disabled) return line(fmt::format("step {}: disabled", name));
  const bool well = event.outcome == Outcome::succeeded;
  if (well && !event.name.item.empty()) return;
  // A step that never began and was closed because the run is over is nothing to tell.
  if (event.outcome == Outcome::cancelled && !began) return;
  line(fmt::format("step {}: {}", name, ending_text(event, time)));
}

void PlainProgress::item_started(const workflow::ItemStarted& event) {
  Loop& loop = loops_[step_text(event.loop)];
  if (loop.count == 0) loop.last = clock_.monotonic();
  loop.count = event.count;
}

void PlainProgress::item_finished(const workflow::ItemFinished& event) {
  const std::string name = step_text(event.loop);
  Loop& loop = loops_[name];
  ++loop.done;
  if (event.outcome == Outcome::failed)
    line(fmt::format("step {}: item {} failed: {}", name, event.index, first_line(event.error)));
  const bool last = loop.done == loop.count;
  if (last || is_due(loop.last)) line(fmt::format("step {}: {} items done", name, counted(loop.done, loop.count)));
  if (last) loops_.erase(name);
}

}  // namespace venvoy::report
