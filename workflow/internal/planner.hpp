// The making of a plan; see make_plan in plan.hpp.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "schema/check.hpp"
#include "schema/given.hpp"
#include "workflow/plan.hpp"

namespace venvoy::workflow::internal {

// A value of the document in its two later forms: what a run evaluates, and what a type check looks at.
struct TypedValue {
  PlanValue value;
  schema::Given given;
};

class Planner {
 public:
  Planner(std::shared_ptr<const Document> document, const PlanContext& context);

  Checked plan();

 private:
  // Steps of the work, in their order. What could not be planned is left out of all that follows, so that everything
  // else is still looked at.
  void read_input();
  void add_steps();
  // False when the step cannot be planned.
  bool add_plugin_step(PlanStep& step);
  bool add_loop_step(PlanStep& step);
  void link_input();
  void make_data_type();
  void add_nodes();
  void plan_stages();
  void plan_field(std::size_t step, std::size_t stage, std::size_t field);
  // Finds what is wrong with the expressions of steps that could not be planned.
  void type_unplanned_steps();
  void plan_outputs();
  void plan_output(PlanOutput& output, const DocValue::Entry& entry);
  void declare_output(PlanOutput& output, const DocValue::Entry& entry, const TypedValue& typed,
                      const schema::YamlNode& declaration);
  void refuse_cycles();

  // Values: types them and gives `container`, the node that needs them, its dependencies.
  TypedValue type_value(const DocValue& value, NodeId container, const std::string& path);
  TypedValue type_expression(const DocValue& value, const expressions::Expression& written, NodeId container,
                             const std::string& path);
  TypedValue type_optional(const DocValue& value, const DocValue::Optional& optional, NodeId container,
                           const std::string& path);
  TypedValue type_one_of(const DocValue::OneOf& one_of, NodeId container, const std::string& path);
  TypedValue type_items(const DocValue::Items& items, NodeId container, const std::string& path);
  TypedValue type_entries(const DocValue::Entries& entries, NodeId container, const std::string& path);
  void depend_on(const expressions::Expression& expression, const DocValue& value, NodeId container,
                 const std::string& path);
  // It reads something whose type is unknown because of another issue.
  bool is_untypable(const expressions::Expression& expression) const;
  // The node that a path of an expression stands for; no_node after an issue.
  NodeId node_of(const std::vector<schema::Value>& path, const Position& at, const std::string& where);
  NodeId add_group(const std::string& name);

  void report(Position at, std::string text, std::string hint = {});
  void report(const schema::YamlNode& node, std::string text) { report(document_->position(node), std::move(text)); }
  // Findings about data that was written as YAML below `root`: each at its place.
  void report_mismatches(const std::vector<schema::Mismatch>& mismatches, const schema::YamlNode& root,
                         const std::string& frame);
  // Where a byte of an expression's text stands.
  Position place_in(const DocValue& value, std::optional<std::size_t> offset) const;

  std::shared_ptr<const Document> document_;
  const PlanContext& context_;
  std::shared_ptr<Plan> plan_;
  Issues issues_;
  bool input_known_ = false;
  std::set<std::string, std::less<>> unplanned_;  // ids of steps
  std::size_t untypable_ = 0;                     // expressions met so far
};

}  // namespace venvoy::workflow::internal
