#include "schema/plugin_schema.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "schema/internal/schema_reader.hpp"
#include "schema/internal/write_type.hpp"

namespace venvoy::schema {
namespace {

template <class Entries>
auto* find_in(const Entries& entries, std::string_view id) noexcept {
  const auto found = std::ranges::find(entries, id, [](const auto& entry) { return std::string_view(entry.first); });
  return found == entries.end() ? nullptr : &found->second;
}

TypePtr needed_scope(SchemaReader& reader, const Fields& fields, std::string_view name) {
  const Value* scope = fields.need(name);
  return scope ? read_scope_type(reader, *scope, fields.trail(name), false) : make_type(ScopeType());
}

// The key is what everybody uses; an id that differs only deserves a word (5.1).
void compare_id(SchemaReader& reader, const Fields& fields, const std::string& key) {
  const std::string id = fields.needed_id("id");
  if (!id.empty() && id != key)
    reader.warn(fields.trail("id"), fmt::format("the id '{}' differs from the key '{}', which is used", id, key));
}

StepOutputSchema read_output(SchemaReader& reader, const Value& data, const Trail& where) {
  const Fields fields(reader, data, where, {"schema", "error", "display"});
  return {needed_scope(reader, fields, "schema"), fields.flag("error").value_or(false), fields.display("display")};
}

std::vector<std::pair<std::string, SignalSchema>> read_signals(SchemaReader& reader, const Fields& of,
                                                               std::string_view name) {
  std::vector<std::pair<std::string, SignalSchema>> signals;
  const Value* data = of.find(name);
  if (!data) return signals;
  const Trail where = of.trail(name);
  for (const TextEntry& entry : id_entries(reader, *data, where)) {
    const Trail trail = where.value(*entry.raw_key);
    const Fields fields(reader, *entry.value, trail, {"id", "data_schema", "display"});
    compare_id(reader, fields, entry.key);
    SignalSchema signal{entry.key, needed_scope(reader, fields, "data_schema"), fields.display("display")};
    signals.emplace_back(entry.key, std::move(signal));
  }
  return signals;
}

StepSchema read_step(SchemaReader& reader, const std::string& key, const Value& data, const Trail& where) {
  const Fields fields(reader, data, where, {"id", "input", "outputs", "signal_handlers", "signal_emitters", "display"});
  compare_id(reader, fields, key);
  StepSchema step;
  step.id = key;
  step.input = needed_scope(reader, fields, "input");
  if (const Value* outputs = fields.need("outputs")) {
    const Trail trail = fields.trail("outputs");
    for (const TextEntry& entry : id_entries(reader, *outputs, trail))
      step.outputs.emplace_back(entry.key, read_output(reader, *entry.value, trail.value(*entry.raw_key)));
  }
  step.signal_handlers = read_signals(reader, fields, "signal_handlers");
  step.signal_emitters = read_signals(reader, fields, "signal_emitters");
  step.display = fields.display("display");
  return step;
}

Value write_data(const TypePtr& scope) {
  return write_scope(*scope->as<ScopeType>());
}

Value write_signals(const std::vector<std::pair<std::string, SignalSchema>>& signals) {
  Map written;
  for (const auto& [id, signal] : signals) {
    Map map{{"id", signal.id}, {"data_schema", write_data(signal.data)}};
    set_display(map, signal.display);
    written.set(id, std::move(map));
  }
  return written;
}

Value write_step(const StepSchema& step) {
  Map outputs;
  for (const auto& [id, output] : step.outputs) {
    Map map{{"schema", write_data(output.data)}, {"error", output.error}};
    set_display(map, output.display);
    outputs.set(id, std::move(map));
  }
  Map written{{"id", step.id}, {"input", write_data(step.input)}, {"outputs", std::move(outputs)}};
  // The Python SDK sends both or none.
  if (!step.signal_handlers.empty() || !step.signal_emitters.empty()) {
    written.set("signal_handlers", write_signals(step.signal_handlers));
    written.set("signal_emitters", write_signals(step.signal_emitters));
  }
  set_display(written, step.display);
  return written;
}

// What the engine sends with the signal `cancel`.
const Type& cancel_input() {
  static const TypePtr type = make_type(ObjectType{"cancelInput", {}, false});
  return *type;
}

}  // namespace

const StepOutputSchema* StepSchema::find_output(std::string_view output) const noexcept {
  return find_in(outputs, output);
}

const SignalSchema* StepSchema::find_signal_handler(std::string_view signal) const noexcept {
  return find_in(signal_handlers, signal);
}

bool StepSchema::can_cancel() const {
  const SignalSchema* cancel = find_signal_handler("cancel");
  return cancel && incompatibilities(*cancel->data, cancel_input()).empty();
}

const StepSchema* PluginSchema::find(std::string_view step) const noexcept {
  return find_in(steps, step);
}

std::vector<std::string> PluginSchema::step_ids() const {
  std::vector<std::string> ids;
  for (const auto& [id, step] : steps) ids.push_back(id);
  return ids;
}

std::shared_ptr<const PluginSchema> read_plugin_schema(const Value& data, const ReadOptions& options) {
  SchemaReader reader(options);
  auto schema = std::make_shared<PluginSchema>();
  const Trail root;
  const Fields fields(reader, data, root, {"steps"});
  if (const Value* steps = fields.need("steps")) {
    const Trail trail = fields.trail("steps");
    for (const TextEntry& entry : id_entries(reader, *steps, trail))
      schema->steps.emplace_back(entry.key, read_step(reader, entry.key, *entry.value, trail.value(*entry.raw_key)));
  }
  reader.findings.throw_if_any();
  return schema;
}

Value write_plugin_schema(const PluginSchema& schema) {
  Map steps;
  for (const auto& [id, step] : schema.steps) steps.set(id, write_step(step));
  return Map{{"steps", std::move(steps)}};
}

}  // namespace venvoy::schema
