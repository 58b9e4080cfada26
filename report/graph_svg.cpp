#include "report/graph_svg.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "report/graph_layout.hpp"
#include "report/internal/display_width.hpp"
#include "report/internal/xml.hpp"

namespace venvoy::report {
namespace {

using Point = GraphLayout::Point;
using internal::xml_text;

constexpr std::size_t most_cells = 48;  // of a text in a box

// Greys that are readable on both grounds, and a little colour for what a line cannot say.
constexpr std::string_view style_sheet = R"(
  svg { color-scheme: light dark; font-family: system-ui, sans-serif; }
  .box { fill: #f6f7f9; stroke: #6b7280; }
  .input .box, .output .box { fill: #e8f0ea; stroke: #4d7c5a; }
  .error-output .box { fill: #f8eaea; stroke: #a05252; }
  .running .box { fill: #fff4de; stroke: #8a5a00; stroke-width: 2; }
  .succeeded .box { fill: #e6f4ea; stroke: #2f7d4f; stroke-width: 1.5; }
  .failed .box { fill: #fbe9e7; stroke: #b3261e; stroke-width: 2; }
  .disabled .box, .cancelled .box { fill: none; stroke-dasharray: 3 3; }
  .name { fill: #1f2328; font-size: 13px; text-anchor: middle; }
  .detail { fill: #57606a; font-size: 11px; text-anchor: middle; }
  .edge { fill: none; stroke: #8b929c; stroke-width: 1.3; }
  .conditional { stroke-dasharray: 5 4; }
  .arrow { fill: #8b929c; }
  .label { fill: #57606a; font-size: 10.5px; text-anchor: middle; paint-order: stroke; stroke: #ffffff; stroke-width: 3px; }
  @media (prefers-color-scheme: dark) {
    .box { fill: #22262c; stroke: #8b929c; }
    .input .box, .output .box { fill: #1f2d24; stroke: #6fa37d; }
    .error-output .box { fill: #33211f; stroke: #c27f7a; }
    .running .box { fill: #33270f; stroke: #e0a83a; }
    .succeeded .box { fill: #16301f; stroke: #5fb37f; }
    .failed .box { fill: #3a1715; stroke: #f0857c; }
    .disabled .box, .cancelled .box { fill: none; }
    .name { fill: #e6e9ed; }
    .detail { fill: #a8b0ba; }
    .label { fill: #a8b0ba; stroke: #14171a; }
  }
)";

// At most `most_cells` wide, with a sign where something is left out.
std::string cut_short(std::string_view text) {
  std::string valid = to_valid_utf8(text);
  if (internal::display_width(valid) <= most_cells) return valid;
  std::size_t end = 0;
  std::size_t cells = 0;
  while (end < valid.size()) {
    std::size_t next = end + 1;
    while (next < valid.size() && (static_cast<unsigned char>(valid[next]) & 0xC0) == 0x80) ++next;
    cells += internal::display_width(std::string_view(valid).substr(end, next - end));
    if (cells >= most_cells) break;
    end = next;
  }
  return valid.substr(0, end) + "\xE2\x80\xA6";
}

std::string_view class_of(GraphPicture::Shape shape) {
  switch (shape) {
    case GraphPicture::Shape::input:
      return "input";
    case GraphPicture::Shape::step:
      return "step";
    case GraphPicture::Shape::loop:
      return "loop";
    case GraphPicture::Shape::output:
      return "output";
    case GraphPicture::Shape::error_output:
      break;
  }
  return "error-output";
}

class SvgWriter {
 public:
  explicit SvgWriter(const GraphPicture& picture) : picture_(picture), shown_(picture) {
    for (GraphPicture::Node& node : shown_.nodes) {
      node.text = cut_short(node.text);
      node.detail = cut_short(node.detail);
    }
    layout_ = lay_out(shown_);
  }

  std::string write() {
    text_ = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} "
        "{1:.0f}\" role=\"img\">\n<title>{2}</title>\n<style>{3}</style>\n",
        layout_.width, layout_.height, xml_text(picture_.title), style_sheet);
    text_ +=
        "<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" "
        "orient=\"auto-start-reverse\"><path class=\"arrow\" d=\"M0 0.6 8 4 0 7.4z\"/></marker></defs>\n";
    for (const GraphLayout::Piece& piece : layout_.pieces) add_piece(piece);
    for (std::size_t node = 0; node < shown_.nodes.size(); ++node) add_node(node);
    // Last, so that no line and no box hides one.
    for (const GraphLayout::Piece& piece : layout_.pieces)
      if (piece.labelled) add_label(piece);
    return std::move(text_) + "</svg>\n";
  }

 private:
  void add_piece(const GraphLayout::Piece& piece) {
    const auto& [begin, end] = std::pair(piece.begin, piece.end);
    const double middle = (begin.y + end.y) / 2;
    text_ += fmt::format("<path class=\"edge{}\" d=\"M{:.1f} {:.1f}",
                         picture_.edges[piece.edge].conditional ? " conditional" : "", begin.x, begin.y);
    if (piece.straight)
      text_ += fmt::format("V{:.1f}\"", end.y);
    else
      text_ +=
          fmt::format("C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}\"", begin.x, middle, end.x, middle, end.x, end.y);
    if (piece.arrow_at_begin) text_ += " marker-start=\"url(#arrow)\"";
    if (piece.arrow_at_end) text_ += " marker-end=\"url(#arrow)\"";
    text_ += "/>\n";
  }

  void add_rectangle(const GraphLayout::Box& box, double shift) {
    text_ += fmt::format("<rect class=\"box\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"6\"/>",
                         box.corner.x + shift, box.corner.y - shift, box.width, box.height);
  }

  void add_node(std::size_t index) {
    const GraphPicture::Node& node = shown_.nodes[index];
    const GraphLayout::Box& box = layout_.boxes[index];
    const double x = box.corner.x + box.width / 2;
    const double middle = box.corner.y + box.height / 2;
    const std::string classes =
        node.state.empty() ? std::string(class_of(node.shape)) : fmt::format("{} {}", class_of(node.shape), node.state);
    text_ += fmt::format("<g class=\"{}\" id=\"{}\">", xml_text(classes), xml_text(node.id));
    // What a shortened text leaves out can be read here.
    const std::string& tooltip = node.tooltip.empty() ? picture_.nodes[index].text : node.tooltip;
    text_ += fmt::format("<title>{}</title>", xml_text(tooltip));
    if (node.shape == GraphPicture::Shape::loop) add_rectangle(box, 4);  // a stack: it is done many times
    add_rectangle(box, 0);
    const bool two_lines = !node.detail.empty();
    text_ += fmt::format("<text class=\"name\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", x, middle + (two_lines ? -3 : 4.5),
                         xml_text(node.text));
    if (two_lines)
      text_ += fmt::format("<text class=\"detail\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", x, middle + 13,
                           xml_text(node.detail));
    text_ += "</g>\n";
  }

  void add_label(const GraphLayout::Piece& piece) {
    // Two thirds of the way down, where the lines of one box have parted already and those to the next one have not
    // met.
    text_ += fmt::format("<text class=\"label\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
                         piece.begin.x + (piece.end.x - piece.begin.x) * 0.74,
                         piece.begin.y + (piece.end.y - piece.begin.y) * 0.667,
                         xml_text(cut_short(picture_.edges[piece.edge].label)));
  }

  const GraphPicture& picture_;
  GraphPicture shown_;  // with shortened texts
  GraphLayout layout_;
  std::string text_;
};

}  // namespace

std::string graph_svg(const GraphPicture& picture) {
  return SvgWriter(picture).write();
}

}  // namespace venvoy::report
