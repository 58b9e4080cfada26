// What a plugin says of itself in its hello (spec/protocol-and-schema.md section 5).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "schema/read_type.hpp"
#include "schema/type.hpp"
#include "schema/value.hpp"

namespace venvoy::schema {

struct StepOutputSchema {
  TypePtr data;  // a scope
  bool error = false;
  std::optional<Display> display;
};

struct SignalSchema {
  std::string id;
  TypePtr data;  // a scope
  std::optional<Display> display;
};

struct StepSchema {
  std::string id;  // the key under which the plugin lists it
  TypePtr input;   // a scope
  std::vector<std::pair<std::string, StepOutputSchema>> outputs;
  std::vector<std::pair<std::string, SignalSchema>> signal_handlers;
  std::vector<std::pair<std::string, SignalSchema>> signal_emitters;
  std::optional<Display> display;

  const StepOutputSchema* find_output(std::string_view output) const noexcept;
  const SignalSchema* find_signal_handler(std::string_view signal) const noexcept;
  // Whether the step can be asked to end early: it handles a signal `cancel` that takes an empty object (1.9).
  bool can_cancel() const;
};

struct PluginSchema {
  std::vector<std::pair<std::string, StepSchema>> steps;

  const StepSchema* find(std::string_view step) const noexcept;
  std::vector<std::string> step_ids() const;
};

// Reads the `schema` of a hello. Throws MismatchError with the path of everything that is wrong.
std::shared_ptr<const PluginSchema> read_plugin_schema(const Value& data, const ReadOptions& options);

// The wire form that read_plugin_schema reads.
Value write_plugin_schema(const PluginSchema& schema);

}  // namespace venvoy::schema
