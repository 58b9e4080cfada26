#include "report/plan_picture.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "report/plain_progress.hpp"

namespace venvoy::report {
namespace {

using workflow::EdgeKind;
using workflow::GraphNode;
using workflow::NodeId;
using workflow::NodeKind;

// Nobody needs to be told that what is used is what a step gives when it ends well.
constexpr const char* usual_label = "outputs.success";

class PlanPainter {
 public:
  explicit PlanPainter(const workflow::Plan& plan) : plan_(plan), seen_(plan.graph.size(), workflow::no_node) {}

  GraphPicture paint() {
    picture_.title = plan_.document->file;
    picture_.nodes.push_back({"input", "input", {}, "the workflow's input", GraphPicture::Shape::input});
    for (const workflow::PlanStep& step : plan_.steps) add_step(step);
    for (const workflow::PlanOutput& output : plan_.outputs)
      picture_.nodes.push_back({"outputs." + output.id, output.id, "output", "the workflow's output " + output.id,
                                output.error ? GraphPicture::Shape::error_output : GraphPicture::Shape::output});
    for (NodeId node = 0; node < plan_.graph.size(); ++node)
      if (plan_.graph.node(node).kind != NodeKind::group) follow(node);
    for (auto& [ends, use] : uses_) {
      const bool is_usual = use.labels.size() == 1 && use.labels.front() == usual_label;
      std::string label = is_usual ? std::string() : fmt::format("{}", fmt::join(use.labels, ", "));
      picture_.edges.push_back({ends.first, ends.second, std::move(label), use.conditional});
    }
    return std::move(picture_);
  }

 private:
  // What one node of the picture uses of another one.
  struct Use {
    std::vector<std::string> labels;
    bool conditional = true;  // all of it is
  };

  void add_step(const workflow::PlanStep& step) {
    GraphPicture::Node node{"steps." + step.id(), step.id(), {}, {}, GraphPicture::Shape::step};
    if (step.is_loop()) {
      node.shape = GraphPicture::Shape::loop;
      node.detail = step.body_file;
      node.tooltip = fmt::format("{}: {} for each item", step.id(), step.body_file);
    } else {
      const std::string reference = step.plugin ? step.plugin->facts().reference : std::string();
      node.detail = step.plugin_step;
      if (!reference.empty()) node.detail += " \xC2\xB7 " + module_label(reference);
      node.tooltip = fmt::format("{}: {} of {}", step.id(), step.plugin_step, reference);
    }
    picture_.nodes.push_back(std::move(node));
  }

  // The place of a node's step, or of what else it is, in the picture.
  std::size_t place_of(const GraphNode& node) const {
    switch (node.kind) {
      case NodeKind::stage:
      case NodeKind::stage_output:
        return 1 + node.step;
      case NodeKind::workflow_output:
        return 1 + plan_.steps.size() + node.step;
      case NodeKind::input:
      case NodeKind::group:
        break;
    }
    return 0;
  }

  std::string label_of(const GraphNode& node) const {
    if (node.kind == NodeKind::input) return {};
    const workflow::Stage& stage = plan_.steps[node.step].lifecycle.stages[node.stage];
    return node.kind == NodeKind::stage ? stage.id : stage.id + "." + stage.outputs[node.output].id;
  }

  // From one node through groups, which are no nodes of the picture, to all that use it.
  void follow(NodeId start) {
    const GraphNode& source = plan_.graph.node(start);
    if (source.kind == NodeKind::workflow_output) return;
    std::vector<std::pair<NodeId, bool>> todo = {{start, false}};
    while (!todo.empty()) {
      const auto [id, conditional] = todo.back();
      todo.pop_back();
      for (const workflow::Graph::Edge& edge : plan_.graph.dependents(id)) {
        const GraphNode& target = plan_.graph.node(edge.to);
        const bool now = conditional || edge.kind != EdgeKind::hard;
        if (target.kind != NodeKind::group) {
          use(source, target, now);
        } else if (seen_[edge.to] != start) {
          seen_[edge.to] = start;
          todo.emplace_back(edge.to, now);
        }
      }
    }
  }

  void use(const GraphNode& source, const GraphNode& target, bool conditional) {
    const std::size_t from = place_of(source);
    const std::size_t to = place_of(target);
    if (from == to) return;
    Use& uses = uses_[{from, to}];
    uses.conditional = uses.conditional && conditional;
    const std::string label = label_of(source);
    if (label.empty() || std::find(uses.labels.begin(), uses.labels.end(), label) != uses.labels.end()) return;
    uses.labels.push_back(label);
  }

  const workflow::Plan& plan_;
  GraphPicture picture_;
  std::map<std::pair<std::size_t, std::size_t>, Use> uses_;
  std::vector<NodeId> seen_;  // of groups: from where they have been reached
};

}  // namespace

GraphPicture picture_of(const workflow::Plan& plan) {
  return PlanPainter(plan).paint();
}

}  // namespace venvoy::report
