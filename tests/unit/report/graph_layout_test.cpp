#include "report/graph_layout.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <string>

#include "support/catch.hpp"

namespace venvoy::report {
namespace {

using Shape = GraphPicture::Shape;
using Box = GraphLayout::Box;
using Piece = GraphLayout::Piece;

// A picture in short: nodes by name ("in…" inputs, "out…" outputs), edges as "a>b".
GraphPicture picture(const std::vector<std::string>& nodes,
                     const std::vector<std::pair<std::string, std::string>>& edges) {
  GraphPicture result;
  std::map<std::string, std::size_t> places;
  for (const std::string& name : nodes) {
    places[name] = result.nodes.size();
    const Shape shape = name.starts_with("in") ? Shape::input : name.starts_with("out") ? Shape::output : Shape::step;
    result.nodes.push_back({name, name, {}, {}, shape});
  }
  for (const auto& [from, to] : edges) result.edges.push_back({places.at(from), places.at(to), {}, false});
  return result;
}

bool overlap(const Box& left, const Box& right) {
  return left.corner.x < right.corner.x + right.width && right.corner.x < left.corner.x + left.width &&
         left.corner.y < right.corner.y + right.height && right.corner.y < left.corner.y + left.height;
}

// What holds of every layout. Only boxes of one layer can overlap, so only they are compared.
void check_sound(const GraphPicture& given, const GraphLayout& layout) {
  REQUIRE(layout.boxes.size() == given.nodes.size());
  std::map<std::size_t, std::vector<Box>> layers;
  bool inside = true;
  for (const Box& box : layout.boxes) {
    inside = inside && box.corner.x >= 0 && box.corner.y >= 0 && box.corner.x + box.width <= layout.width + 0.01 &&
             box.corner.y + box.height <= layout.height + 0.01;
    layers[box.layer].push_back(box);
  }
  CHECK(inside);
  bool apart = true;
  double bottom = -1;
  for (auto& [number, layer] : layers) {
    std::sort(layer.begin(), layer.end(), [](const Box& a, const Box& b) { return a.corner.x < b.corner.x; });
    for (std::size_t index = 1; index < layer.size(); ++index)
      apart = apart && !overlap(layer[index - 1], layer[index]);
    for (const Box& box : layer) apart = apart && box.corner.y > bottom;
    bottom = layer.front().corner.y + layer.front().height;
  }
  CHECK(apart);
  // Each edge has one arrow; curves go down.
  std::size_t arrows = 0;
  bool down = true;
  for (const Piece& piece : layout.pieces) {
    arrows += (piece.arrow_at_begin ? 1 : 0) + (piece.arrow_at_end ? 1 : 0);
    down = down && piece.begin.y < piece.end.y;
  }
  const auto loops =
      std::count_if(given.edges.begin(), given.edges.end(), [](const auto& e) { return e.from == e.to; });
  CHECK(arrows + static_cast<std::size_t>(loops) == given.edges.size());
  CHECK(down);
}

TEST_CASE("steps stand below what they need, outputs at the bottom, the input on top") {
  const GraphPicture given = picture({"in", "c", "b", "a", "alone", "out1", "out2"},
                                     {{"in", "a"}, {"a", "b"}, {"b", "c"}, {"a", "c"}, {"c", "out1"}, {"in", "out2"}});
  const GraphLayout layout = lay_out(given);
  check_sound(given, layout);
  std::vector<std::size_t> layers;
  for (const Box& box : layout.boxes) layers.push_back(box.layer);
  CHECK(layers == std::vector<std::size_t>{0, 3, 2, 1, 1, 4, 4});
}

TEST_CASE("an empty picture, and one of a single node") {
  CHECK(lay_out({}).boxes.empty());
  const GraphPicture given = picture({"a"}, {{"a", "a"}});
  check_sound(given, lay_out(given));
  CHECK(lay_out(given).pieces.empty());
}

TEST_CASE("an edge over several layers passes beside the boxes in between") {
  const GraphPicture given = picture({"in", "a", "b", "c"}, {{"in", "a"}, {"a", "b"}, {"b", "c"}, {"in", "c"}});
  const GraphLayout layout = lay_out(given);
  check_sound(given, layout);
  std::size_t passes = 0;
  for (const Piece& piece : layout.pieces) {
    if (!piece.straight) continue;
    ++passes;
    CHECK(piece.begin.x == piece.end.x);
    for (const Box& box : layout.boxes) {
      const bool beside = piece.begin.x < box.corner.x || piece.begin.x > box.corner.x + box.width;
      const bool elsewhere = piece.end.y <= box.corner.y || piece.begin.y >= box.corner.y + box.height;
      CHECK((beside || elsewhere));
    }
  }
  CHECK(passes == 2);
}

TEST_CASE("edges that say the same of the same node share their way") {
  GraphPicture given = picture({"in", "a", "b", "x", "y"}, {{"in", "a"}, {"a", "b"}, {"b", "x"}, {"b", "y"}});
  const auto passes = [&] {
    const GraphLayout layout = lay_out(given);
    check_sound(given, layout);
    return std::count_if(layout.pieces.begin(), layout.pieces.end(), [](const Piece& piece) { return piece.straight; });
  };
  given.edges.push_back({0, 3, {}, false});
  CHECK(passes() == 2);
  given.edges.push_back({0, 4, {}, false});
  CHECK(passes() == 2);
  given.edges.back().label = "other";
  CHECK(passes() == 4);
  given.edges.back() = {0, 4, {}, true};
  CHECK(passes() == 4);
}

TEST_CASE("nodes are ordered so that lines need not cross") {
  const GraphPicture given = picture({"p", "q", "r", "s"}, {{"p", "s"}, {"q", "r"}});
  const GraphLayout layout = lay_out(given);
  check_sound(given, layout);
  CHECK((layout.boxes[0].corner.x < layout.boxes[1].corner.x) == (layout.boxes[3].corner.x < layout.boxes[2].corner.x));
}

TEST_CASE("steps that need each other in a circle: one edge goes up") {
  GraphPicture given = picture({"in", "a", "b", "c"}, {{"in", "a"}, {"a", "b"}, {"b", "c"}, {"c", "a"}});
  given.edges.back().label = "crashed.error";
  const GraphLayout layout = lay_out(given);
  check_sound(given, layout);
  std::vector<std::size_t> upward;
  for (const Piece& piece : layout.pieces) {
    if (piece.arrow_at_begin) upward.push_back(piece.edge);
    CHECK(piece.labelled == (piece.edge == 3 && !piece.straight && piece.end.y > layout.boxes[2].corner.y + 1));
  }
  CHECK(upward == std::vector<std::size_t>{3});
}

TEST_CASE("a wider text gives a wider box, a detail a higher one") {
  GraphPicture given = picture({"a", "b"}, {});
  given.nodes[1].text = "a step with a long name";
  const GraphLayout one = lay_out(given);
  check_sound(given, one);
  CHECK(one.boxes[1].width > one.boxes[0].width);
  given.nodes[1].detail = "detail";
  CHECK(lay_out(given).boxes[1].height > one.boxes[1].height);
}

TEST_CASE("large graphs: side by side, one after the other, and thickets") {
  std::mt19937 random(7);
  const std::size_t count = 1000;
  GraphPicture given = picture({"in"}, {});
  for (std::size_t index = 0; index < count; ++index)
    given.nodes.push_back({"s" + std::to_string(index), "step " + std::to_string(index), "detail", {}, Shape::step});
  SECTION("side by side") {
    for (std::size_t index = 1; index <= count; ++index) given.edges.push_back({0, index, {}, false});
  }
  SECTION("one after the other, each with the input") {
    for (std::size_t index = 1; index <= count; ++index) given.edges.push_back({0, index, {}, false});
    for (std::size_t index = 2; index <= count; ++index) given.edges.push_back({index - 1, index, {}, false});
  }
  SECTION("anything") {
    for (std::size_t index = 1; index <= count; ++index)
      for (int times = 0; times < 3; ++times) given.edges.push_back({random() % index, index, {}, false});
  }
  SECTION("one after the other, each with another one before") {
    for (std::size_t index = 2; index <= count; ++index) {
      given.edges.push_back({index - 1, index, {}, false});
      given.edges.push_back({random() % index, index, {}, true});
    }
  }
  const GraphLayout layout = lay_out(given);
  check_sound(given, layout);
  CHECK(layout.pieces.size() < 130'000);
}

}  // namespace
}  // namespace venvoy::report
