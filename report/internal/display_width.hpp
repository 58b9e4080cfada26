// How wide a text is on a terminal.
#pragma once

#include <cstddef>
#include <string_view>

namespace venvoy::report::internal {

// In cells: two for a wide character (East Asian wide and fullwidth, pictures), none for one that joins the one before
// it, one for all others. The text is valid UTF-8 without control characters. Asks no locale: a library has none.
std::size_t display_width(std::string_view text) noexcept;

}  // namespace venvoy::report::internal
