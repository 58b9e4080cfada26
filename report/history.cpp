// Reading the history: history.hpp. history_writer.cpp writes it.
#include "report/history.hpp"

#include <algorithm>
#include <fcntl.h>

#include <fmt/format.h>

#include "base/error.hpp"
#include "os/fd.hpp"
#include "report/internal/history_rows.hpp"
#include "report/internal/run_lock.hpp"
#include "schema/json.hpp"

namespace venvoy::report {

namespace fs = std::filesystem;
using internal::Database;
using internal::from_row;
using internal::Statement;

namespace {

constexpr std::string_view summary_columns =
    "SELECT number, id, workflow, context, version, host, begin, ended, outcome, output_id, error FROM runs ";

void read_items(const std::string& json, StepRecord& step) {
  if (json.empty()) return;
  const schema::Value value = schema::read_json(json);
  const schema::List& list = value.as_list();
  step.items = static_cast<std::uint64_t>(list.at(0).as_integer());
  for (std::size_t at = 0; at < step.items_ended.size(); ++at)
    step.items_ended[at] = static_cast<std::uint64_t>(list.at(at + 1).as_integer());
}

StepRecord read_step(const Statement& row) {
  StepRecord step;
  step.name = {row.text(2), row.text(1), row.text(0)};
  step.plugin_step = row.text(3);
  step.reference = row.text(4);
  step.version = row.text(5);
  step.environment = row.text(6);
  step.deployed = from_row(row.optional_integer(7));
  step.deploy_time = std::chrono::microseconds(row.integer(8));
  step.started = from_row(row.optional_integer(9));
  step.start_time = std::chrono::microseconds(row.integer(10));
  step.ended = from_row(row.optional_integer(11));
  step.outcome = internal::outcome_of(row.text(12));
  step.stage = row.text(13);
  step.output_id = row.text(14);
  step.error = row.text(15);
  step.input = row.text(16);
  step.output = row.text(17);
  internal::read_log(row.text(18), step);
  read_items(row.text(19), step);
  step.node = row.text(20);
  return step;
}

}  // namespace

std::string RunSummary::state() const {
  if (ended) return std::string(to_text(outcome));
  return died ? "died" : "running";
}

struct History::State {
  State(const fs::path& folder, Database given)
      : database(std::move(given)), lock(os::open_file(internal::history_lock_file(folder), O_RDWR | O_CREAT, 0600)) {}

  RunSummary summary(const Statement& row) const {
    RunSummary run;
    run.number = row.integer(0);
    run.run = row.text(1);
    run.workflow = row.text(2);
    run.context = row.text(3);
    run.version = row.text(4);
    run.host = row.text(5);
    run.begin = from_row(row.integer(6));
    run.ended = from_row(row.optional_integer(7));
    run.outcome = internal::outcome_of(row.text(8));
    run.output_id = row.text(9);
    run.error = row.text(10);
    run.died = !run.ended && !internal::is_run_locked(lock, run.number);
    return run;
  }

  Database database;
  os::Fd lock;
};

History::History(std::unique_ptr<State> state) : state_(std::move(state)) {}
History::History(History&&) noexcept = default;
History& History::operator=(History&&) noexcept = default;
History::~History() = default;

std::optional<History> History::open(const fs::path& folder) {
  std::error_code failure;
  if (!fs::exists(internal::history_file(folder), failure)) return std::nullopt;
  Database database(internal::history_file(folder), Database::Mode::write);
  internal::require_known_form(database);
  bool is_made = false;
  {
    Statement table = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'runs'");
    is_made = table.step();
  }
  if (!is_made) return std::nullopt;
  return History(std::make_unique<State>(folder, std::move(database)));
}

std::vector<RunSummary> History::list(std::size_t count) const {
  Statement rows = state_->database.prepare(std::string(summary_columns) + "ORDER BY number DESC LIMIT ?1");
  rows.bind(1, static_cast<std::int64_t>(count));
  std::vector<RunSummary> runs;
  while (rows.step()) runs.push_back(state_->summary(rows));
  return runs;
}

RunSummary History::find(const std::string& name) const {
  if (name == "latest") {
    std::vector<RunSummary> newest = list(1);
    if (newest.empty()) throw Error(ErrorCode::usage, "the history has no run");
    return std::move(newest.front());
  }
  Statement rows = state_->database.prepare(std::string(summary_columns) +
                                            "WHERE substr(id, 1, length(?1)) = ?1 ORDER BY number DESC LIMIT 2");
  rows.bind(1, name);
  std::vector<RunSummary> found;
  while (rows.step()) found.push_back(state_->summary(rows));
  if (found.empty() || name.empty())
    throw Error(ErrorCode::usage, fmt::format("the history has no run '{}'", name))
        .with_hint("`venvoy runs ls` shows what there is");
  if (found.size() > 1 && found.front().run != name)
    throw Error(ErrorCode::usage,
                fmt::format("several runs begin with '{}': {}, {} …", name, found[0].run, found[1].run));
  return std::move(found.front());
}

RunFacts History::load(const RunSummary& run) const {
  RunFacts facts;
  facts.run = run.run;
  facts.workflow = run.workflow;
  facts.begin = run.begin;
  facts.ended = run.ended;
  facts.outcome = run.outcome;
  facts.output_id = run.output_id;
  facts.error = run.error;
  Statement more =
      state_->database.prepare("SELECT started, input, output, planned, details FROM runs WHERE number = ?1");
  more.bind(1, run.number);
  if (more.step()) {
    facts.started = from_row(more.optional_integer(0));
    facts.input = more.text(1);
    facts.output = more.text(2);
    facts.planned = internal::read_planned(more.text(3));
    internal::read_details(more.text(4), facts);
  }
  const char* const node = internal::has_nodes(state_->database) ? "node" : "NULL";
  Statement rows = state_->database.prepare(
      fmt::format("SELECT loop, item, step, plugin_step, reference, version, environment, deployed, deploy_time, "
                  "started, start_time, ended, outcome, stage, output_id, error, input, output, log, items, {} "
                  "FROM steps WHERE run = ?1 ORDER BY place",
                  node));
  rows.bind(1, run.number);
  while (rows.step()) facts.steps.push_back(read_step(rows));
  return facts;
}

void History::remove(const RunSummary& run) {
  if (run.state() == "running")
    throw Error(ErrorCode::usage, fmt::format("the run {} is running; it cannot be removed", run.run));
  internal::Transaction transaction(state_->database);
  state_->database.prepare("DELETE FROM steps WHERE run = ?1").bind(1, run.number).run();
  state_->database.prepare("DELETE FROM runs WHERE number = ?1").bind(1, run.number).run();
  transaction.commit();
}

std::optional<std::chrono::milliseconds> usual_duration(const std::vector<RunSummary>& runs, const std::string& file,
                                                        const std::string& context) {
  constexpr std::size_t enough = 5;
  std::vector<std::chrono::milliseconds> durations;
  for (const RunSummary& run : runs)
    if (durations.size() < enough && run.ended && run.outcome == workflow::Outcome::succeeded && run.workflow == file &&
        run.context == context)
      durations.push_back(std::chrono::floor<std::chrono::milliseconds>(*run.ended - run.begin));
  if (durations.empty()) return std::nullopt;
  std::sort(durations.begin(), durations.end());
  return durations[durations.size() / 2];
}

}  // namespace venvoy::report
