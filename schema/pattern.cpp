#include <re2/re2.h>

#include "schema/internal/wording.hpp"
#include "schema/type.hpp"

namespace venvoy::schema {

struct Pattern::Compiled {
  Compiled(const std::string& source, const re2::RE2::Options& options) : expression(source, options) {}
  re2::RE2 expression;
};

Pattern::Pattern(std::string source) : source_(std::move(source)) {
  if (source_.size() > max_length) {
    problem_ = "the pattern is longer than " + std::to_string(max_length) + " bytes";
    return;
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(max_memory);
  auto compiled = std::make_shared<const Compiled>(source_, options);
  if (compiled->expression.ok()) {
    compiled_ = std::move(compiled);
  } else {
    problem_ = shortened(compiled->expression.error());
  }
}

bool Pattern::found_in(std::string_view text) const {
  if (!compiled_) return true;
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), compiled_->expression);
}

}  // namespace venvoy::schema
