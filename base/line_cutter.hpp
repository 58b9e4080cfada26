// A stream of bytes as lines.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace venvoy {

// Lines end with LF or CR LF, which is not part of them. A line longer than `max_line` bytes comes in pieces.
class LineCutter {
 public:
  static constexpr std::size_t max_line = std::size_t{64} << 10;

  // Calls `use(std::string_view)` for each line that ends in these bytes.
  template <class Use>
  void add(std::string_view bytes, const Use& use) {
    for (std::size_t end = 0; (end = bytes.find('\n')) != bytes.npos; bytes.remove_prefix(end + 1)) {
      line_.append(bytes.substr(0, end));
      if (line_.ends_with('\r')) line_.pop_back();
      give(use);
    }
    line_.append(bytes);
    if (line_.size() >= max_line) give(use);
  }

  // What has come without an end of line.
  template <class Use>
  void finish(const Use& use) {
    if (!line_.empty()) give(use);
  }

 private:
  template <class Use>
  void give(const Use& use) {
    const std::string line = std::exchange(line_, {});
    use(std::string_view(line));
  }

  std::string line_;
};

}  // namespace venvoy
