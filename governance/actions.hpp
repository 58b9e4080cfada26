// What can be asked about: the ten actions of a network and those of the engine (spec/governance.md 8.8).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "schema/value.hpp"

namespace venvoy::governance {

enum class FieldKind { any, text, object };

struct ActionField {
  std::string_view name;
  FieldKind kind = FieldKind::any;
};

struct Action {
  std::string_view name;
  bool of_engine = false;
  // What a policy may change; one of them is there. Empty: nothing may be changed.
  std::vector<ActionField> subjects;
  std::vector<ActionField> required;  // besides the subject
  std::vector<ActionField> context;   // may be there
};

// In the order of the document, then the engine's.
std::span<const Action> all_actions();
// By name, or by the old name `create_cluster`; nullptr if there is none.
const Action* find_action(std::string_view name) noexcept;
// The same, throwing an Error (unresolvable) with the nearest name.
const Action& require_action(std::string_view name);

// The field of the input that is the subject; nullptr where nothing may be changed. The input fits.
const ActionField* subject_of(const Action& action, const schema::Value& input) noexcept;

// Throws an Error (schema) in one sentence when the input is not what the action needs. Fields that are not in the
// table are let pass.
void check_input(const Action& action, const schema::Value& input);

}  // namespace venvoy::governance
