// Events as JSON (spec/command.md section 8, "events").
#include "api/internal/conversion.hpp"
#include "api/venvoy/observer.hpp"
#include "base/clock.hpp"
#include "schema/json.hpp"

namespace venvoy {

std::string_view to_text(Event::Type type) noexcept {
  switch (type) {
    case Event::Type::run_started:
      return "run_started";
    case Event::Type::run_finished:
      return "run_finished";
    case Event::Type::fetch_progress:
      return "fetch_progress";
    case Event::Type::resolve_started:
      return "resolve_started";
    case Event::Type::resolve_finished:
      return "resolve_finished";
    case Event::Type::build_started:
      return "build_started";
    case Event::Type::build_finished:
      return "build_finished";
    case Event::Type::install_started:
      return "install_started";
    case Event::Type::install_finished:
      return "install_finished";
    case Event::Type::environment_ready:
      return "environment_ready";
    case Event::Type::step_deployed:
      return "step_deployed";
    case Event::Type::step_started:
      return "step_started";
    case Event::Type::step_finished:
      return "step_finished";
    case Event::Type::step_log:
      return "step_log";
    case Event::Type::item_started:
      return "item_started";
    case Event::Type::item_finished:
      return "item_finished";
    case Event::Type::warning:
      break;
  }
  return "warning";
}

namespace {

constexpr int format_version = 1;

void add_numbers(schema::Map& object, const Event& event) {
  const auto add = [&](const char* name, std::uint64_t number) {
    object.insert(name, static_cast<std::int64_t>(number));
  };
  switch (event.type) {
    case Event::Type::fetch_progress:
      add("done", event.done);
      add("total", event.total);
      add("bytes", event.bytes);
      return;
    case Event::Type::item_started:
      add("index", event.index);
      add("count", event.count);
      return;
    case Event::Type::item_finished:
      add("index", event.index);
      return;
    default:
      return;
  }
}

}  // namespace

std::string to_json(const Event& event) {
  std::string text;
  api::internal::translated([&] {
    schema::Map object{{"v", format_version}, {"type", to_text(event.type)}, {"time", rfc3339_utc(event.time)}};
    const auto add = [&](const char* name, const std::string& value) {
      if (!value.empty()) object.insert(name, value);
    };
    add("run", event.run);
    add("workflow", event.workflow);
    add("step", event.step);
    add("item", event.item);
    add("reference", event.reference);
    add("version", event.version);
    add("environment", event.environment);
    add("plugin_step", event.plugin_step);
    add("stage", event.stage);
    add("output", event.output);
    add("outcome", event.outcome);
    add("error", event.error);
    add("level", event.level);
    add("text", event.text);
    if (!event.data.is_null()) object.insert("data", api::internal::to_schema(event.data));
    add_numbers(object, event);
    text = schema::write_json(object, {.indent = 0});
  });
  return text;
}

}  // namespace venvoy
