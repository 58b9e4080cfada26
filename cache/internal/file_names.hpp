// Names of files as printable ASCII; see ready_file.hpp.
#pragma once

#include <string>
#include <string_view>

namespace venvoy::cache::internal {

std::string to_printable(std::string_view bytes);
// The way back. A '%' that is not followed by two hexadecimal digits stands for itself.
std::string from_printable(std::string_view text);

}  // namespace venvoy::cache::internal
