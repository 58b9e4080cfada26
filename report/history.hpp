// What ran on this machine: a SQLite file in the state folder (spec/command.md section 2, `runs`; design D14).
//
//   <state folder>/runs.sqlite   0600; write-ahead log; `user_version` counts changes of its form
//   <state folder>/runs.lock     0600; who writes a run holds a lock on the byte of its number: the kernel lets go of
//   it
//                                however the process ends, so that a run without an end and without a lock has died
//
// Any number of processes may write and read at a time. A kill at any instant loses what the last time slice has not
// written yet, and damages nothing.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "report/run_facts.hpp"
#include "report/run_record.hpp"
#include "workflow/run_observer.hpp"

namespace venvoy::report {

struct HistoryLimits {
  std::size_t runs = 1000;
  std::uint64_t bytes = std::uint64_t{256} << 20;
};

// Makes the state folder (0700) and its parents if they are not there. Throws an Error (io).
void make_state_folder(const std::filesystem::path& folder);

// Records a run in the history while it goes on: what the record is told it writes, a few times a second, on a thread
// of its own. Nothing waits for the disk before finish(). If the history cannot be written, that is told once, and the
// run goes on without it.
class HistoryWriter final : public workflow::RunObserver {
 public:
  struct Options {
    std::filesystem::path folder;  // made by the writer
    std::string context;           // the folder that the workflow was run in
    std::string version;           // of the program
    std::string host;
    // Is told, once at most, why nothing is written any more. On any thread; must not throw.
    std::function<void(const std::string&)> on_failure;
    HistoryLimits limits;
    std::chrono::milliseconds slice{300};
  };
  // The record outlives this object, and from now on is used only through it.
  HistoryWriter(RunRecord& record, Options options);
  // As finish().
  ~HistoryWriter() override;
  HistoryWriter(const HistoryWriter&) = delete;
  HistoryWriter& operator=(const HistoryWriter&) = delete;

  void set_plan(const workflow::Plan& plan);
  void progress(const Progress& event) override;
  void run_started(const workflow::RunStarted& event) override;
  void run_finished(const workflow::RunFinished& event) override;
  void step_deployed(const workflow::StepDeployed& event) override;
  void step_started(const workflow::StepStarted& event) override;
  void step_finished(const workflow::StepFinished& event) override;
  void step_log(const workflow::StepLog& event) override;
  void item_started(const workflow::ItemStarted& event) override;
  void item_finished(const workflow::ItemFinished& event) override;

  // Writes what is left and ends the thread. The record may be used again.
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A row of `runs ls`.
struct RunSummary {
  std::int64_t number = 0;
  std::string run;  // id
  std::string workflow;
  std::string context;
  std::string version;
  std::string host;
  WallTime begin;
  std::optional<WallTime> ended;
  workflow::Outcome outcome = workflow::Outcome::succeeded;  // once it has ended
  std::string output_id;
  std::string error;
  bool died = false;  // its process is gone, and it has no end

  // "succeeded", "failed", "cancelled", "running" or "died".
  std::string state() const;
};

class History {
 public:
  // Nothing when there is none in the folder. Throws an Error (io) when it cannot be read, or is of a newer form.
  static std::optional<History> open(const std::filesystem::path& folder);
  History(History&&) noexcept;
  History& operator=(History&&) noexcept;
  ~History();

  // The newest first, `count` at most.
  std::vector<RunSummary> list(std::size_t count) const;
  // By id, by the beginning of one, or "latest". Throws an Error (usage) when there is none, or several.
  RunSummary find(const std::string& name) const;
  RunFacts load(const RunSummary& run) const;
  // Removes ended and died runs; throws an Error (usage) for one that is running.
  void remove(const RunSummary& run);

 private:
  struct State;
  explicit History(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// How long the last runs of the same workflow in the same folder took that came to an output: the middle one of five at
// most. Nothing without any.
std::optional<std::chrono::milliseconds> usual_duration(const std::vector<RunSummary>& runs, const std::string& file,
                                                        const std::string& context);

}  // namespace venvoy::report
