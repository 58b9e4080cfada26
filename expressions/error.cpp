#include "expressions/error.hpp"

#include <utility>

namespace venvoy::expressions {

ExpressionError::ExpressionError(ErrorCode code, std::string message, std::optional<std::size_t> offset, bool absent)
    : Error(code, std::move(message)), offset_(offset), absent_(absent) {}

}  // namespace venvoy::expressions
