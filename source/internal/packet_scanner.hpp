// Finds the server's error message in what it sends.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace venvoy::source {

// Follows the packet lines of git's protocol (four hexadecimal digits of length, then content) without keeping them.
// libgit2 1.5 drops the text of errors that come while objects are awaited; here it is kept: "ERR text" and lines of
// the third side band. Stops where no packet line begins.
class PacketScanner {
 public:
  void restart() noexcept;
  void feed(std::string_view bytes);
  const std::string& error() const noexcept { return error_; }

 private:
  static constexpr std::size_t max_error_length = 1000;

  bool take_length(char digit);
  void end_packet();

  bool lost_ = false;
  std::size_t length_digits_ = 0;
  std::size_t length_ = 0;
  std::size_t left_ = 0;
  std::string start_;  // of the packet's content, as far as it may be an error
  std::string error_;
};

}  // namespace venvoy::source
