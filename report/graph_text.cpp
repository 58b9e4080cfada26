#include "report/graph_text.hpp"

#include <string_view>

#include <fmt/format.h>

#include "base/text.hpp"

namespace venvoy::report {
namespace {

// A quoted string of the DOT language. A backslash begins an escape sequence in labels, so each is doubled.
std::string dot_text(std::string_view text) {
  std::string result = "\"";
  for (const char letter : to_valid_utf8(text)) {
    if (letter == '"' || letter == '\\') result += '\\';
    result += static_cast<unsigned char>(letter) < ' ' ? ' ' : letter;
  }
  return result + '"';
}

// Two lines of a label; the line break is the only escape sequence in it.
std::string dot_lines(std::string_view first, std::string_view second) {
  if (second.empty()) return dot_text(first);
  const std::string begin = dot_text(first);
  const std::string end = dot_text(second);
  return begin.substr(0, begin.size() - 1) + "\\n" + end.substr(1);
}

std::string_view dot_shape(GraphPicture::Shape shape) {
  switch (shape) {
    case GraphPicture::Shape::input:
      return "shape=oval";
    case GraphPicture::Shape::step:
      return "shape=box, style=rounded";
    case GraphPicture::Shape::loop:
      return "shape=box3d";
    case GraphPicture::Shape::output:
      return "shape=oval";
    case GraphPicture::Shape::error_output:
      break;
  }
  return "shape=oval, color=\"#a05252\"";
}

}  // namespace

std::string graph_dot(const GraphPicture& picture) {
  std::string text = fmt::format("digraph {} {{\n  rankdir=TB;\n  node [fontname=\"sans-serif\", fontsize=11];\n",
                                 dot_text(picture.title));
  text += "  edge [fontname=\"sans-serif\", fontsize=9];\n";
  for (const GraphPicture::Node& node : picture.nodes)
    text += fmt::format("  {} [label={}, {}];\n", dot_text(node.id), dot_lines(node.text, node.detail),
                        dot_shape(node.shape));
  for (const GraphPicture::Edge& edge : picture.edges) {
    text += fmt::format("  {} -> {}", dot_text(picture.nodes[edge.from].id), dot_text(picture.nodes[edge.to].id));
    std::string attributes;
    if (!edge.label.empty()) attributes = "label=" + dot_text(edge.label);
    if (edge.conditional) attributes += attributes.empty() ? "style=dashed" : ", style=dashed";
    text += attributes.empty() ? ";\n" : fmt::format(" [{}];\n", attributes);
  }
  return text + "}\n";
}

}  // namespace venvoy::report
