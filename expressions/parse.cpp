#include "expressions/parse.hpp"

#include <memory>
#include <string>

#include "expressions/internal/message.hpp"
#include "expressions/internal/parser.hpp"

namespace venvoy::expressions {

Expression parse(std::string_view text, const ParseLimits& limits) {
  if (text.size() > limits.max_bytes)
    throw ExpressionError(ErrorCode::document,
                          "failed to parse expression: " + excerpt(text) + " (longer than " +
                              std::to_string(limits.max_bytes) + " bytes)",
                          0);
  return Expression(std::make_shared<const Tree>(Parser(text, limits).run()));
}

}  // namespace venvoy::expressions
