// What a record may be called.
#pragma once

#include <string_view>

#include "cache/bucket.hpp"

namespace venvoy::cache::internal {

bool holds_records(Bucket bucket) noexcept;
// Names that start with '.' are those of files being written.
bool is_record_name(std::string_view name) noexcept;

}  // namespace venvoy::cache::internal
