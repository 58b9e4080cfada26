// PEM blocks in texts (RFC 7468): "-----BEGIN X-----" to "-----END X-----".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace venvoy::report::internal {

bool mentions_pem(std::string_view text) noexcept;

// What stands between the two lines of each block, in the order of the text.
std::vector<std::string_view> pem_blocks(std::string_view text);

// The text with `mask` in the place of each block, its two lines included. A block that is cut off at its end goes to
// the end of the text; of one that is cut off at its beginning the lines before its end go that are nothing but base64.
std::string without_pem(std::string_view text, std::string_view mask);

// Whether a line begins or ends a block: for texts that come line by line.
bool begins_pem(std::string_view line) noexcept;
bool ends_pem(std::string_view line) noexcept;

}  // namespace venvoy::report::internal
