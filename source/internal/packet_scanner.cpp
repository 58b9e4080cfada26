#include "source/internal/packet_scanner.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace venvoy::source {
namespace {

constexpr std::size_t length_size = 4;
constexpr char error_band = '\3';
constexpr std::string_view error_word = "ERR ";

bool may_be_error(std::string_view start) noexcept {
  if (start.empty() || start.front() == error_band) return true;
  const auto compared = std::min(start.size(), error_word.size());
  return start.substr(0, compared) == error_word.substr(0, compared);
}

}  // namespace

void PacketScanner::restart() noexcept {
  lost_ = false;
  length_digits_ = length_ = left_ = 0;
  start_.clear();
}

bool PacketScanner::take_length(char digit) {
  const auto place = std::string_view("0123456789abcdefABCDEF").find(digit);
  if (place == std::string_view::npos) return false;
  length_ = length_ * 16 + (place > 15 ? place - 6 : place);
  if (++length_digits_ < length_size) return true;
  left_ = length_ > length_size ? length_ - length_size : 0;
  if (left_ == 0) length_digits_ = length_ = 0;
  start_.clear();
  return true;
}

void PacketScanner::end_packet() {
  length_digits_ = length_ = 0;
  const bool word = start_.size() > error_word.size() && start_.compare(0, error_word.size(), error_word) == 0;
  const bool band = !start_.empty() && start_.front() == error_band;
  if (error_.empty() && (word || band))
    error_ = to_valid_utf8(trim(std::string_view(start_).substr(word ? error_word.size() : 1)));
}

void PacketScanner::feed(std::string_view bytes) {
  while (!lost_ && !bytes.empty()) {
    if (left_ == 0) {
      lost_ = !take_length(bytes.front());
      bytes.remove_prefix(1);
      continue;
    }
    const std::string_view part = bytes.substr(0, left_);
    if (start_.size() < max_error_length && may_be_error(start_))
      start_ += part.substr(0, max_error_length - start_.size());
    left_ -= part.size();
    bytes.remove_prefix(part.size());
    if (left_ == 0) end_packet();
  }
}

}  // namespace venvoy::source
