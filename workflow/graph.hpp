// The dependency graph of a workflow and its state in one run (spec/workflow.md 5.2, 5.3). No thread, clock or
// descriptor in here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace venvoy::workflow {

using NodeId = std::uint32_t;
inline constexpr NodeId no_node = UINT32_MAX;

enum class NodeKind : std::uint8_t {
  input,         // the workflow's input
  stage,         // a stage of a step
  stage_output,  // an output of a stage
  workflow_output,
  group,  // a `!oneof`, one of its options, or an optional value
};

struct GraphNode {
  NodeKind kind = NodeKind::group;
  // Of a stage and a stage output: positions in the plan; of a workflow output: `step` is its position.
  std::uint32_t step = 0;
  std::uint32_t stage = 0;
  std::uint32_t output = 0;
  std::string name;  // "steps.a.outputs.success": for messages
};

// How a node depends on another one.
enum class EdgeKind : std::uint8_t {
  hard,        // AND: impossible without it
  option,      // OR: one of these is enough
  completion,  // its end of any kind is waited for
  soft,        // not waited for
};

// Built once by the planner, then shared by all runs.
class Graph {
 public:
  struct Edge {
    NodeId to;
    EdgeKind kind;
  };

  NodeId add_node(GraphNode node);
  // `to` depends on `from`. The same edge twice counts once.
  void add_edge(NodeId from, NodeId to, EdgeKind kind);

  std::size_t size() const noexcept { return nodes_.size(); }
  const GraphNode& node(NodeId id) const { return nodes_[id]; }
  std::span<const Edge> dependents(NodeId id) const { return edges_[id]; }
  // What the node depends on, with the kind; linear in the number of edges: for messages.
  std::vector<std::pair<NodeId, EdgeKind>> dependencies(NodeId id) const;

  // Cycles: the nodes of each in their order, the first one again at the end. Of cycles that share a node only one is
  // given. Deterministic.
  std::vector<std::vector<NodeId>> find_cycles() const;

  // The graph as a flow chart in the Mermaid language, a line per edge (spec/workflow.md 1.6).
  std::string mermaid() const;

 private:
  friend class GraphState;
  struct Needs {
    std::uint32_t hard = 0;
    std::uint32_t completion = 0;
    std::uint32_t options = 0;
  };
  std::vector<GraphNode> nodes_;
  std::vector<std::vector<Edge>> edges_;
  std::vector<Needs> needs_;
};

enum class NodeStatus : std::uint8_t { waiting, resolved, impossible };

// The state of one run. The graph outlives it.
class GraphState {
 public:
  explicit GraphState(const Graph& graph);

  NodeStatus status(NodeId id) const { return nodes_[id].status; }
  bool resolved(NodeId id) const { return status(id) == NodeStatus::resolved; }
  // The node whose end made this one impossible; no_node when it was declared so itself.
  NodeId cause(NodeId id) const { return nodes_[id].cause; }

  // The node has happened. Throws std::logic_error when it was resolved or impossible before.
  void resolve(NodeId id);
  // The node will not happen; nothing changes when that is known already. Throws std::logic_error when it has happened.
  void make_impossible(NodeId id);

  // The next node whose dependencies are met, or that became impossible through one of them; each comes once, in the
  // order in which it happened (ties: order of the nodes). no_node when there is none.
  NodeId next();
  bool has_next() const noexcept { return taken_ < queue_.size(); }

 private:
  struct State {
    std::uint32_t hard;
    std::uint32_t completion;
    std::uint32_t options;
    NodeId cause = no_node;
    NodeStatus status = NodeStatus::waiting;
    bool option_met = false;
    bool queued = false;
  };
  bool ready(NodeId id) const;
  void enqueue(NodeId id);
  void make_impossible(NodeId id, NodeId cause);

  const Graph& graph_;
  std::vector<State> nodes_;
  std::vector<NodeId> queue_;
  std::size_t taken_ = 0;
};

}  // namespace venvoy::workflow
