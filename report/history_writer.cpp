// Writing the history: history.hpp.
#include <condition_variable>
#include <fcntl.h>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "base/cancel.hpp"
#include "base/error.hpp"
#include "os/fd.hpp"
#include "os/file_lock.hpp"
#include "os/files.hpp"
#include "report/history.hpp"
#include "report/internal/history_rows.hpp"
#include "report/internal/run_lock.hpp"

namespace venvoy::report {

namespace fs = std::filesystem;
using internal::Database;
using internal::Statement;
using internal::to_row;
using internal::Transaction;

namespace {

// Runs taken away in one go when the file is too large: a part of those that are there.
constexpr std::size_t prune_part = 10;

constexpr std::string_view insert_step =
    "INSERT OR REPLACE INTO steps (run, loop, item, step, place, plugin_step, reference, version, environment, "
    "deployed, "
    "deploy_time, started, start_time, ended, outcome, stage, output_id, error, input, output, log, items, node) "
    "VALUES (?1, "
    "?2, ?3, ?4, coalesce((SELECT place FROM steps WHERE run = ?1 AND loop = ?2 AND item = ?3 AND step = ?4), ?5), ?6, "
    "?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)";

constexpr std::string_view update_run =
    "UPDATE runs SET started = ?2, ended = ?3, outcome = ?4, output_id = ?5, error = ?6, input = ?7, output = ?8, "
    "details = ?9 WHERE number = ?1";

std::string items_json(const StepRecord& step) {
  if (step.items == 0) return {};
  return fmt::format("[{},{}]", step.items, fmt::join(step.items_ended, ","));
}

// One run in the history, on the writer's thread.
class RunRows {
 public:
  RunRows(const HistoryWriter::Options& options, const RunFacts& facts)
      : limits_(options.limits),
        lock_(open_lock(options.folder)),
        database_(open(options.folder)),
        step_(database_.prepare(insert_step)),
        run_(database_.prepare(update_run)),
        removed_(database_.prepare("DELETE FROM steps WHERE run = ?1 AND loop = ?2 AND item = ?3 AND step = ?4")) {
    Transaction transaction(database_);
    Statement insert = database_.prepare(
        "INSERT INTO runs (id, workflow, context, version, host, begin) VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
    insert.bind(1, facts.run).bind(2, facts.workflow).bind(3, options.context).bind(4, options.version);
    insert.bind(5, options.host).bind(6, to_row(facts.begin)).run();
    number_ = database_.last_row_id();
    // Before anybody can see the row, so that nobody takes the run for dead.
    internal::lock_run(lock_, number_);
    transaction.commit();
    prune();
  }

  void write(const RunRecord::Changes& changes) {
    Transaction transaction(database_);
    for (const workflow::StepName& name : changes.removed)
      removed_.bind(1, number_).bind(2, name.loop).bind(3, name.item).bind(4, name.step).run();
    for (const StepRecord& step : changes.facts.steps) write(step);
    write(changes.facts);
    if (changes.plan_changed)
      database_.prepare("UPDATE runs SET planned = ?2 WHERE number = ?1")
          .bind(1, number_)
          .bind(2, internal::planned_json(changes.facts.planned))
          .run();
    transaction.commit();
  }

  // Takes the oldest runs away until the limits hold. Runs that go on stay.
  void prune() {
    Transaction transaction(database_);
    bool changed = false;
    const std::size_t runs = count("SELECT count(*) FROM runs");
    if (runs > limits_.runs) changed = remove_oldest(runs - limits_.runs);
    while (used_bytes() > limits_.bytes && remove_oldest(count("SELECT count(*) FROM runs") / prune_part + 1))
      changed = true;
    transaction.commit();
    if (changed) database_.execute("PRAGMA incremental_vacuum");
  }

 private:
  static os::Fd open_lock(const fs::path& folder) {
    make_state_folder(folder);
    return os::open_file(internal::history_lock_file(folder), O_RDWR | O_CREAT, 0600);
  }

  static Database open(const fs::path& folder) {
    // One at a time: the file may have to be made.
    const os::FileLock making = os::FileLock::wait(internal::history_lock_file(folder), os::LockMode::exclusive, {});
    return internal::open_history(folder);
  }

  void write(const StepRecord& step) {
    const bool ended = step.ended.has_value();
    step_.bind(1, number_).bind(2, step.name.loop).bind(3, step.name.item).bind(4, step.name.step).bind(5, ++place_);
    step_.bind(6, step.plugin_step).bind(7, step.reference).bind(8, step.version).bind(9, step.environment);
    step_.bind(10, to_row(step.deployed)).bind(11, step.deploy_time.count());
    step_.bind(12, to_row(step.started)).bind(13, step.start_time.count()).bind(14, to_row(step.ended));
    step_.bind(15, ended ? to_text(step.outcome) : std::string_view()).bind(16, step.stage).bind(17, step.output_id);
    step_.bind(18, step.error).bind(19, step.input).bind(20, step.output).bind(21, internal::log_json(step));
    step_.bind(22, items_json(step)).bind(23, step.node).run();
  }

  void write(const RunFacts& facts) {
    run_.bind(1, number_).bind(2, to_row(facts.started)).bind(3, to_row(facts.ended));
    run_.bind(4, facts.ended ? to_text(facts.outcome) : std::string_view()).bind(5, facts.output_id);
    run_.bind(6, facts.error).bind(7, facts.input).bind(8, facts.output).bind(9, internal::details_json(facts)).run();
  }

  std::size_t count(std::string_view query) {
    Statement statement = database_.prepare(query);
    return statement.step() ? static_cast<std::size_t>(statement.integer(0)) : 0;
  }

  std::uint64_t used_bytes() {
    return (count("PRAGMA page_count") - count("PRAGMA freelist_count")) * count("PRAGMA page_size");
  }

  // False when there was none that could go.
  bool remove_oldest(std::size_t wanted) {
    std::vector<std::int64_t> oldest;
    {
      Statement statement = database_.prepare("SELECT number FROM runs ORDER BY number");
      while (oldest.size() < wanted && statement.step()) {
        const std::int64_t run = statement.integer(0);
        if (run != number_ && !internal::is_run_locked(lock_, run)) oldest.push_back(run);
      }
    }
    for (const std::int64_t run : oldest) {
      database_.prepare("DELETE FROM steps WHERE run = ?1").bind(1, run).run();
      database_.prepare("DELETE FROM runs WHERE number = ?1").bind(1, run).run();
    }
    return !oldest.empty();
  }

  const HistoryLimits limits_;
  os::Fd lock_;
  Database database_;
  Statement step_;
  Statement run_;
  Statement removed_;
  std::int64_t number_ = 0;
  std::int64_t place_ = 0;
};

}  // namespace

void make_state_folder(const fs::path& folder) {
  const fs::path absolute = fs::absolute(folder).lexically_normal();
  std::error_code failure;
  if (fs::is_directory(absolute, failure)) return;
  fs::create_directories(absolute.parent_path(), failure);
  if (failure)
    throw Error(ErrorCode::io,
                fmt::format("cannot make the folder {}: {}", absolute.parent_path().string(), failure.message()));
  os::make_directory(absolute, 0700);
}

struct HistoryWriter::State {
  State(RunRecord& given, Options wanted) : record(given), options(std::move(wanted)) {}

  void write_all() {
    try {
      RunFacts first;
      {
        const std::lock_guard lock(mutex);
        first = record.facts();
      }
      RunRows rows(options, first);
      write_slices(rows);
    } catch (const std::exception& error) {
      const std::lock_guard lock(mutex);
      record.stop_watching();
      if (options.on_failure) options.on_failure(error.what());
    }
  }

  void write_slices(RunRows& rows) {
    std::uint64_t revision = 0;
    bool last = false;
    while (!last) {
      RunRecord::Changes changes;
      {
        std::unique_lock lock(mutex);
        change.wait_for(lock, options.slice, [this] { return ending; });
        last = ending;
        changes = record.changes_since(revision);
      }
      if (changes.revision == revision && changes.removed.empty()) continue;
      rows.write(changes);
      revision = changes.revision;
    }
    rows.prune();
  }

  RunRecord& record;
  Options options;
  std::mutex mutex;
  std::condition_variable change;
  bool ending = false;
  std::thread thread;
};

HistoryWriter::HistoryWriter(RunRecord& record, Options options)
    : state_(std::make_unique<State>(record, std::move(options))) {
  state_->thread = std::thread([state = state_.get()] { state->write_all(); });
}

HistoryWriter::~HistoryWriter() {
  finish();
}

void HistoryWriter::finish() {
  if (!state_->thread.joinable()) return;
  {
    const std::lock_guard lock(state_->mutex);
    state_->ending = true;
  }
  state_->change.notify_all();
  state_->thread.join();
}

void HistoryWriter::set_plan(const workflow::Plan& plan) {
  const std::lock_guard lock(state_->mutex);
  state_->record.set_plan(plan);
}
void HistoryWriter::progress(const Progress& event) {
  const std::lock_guard lock(state_->mutex);
  state_->record.progress(event);
}
void HistoryWriter::run_started(const workflow::RunStarted& event) {
  const std::lock_guard lock(state_->mutex);
  state_->record.run_started(event);
}
void HistoryWriter::run_finished(const workflow::RunFinished& event) {
  const std::lock_guard lock(state_->mutex);
  state_->record.run_finished(event);
}
void HistoryWriter::step_deployed(const workflow::StepDeployed& event) {
  const std::lock_guard lock(state_->mutex);
  state_->record.step_deployed(event);
}
void HistoryWriter::step_started(const workflow::StepStarted& event) {
  const std::lock_guard lock(state_->mutex);
  state_->record.step_started(event);
}
void HistoryWriter::step_finished(const workflow::StepFinished& event) {
  const std::lock_guard lock(state_->mutex);
  state_->record.step_finished(event);
}
void HistoryWriter::step_log(const workflow::StepLog& event) {
  const std::lock_guard lock(state_->mutex);
  state_->record.step_log(event);
}
void HistoryWriter::item_started(const workflow::ItemStarted& event) {
  const std::lock_guard lock(state_->mutex);
  state_->record.item_started(event);
}
void HistoryWriter::item_finished(const workflow::ItemFinished& event) {
  const std::lock_guard lock(state_->mutex);
  state_->record.item_finished(event);
}

}  // namespace venvoy::report
