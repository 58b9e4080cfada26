#include "report/run_record.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace venvoy::report {

using std::chrono::microseconds;
using workflow::NodeId;
using workflow::NodeKind;
using workflow::Outcome;

namespace {

std::size_t position_of(Outcome outcome) {
  return static_cast<std::size_t>(outcome);
}

std::string expression_of(const workflow::DocStep& step, std::string_view key) {
  const workflow::DocValue::Entry* entry = step.find(key);
  return entry && entry->value.node ? entry->value.node->text : std::string();
}

Need::Kind kind_of(workflow::EdgeKind kind) {
  switch (kind) {
    case workflow::EdgeKind::option:
      return Need::Kind::any_of;
    case workflow::EdgeKind::completion:
      return Need::Kind::ended;
    case workflow::EdgeKind::soft:
      return Need::Kind::may;
    case workflow::EdgeKind::hard:
      break;
  }
  return Need::Kind::must;
}

// What stages of each step wait for outside of the step. Every edge is looked at once.
class NeedFinder {
 public:
  NeedFinder(const workflow::Plan& plan, std::vector<PlannedStep*> steps) : plan_(plan), steps_(std::move(steps)) {
    // Groups are told by what they stand for.
    incoming_.resize(plan.graph.size());
    for (NodeId from = 0; from < plan.graph.size(); ++from)
      for (const workflow::Graph::Edge& edge : plan.graph.dependents(from))
        incoming_[edge.to].push_back({from, edge.kind});
  }

  void find() {
    for (NodeId node = 0; node < plan_.graph.size(); ++node)
      if (plan_.graph.node(node).kind == NodeKind::stage) add_needs_of(node);
  }

 private:
  struct Incoming {
    NodeId from;
    workflow::EdgeKind kind;
  };

  void add_needs_of(NodeId stage) {
    const workflow::GraphNode& node = plan_.graph.node(stage);
    PlannedStep& step = *steps_[node.step];
    const std::string& stage_id = plan_.steps[node.step].lifecycle.stages[node.stage].id;
    std::set<NodeId> seen;
    std::vector<Incoming> todo = incoming_[stage];
    while (!todo.empty()) {
      const Incoming edge = todo.back();
      todo.pop_back();
      if (!seen.insert(edge.from).second) continue;
      const workflow::GraphNode& from = plan_.graph.node(edge.from);
      if (from.kind == NodeKind::group) {
        for (Incoming inner : incoming_[edge.from]) {
          // Below an option everything is only one way among others.
          if (edge.kind != workflow::EdgeKind::hard) inner.kind = edge.kind;
          todo.push_back(inner);
        }
        continue;
      }
      if (from.kind == NodeKind::workflow_output) continue;
      const bool is_own = from.kind != NodeKind::input && from.step == node.step;
      if (!is_own) add_need(step, from, kind_of(edge.kind), stage_id);
    }
  }

  void add_need(PlannedStep& step, const workflow::GraphNode& from, Need::Kind kind, const std::string& stage_for) {
    const bool known = std::any_of(step.needs.begin(), step.needs.end(), [&](const Need& need) {
      return need.name == from.name && need.stage_for == stage_for;
    });
    if (known) return;
    Need need{from.name, kind, stage_for, {}, {}, {}};
    if (from.kind != NodeKind::input) {
      const workflow::PlanStep& other = plan_.steps[from.step];
      const workflow::Stage& stage = other.lifecycle.stages[from.stage];
      need.step = other.id();
      need.stage = stage.id;
      if (from.kind == NodeKind::stage_output) need.output = stage.outputs[from.output].id;
    } else if (need.name.empty()) {
      need.name = "input";
    }
    step.needs.push_back(std::move(need));
  }

  const workflow::Plan& plan_;
  std::vector<PlannedStep*> steps_;
  std::vector<std::vector<Incoming>> incoming_;
};

}  // namespace

RunRecord::RunRecord(std::string run, std::string workflow, const Clock& clock, RecordLimits limits)
    : clock_(clock), limits_(limits) {
  facts_.run = std::move(run);
  facts_.workflow = std::move(workflow);
  facts_.begin = clock.wall();
}

RunRecord::Key RunRecord::key_of(const workflow::StepName& name) {
  return name.loop + '\n' + name.item + '\n' + name.step;
}

void RunRecord::set_plan(const workflow::Plan& plan) {
  facts_.planned.clear();
  add_planned(plan, {});
  plan_revision_ = ++revision_;
}

void RunRecord::add_planned(const workflow::Plan& plan, const std::string& loop) {
  const std::size_t first = facts_.planned.size();
  for (const workflow::PlanStep& step : plan.steps) {
    PlannedStep planned;
    planned.id = step.id();
    planned.loop = loop;
    planned.file = plan.document->file;
    planned.line = step.document->id_node ? step.document->id_node->line : 0;
    planned.is_loop = step.is_loop();
    planned.plugin_step = step.is_loop() ? step.body_file : step.plugin_step;
    if (!step.is_loop()) planned.plugin = step.plugin ? step.plugin->facts().reference : step.plugin_source;
    planned.enabled = expression_of(*step.document, "enabled");
    planned.stop_if = expression_of(*step.document, "stop_if");
    facts_.planned.push_back(std::move(planned));
  }
  std::vector<PlannedStep*> own;
  for (std::size_t at = first; at < facts_.planned.size(); ++at) own.push_back(&facts_.planned[at]);
  NeedFinder(plan, std::move(own)).find();
  for (const workflow::PlanStep& step : plan.steps)
    if (step.is_loop()) add_planned(*step.body, loop.empty() ? step.id() : loop + "." + step.id());
}

// --- plugins
// -----------------------------------------------------------------------------------------------------------

PluginRecord& RunRecord::plugin(const std::string& reference) {
  const auto is_it = [&](const PluginRecord& record) { return record.reference == reference; };
  const auto place = std::find_if(facts_.plugins.begin(), facts_.plugins.end(), is_it);
  if (place != facts_.plugins.end()) return *place;
  facts_.plugins.push_back({reference, {}, {}, {}, {}});
  return facts_.plugins.back();
}

void RunRecord::begin_phase(const std::string& reference, const char* name) {
  plugin(reference).phases.push_back({name, clock_.wall(), {}, {}, {}});
}

void RunRecord::end_phase(const Progress& event, const char* name) {
  PluginRecord& record = plugin(event.reference);
  const auto is_it = [&](const PluginRecord::Phase& phase) { return phase.name == name && !phase.end; };
  const auto phase = std::find_if(record.phases.begin(), record.phases.end(), is_it);
  if (phase == record.phases.end()) return;
  phase->end = clock_.wall();
  phase->outcome = event.outcome;
  phase->text = cut(event.text);
  if (phase->name == "resolve" && event.outcome == "ok") record.commit = event.text;
}

void RunRecord::progress(const Progress& event) {
  using Stage = Progress::Kind;
  ++revision_;
  switch (event.kind) {
    case Stage::resolve_started:
      return begin_phase(event.reference, "resolve");
    case Stage::build_started:
      return begin_phase(event.reference, "build");
    case Stage::install_started:
      return begin_phase(event.reference, "install");
    case Stage::resolve_finished:
      return end_phase(event, "resolve");
    case Stage::build_finished:
      return end_phase(event, "build");
    case Stage::install_finished:
      return end_phase(event, "install");
    case Stage::environment_ready: {
      PluginRecord& record = plugin(event.reference);
      record.ready = event.text;
      record.ready_at = clock_.wall();
      return;
    }
    case Stage::warning:
      if (facts_.warnings.size() < limits_.warnings) facts_.warnings.push_back(cut(event.text));
      return;
    case Stage::fetch_progress:
    case Stage::machines_awaited:
    case Stage::machines_ready:
      return;
  }
}

// --- the run
// -----------------------------------------------------------------------------------------------------------

std::string RunRecord::told(const schema::Value& value) {
  if (value.is_null()) return {};
  const std::size_t room = limits_.all_value_bytes - std::min(limits_.all_value_bytes, value_bytes_);
  std::string text = json_excerpt(value, std::max(std::min(limits_.value_bytes, room), limits_.least_value_bytes));
  value_bytes_ += text.size();
  return text;
}

std::string RunRecord::cut(const std::string& error) const {
  if (error.size() <= limits_.error_bytes) return to_valid_utf8(error);
  // How it begins says what has happened, and the end what a process said last.
  const std::size_t half = limits_.error_bytes / 2;
  return to_valid_utf8(error.substr(0, half) + "\n…\n" + std::string(tail(error, half)));
}

void RunRecord::run_started(const workflow::RunStarted& event) {
  ++revision_;
  facts_.started = clock_.wall();
  facts_.input = told(event.input);
}

void RunRecord::run_finished(const workflow::RunFinished& event) {
  ++revision_;
  facts_.ended = clock_.wall();
  facts_.outcome = event.outcome;
  facts_.output_id = event.output_id;
  facts_.error = cut(event.error);
  facts_.output = told(event.output);
}

StepRecord& RunRecord::step(const workflow::StepName& name) {
  const auto [place, added] = steps_.try_emplace(key_of(name));
  Kept& kept = place->second;
  if (added) {
    kept.number = ++last_number_;
    kept.record.name = name;
  }
  kept.record.revision = ++revision_;
  return kept.record;
}

void RunRecord::step_deployed(const workflow::StepDeployed& event) {
  StepRecord& record = step(event.name);
  record.reference = event.reference;
  record.version = event.version;
  record.environment = event.environment;
  record.deployed = clock_.wall();
  record.deploy_time = event.took;
}

void RunRecord::step_started(const workflow::StepStarted& event) {
  StepRecord& record = step(event.name);
  record.plugin_step = event.plugin_step;
  record.node = event.node;
  record.started = clock_.wall();
  record.start_time = event.took;
  record.input = told(event.input);
  steps_.at(key_of(event.name)).value_bytes += record.input.size();
}

void RunRecord::step_finished(const workflow::StepFinished& event) {
  StepRecord& record = step(event.name);
  record.ended = clock_.wall();
  record.outcome = event.outcome;
  record.stage = event.stage;
  record.output_id = event.output_id;
  record.error = cut(event.error);
  // The results of a loop's items are in their own records, and can be many.
  record.output = told(event.data);
  steps_.at(key_of(event.name)).value_bytes += record.output.size();
  ++(event.name.loop.empty() ? facts_.ended_steps : facts_.ended_item_steps)[position_of(event.outcome)];
  if (!event.name.loop.empty()) keep_or_drop(record);
}

void RunRecord::keep_or_drop(StepRecord& record) {
  const Key key = key_of(record.name);
  if (record.outcome == Outcome::failed) {
    if (failed_kept_ < limits_.failed_item_steps)
      ++failed_kept_;
    else
      drop(key);
    return;
  }
  slowest_.emplace(record.run_time().count(), key);
  if (slowest_.size() <= limits_.slowest_item_steps) return;
  const Key fastest = slowest_.begin()->second;
  slowest_.erase(slowest_.begin());
  drop(fastest);
}

void RunRecord::drop(const Key& key) {
  const auto place = steps_.find(key);
  value_bytes_ -= place->second.value_bytes;
  log_bytes_ -= place->second.log_bytes;
  if (is_watched_) removed_.push_back(place->second.record.name);
  steps_.erase(place);
  ++facts_.left_out;
  ++revision_;
}

void RunRecord::step_log(const workflow::StepLog& event) {
  // Last words of a step that is not kept are not kept either.
  const auto place = steps_.find(key_of(event.name));
  if (place == steps_.end()) return;
  Kept& kept = place->second;
  StepRecord& record = kept.record;
  record.revision = ++revision_;
  std::string line = event.line.substr(0, limits_.line_bytes);
  if (line.size() < event.line.size()) line = to_valid_utf8(line) + "…";
  const bool is_early = record.first_log.size() < limits_.first_lines;
  if (log_bytes_ + line.size() > limits_.all_log_bytes && record.last_log.empty()) {
    ++record.dropped_lines;
    return;
  }
  kept.log_bytes += line.size();
  log_bytes_ += line.size();
  LogLine told{clock_.wall(), event.level, std::move(line)};
  if (is_early) {
    record.first_log.push_back(std::move(told));
    return;
  }
  record.last_log.push_back(std::move(told));
  while (record.last_log.size() > limits_.last_lines || log_bytes_ > limits_.all_log_bytes) {
    if (record.last_log.empty()) break;
    kept.log_bytes -= record.last_log.front().text.size();
    log_bytes_ -= record.last_log.front().text.size();
    record.last_log.pop_front();
    ++record.dropped_lines;
  }
}

void RunRecord::item_started(const workflow::ItemStarted& event) {
  step(event.loop).items = event.count;
}

void RunRecord::item_finished(const workflow::ItemFinished& event) {
  ++step(event.loop).items_ended[position_of(event.outcome)];
  if (event.outcome != Outcome::succeeded && facts_.failed_items.size() < limits_.failed_items)
    facts_.failed_items.push_back({event.loop, event.index, event.outcome, cut(event.error)});
}

// --- what is known
// -----------------------------------------------------------------------------------------------------

std::vector<StepRecord> RunRecord::steps_since(std::uint64_t revision) const {
  std::vector<const Kept*> kept;
  for (const auto& [key, entry] : steps_)
    if (entry.record.revision > revision) kept.push_back(&entry);
  std::sort(kept.begin(), kept.end(), [](const Kept* left, const Kept* right) { return left->number < right->number; });
  std::vector<StepRecord> result;
  result.reserve(kept.size());
  for (const Kept* entry : kept) result.push_back(entry->record);
  return result;
}

RunFacts RunRecord::facts() const {
  RunFacts facts = facts_;
  facts.steps = steps_since(0);
  return facts;
}

RunRecord::Changes RunRecord::changes_since(std::uint64_t revision) {
  is_watched_ = true;
  Changes changes;
  changes.revision = revision_;
  changes.removed = std::exchange(removed_, {});
  if (revision_ == revision) return changes;
  changes.facts = facts_;
  changes.facts.steps = steps_since(revision);
  changes.plan_changed = plan_revision_ > revision;
  return changes;
}

void RunRecord::stop_watching() {
  is_watched_ = false;
  removed_.clear();
}

}  // namespace venvoy::report
