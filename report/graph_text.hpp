// A dependency graph in the languages of other programs that draw.
#pragma once

#include <string>

#include "report/graph_picture.hpp"

namespace venvoy::report {

// Text for Graphviz (`dot -Tpdf`), ending with a line feed. Whatever is in the picture's texts, it stays text.
std::string graph_dot(const GraphPicture& picture);

}  // namespace venvoy::report
