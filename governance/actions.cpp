#include "governance/actions.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace venvoy::governance {
namespace {

const std::vector<Action>& table() {
  using enum FieldKind;
  static constexpr ActionField node_data{"node_data", object};
  static constexpr ActionField node_id{"node_id", text};
  static constexpr ActionField cluster_data{"cluster_data", object};
  static constexpr ActionField cluster_id{"cluster_id", text};
  static constexpr ActionField block_data{"block_data", object};
  static constexpr ActionField input{"input", object};
  static constexpr ActionField any_input{"input", any};
  static constexpr ActionField cluster_metrics{"cluster_metrics", any};
  static const std::vector<ActionField> of_blocks = {
      cluster_data, cluster_metrics, {"block_metrics", any}, {"block_instance_nodes", any}};
  static const std::vector<Action> actions = {
      {"add_node", false, {node_data}, {}, {cluster_data, cluster_metrics}},
      {"remove_node", false, {node_id}, {}, {cluster_data, cluster_metrics, {"block_instances", any}}},
      {"add_cluster", false, {cluster_data}, {}, {}},
      {"remove_cluster", false, {cluster_id, cluster_data}, {}, {cluster_metrics, {"cluster_blocks", any}}},
      {"add_block", false, {block_data}, {}, of_blocks},
      {"remove_block", false, {block_data}, {}, of_blocks},
      {"update_cluster", false, {cluster_data}, {}, {}},
      {"scale_block", false, {input}, {block_data}, {}},
      {"block_mgmt", false, {input}, {block_data}, {}},
      {"cluster_mgmt", false, {input}, {cluster_data}, {}},
      {"engine.deploy_plugin", true, {}, {{"reference", text}}, {{"source", text}, {"pull_policy", text}}},
      {"engine.run_step", true, {any_input}, {{"plugin", text}, {"step", text}}, {{"workflow", any}}},
      {"engine.run_workflow", true, {any_input}, {{"workflow", any}}, {{"plugins", any}}},
      {"engine.cancel", true, {}, {{"run_id", text}}, {{"reason", text}}},
      {"engine.prune_cache", true, {}, {}, {{"entries", any}, {"bytes", any}}},
      {"engine.remove_plugin", true, {}, {}, {{"entries", any}, {"bytes", any}}},
      {"engine.write_config", true, {}, {{"path", text}}, {{"keys", any}}},
  };
  return actions;
}

bool fits(const ActionField& field, const schema::Value& value) noexcept {
  switch (field.kind) {
    case FieldKind::any:
      return true;
    case FieldKind::text:
      return value.kind() == schema::Kind::text;
    case FieldKind::object:
      return value.kind() == schema::Kind::map;
  }
  return false;
}

std::string_view kind_text(FieldKind kind) noexcept {
  return kind == FieldKind::text ? "a text" : kind == FieldKind::object ? "an object" : "a value";
}

void require_fit(const Action& action, const ActionField& field, const schema::Value& value) {
  if (!fits(field, value))
    throw Error(ErrorCode::schema, fmt::format("'{}' of the input of {} must be {}, not {}", field.name, action.name,
                                               kind_text(field.kind), to_text(value.kind())));
}

}  // namespace

std::span<const Action> all_actions() {
  return table();
}

const Action* find_action(std::string_view name) noexcept {
  if (name == "create_cluster") name = "add_cluster";
  const auto found =
      std::find_if(table().begin(), table().end(), [name](const Action& each) { return each.name == name; });
  return found == table().end() ? nullptr : &*found;
}

const Action& require_action(std::string_view name) {
  if (const Action* action = find_action(name)) return *action;
  std::vector<std::string> names;
  for (const Action& action : table()) names.emplace_back(action.name);
  const std::string shown = to_valid_utf8(name.substr(0, 80));
  throw Error(ErrorCode::unresolvable, fmt::format("there is no action '{}'{}", shown, did_you_mean(shown, names)))
      .with_hint("known are " + quoted_list(names));
}

const ActionField* subject_of(const Action& action, const schema::Value& input_of_action) noexcept {
  for (const ActionField& field : action.subjects)
    if (input_of_action.find(field.name)) return &field;
  return nullptr;
}

void check_input(const Action& action, const schema::Value& given) {
  if (given.kind() != schema::Kind::map)
    throw Error(ErrorCode::schema,
                fmt::format("the input of {} must be an object, not {}", action.name, to_text(given.kind())));
  const auto missing = [&action](std::string_view what) {
    return Error(ErrorCode::schema, fmt::format("the input of {} has no '{}'", action.name, what));
  };
  const ActionField* subject = subject_of(action, given);
  if (!subject && !action.subjects.empty()) throw missing(action.subjects.front().name);
  for (const ActionField& field : action.subjects)
    if (const schema::Value* value = given.find(field.name)) require_fit(action, field, *value);
  for (const ActionField& field : action.required) {
    const schema::Value* value = given.find(field.name);
    if (!value) throw missing(field.name);
    require_fit(action, field, *value);
  }
  for (const ActionField& field : action.context)
    if (const schema::Value* value = given.find(field.name)) require_fit(action, field, *value);
}

}  // namespace venvoy::governance
