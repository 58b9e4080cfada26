// What a run leaves besides its result: events, a report, JUnit XML, the history (spec/command.md section 2, `run`).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/common.hpp"
#include "os/fd.hpp"
#include "report/event.hpp"
#include "report/fan_out.hpp"
#include "report/graph_picture.hpp"
#include "report/history.hpp"
#include "report/masker.hpp"
#include "report/masking_observer.hpp"
#include "report/run_record.hpp"
#include "workflow/plan.hpp"

namespace venvoy::cli {

struct RunOutputOptions {
  std::optional<std::string> events;
  std::optional<std::string> report;
  std::optional<std::string> junit;
  bool no_mask = false;
  bool no_history = false;
};

void add_run_output_options(CLI::App& command, RunOutputOptions& options);

// Makes known to the masker what stands in the workflow's files under names of secrets.
void learn_literals(report::Masker& masker, const workflow::Document& document);
void learn_literals(report::Masker& masker, const workflow::Plan& plan);

// Used on the thread of the command; the observer is called on the engine's.
class RunOutputs {
 public:
  struct Setting {
    const CommonOptions& common;
    const Talk& talk;
    std::shared_ptr<report::Masker> masker;  // null with --no-mask
    std::string workflow;                    // the file as written
    bool events_on_stderr = false;           // --progress json
  };
  // Opens the files, so that a run of an hour does not end without them. Throws an Error (io) that names the one that
  // cannot be written.
  RunOutputs(const RunOutputOptions& options, Setting setting);
  ~RunOutputs();
  RunOutputs(const RunOutputs&) = delete;
  RunOutputs& operator=(const RunOutputs&) = delete;

  const std::string& run() const noexcept { return run_; }
  // How long this run will take, if the history tells.
  std::optional<std::chrono::milliseconds> usual_duration() const;
  // For preparing and running; what it is told it gives on to `display`, if there is one, too. To be asked for once.
  workflow::RunObserver* observer(workflow::RunObserver* display);
  // Keeps nothing of it: a plan goes before its engine does.
  void set_plan(const workflow::Plan& plan);
  // The run has ended before it began: it could not be prepared, or has a wrong input. The display, which may be gone,
  // is not told.
  void fail(const std::string& error);
  // Writes what is written at the end; what cannot be written is told. Once only.
  void finish();

 private:
  void open_history();
  void write_event(const report::Event& event);

  RunOutputOptions options_;
  Setting setting_;
  std::string run_;
  report::RunRecord record_;
  std::unique_ptr<report::HistoryWriter> history_;
  os::Fd events_;
  std::optional<report::EventMaker> maker_;
  report::FanOut own_;  // what writes
  report::FanOut all_;  // and what shows
  std::optional<report::MaskingObserver> masking_;
  report::GraphPicture graph_;
  bool finished_ = false;
};

}  // namespace venvoy::cli
