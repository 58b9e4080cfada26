#include "workflow/lifecycle.hpp"

#include <algorithm>
#include <memory>

#include <fmt/format.h>

namespace venvoy::workflow {
namespace {

using schema::make_type;
using schema::TypePtr;

schema::Property required(TypePtr type) {
  schema::Property property;
  property.type = std::move(type);
  return property;
}

using Properties = std::vector<std::pair<std::string, schema::Property>>;

// A scope of the one object `id`.
TypePtr object_scope(std::string id, Properties properties) {
  auto object = std::make_shared<schema::ObjectType>();
  object->id = id;
  object->properties = std::move(properties);
  schema::ScopeType scope;
  scope.root = id;
  scope.objects.emplace_back(std::move(id), std::move(object));
  return make_type(std::move(scope));
}

TypePtr at_least(std::int64_t min) {
  schema::IntegerType type;
  type.min = min;
  return make_type(std::move(type));
}

StageField field(std::string name, TypePtr type, bool is_required = false) {
  return {std::move(name), std::move(type), is_required, {}};
}

StageOutput enabled_output() {
  return {"resolved", object_scope("EnabledOutput", {{"enabled", required(schema::bool_type())}}), false};
}

StageOutput disabled_output() {
  return {"output", object_scope("DisabledMessageOutput", {{"message", required(schema::string_type())}}), false};
}

// The type of a field that is only waited for.
const TypePtr& anything() {
  return schema::any_type();
}

}  // namespace

std::optional<std::size_t> Stage::find_output(std::string_view output) const noexcept {
  const auto place = std::find_if(outputs.begin(), outputs.end(), [&](const auto& one) { return one.id == output; });
  if (place == outputs.end()) return std::nullopt;
  return static_cast<std::size_t>(place - outputs.begin());
}

Lifecycle plugin_lifecycle(const schema::StepSchema& step, const std::string& source, const TypePtr& deploy_settings) {
  using At = PluginStage;
  const auto hard = [](PluginStage stage) { return Stage::Dependency{position(stage), EdgeKind::hard}; };
  const auto end_of = [](PluginStage stage) { return Stage::Dependency{position(stage), EdgeKind::completion}; };

  StageField stop_if = field("stop_if", anything());
  if (!step.can_cancel())
    stop_if.disabled_reason = fmt::format(
        "Cancel signal with ID 'cancel' is not present in plugin '{}', step '{}'. Signal handler IDs present: {}",
        source, step.id, step.signal_handlers.size());

  Stage outputs{"outputs", {}, {}, {hard(At::running), end_of(At::cancelled)}};
  for (const auto& [id, output] : step.outputs) outputs.outputs.push_back({id, output.data, output.error});

  Lifecycle life;
  life.stages = {
      {"deploy", {field("deploy", deploy_settings)}, {}, {}},
      {"deploy_failed",
       {},
       {{"error", object_scope("DeployError", {{"error", required(schema::string_type())}}), true}},
       {end_of(At::deploy), end_of(At::cancelled)}},
      {"enabling", {field("enabled", schema::bool_type())}, {enabled_output()}, {}},
      {"disabled", {}, {disabled_output()}, {hard(At::enabling)}},
      {"starting",
       {field("input", step.input, true), field("wait_for", anything()), field("closure_wait_timeout", at_least(0))},
       {{"started", object_scope("StartedOutput", {}), false}},
       {hard(At::deploy), hard(At::enabling)}},
      {"running", {}, {}, {hard(At::starting)}},
      {"cancelled", {std::move(stop_if)}, {}, {}},
      std::move(outputs),
      {"crashed",
       {},
       {{"error", object_scope("Crashed", {{"output", required(schema::string_type())}}), true}},
       {end_of(At::enabling), end_of(At::starting), end_of(At::running), end_of(At::cancelled)}},
      {"closed",
       {},
       {{"result",
         object_scope("ClosedInfo", {{"cancelled", required(schema::bool_type())},
                                     {"close_requested", required(schema::bool_type())}}),
         true}},
       {end_of(At::deploy), end_of(At::enabling), end_of(At::starting), end_of(At::running), end_of(At::cancelled)}},
  };
  return life;
}

Lifecycle foreach_lifecycle(const TypePtr& item, const TypePtr& success) {
  using At = ForeachStage;
  const auto hard = [](ForeachStage stage) { return Stage::Dependency{position(stage), EdgeKind::hard}; };
  const auto end_of = [](ForeachStage stage) { return Stage::Dependency{position(stage), EdgeKind::completion}; };

  const TypePtr items = make_type(schema::ListType{item, {}, {}});
  const TypePtr results = make_type(schema::ListType{success, {}, {}});
  const TypePtr by_index = make_type(schema::MapType{schema::integer_type(), success, {}, {}});
  const TypePtr messages = make_type(schema::MapType{schema::integer_type(), schema::string_type(), {}, {}});

  Lifecycle life;
  life.stages = {
      {"enabling", {field("enabled", schema::bool_type())}, {enabled_output()}, {}},
      {"disabled", {}, {disabled_output()}, {hard(At::enabling)}},
      {"execute",
       {field("items", items, true), field("parallelism", at_least(1)), field("wait_for", anything())},
       {},
       {hard(At::enabling)}},
      {"outputs", {}, {{"success", object_scope("data", {{"data", required(results)}}), false}}, {hard(At::execute)}},
      {"failed",
       {},
       {{"error", object_scope("error", {{"data", required(by_index)}, {"errors", required(messages)}}), true}},
       {end_of(At::execute)}},
      {"closed",
       {},
       {{"result", object_scope("ClosedInfo", {{"close_requested", required(schema::bool_type())}}), true}},
       {end_of(At::enabling)}},
  };
  return life;
}

}  // namespace venvoy::workflow
