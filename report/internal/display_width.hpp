// How wide a text is on a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace venvoy::report::internal {

// In cells: two for a wide character (East Asian wide and fullwidth, pictures), none for one that joins the one before
// it, one for all others. The text is valid UTF-8 without control characters. Asks no locale: a library has none.
std::size_t display_width(std::string_view text) noexcept;

// What a terminal would obey instead of showing it becomes a question mark, and what is no UTF-8 U+FFFD. A tab stays.
std::string printable(std::string_view text);

// The text if it fits into so many cells, else as much of it as fits before the mark. No wide character is cut in two.
// The text is as display_width wants it; the mark is one cell wide.
std::string cut_to_width(std::string_view text, std::size_t cells, std::string_view mark);

}  // namespace venvoy::report::internal
