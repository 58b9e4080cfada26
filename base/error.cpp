#include "base/error.hpp"

#include <system_error>

#include <fmt/format.h>

namespace venvoy {

Error::Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)), what_(message_) {}

Error& Error::add_frame(std::string frame) {
  what_ = fmt::format("{} ({})", frame, what_);
  frames_.push_back(std::move(frame));
  return *this;
}

Error& Error::at(Position position) {
  if (!position_.known()) position_ = std::move(position);
  return *this;
}

Error& Error::with_hint(std::string hint) {
  hint_ = std::move(hint);
  return *this;
}

Error system_error(int error_number, std::string_view doing, ErrorCode code) {
  return Error(code, fmt::format("{}: {}", doing, std::generic_category().message(error_number)));
}

}  // namespace venvoy
