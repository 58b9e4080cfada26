#include "report/graph_layout.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <numeric>
#include <tuple>
#include <utility>

#include "report/internal/display_width.hpp"

namespace venvoy::report {
namespace {

using Shape = GraphPicture::Shape;

constexpr double picture_margin = 16;
constexpr double column_gap = 28;     // between boxes
constexpr double bend_gap = 14;       // between lines that pass a layer, and boxes
constexpr double layer_gap = 56;      // room for curves and labels
constexpr double box_padding = 14;    // left and right of a text
constexpr double text_width = 7.6;    // of a cell in the size of step names: an average, fonts differ
constexpr double detail_width = 6.4;  // of a cell in the size of details
constexpr double smallest_box = 64;
constexpr double one_line_box = 34;
constexpr double two_line_box = 48;
constexpr int sweeps = 8;

// A picture that needs more bends than this is a thicket in which nobody follows a line; then long edges are drawn
// straight, which costs nothing.
constexpr std::size_t most_bends = 60'000;

// What stands in a layer: a node of the picture, or a place where a long edge passes.
struct Slot {
  std::size_t layer = 0;
  double width = 0;
  double center = 0;
  std::vector<std::size_t> above;  // slots of the layer before
  std::vector<std::size_t> below;
};

// An edge from a higher layer to a lower one, and its way.
struct Way {
  std::size_t edge;
  std::size_t top;  // nodes of the picture
  std::size_t bottom;
  bool upward;  // the edge goes from `bottom` to `top`
  std::vector<std::size_t> bends;
};

class Layouter {
 public:
  explicit Layouter(const GraphPicture& picture) : picture_(picture) {}

  GraphLayout run() {
    find_ways();
    assign_layers();
    make_slots();
    order_layers();
    place_slots();
    place_boxes();
    draw_ways();
    return std::move(layout_);
  }

 private:
  // Turns the edges that close a circle, and leaves out those from a node to itself.
  void find_ways() {
    enum class Mark : std::uint8_t { fresh, open, done };
    struct Visit {
      std::size_t node;
      std::size_t next;
    };
    std::vector<std::vector<std::size_t>> edges_of(picture_.nodes.size());
    for (std::size_t edge = 0; edge < picture_.edges.size(); ++edge)
      edges_of[picture_.edges[edge].from].push_back(edge);
    std::vector<Mark> marks(picture_.nodes.size(), Mark::fresh);
    std::vector<Visit> path;  // depth first without recursion: chains may be longer than the stack is deep
    for (std::size_t start = 0; start < picture_.nodes.size(); ++start) {
      if (marks[start] != Mark::fresh) continue;
      marks[start] = Mark::open;
      path.push_back({start, 0});
      while (!path.empty()) {
        Visit& visit = path.back();
        if (visit.next == edges_of[visit.node].size()) {
          marks[visit.node] = Mark::done;
          path.pop_back();
          continue;
        }
        const std::size_t edge = edges_of[visit.node][visit.next++];
        const auto& [from, to, label, conditional] = picture_.edges[edge];
        if (from == to) continue;
        const bool closes_circle = marks[to] == Mark::open;
        ways_.push_back({edge, closes_circle ? to : from, closes_circle ? from : to, closes_circle, {}});
        if (marks[to] != Mark::fresh) continue;
        marks[to] = Mark::open;
        path.push_back({to, 0});
      }
    }
    const auto by_edge = [](const Way& left, const Way& right) { return left.edge < right.edge; };
    std::sort(ways_.begin(), ways_.end(), by_edge);
  }

  // Each node as high as what it needs allows: its layer is the length of the longest way to it.
  void assign_layers() {
    const std::size_t count = picture_.nodes.size();
    std::vector<std::vector<std::size_t>> below(count);
    std::vector<std::size_t> open(count, 0);
    for (const Way& way : ways_) {
      below[way.top].push_back(way.bottom);
      ++open[way.bottom];
    }
    layer_of_.assign(count, 0);
    const bool has_input = std::any_of(picture_.nodes.begin(), picture_.nodes.end(),
                                       [](const auto& node) { return node.shape == Shape::input; });
    for (std::size_t node = 0; node < count; ++node)
      layer_of_[node] = has_input && picture_.nodes[node].shape != Shape::input ? 1 : 0;
    std::vector<std::size_t> ready;
    for (std::size_t node = 0; node < count; ++node)
      if (open[node] == 0) ready.push_back(node);
    for (std::size_t next = 0; next < ready.size(); ++next) {
      for (const std::size_t node : below[ready[next]]) {
        layer_of_[node] = std::max(layer_of_[node], layer_of_[ready[next]] + 1);
        if (--open[node] == 0) ready.push_back(node);
      }
    }
    move_outputs_down();
  }

  void move_outputs_down() {
    const auto is_output = [](const auto& node) {
      return node.shape == Shape::output || node.shape == Shape::error_output;
    };
    std::size_t last = 0;
    bool any = false;
    for (std::size_t node = 0; node < layer_of_.size(); ++node) {
      any = any || is_output(picture_.nodes[node]);
      last = std::max(last, layer_of_[node] + (is_output(picture_.nodes[node]) ? 0 : 1));
    }
    if (!any) return;
    for (std::size_t node = 0; node < layer_of_.size(); ++node)
      if (is_output(picture_.nodes[node])) layer_of_[node] = last;
  }

  double box_width(const GraphPicture::Node& node) const {
    const double name = text_width * static_cast<double>(internal::display_width(node.text));
    const double detail = detail_width * static_cast<double>(internal::display_width(node.detail));
    return std::max(smallest_box, std::max(name, detail) + 2 * box_padding);
  }

  std::size_t add_slot(std::size_t layer, double width) {
    const std::size_t slot = slots_.size();
    slots_.push_back({layer, width, 0, {}, {}});
    layers_[layer].push_back(slot);
    return slot;
  }

  void connect(std::size_t top, std::size_t bottom) {
    slots_[top].below.push_back(bottom);
    slots_[bottom].above.push_back(top);
  }

  // The first slots are those of the nodes.
  void make_slots() {
    std::size_t count = 0;
    for (const std::size_t layer : layer_of_) count = std::max(count, layer + 1);
    layers_.resize(count);
    for (std::size_t node = 0; node < picture_.nodes.size(); ++node)
      add_slot(layer_of_[node], box_width(picture_.nodes[node]));
    // Edges that say the same of the same node share the bends.
    using Trunk = std::tuple<std::size_t, std::string, bool>;
    std::map<std::pair<Trunk, std::size_t>, std::size_t> bends;
    for (Way& way : ways_) {
      const auto& edge = picture_.edges[way.edge];
      // An upward edge has its arrow on top, so its way is its own.
      const Trunk trunk = way.upward ? Trunk(picture_.nodes.size() + way.edge, {}, false)
                                     : Trunk(way.top, edge.label, edge.conditional);
      std::size_t last = way.top;
      for (std::size_t layer = layer_of_[way.top] + 1; layer < layer_of_[way.bottom]; ++layer) {
        if (bends.size() >= most_bends) break;
        const auto [place, is_new] = bends.try_emplace({trunk, layer}, slots_.size());
        if (is_new) {
          add_slot(layer, 0);
          connect(last, place->second);
        }
        last = place->second;
        way.bends.push_back(last);
      }
      connect(last, way.bottom);
    }
  }

  // Orders each layer by the mean of its neighbours' places, from above and from below in turns.
  void order_layers() {
    std::vector<double> place(slots_.size(), 0);
    const auto number = [&](const std::vector<std::size_t>& layer) {
      // In the middle, so that layers of different lengths lie above each other.
      const double half = static_cast<double>(layer.size()) / 2;
      for (std::size_t index = 0; index < layer.size(); ++index)
        place[layer[index]] = static_cast<double>(index) + 0.5 - half;
    };
    for (const auto& layer : layers_) number(layer);
    std::vector<double> wanted(slots_.size(), 0);
    const auto sort = [&](std::vector<std::size_t>& layer, bool down) {
      for (const std::size_t slot : layer) {
        const auto& neighbours = down ? slots_[slot].above : slots_[slot].below;
        double sum = 0;
        for (const std::size_t other : neighbours) sum += place[other];
        wanted[slot] = neighbours.empty() ? place[slot] : sum / static_cast<double>(neighbours.size());
      }
      std::stable_sort(layer.begin(), layer.end(),
                       [&](std::size_t left, std::size_t right) { return wanted[left] < wanted[right]; });
      number(layer);
    };
    for (int sweep = 0; sweep < sweeps; ++sweep) {
      if (sweep % 2 == 0)
        for (auto& layer : layers_) sort(layer, true);
      else
        for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) sort(*layer, false);
    }
  }

  double distance(std::size_t left, std::size_t right) const {
    const bool bend = left >= picture_.nodes.size() || right >= picture_.nodes.size();
    return (slots_[left].width + slots_[right].width) / 2 + (bend ? bend_gap : column_gap);
  }

  // Brings every slot of a layer as near to where it wants to be as order and distances allow, in the sense of least
  // squares: neighbours that want the same place become a block around the mean of their wishes.
  void settle(const std::vector<std::size_t>& layer, bool down) {
    struct Block {
      double sum = 0;
      std::size_t count = 0;
      double mean() const { return sum / static_cast<double>(count); }
    };
    std::vector<double> offsets(layer.size(), 0);
    for (std::size_t index = 1; index < layer.size(); ++index)
      offsets[index] = offsets[index - 1] + distance(layer[index - 1], layer[index]);
    std::vector<Block> blocks;
    for (std::size_t index = 0; index < layer.size(); ++index) {
      const Slot& slot = slots_[layer[index]];
      const auto& neighbours = down ? slot.above : slot.below;
      double wish = 0;
      for (const std::size_t other : neighbours) wish += slots_[other].center;
      wish = neighbours.empty() ? slot.center : wish / static_cast<double>(neighbours.size());
      blocks.push_back({wish - offsets[index], 1});
      while (blocks.size() > 1 && blocks[blocks.size() - 2].mean() > blocks.back().mean()) {
        Block& before = blocks[blocks.size() - 2];
        before.sum += blocks.back().sum;
        before.count += blocks.back().count;
        blocks.pop_back();
      }
    }
    std::size_t index = 0;
    for (const Block& block : blocks)
      for (std::size_t member = 0; member < block.count; ++member, ++index)
        slots_[layer[index]].center = block.mean() + offsets[index];
  }

  void place_slots() {
    for (const auto& layer : layers_) {
      double center = 0;
      for (std::size_t index = 0; index < layer.size(); ++index) {
        if (index > 0) center += distance(layer[index - 1], layer[index]);
        slots_[layer[index]].center = center;
      }
      for (const std::size_t slot : layer) slots_[slot].center -= center / 2;
    }
    for (int sweep = 0; sweep < sweeps; ++sweep) {
      if (sweep % 2 == 0)
        for (const auto& layer : layers_) settle(layer, true);
      else
        for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) settle(*layer, false);
    }
    double left = 0, right = 0;
    bool first = true;
    for (const Slot& slot : slots_) {
      left = first ? slot.center - slot.width / 2 : std::min(left, slot.center - slot.width / 2);
      right = first ? slot.center + slot.width / 2 : std::max(right, slot.center + slot.width / 2);
      first = false;
    }
    for (Slot& slot : slots_) slot.center += picture_margin - left;
    layout_.width = right - left + 2 * picture_margin;
  }

  void place_boxes() {
    std::vector<double> heights(layers_.size(), one_line_box);
    for (std::size_t node = 0; node < picture_.nodes.size(); ++node)
      if (!picture_.nodes[node].detail.empty()) heights[layer_of_[node]] = two_line_box;
    double top = picture_margin;
    for (const double height : heights) {
      tops_.push_back(top);
      bottoms_.push_back(top + height);
      top += height + layer_gap;
    }
    layout_.height = heights.empty() ? 2 * picture_margin : top - layer_gap + picture_margin;
    for (std::size_t node = 0; node < picture_.nodes.size(); ++node) {
      const Slot& slot = slots_[node];
      const double y = tops_[slot.layer];
      layout_.boxes.push_back({{slot.center - slot.width / 2, y}, slot.width, bottoms_[slot.layer] - y, slot.layer});
    }
  }

  // Where lines touch a node: side by side in the order of where they come from or go to, so that they do not cross.
  using Ports = std::map<std::pair<std::size_t, std::size_t>, double>;  // node and neighbour

  Ports make_ports(bool down) const {
    Ports ports;
    for (std::size_t node = 0; node < picture_.nodes.size(); ++node) {
      std::vector<std::size_t> others = down ? slots_[node].below : slots_[node].above;
      std::sort(others.begin(), others.end(), [&](std::size_t left, std::size_t right) {
        return std::pair(slots_[left].center, left) < std::pair(slots_[right].center, right);
      });
      others.erase(std::unique(others.begin(), others.end()), others.end());
      const double step = slots_[node].width / static_cast<double>(others.size() + 1);
      for (std::size_t index = 0; index < others.size(); ++index)
        ports[{node, others[index]}] =
            slots_[node].center - slots_[node].width / 2 + step * static_cast<double>(index + 1);
    }
    return ports;
  }

  void draw_ways() {
    const Ports down = make_ports(true);
    const Ports up = make_ports(false);
    const auto x_at = [&](const Ports& ports, std::size_t slot, std::size_t other) {
      return slot < picture_.nodes.size() ? ports.at({slot, other}) : slots_[slot].center;
    };
    std::vector<bool> drawn(slots_.size(), false);  // bends
    for (const Way& way : ways_) {
      std::size_t last = way.top;
      const auto draw = [&](std::size_t next) {
        GraphLayout::Piece& piece = layout_.pieces.emplace_back();
        piece.edge = way.edge;
        piece.begin = {x_at(down, last, next), bottoms_[slots_[last].layer]};
        piece.end = {x_at(up, next, last), tops_[slots_[next].layer]};
        piece.arrow_at_begin = way.upward && last == way.top;
      };
      for (const std::size_t bend : way.bends) {
        if (!drawn[bend]) {
          draw(bend);
          const Slot& slot = slots_[bend];
          GraphLayout::Piece& through = layout_.pieces.emplace_back();
          through.edge = way.edge;
          through.begin = {slot.center, tops_[slot.layer]};
          through.end = {slot.center, bottoms_[slot.layer]};
          through.straight = true;
          drawn[bend] = true;
        }
        last = bend;
      }
      draw(way.bottom);
      layout_.pieces.back().arrow_at_end = !way.upward;
      layout_.pieces.back().labelled = !picture_.edges[way.edge].label.empty();
    }
  }

  const GraphPicture& picture_;
  GraphLayout layout_;
  std::vector<Way> ways_;
  std::vector<std::size_t> layer_of_;  // of nodes
  std::vector<Slot> slots_;
  std::vector<std::vector<std::size_t>> layers_;
  std::vector<double> tops_;  // of layers
  std::vector<double> bottoms_;
};

}  // namespace

GraphLayout lay_out(const GraphPicture& picture) {
  return Layouter(picture).run();
}

}  // namespace venvoy::report
