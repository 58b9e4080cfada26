#include "venv/internal/release.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

namespace venvoy::venv::internal {

std::optional<Release> read_release(std::string_view text) {
  Release release;
  const char* place = text.data();
  const char* const end = text.data() + text.size();
  for (;;) {
    if (place != end && *place == '*') {
      release.star = true;
      ++place;
      break;
    }
    int number = 0;
    const auto [after, error] = std::from_chars(place, end, number);
    if (error != std::errc()) return std::nullopt;
    release.numbers.push_back(number);
    place = after;
    if (place == end || *place != '.') break;
    ++place;
  }
  release.length = static_cast<std::size_t>(place - text.data());
  return release;
}

std::vector<int> next_at(std::vector<int> numbers, std::size_t index) {
  numbers.resize(index + 1);
  ++numbers[index];
  return numbers;
}

// Up to the next change of the first number that is not 0.
std::vector<int> caret_end(const std::vector<int>& numbers) {
  std::size_t index = 0;
  while (index + 1 < numbers.size() && numbers[index] == 0) ++index;
  return next_at(numbers, index);
}

std::vector<int> tilde_end(const std::vector<int>& numbers) {
  return next_at(numbers, std::min<std::size_t>(1, numbers.size() - 1));
}

}  // namespace venvoy::venv::internal
