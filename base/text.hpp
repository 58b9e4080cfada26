// Small things about text that several folders need.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace venvoy {

// The candidate that `word` was most likely meant to be: the least edit distance (insertion, deletion, replacement and
// swap of neighbours count 1), if that is at most a third of the longer word and at least 1. Ties: the first.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);

// ", did you mean 'x'?" or nothing: the end of a message about an unknown name.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

// 'a', 'b', 'c'
std::string quoted_list(const std::vector<std::string>& words);

bool is_valid_utf8(std::string_view text) noexcept;
// Code points of valid UTF-8; bytes that are not part of any count as one each.
std::size_t count_code_points(std::string_view text) noexcept;
// The text with every byte that is not part of valid UTF-8 replaced by U+FFFD.
std::string to_valid_utf8(std::string_view text);

// At most `limit` bytes of the end of a text, from the start of a line where one starts in it.
std::string_view tail(std::string_view text, std::size_t limit) noexcept;

// ASCII digits only, whatever the locale.
constexpr bool is_digit(char symbol) noexcept {
  return symbol >= '0' && symbol <= '9';
}
constexpr bool is_in(std::string_view set, char symbol) noexcept {
  return set.find(symbol) != std::string_view::npos;
}

std::string_view trim(std::string_view text) noexcept;
std::vector<std::string_view> split_lines(std::string_view text);

}  // namespace venvoy
