// Keeps what is worth keeping of a run. It does not grow without bound, whatever the run does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "report/run_facts.hpp"
#include "schema/value.hpp"
#include "workflow/plan.hpp"
#include "workflow/run_observer.hpp"

namespace venvoy::report {

struct RecordLimits {
  // Ended steps of loop items: the slowest of those that ended well, and the first of the others.
  std::size_t slowest_item_steps = 1000;
  std::size_t failed_item_steps = 1000;
  // Items that did not succeed, of all loops.
  std::size_t failed_items = 1000;
  // One input or output, as JSON; a longer one is told by its beginning. And all of them: what comes later is told in
  // `least_value_bytes` each.
  std::size_t value_bytes = std::size_t{64} << 10;
  std::size_t all_value_bytes = std::size_t{24} << 20;
  std::size_t least_value_bytes = 256;
  // Lines that a step has printed: the first and the last ones; how long one may be; all of them.
  std::size_t first_lines = 200;
  std::size_t last_lines = 800;
  std::size_t line_bytes = std::size_t{4} << 10;
  std::size_t all_log_bytes = std::size_t{16} << 20;
  // An error message, and warnings while plugins are made ready.
  std::size_t error_bytes = std::size_t{80} << 10;
  std::size_t warnings = 100;
};

class RunRecord final : public workflow::RunObserver {
 public:
  // The clock outlives this object. Time begins now.
  RunRecord(std::string run, std::string workflow, const Clock& clock, RecordLimits limits = {});
  RunRecord(const RunRecord&) = delete;
  RunRecord& operator=(const RunRecord&) = delete;

  // Once known: what the steps are and what they wait for. Steps that never begin are known from here only.
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

  // All that is known so far.
  RunFacts facts() const;

  // What has changed: everything but the steps, the steps that were touched after a revision, and the names of those
  // that are no longer kept. `plan_changed` when `planned` is another one.
  struct Changes {
    RunFacts facts;
    std::vector<workflow::StepName> removed;
    bool plan_changed = false;
    std::uint64_t revision = 0;  // to ask with the next time; the first time 0
  };
  Changes changes_since(std::uint64_t revision);
  // Nobody will ask again.
  void stop_watching();

 private:
  using Key = std::string;  // "loop\nitem\nstep"
  static Key key_of(const workflow::StepName& name);
  StepRecord& step(const workflow::StepName& name);
  std::string told(const schema::Value& value);
  std::string cut(const std::string& error) const;
  void keep_or_drop(StepRecord& record);
  void drop(const Key& key);
  void add_planned(const workflow::Plan& plan, const std::string& loop);
  PluginRecord& plugin(const std::string& reference);
  void begin_phase(const std::string& reference, const char* name);
  void end_phase(const Progress& event, const char* name);
  std::vector<StepRecord> steps_since(std::uint64_t revision) const;

  const Clock& clock_;
  const RecordLimits limits_;
  RunFacts facts_;  // without the steps

  struct Kept {
    std::uint64_t number = 0;  // in the order of beginnings
    StepRecord record;
    std::size_t value_bytes = 0;
    std::size_t log_bytes = 0;
  };
  std::map<Key, Kept> steps_;
  std::uint64_t last_number_ = 0;
  std::set<std::pair<std::int64_t, Key>> slowest_;  // ended well, of loop items: time in microseconds
  std::size_t failed_kept_ = 0;
  std::size_t value_bytes_ = 0;
  std::size_t log_bytes_ = 0;
  std::uint64_t revision_ = 0;
  std::uint64_t plan_revision_ = 0;
  bool is_watched_ = false;  // somebody asks for changes
  std::vector<workflow::StepName> removed_;
};

// The beginning of a value as JSON of at most about `max_bytes`: long texts, lists and maps end with what is left out,
// as "… 12 more". Without line feeds. Data that JSON has no form for is told as a text.
std::string json_excerpt(const schema::Value& value, std::size_t max_bytes);

}  // namespace venvoy::report
