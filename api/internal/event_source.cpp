#include "api/internal/event_source.hpp"

#include "api/internal/conversion.hpp"
#include "base/clock.hpp"

namespace venvoy::api::internal {

using Type = Event::Type;

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
    case Progress::Kind::warning:
      break;
  }
  return Type::warning;
}

// Data that cannot be shown is left out: events tell what happens, they decide nothing.
venvoy::Value shown(const schema::Value& data) {
  try {
    return to_public(data);
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

Event EventSource::event(Type type) const {
  Event event;
  event.type = type;
  event.time = system_clock().wall();
  event.run = run_;
  return event;
}

Event EventSource::step_event(Type type, const workflow::StepName& name) const {
  Event made = event(type);
  made.step = name.step;
  made.item = name.item;
  return made;
}

void EventSource::tell(const Event& event) const {
  if (!observer_) return;
  try {
    observer_->on_event(event);
  } catch (...) {
    // A host's mistake must not end the engine's loop.
  }
}

void EventSource::progress(const Progress& progress) {
  Event made = event(type_of(progress.kind));
  made.reference = progress.reference;
  made.text = progress.text;
  made.outcome = progress.outcome == "ok" ? "succeeded" : progress.outcome;
  made.done = progress.done;
  made.total = progress.total;
  made.bytes = progress.bytes;
  tell(made);
}

void EventSource::run_started(const workflow::RunStarted& started) {
  Event made = event(Type::run_started);
  made.workflow = started.workflow;
  tell(made);
}

void EventSource::run_finished(const workflow::RunFinished& finished) {
  Event made = event(Type::run_finished);
  made.outcome = to_text(finished.outcome);
  made.output = finished.output_id;
  made.error = finished.error;
  tell(made);
}

void EventSource::step_deployed(const workflow::StepDeployed& deployed) {
  Event made = step_event(Type::step_deployed, deployed.name);
  made.reference = deployed.reference;
  made.version = deployed.version;
  made.environment = deployed.environment;
  tell(made);
}

void EventSource::step_started(const workflow::StepStarted& started) {
  Event made = step_event(Type::step_started, started.name);
  made.plugin_step = started.plugin_step;
  made.data = shown(started.input);
  tell(made);
}

void EventSource::step_finished(const workflow::StepFinished& finished) {
  if (finished.outcome == workflow::Outcome::failed && !finished.error.empty())
    step_failures_.push_back({finished.name.step, finished.name.item, finished.error});
  Event made = step_event(Type::step_finished, finished.name);
  made.outcome = to_text(finished.outcome);
  made.stage = finished.stage;
  made.output = finished.output_id;
  made.data = shown(finished.data);
  made.error = finished.error;
  tell(made);
}

void EventSource::step_log(const workflow::StepLog& log) {
  Event made = step_event(Type::step_log, log.name);
  made.level = to_text(log.level);
  made.text = log.line;
  tell(made);
}

void EventSource::item_started(const workflow::ItemStarted& started) {
  Event made = step_event(Type::item_started, started.loop);
  made.index = started.index;
  made.count = started.count;
  tell(made);
}

void EventSource::item_finished(const workflow::ItemFinished& finished) {
  Event made = step_event(Type::item_finished, finished.loop);
  made.index = finished.index;
  made.outcome = to_text(finished.outcome);
  made.error = finished.error;
  tell(made);
}

}  // namespace venvoy::api::internal
