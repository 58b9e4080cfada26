// A dependency graph as a picture that needs nothing else to be looked at.
#pragma once

#include <string>

#include "report/graph_picture.hpp"

namespace venvoy::report {

// A whole SVG document, ending with a line feed: no script, no font and no file besides it; readable on light and on
// dark grounds. Whatever is in the picture's texts, it stays text. Deterministic.
std::string graph_svg(const GraphPicture& picture);

}  // namespace venvoy::report
