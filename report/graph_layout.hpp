// Where the parts of a graph's picture stand: pure geometry, no form of output.
#pragma once

#include <cstddef>
#include <vector>

#include "report/graph_picture.hpp"

namespace venvoy::report {

// Lengths are in pixels; x goes to the right, y goes down, everything lies in [0, width] × [0, height].
struct GraphLayout {
  struct Point {
    double x = 0;
    double y = 0;
  };
  struct Box {
    Point corner;  // upper left
    double width = 0;
    double height = 0;
    std::size_t layer = 0;
  };
  // A piece of an edge. Edges that say the same of the same node share their way as far as it is the same, and the
  // pieces of it are there once.
  struct Piece {
    std::size_t edge = 0;  // in the picture: the one that it is drawn for, the first of several
    Point begin;
    Point end;
    bool straight = false;  // down through a layer; else a curve from one layer to another
    bool arrow_at_begin = false;
    bool arrow_at_end = false;
    bool labelled = false;  // this is where the edge's label belongs
  };
  double width = 0;
  double height = 0;
  std::vector<Box> boxes;  // of the picture's nodes
  std::vector<Piece> pieces;
};

// Inputs are on top, workflow outputs at the bottom, and a step stands below everything that it needs. Steps may need
// each other in a circle (one is stopped by the other's output): then one of the edges goes up. Deterministic, and
// close to linear in what is drawn. Texts are valid UTF-8.
GraphLayout lay_out(const GraphPicture& picture);

}  // namespace venvoy::report
