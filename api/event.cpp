// Events as JSON (spec/command.md section 8, "events").
#include "report/event.hpp"

#include "api/internal/conversion.hpp"
#include "api/internal/event_source.hpp"
#include "api/venvoy/observer.hpp"

namespace venvoy {

namespace {

// The two enumerations have the same members in the same order.
static_assert(static_cast<int>(Event::Type::warning) == static_cast<int>(report::Event::Type::warning));

report::Event to_inner(const Event& event) {
  report::Event inner;
  inner.type = static_cast<report::Event::Type>(event.type);
  inner.time = event.time;
  inner.run = event.run;
  inner.workflow = event.workflow;
  inner.step = event.step;
  inner.loop = event.loop;
  inner.item = event.item;
  inner.reference = event.reference;
  inner.version = event.version;
  inner.environment = event.environment;
  inner.plugin_step = event.plugin_step;
  inner.node = event.node;
  inner.stage = event.stage;
  inner.output = event.output;
  inner.outcome = event.outcome;
  inner.error = event.error;
  inner.level = event.level;
  inner.text = event.text;
  inner.data = api::internal::to_schema(event.data);
  inner.seconds = event.seconds;
  inner.done = event.done;
  inner.total = event.total;
  inner.bytes = event.bytes;
  inner.index = event.index;
  inner.count = event.count;
  return inner;
}

// Data that a host cannot be given is left out: events tell what happens, they decide nothing.
Value shown(const schema::Value& data) {
  try {
    return api::internal::to_public(data);
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

std::string_view to_text(Event::Type type) noexcept {
  return report::to_text(static_cast<report::Event::Type>(type));
}

std::string to_json(const Event& event) {
  std::string text;
  api::internal::translated([&] { text = report::event_json(to_inner(event)); });
  return text;
}

namespace api::internal {

Event to_public(const report::Event& inner) {
  Event event;
  event.type = static_cast<Event::Type>(inner.type);
  event.time = inner.time;
  event.run = inner.run;
  event.workflow = inner.workflow;
  event.step = inner.step;
  event.loop = inner.loop;
  event.item = inner.item;
  event.reference = inner.reference;
  event.version = inner.version;
  event.environment = inner.environment;
  event.plugin_step = inner.plugin_step;
  event.node = inner.node;
  event.stage = inner.stage;
  event.output = inner.output;
  event.outcome = inner.outcome;
  event.error = inner.error;
  event.level = inner.level;
  event.text = inner.text;
  event.data = shown(inner.data);
  event.seconds = inner.seconds;
  event.done = inner.done;
  event.total = inner.total;
  event.bytes = inner.bytes;
  event.index = inner.index;
  event.count = inner.count;
  return event;
}

}  // namespace api::internal

}  // namespace venvoy
