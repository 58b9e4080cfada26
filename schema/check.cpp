#include "schema/check.hpp"

#include <utility>

namespace venvoy::schema {
namespace {

std::string first_sentence(const std::vector<Mismatch>& mismatches) {
  return mismatches.empty() ? "Validation failed" : mismatches.front().sentence();
}

}  // namespace

std::string Mismatch::sentence() const {
  std::string way;
  for (const std::string& segment : path) way.append(way.empty() ? " for '" : " -> '").append(segment).append("'");
  return "Validation failed" + way + ": " + text;
}

MismatchError::MismatchError(std::vector<Mismatch> mismatches)
    : Error(ErrorCode::schema, first_sentence(mismatches)), mismatches_(std::move(mismatches)) {
  if (!mismatches_.empty()) at(mismatches_.front().at);
}

}  // namespace venvoy::schema
