// A dependency graph as people look at it: a node for each step, no stages. What layouts and texts are made from.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace venvoy::report {

struct GraphPicture {
  enum class Shape {
    input,
    step,
    loop,
    output,
    error_output,
  };
  struct Node {
    std::string id;       // unique in the picture: "input", "steps.a", "outputs.success"
    std::string text;     // what stands in the box
    std::string detail;   // smaller, below it; may be empty
    std::string tooltip;  // may be empty
    Shape shape = Shape::step;
    std::string state = {};  // in a run: succeeded, failed, cancelled or disabled; empty for none
  };
  // `to` needs `from`; both are positions in `nodes`.
  struct Edge {
    std::size_t from = 0;
    std::size_t to = 0;
    std::string label;         // what is used of `from`, where that is not its output `success`; may be empty
    bool conditional = false;  // `to` can go on without it: an option, or an optional value
  };
  std::string title;
  std::vector<Node> nodes;
  std::vector<Edge> edges;
};

}  // namespace venvoy::report
