// Texts for XML and HTML: whatever is in them, they stay text.
#pragma once

#include <string>
#include <string_view>

namespace venvoy::report::internal {

// For one line, also in an attribute between double quotes: what XML has no place for, even as a reference, becomes a
// blank or U+FFFD, and so do line feeds and tabs.
std::string xml_text(std::string_view text);
// For an element: the same, but with line feeds and tabs.
std::string xml_lines(std::string_view text);

}  // namespace venvoy::report::internal
