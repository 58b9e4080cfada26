// What goes wrong with an expression.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/error.hpp"

namespace venvoy::expressions {

// An expression that does not parse or does not type (code document), or that fails on its data (code evaluation). The
// fragments of spec/expressions.md 11.1 are in the messages.
class ExpressionError : public Error {
 public:
  ExpressionError(ErrorCode code, std::string message, std::optional<std::size_t> offset = {}, bool absent = false);

  // The byte in the original text of the expression at which what is wrong stands; nothing in the errors of a
  // function, which does not know the expression that calls it (evaluate() adds it).
  std::optional<std::size_t> offset() const noexcept { return offset_; }

  // The evaluation failed because an object or map does not have what a name after a dot (or at the start) asks for: as
  // with an optional property that is not there. A missing key in brackets is a plain error.
  bool absent() const noexcept { return absent_; }

 private:
  std::optional<std::size_t> offset_;
  bool absent_;
};

}  // namespace venvoy::expressions
