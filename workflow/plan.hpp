// A checked workflow: everything that a run needs to know, const from here on.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/issue.hpp"
#include "deployer/deployer.hpp"
#include "expressions/expression.hpp"
#include "schema/type.hpp"
#include "schema/value.hpp"
#include "workflow/document.hpp"
#include "workflow/graph.hpp"
#include "workflow/lifecycle.hpp"

namespace venvoy::workflow {

// A value of the document, ready to be evaluated in a run. Parts without expressions are one literal.
struct PlanValue {
  struct Entry;
  struct Expression {
    expressions::Expression expression;
    // Which `!wait-optional` or `!soft-optional` it is; no_node for a plain `!expr`.
    NodeId optional_group = no_node;
  };
  struct OneOf {
    std::string discriminator;
    std::vector<Entry> options;
    std::vector<NodeId> groups;  // of the options
  };
  using Items = std::vector<PlanValue>;
  using Entries = std::vector<Entry>;

  std::variant<schema::Value, Expression, OneOf, Items, Entries> form;
  const schema::YamlNode* node = nullptr;
};

struct PlanValue::Entry {
  std::string key;
  PlanValue value;
};

struct PlanField {
  std::size_t field;  // position in the stage's fields
  PlanValue value;
};

struct PlanStage {
  NodeId node = no_node;
  std::vector<NodeId> outputs;  // as in the lifecycle
  std::vector<PlanField> fields;
};

struct Plan;

struct PlanStep {
  const DocStep* document = nullptr;
  Lifecycle lifecycle;
  std::vector<PlanStage> stages;
  // Of a plugin step.
  std::string plugin_source;
  std::string deployment_type;
  std::string plugin_step;
  std::shared_ptr<deployer::Plugin> plugin;
  // Of a loop.
  std::shared_ptr<const Plan> body;
  std::string body_file;

  const std::string& id() const noexcept { return document->id; }
  bool is_loop() const noexcept { return body != nullptr; }
};

struct PlanOutput {
  std::string id;
  PlanValue value;
  schema::TypePtr type;
  bool error = false;
  NodeId node = no_node;
};

// Everything but the state of a run. Keeps all that it points to: document, plugins and their schemas.
struct Plan {
  std::shared_ptr<const Document> document;
  schema::TypePtr input;  // a scope
  schema::TypePtr data;   // what `$` is in expressions
  std::vector<PlanStep> steps;
  std::vector<PlanOutput> outputs;
  NodeId input_node = no_node;
  Graph graph;

  std::optional<std::size_t> find_step(std::string_view id) const noexcept;
};

struct Checked {
  std::shared_ptr<const Plan> plan;  // null if an issue is an error
  Issues issues;
};

// A plugin as the planner sees it.
struct KnownPlugin {
  std::shared_ptr<const schema::PluginSchema> schema;
  std::shared_ptr<deployer::Plugin> plugin;  // null where nothing is to be run
};

// What the planner asks about the world. Both are answered from what was prepared before.
class PlanContext {
 public:
  virtual ~PlanContext() = default;
  // Null if the plugin could not be made ready, which has been reported already.
  virtual const KnownPlugin* plugin(const DocPlugin& plugin) const = 0;
  // The type of a step's `deploy` field; null for an unknown deployment type.
  virtual schema::TypePtr deploy_type(const std::string& deployment_type) const = 0;
  // The plan of a sub-workflow; null if it could not be made, which has been reported already.
  virtual std::shared_ptr<const Plan> body(const std::string& file) const = 0;
};

// Types every expression, checks every value and builds the graph. Pure: no file, process or clock is touched.
// All issues come at once, in the order of the file.
Checked make_plan(std::shared_ptr<const Document> document, const PlanContext& context);

// A row of `-get-namespaces` (spec/workflow.md 1.7).
struct NamespaceRow {
  std::string object;
  std::string name_space;
};
// Every object that an input schema may refer to, sorted by namespace and object.
std::vector<NamespaceRow> namespace_table(const Plan& plan);

}  // namespace venvoy::workflow
