// The stages of a step's life, as data: what each takes, gives and waits for (spec/workflow.md 4.2 and 4.5).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/plugin_schema.hpp"
#include "schema/type.hpp"
#include "workflow/graph.hpp"

namespace venvoy::workflow {

// A key of the step that a stage takes.
struct StageField {
  std::string name;
  schema::TypePtr type;
  bool required = false;
  // Why it must not be used; empty if it may.
  std::string disabled_reason;
};

struct StageOutput {
  std::string id;
  schema::TypePtr type;  // a scope
  bool error = false;
};

struct Stage {
  struct Dependency {
    std::size_t stage;
    EdgeKind kind;  // hard or completion
  };
  std::string id;
  std::vector<StageField> fields;
  std::vector<StageOutput> outputs;
  std::vector<Dependency> dependencies;

  std::optional<std::size_t> find_output(std::string_view output) const noexcept;
};

struct Lifecycle {
  std::vector<Stage> stages;
};

// Positions of the stages in the lifecycle that plugin_lifecycle makes.
enum class PluginStage : std::size_t {
  deploy,
  deploy_failed,
  enabling,
  disabled,
  starting,
  running,
  cancelled,
  outputs,
  crashed,
  closed,
};

// `deploy` is the type of the `deploy` field (the deployers of the step's deployment type).
Lifecycle plugin_lifecycle(const schema::StepSchema& step, const std::string& source, const schema::TypePtr& deploy);

enum class ForeachStage : std::size_t { enabling, disabled, execute, outputs, failed, closed };

// `item` is the sub-workflow's input scope, `success` the type of its output `success`.
Lifecycle foreach_lifecycle(const schema::TypePtr& item, const schema::TypePtr& success);

template <class StageId>
constexpr std::size_t position(StageId stage) noexcept {
  return static_cast<std::size_t>(stage);
}

}  // namespace venvoy::workflow
