#include "server/runs.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "api/run_id.hpp"
#include "base/sha256.hpp"
#include "base/text.hpp"
#include "os/files.hpp"
#include "os/on_pool.hpp"
#include "report/event.hpp"
#include "report/fan_out.hpp"
#include "report/graph_svg.hpp"
#include "report/history.hpp"
#include "report/masker.hpp"
#include "report/masking_observer.hpp"
#include "report/plan_picture.hpp"
#include "report/run_record.hpp"
#include "schema/json.hpp"
#include "server/access.hpp"
#include "source/module_ref.hpp"
#include "workflow/engine.hpp"

namespace venvoy::server {

namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

using schema::Kind;
using schema::Map;
using schema::Value;

constexpr std::size_t max_workflow_bytes = std::size_t{4} << 20;
constexpr std::size_t max_logged_events = 20'000;  // beyond, what steps print is left out
constexpr std::size_t max_events = 200'000;
constexpr std::size_t max_reason_bytes = std::size_t{64} << 10;
constexpr std::size_t max_piece_bytes = std::size_t{256} << 10;
constexpr std::chrono::seconds event_wait{5};
constexpr std::size_t max_listed = 1000;

// Submitted texts have no files beside them; named ones those of their folder.
class RunFiles final : public workflow::WorkflowFiles {
 public:
  explicit RunFiles(std::optional<fs::path> folder) : folder_(std::move(folder)) {}
  File read_sub_workflow(const std::string& name) const override {
    if (!folder_)
      throw Error(ErrorCode::io, fmt::format("error reading file {} (a submitted text has no files)", name));
    const fs::path path = (*folder_ / name).lexically_normal();
    return {os::read_file(path, max_workflow_bytes), path.string()};
  }

 private:
  std::optional<fs::path> folder_;
};

void find_forbidden_calls(const expressions::Expression& expression, std::vector<std::string>& found) {
  for (const expressions::Node& node : expression.tree().nodes)
    if (node.kind == expressions::NodeKind::function && (node.name() == "readFile" || node.name() == "getEnvVar"))
      found.push_back(fmt::format("the function {} is not allowed in submitted workflows", node.name()));
}

void find_forbidden_values(const workflow::DocValue& value, std::vector<std::string>& found) {
  using workflow::DocValue;
  if (const auto* expression = std::get_if<DocValue::Expression>(&value.form))
    find_forbidden_calls(expression->expression, found);
  if (const auto* optional = std::get_if<DocValue::Optional>(&value.form))
    find_forbidden_calls(optional->expression, found);
  if (const auto* one_of = std::get_if<DocValue::OneOf>(&value.form))
    for (const DocValue::Entry& entry : one_of->options) find_forbidden_values(entry.value, found);
  if (const auto* items = std::get_if<DocValue::Items>(&value.form))
    for (const DocValue& item : *items) find_forbidden_values(item, found);
  if (const auto* entries = std::get_if<DocValue::Entries>(&value.form))
    for (const DocValue::Entry& entry : *entries) find_forbidden_values(entry.value, found);
}

std::vector<std::string> plugins_of(const workflow::Document& document) {
  std::vector<std::string> plugins;
  Issues ignored;
  for (const workflow::DocStep& step : document.steps)
    if (step.kind == "plugin")
      if (const auto plugin = workflow::plugin_of(document, step, ignored)) plugins.push_back(plugin->source);
  return plugins;
}

Value time_value(const std::optional<WallTime>& time) {
  return time ? Value(rfc3339_utc(*time)) : Value();
}

Map summary_of(const report::RunSummary& run) {
  return Map({{"run", run.run},
              {"state", run.state()},
              {"workflow", run.workflow},
              {"actor", run.host},
              {"started", rfc3339_utc(run.begin)},
              {"ended", time_value(run.ended)}});
}

Value details_of(const report::RunSummary& run, const report::RunFacts& facts) {
  Map map = summary_of(run);
  schema::List steps;
  for (const report::StepRecord& step : facts.steps) {
    if (!step.name.item.empty()) continue;
    const std::string state(step.ended ? to_text(step.outcome) : "running");
    steps.emplace_back(Map({{"id", step.name.step},
                            {"state", state},
                            {"plugin", step.reference},
                            {"output_id", step.output_id},
                            {"error", step.error},
                            {"started", time_value(step.started)},
                            {"ended", time_value(step.ended)}}));
  }
  map.set("steps", std::move(steps));
  map.set("output_id", facts.output_id.empty() ? Value() : Value(facts.output_id));
  try {
    map.set("output_data", schema::read_json(facts.output));
  } catch (const Error&) {
    map.set("output_data", facts.output.empty() ? Value() : Value(facts.output));  // cut short
  }
  map.set("reason", facts.error.empty() ? Value() : Value(facts.error));
  return map;
}

std::string issue_text(const Issues& issues) {
  std::string text;
  for (const Issue& issue : issues) {
    if (issue.severity != Severity::error) continue;
    if (!text.empty()) text += "; ";
    text += issue.at.known() ? issue.at.text() + ": " + issue.text : issue.text;
    if (text.size() > max_reason_bytes) break;
  }
  return text;
}

}  // namespace

std::vector<std::string> forbidden_in(const workflow::Document& document) {
  std::vector<std::string> found;
  for (const workflow::DocStep& step : document.steps) {
    if (step.kind == "foreach") found.push_back(fmt::format("the step '{}' reads a sub-workflow from a file", step.id));
    for (const workflow::DocValue::Entry& field : step.fields) find_forbidden_values(field.value, found);
  }
  for (const workflow::DocValue::Entry& output : document.outputs) find_forbidden_values(output.value, found);
  for (const std::string& plugin : plugins_of(document)) {
    try {
      if (source::parse_module_ref(plugin).local())
        found.push_back(fmt::format("the plugin '{}' is a folder of this machine", plugin));
    } catch (const Error&) {
      // Told when it is prepared.
    }
  }
  return found;
}

struct Runs::Entry {
  std::string id;
  workflow::WorkflowFiles::File file;
  bool submitted = false;
  Value input;
  std::string actor;
  std::string state = "queued";
  std::string submitted_at;
  std::string started_at;
  std::string ended_at;
  std::string output_id;
  Value output_data;
  std::string reason;
  struct Step {
    std::string id;
    std::string state = "waiting";
    std::string plugin;
    std::vector<std::string> needs;
    std::string output_id;
    std::string error;
    std::string started_at;
    std::string ended_at;
  };
  std::vector<Step> steps;
  report::GraphPicture picture;            // of its plan, once there is one
  std::vector<std::string> events;         // JSON; the first one has the id 1
  std::set<asio::steady_timer*> watchers;  // cancelled when there is something new
  std::shared_ptr<workflow::RunControl> control = std::make_shared<workflow::RunControl>();
  CancelSource preparing;
  bool cancel_allowed = false;
  bool ended = false;

  void keep(const report::Event& event) {
    const bool is_log = event.type == report::Event::Type::step_log;
    if (events.size() >= (is_log ? max_logged_events : max_events)) return;
    events.push_back(report::event_json(event));
    notify();
  }
  void notify() {
    for (asio::steady_timer* watcher : watchers) watcher->cancel();
  }
  // Waits until there may be something new.
  asio::awaitable<void> wait(std::chrono::milliseconds limit) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor, limit);
    watchers.insert(&timer);
    boost::system::error_code ignored;
    auto token = asio::redirect_error(asio::use_awaitable, ignored);
    co_await timer.async_wait(token);
    watchers.erase(&timer);
  }

  Step* step(const std::string& name) {
    for (Step& each : steps)
      if (each.id == name) return &each;
    return nullptr;
  }

  Value summary() const {
    Map map({{"run", id}, {"state", state}, {"workflow", file.name}, {"submitted", submitted_at}, {"actor", actor}});
    map.set("started", started_at.empty() ? Value() : Value(started_at));
    map.set("ended", ended_at.empty() ? Value() : Value(ended_at));
    return map;
  }

  Value details() const {
    Map map = summary().take_map();
    schema::List list;
    for (const Step& each : steps) {
      schema::List needs;
      for (const std::string& name : each.needs) needs.emplace_back(name);
      Map entry({{"id", each.id}, {"state", each.state}, {"plugin", each.plugin}, {"needs", std::move(needs)}});
      if (!each.output_id.empty()) entry.set("output_id", each.output_id);
      if (!each.error.empty()) entry.set("error", each.error);
      if (!each.started_at.empty()) entry.set("started", each.started_at);
      if (!each.ended_at.empty()) entry.set("ended", each.ended_at);
      list.emplace_back(std::move(entry));
    }
    map.set("steps", std::move(list));
    map.set("output_id", output_id.empty() ? Value() : Value(output_id));
    map.set("output_data", output_data);
    map.set("reason", reason.empty() ? Value() : Value(reason));
    return map;
  }
};

// What happens in a run, as the state of its steps.
class Runs::Observer final : public workflow::RunObserver {
 public:
  explicit Observer(EntryPtr entry) : entry_(std::move(entry)) {}

  void step_started(const workflow::StepStarted& event) override {
    Entry::Step* step = own_step(event.name);
    if (!step) return;
    step->state = "running";
    step->started_at = rfc3339_utc(system_clock().wall());
  }
  void step_finished(const workflow::StepFinished& event) override {
    Entry::Step* step = own_step(event.name);
    if (!step) return;
    step->state = to_text(event.outcome);
    step->output_id = event.output_id;
    step->error = event.error;
    step->ended_at = rfc3339_utc(system_clock().wall());
  }

 private:
  Entry::Step* own_step(const workflow::StepName& name) {
    return name.item.empty() ? entry_->step(name.step) : nullptr;
  }

  EntryPtr entry_;
};

// The governor's gates for one run. A cancelling that was asked about when the request came is not asked again.
class Runs::RunGate final : public workflow::ActionGate {
 public:
  RunGate(governance::Governor& governor, EntryPtr entry)
      : gates_(governor, entry->actor, entry->id), entry_(std::move(entry)) {}
  asio::awaitable<workflow::GateDecision> may_run(workflow::RunQuestion question) override {
    workflow::GateDecision decision = co_await gates_.may_run(std::move(question));
    if (!decision.allowed) denied_ = true;
    co_return decision;
  }
  asio::awaitable<workflow::GateDecision> may_run_step(workflow::StepQuestion question) override {
    co_return co_await gates_.may_run_step(std::move(question));
  }
  asio::awaitable<workflow::GateDecision> may_cancel(workflow::CancelQuestion question) override {
    workflow::GateDecision decision;
    if (!entry_->cancel_allowed) decision = co_await gates_.may_cancel(std::move(question));
    co_return decision;
  }
  bool denied() const noexcept { return denied_; }

 private:
  governance::EngineGates gates_;
  EntryPtr entry_;
  bool denied_ = false;
};

Runs::Runs(api::Runtime& runtime, RunsOptions options) : runtime_(runtime), options_(std::move(options)) {}

Runs::~Runs() = default;

asio::awaitable<std::optional<HttpResponse>> Runs::answer(const FoundRoute& route, const HttpRequest& request,
                                                          std::string actor) {
  std::optional<HttpResponse> response;
  switch (route.operation) {
    case Operation::submit_run:
      response = co_await submit(request, actor);
      break;
    case Operation::list_runs:
      response = co_await list(request);
      break;
    case Operation::get_run:
    case Operation::watch_run:
    case Operation::draw_run:
    case Operation::cancel_run: {
      const std::string id = route.arguments[0];
      response = co_await answer_about(route.operation, id, request, actor);
      break;
    }
    default:
      break;
  }
  co_return response;
}

asio::awaitable<HttpResponse> Runs::answer_about(Operation operation, std::string id, const HttpRequest& request,
                                                 std::string actor) {
  const EntryPtr entry = find(id);
  if (!entry && operation == Operation::get_run) co_return co_await from_history(id);
  if (!entry) co_return refusal(404, "unknown", "there is no such run");
  if (operation == Operation::watch_run) co_return events(entry, request);
  if (operation == Operation::draw_run) co_return graph(entry);
  if (operation == Operation::cancel_run) co_return co_await cancel(entry, actor);
  co_return to_response({200, entry->details()});
}

Runs::EntryPtr Runs::find(const std::string& id) const {
  for (const EntryPtr& entry : entries_)
    if (entry->id == id) return entry;
  return nullptr;
}

workflow::WorkflowFiles::File Runs::named(const std::string& name) const {
  if (!options_.workflows) throw Error(ErrorCode::usage, "the server was started without --workflows: send the text");
  std::error_code error;
  const fs::path root = fs::canonical(*options_.workflows, error);
  const fs::path path = error ? fs::path() : fs::canonical(root / name, error);
  const fs::path below = error ? fs::path() : path.lexically_relative(root);
  if (below.empty() || *below.begin() == ".." || !fs::is_regular_file(path, error))
    throw Error(ErrorCode::unresolvable, fmt::format("there is no workflow '{}'", to_valid_utf8(name.substr(0, 200))));
  return {os::read_file(path, max_workflow_bytes), below.generic_string()};
}

asio::awaitable<HttpResponse> Runs::submit(const HttpRequest& request, std::string actor) {
  const Value body = read_body(request);
  const Value* text = body.find("workflow");
  const Value* name = body.find("name");
  const Value* input = body.find("input");
  const bool has_text = text && text->kind() == Kind::text;
  const bool has_name = name && name->kind() == Kind::text;
  if (has_text == has_name) throw Error(ErrorCode::usage, "the body needs one text: 'workflow' or 'name'");
  if (stopping_) co_return refusal(503, "config", "the server is stopping");
  if (waiting_.size() >= options_.waiting) co_return refusal(503, "limit", "too many runs are waiting");
  workflow::WorkflowFiles::File file;
  if (has_text) {
    file.text = text->as_text();
    file.name = "workflow.yaml";
  } else {
    file = named(name->as_text());
  }
  const workflow::ParsedDocument parsed = workflow::parse_document(file.text, file.name);
  if (!parsed.document || has_errors(parsed.issues))
    co_return refusal(422, "bad_request", "the workflow cannot be read: " + issue_text(parsed.issues));
  if (has_text && !options_.allow_local) {
    const std::vector<std::string> forbidden = forbidden_in(*parsed.document);
    if (!forbidden.empty()) co_return refusal(422, "forbidden", forbidden.front());
  }
  workflow::RunQuestion question;
  question.workflow = file.name;
  question.digest = sha256_hex(file.text);
  question.plugins = plugins_of(*parsed.document);
  question.input = input ? *input : Value(Map());
  Map asked({{"workflow", Map({{"digest", question.digest}, {"name", question.workflow}})}});
  schema::List plugins;
  for (const std::string& plugin : question.plugins) plugins.emplace_back(plugin);
  asked.set("plugins", std::move(plugins));
  asked.set("input", question.input);
  asked.set("actor", actor);
  governance::ActionQuestion about;
  about.action = "engine.run_workflow";
  about.input = std::move(asked);
  about.actor = actor;
  about.request_id = "submission";
  const CancelToken never;
  const governance::Decision decision = co_await runtime_.governor()->decide(std::move(about), never);
  if (decision.outcome != governance::Outcome::allow) co_return to_response(governance::decision_reply(decision));
  const EntryPtr entry = add(std::move(file), has_text, question.input, std::move(actor));
  HttpResponse response = to_response({201, Map({{"run", entry->id}})});
  response.headers.emplace_back("Location", "/v1/runs/" + entry->id);
  co_return response;
}

Runs::EntryPtr Runs::add(workflow::WorkflowFiles::File file, bool submitted, Value input, std::string actor) {
  const auto entry = std::make_shared<Entry>();
  entry->id = api::new_run_id();
  entry->file = std::move(file);
  entry->submitted = submitted;
  entry->input = std::move(input);
  entry->actor = std::move(actor);
  entry->submitted_at = rfc3339_utc(system_clock().wall());
  entries_.push_back(entry);
  waiting_.push_back(entry);
  start_waiting();
  return entry;
}

void Runs::start_waiting() {
  while (running_ < options_.running && !waiting_.empty()) {
    const EntryPtr entry = waiting_.front();
    waiting_.pop_front();
    ++running_;
    asio::co_spawn(runtime_.executor(), carry_out(entry), [this, entry](const std::exception_ptr&) {
      --running_;
      if (entry->state == "running" || entry->state == "queued") entry->state = "failed";
      entry->ended_at = rfc3339_utc(system_clock().wall());
      entry->ended = true;
      entry->notify();
      std::size_t ended = 0;
      for (const EntryPtr& each : entries_) ended += each->ended ? 1 : 0;
      for (auto place = entries_.begin(); ended > options_.kept && place != entries_.end();)
        if ((*place)->ended) {
          place = entries_.erase(place);
          --ended;
        } else {
          ++place;
        }
      if (running_ == 0 && waiting_.empty()) runtime_.forget_plugins();
      start_waiting();
    });
  }
}

asio::awaitable<void> Runs::carry_out(EntryPtr entry) {
  std::string failure;
  try {
    co_await prepare_and_run(entry);
  } catch (const Error& error) {
    failure = error.what();
    entry->state = error.code() == ErrorCode::cancelled ? "cancelled" : "failed";
  } catch (const std::exception& error) {
    failure = error.what();
    entry->state = "failed";
  }
  if (!failure.empty()) entry->reason = failure;
}

asio::awaitable<void> Runs::prepare_and_run(EntryPtr entry) {
  entry->state = "running";
  entry->started_at = rfc3339_utc(system_clock().wall());
  // Who watches: the page and the stream of events, and the history that lasts. Secrets are kept out of all of them.
  const auto keep = [entry](const report::Event& event) { entry->keep(event); };
  const auto warn = [logger = runtime_.options().logger](const std::string& text) {
    logger.warning("a run is not in the history: {}", text);
  };
  Observer states(entry);
  report::EventMaker maker(entry->id, system_clock(), keep);
  report::RunRecord record(entry->id, entry->file.name, system_clock());
  report::HistoryWriter::Options history_options;
  history_options.folder = options_.state_dir;
  history_options.context = entry->submitted ? "http" : options_.workflows.value_or(".").string();
  history_options.version = options_.version;
  history_options.host = "venvoy serve";
  history_options.on_failure = warn;
  report::HistoryWriter history(record, std::move(history_options));
  report::FanOut all;
  all.add(states);
  all.add(maker);
  all.add(history);
  const auto masker = std::make_shared<report::Masker>(runtime_.configuration().secret_names);
  masker->learn(entry->input);
  report::MaskingObserver observer(*masker, all);
  std::optional<fs::path> folder;
  if (!entry->submitted)
    folder = options_.workflows.value_or(".");
  else if (options_.allow_local)
    folder = ".";
  const RunFiles files(folder);
  workflow::PrepareOptions preparing;
  preparing.logger = runtime_.options().logger.with("source", "executor");
  preparing.observer = &observer;
  preparing.cancel = entry->preparing.token();
  preparing.max_concurrent_deployments = runtime_.max_concurrent_deployments();
  preparing.about_to_run = true;
  workflow::WorkflowFiles::File main = entry->file;
  workflow::Checked checked = co_await workflow::prepare(std::move(main), files, runtime_, std::move(preparing));
  if (!checked.plan) {
    const bool denied = std::any_of(checked.issues.begin(), checked.issues.end(),
                                    [](const Issue& issue) { return issue.code == ErrorCode::denied; });
    entry->state = denied ? "denied" : "failed";
    entry->reason = masker->masked_text(issue_text(checked.issues));
    const workflow::RunStarted began{entry->file.name, entry->id, {}};
    observer.run_started(began);
    const workflow::RunFinished ended{workflow::Outcome::failed, {}, entry->reason, {}};
    observer.run_finished(ended);
    co_return;
  }
  history.set_plan(*checked.plan);
  entry->picture = report::picture_of(*checked.plan);
  for (const workflow::PlanStep& step : checked.plan->steps) {
    Entry::Step known;
    known.id = step.id();
    known.plugin = step.plugin_source;
    for (const report::GraphPicture::Edge& edge : entry->picture.edges) {
      const std::string& from = entry->picture.nodes[edge.from].id;
      if (entry->picture.nodes[edge.to].id == "steps." + known.id && from.starts_with("steps."))
        known.needs.push_back(from.substr(6));
    }
    entry->steps.push_back(std::move(known));
  }
  RunGate gate(*runtime_.governor(), entry);
  workflow::RunOptions options;
  options.logger = runtime_.options().logger.with("source", "workflow");
  options.observer = &observer;
  options.gate = &gate;
  options.run_id = entry->id;
  options.shown_in_logs = [masker](const Value& data) { return masker->masked(data); };
  options.logged_outputs = runtime_.configuration().logged_outputs;
  Value input = entry->input;
  const workflow::RunResult result =
      co_await workflow::run(checked.plan, std::move(input), runtime_, std::move(options), entry->control);
  if (result.failure) {
    const ErrorCode code = result.failure->code();
    entry->state = gate.denied() ? "denied" : code == ErrorCode::cancelled ? "cancelled" : "failed";
    entry->reason = masker->masked_text(result.failure->what());
    co_return;
  }
  entry->state = result.error_output ? "failed" : "succeeded";
  entry->output_id = result.output_id;
  entry->output_data = masker->masked(schema::nulls_as_written(result.output_data));
}

HttpResponse Runs::graph(EntryPtr entry) const {
  HttpResponse response;
  response.content_type = "image/svg+xml";
  report::GraphPicture picture = entry->picture;
  for (report::GraphPicture::Node& node : picture.nodes)
    if (node.id.starts_with("steps."))
      if (const Entry::Step* step = entry->step(node.id.substr(6)); step && step->state != "waiting")
        node.state = step->state;
  response.body = report::graph_svg(picture);
  return response;
}

asio::awaitable<HttpResponse> Runs::list(const HttpRequest& request) const {
  const std::size_t limit = number_parameter(request, "limit", 100, max_listed);
  const std::string state = request.parameter("state");
  schema::List list;
  std::set<std::string> known;
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    known.insert((*entry)->id);
    if (list.size() < limit && (state.empty() || (*entry)->state == state)) list.push_back((*entry)->summary());
  }
  // What other processes and the daemons before this one have run.
  std::function<std::vector<report::RunSummary>(const CancelToken&)> look = [folder = options_.state_dir](auto&) {
    const auto history = report::History::open(folder);
    return history ? history->list(max_listed) : std::vector<report::RunSummary>();
  };
  const CancelToken never;
  const auto recorded = co_await os::on_pool<std::vector<report::RunSummary>>(runtime_.pool(), never, std::move(look));
  for (const report::RunSummary& run : recorded)
    if (list.size() < limit && !known.contains(run.run) && (state.empty() || run.state() == state))
      list.push_back(summary_of(run));
  Map body({{"runs", std::move(list)}});
  co_return to_response({200, std::move(body)});
}

asio::awaitable<HttpResponse> Runs::from_history(std::string id) const {
  std::function<Value(const CancelToken&)> look = [folder = options_.state_dir, id](auto&) -> Value {
    const auto history = report::History::open(folder);
    if (!history) return nullptr;
    for (const report::RunSummary& run : history->list(max_listed))
      if (run.run == id) return details_of(run, history->load(run));
    return nullptr;
  };
  const CancelToken never;
  const Value found = co_await os::on_pool<Value>(runtime_.pool(), never, std::move(look));
  if (found.is_null()) co_return refusal(404, "unknown", "there is no such run");
  co_return to_response({200, found});
}

HttpResponse Runs::events(EntryPtr entry, const HttpRequest& request) const {
  std::size_t sent = 0;
  std::string last = request.header("last-event-id");
  if (last.empty()) last = request.parameter("last_event_id");
  if (!last.empty()) {
    const auto [end, problem] = std::from_chars(last.data(), last.data() + last.size(), sent);
    if (problem != std::errc() || end != last.data() + last.size())
      throw Error(ErrorCode::usage, "'Last-Event-ID' is no number of an event");
  }
  HttpResponse response;
  if (entry->ended && sent >= entry->events.size()) {
    response.status = 204;
    return response;
  }
  response.content_type = "text/event-stream";
  const auto at = std::make_shared<std::size_t>(std::min(sent, entry->events.size()));
  response.next_piece = [entry, at]() -> asio::awaitable<std::optional<std::string>> {
    std::optional<std::string> piece;
    if (*at >= entry->events.size() && !entry->ended) co_await entry->wait(event_wait);
    if (*at >= entry->events.size() && entry->ended) co_return piece;
    piece.emplace();
    while (*at < entry->events.size() && piece->size() < max_piece_bytes) {
      const std::string& event = entry->events[*at];
      *piece += fmt::format("id: {}\ndata: {}\n\n", ++*at, event);
    }
    co_return piece;
  };
  return response;
}

asio::awaitable<HttpResponse> Runs::cancel(EntryPtr entry, std::string actor) {
  if (entry->ended) co_return refusal(409, "bad_request", "the run has ended");
  Map asked({{"run_id", entry->id}, {"reason", "asked over HTTP"}, {"actor", actor}});
  governance::ActionQuestion about;
  about.action = "engine.cancel";
  about.input = std::move(asked);
  about.actor = std::move(actor);
  about.request_id = entry->id;
  const CancelToken never;
  const governance::Decision decision = co_await runtime_.governor()->decide(std::move(about), never);
  if (decision.outcome != governance::Outcome::allow) co_return to_response(governance::decision_reply(decision));
  entry->cancel_allowed = true;
  const auto place = std::find(waiting_.begin(), waiting_.end(), entry);
  if (place != waiting_.end()) {
    waiting_.erase(place);
    entry->state = "cancelled";
    entry->ended_at = rfc3339_utc(system_clock().wall());
    entry->ended = true;
    entry->notify();
  }
  entry->preparing.cancel();
  entry->control->abort("asked over HTTP");
  co_return to_response({202, Map({{"run", entry->id}, {"state", entry->state}})});
}

bool Runs::has(const std::string& action) const {
  return runtime_.governor()->settings().bindings.contains(action);
}

asio::awaitable<std::string> Runs::start(std::string action, Value input, std::string actor, std::string request_id) {
  const fs::path path = runtime_.governor()->settings().bindings.at(action);
  workflow::WorkflowFiles::File file;
  file.text = os::read_file(path, max_workflow_bytes);
  file.name = path.string();
  static_cast<void>(request_id);
  co_return add(std::move(file), false, std::move(input), std::move(actor))->id;
}

std::map<std::string, std::size_t> Runs::count() const {
  std::map<std::string, std::size_t> counts;
  for (const EntryPtr& entry : entries_) ++counts[entry->state];
  return counts;
}

asio::awaitable<void> Runs::stop() {
  stopping_ = true;
  for (const EntryPtr& entry : waiting_) {
    entry->state = "cancelled";
    entry->ended = true;
    entry->notify();
  }
  waiting_.clear();
  for (const EntryPtr& entry : entries_) {
    if (entry->ended) continue;
    // The server's own end is nobody's request.
    entry->cancel_allowed = true;
    entry->preparing.cancel();
    entry->control->abort("the server stops");
  }
  while (running_ > 0) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    asio::steady_timer pause(executor, std::chrono::milliseconds(20));
    boost::system::error_code ignored;
    auto token = asio::redirect_error(asio::use_awaitable, ignored);
    co_await pause.async_wait(token);
  }
}

}  // namespace venvoy::server
