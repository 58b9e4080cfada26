// The numbers of versions, as far as specifiers of releases go (PEP 440, and Poetry's own).
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace venvoy::venv::internal {

// The numbers of a release; what follows them ("rc1", "+local") is not looked at.
struct Release {
  std::vector<int> numbers;
  bool star = false;       // ended in ".*"
  std::size_t length = 0;  // of the text that was understood
};

// Nothing if the text does not begin with a release.
std::optional<Release> read_release(std::string_view text);

// The first version that is too new: with the number at `index` one higher and nothing behind it.
std::vector<int> next_at(std::vector<int> numbers, std::size_t index);

// The first version that Poetry's "^1.2" and "~1.2" do not take. `numbers` is not empty.
std::vector<int> caret_end(const std::vector<int>& numbers);
std::vector<int> tilde_end(const std::vector<int>& numbers);

}  // namespace venvoy::venv::internal
