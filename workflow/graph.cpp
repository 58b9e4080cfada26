#include "workflow/graph.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

namespace venvoy::workflow {
namespace {

// A name as the text of a node in a Mermaid chart: keys of a workflow may hold anything.
std::string chart_text(const std::string& name) {
  std::string text;
  for (const char character : name) {
    if (character == '"')
      text += "#quot;";
    else
      text += static_cast<unsigned char>(character) < ' ' ? ' ' : character;
  }
  return text;
}

}  // namespace

NodeId Graph::add_node(GraphNode node) {
  nodes_.push_back(std::move(node));
  edges_.emplace_back();
  needs_.emplace_back();
  return static_cast<NodeId>(nodes_.size() - 1);
}

void Graph::add_edge(NodeId from, NodeId to, EdgeKind kind) {
  std::vector<Edge>& edges = edges_[from];
  const auto same = [&](const Edge& edge) { return edge.to == to && edge.kind == kind; };
  if (std::any_of(edges.begin(), edges.end(), same)) return;
  edges.push_back({to, kind});
  switch (kind) {
    case EdgeKind::hard:
      ++needs_[to].hard;
      break;
    case EdgeKind::completion:
      ++needs_[to].completion;
      break;
    case EdgeKind::option:
      ++needs_[to].options;
      break;
    case EdgeKind::soft:
      break;
  }
}

std::vector<std::pair<NodeId, EdgeKind>> Graph::dependencies(NodeId id) const {
  std::vector<std::pair<NodeId, EdgeKind>> result;
  for (NodeId from = 0; from < edges_.size(); ++from)
    for (const Edge& edge : edges_[from])
      if (edge.to == id) result.emplace_back(from, edge.kind);
  return result;
}

std::string Graph::mermaid() const {
  std::string text = "flowchart LR\n";
  for (NodeId from = 0; from < edges_.size(); ++from)
    for (const Edge& edge : edges_[from])
      text += fmt::format("    {}[\"{}\"] {} {}[\"{}\"]\n", from, chart_text(nodes_[from].name),
                          edge.kind == EdgeKind::hard ? "-->" : "-.->", edge.to, chart_text(nodes_[edge.to].name));
  return text;
}

std::vector<std::vector<NodeId>> Graph::find_cycles() const {
  enum class Mark : std::uint8_t { fresh, open, done };
  struct Visit {
    NodeId node;
    std::size_t next_edge;
  };
  std::vector<std::vector<NodeId>> cycles;
  std::vector<bool> in_a_cycle(size(), false);
  std::vector<Mark> marks(size(), Mark::fresh);
  // Depth first without recursion: workflows may be longer than the stack is deep.
  std::vector<Visit> path;
  const auto enter = [&](NodeId node) {
    marks[node] = Mark::open;
    path.push_back({node, 0});
  };
  const auto close_cycle = [&](NodeId to) {
    const auto first = std::find_if(path.begin(), path.end(), [&](const Visit& visit) { return visit.node == to; });
    const bool known = std::any_of(first, path.end(), [&](const Visit& visit) { return in_a_cycle[visit.node]; });
    if (known) return;
    std::vector<NodeId>& cycle = cycles.emplace_back();
    for (auto visit = first; visit != path.end(); ++visit) {
      cycle.push_back(visit->node);
      in_a_cycle[visit->node] = true;
    }
    cycle.push_back(to);
  };
  for (NodeId start = 0; start < size(); ++start) {
    if (marks[start] == Mark::fresh) enter(start);
    while (!path.empty()) {
      Visit& visit = path.back();
      if (visit.next_edge == edges_[visit.node].size()) {
        marks[visit.node] = Mark::done;
        path.pop_back();
        continue;
      }
      const NodeId to = edges_[visit.node][visit.next_edge++].to;
      if (marks[to] == Mark::fresh)
        enter(to);
      else if (marks[to] == Mark::open)
        close_cycle(to);
    }
  }
  return cycles;
}

GraphState::GraphState(const Graph& graph) : graph_(graph) {
  nodes_.reserve(graph.size());
  for (const Graph::Needs& needs : graph.needs_)
    nodes_.push_back({.hard = needs.hard, .completion = needs.completion, .options = needs.options});
  for (NodeId id = 0; id < nodes_.size(); ++id)
    if (ready(id)) enqueue(id);
}

bool GraphState::ready(NodeId id) const {
  const State& node = nodes_[id];
  return node.status == NodeStatus::waiting && node.hard == 0 && node.completion == 0 &&
         (node.options == 0 || node.option_met);
}

void GraphState::enqueue(NodeId id) {
  if (nodes_[id].queued) return;
  nodes_[id].queued = true;
  queue_.push_back(id);
}

void GraphState::resolve(NodeId id) {
  State& node = nodes_[id];
  if (node.status != NodeStatus::waiting)
    throw std::logic_error("node " + graph_.node(id).name + " is resolved after it has ended");
  node.status = NodeStatus::resolved;
  for (const Graph::Edge& edge : graph_.dependents(id)) {
    State& dependent = nodes_[edge.to];
    switch (edge.kind) {
      case EdgeKind::hard:
        --dependent.hard;
        break;
      case EdgeKind::completion:
        --dependent.completion;
        break;
      case EdgeKind::option:
        dependent.option_met = true;
        break;
      case EdgeKind::soft:
        break;
    }
    if (ready(edge.to)) enqueue(edge.to);
  }
}

void GraphState::make_impossible(NodeId id) {
  if (nodes_[id].status == NodeStatus::resolved)
    throw std::logic_error("node " + graph_.node(id).name + " has happened and cannot be impossible");
  make_impossible(id, no_node);
}

void GraphState::make_impossible(NodeId id, NodeId cause) {
  // Breadth first without recursion: chains may be longer than the stack is deep.
  std::vector<std::pair<NodeId, NodeId>> todo = {{id, cause}};
  for (std::size_t index = 0; index < todo.size(); ++index) {
    const auto [node_id, node_cause] = todo[index];
    State& node = nodes_[node_id];
    if (node.status != NodeStatus::waiting) continue;
    node.status = NodeStatus::impossible;
    node.cause = node_cause;
    if (node_cause != no_node) {
      node.queued = false;  // also one that was ready before
      enqueue(node_id);
    }
    for (const Graph::Edge& edge : graph_.dependents(node_id)) {
      State& dependent = nodes_[edge.to];
      switch (edge.kind) {
        case EdgeKind::hard:
          todo.emplace_back(edge.to, node_id);
          break;
        case EdgeKind::option:
          if (--dependent.options == 0 && !dependent.option_met) todo.emplace_back(edge.to, node_id);
          break;
        case EdgeKind::completion:
          --dependent.completion;
          if (ready(edge.to)) enqueue(edge.to);
          break;
        case EdgeKind::soft:
          break;
      }
    }
  }
}

NodeId GraphState::next() {
  if (!has_next()) return no_node;
  const NodeId id = queue_[taken_++];
  if (taken_ == queue_.size()) {
    queue_.clear();
    taken_ = 0;
  }
  return id;
}

}  // namespace venvoy::workflow
