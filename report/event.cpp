#include "report/event.hpp"

#include "base/error.hpp"
#include "schema/json.hpp"

namespace venvoy::report {

using Type = Event::Type;

std::string_view to_text(Event::Type type) noexcept {
  switch (type) {
    case Type::run_started:
      return "run_started";
    case Type::run_finished:
      return "run_finished";
    case Type::fetch_progress:
      return "fetch_progress";
    case Type::resolve_started:
      return "resolve_started";
    case Type::resolve_finished:
      return "resolve_finished";
    case Type::build_started:
      return "build_started";
    case Type::build_finished:
      return "build_finished";
    case Type::install_started:
      return "install_started";
    case Type::install_finished:
      return "install_finished";
    case Type::environment_ready:
      return "environment_ready";
    case Type::step_deployed:
      return "step_deployed";
    case Type::step_started:
      return "step_started";
    case Type::step_finished:
      return "step_finished";
    case Type::step_log:
      return "step_log";
    case Type::item_started:
      return "item_started";
    case Type::item_finished:
      return "item_finished";
    case Type::machines_awaited:
      return "machines_awaited";
    case Type::machines_ready:
      return "machines_ready";
    case Type::warning:
      break;
  }
  return "warning";
}

namespace {

Type type_of(Progress::Kind kind) {
  switch (kind) {
    case Progress::Kind::resolve_started:
      return Type::resolve_started;
    case Progress::Kind::resolve_finished:
      return Type::resolve_finished;
    case Progress::Kind::fetch_progress:
      return Type::fetch_progress;
    case Progress::Kind::build_started:
      return Type::build_started;
    case Progress::Kind::build_finished:
      return Type::build_finished;
    case Progress::Kind::install_started:
      return Type::install_started;
    case Progress::Kind::install_finished:
      return Type::install_finished;
    case Progress::Kind::environment_ready:
      return Type::environment_ready;
    case Progress::Kind::machines_awaited:
      return Type::machines_awaited;
    case Progress::Kind::machines_ready:
      return Type::machines_ready;
    case Progress::Kind::warning:
      break;
  }
  return Type::warning;
}

void add_numbers(schema::Map& object, const Event& event) {
  const auto add = [&](const char* name, std::uint64_t number) {
    object.insert(name, static_cast<std::int64_t>(number));
  };
  switch (event.type) {
    case Type::fetch_progress:
      add("done", event.done);
      add("total", event.total);
      add("bytes", event.bytes);
      return;
    case Type::step_deployed:
    case Type::step_started:
      object.insert("seconds", event.seconds);
      return;
    case Type::item_started:
      add("index", event.index);
      add("count", event.count);
      return;
    case Type::item_finished:
      add("index", event.index);
      return;
    default:
      return;
  }
}

double seconds_of(std::chrono::microseconds time) {
  return static_cast<double>(time.count()) / 1e6;
}

}  // namespace

std::string event_json(const Event& event) {
  schema::Map object{{"v", event_format_version}, {"type", to_text(event.type)}, {"time", rfc3339_utc(event.time)}};
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) object.insert(name, value);
  };
  add("run", event.run);
  add("workflow", event.workflow);
  add("step", event.step);
  add("loop", event.loop);
  add("item", event.item);
  add("reference", event.reference);
  add("version", event.version);
  add("environment", event.environment);
  add("plugin_step", event.plugin_step);
  add("node", event.node);
  add("stage", event.stage);
  add("output", event.output);
  add("outcome", event.outcome);
  add("error", event.error);
  add("level", event.level);
  add("text", event.text);
  add_numbers(object, event);
  if (event.data.is_null()) return schema::write_json(object, {.indent = 0});
  schema::Map with_data = object;
  with_data.insert("data", event.data);
  try {
    return schema::write_json(with_data, {.indent = 0});
  } catch (const Error&) {
    return schema::write_json(object, {.indent = 0});
  }
}

Event EventMaker::event(Event::Type type) const {
  Event event;
  event.type = type;
  event.time = clock_.wall();
  event.run = run_;
  return event;
}

Event EventMaker::step_event(Event::Type type, const workflow::StepName& name) const {
  Event made = event(type);
  made.step = name.step;
  made.loop = name.loop;
  made.item = name.item;
  return made;
}

void EventMaker::progress(const Progress& progress) {
  Event made = event(type_of(progress.kind));
  made.reference = progress.reference;
  made.text = progress.text;
  made.outcome = progress.outcome == "ok" ? "succeeded" : progress.outcome;
  made.done = progress.done;
  made.total = progress.total;
  made.bytes = progress.bytes;
  use_(made);
}

void EventMaker::run_started(const workflow::RunStarted& started) {
  Event made = event(Type::run_started);
  made.workflow = started.workflow;
  made.data = started.input;
  use_(made);
}

void EventMaker::run_finished(const workflow::RunFinished& finished) {
  Event made = event(Type::run_finished);
  made.outcome = to_text(finished.outcome);
  made.output = finished.output_id;
  made.data = finished.output;
  made.error = finished.error;
  use_(made);
}

void EventMaker::step_deployed(const workflow::StepDeployed& deployed) {
  Event made = step_event(Type::step_deployed, deployed.name);
  made.reference = deployed.reference;
  made.version = deployed.version;
  made.environment = deployed.environment;
  made.seconds = seconds_of(deployed.took);
  use_(made);
}

void EventMaker::step_started(const workflow::StepStarted& started) {
  Event made = step_event(Type::step_started, started.name);
  made.plugin_step = started.plugin_step;
  made.node = started.node;
  made.data = started.input;
  made.seconds = seconds_of(started.took);
  use_(made);
}

void EventMaker::step_finished(const workflow::StepFinished& finished) {
  Event made = step_event(Type::step_finished, finished.name);
  made.outcome = to_text(finished.outcome);
  made.stage = finished.stage;
  made.output = finished.output_id;
  made.data = finished.data;
  made.error = finished.error;
  use_(made);
}

void EventMaker::step_log(const workflow::StepLog& log) {
  Event made = step_event(Type::step_log, log.name);
  made.level = to_text(log.level);
  made.text = log.line;
  use_(made);
}

void EventMaker::item_started(const workflow::ItemStarted& started) {
  Event made = step_event(Type::item_started, started.loop);
  made.index = started.index;
  made.count = started.count;
  use_(made);
}

void EventMaker::item_finished(const workflow::ItemFinished& finished) {
  Event made = step_event(Type::item_finished, finished.loop);
  made.index = finished.index;
  made.outcome = to_text(finished.outcome);
  made.error = finished.error;
  use_(made);
}

}  // namespace venvoy::report
