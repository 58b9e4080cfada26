// The same work for many items, on a few threads.
#pragma once

#include <cstddef>
#include <functional>

#include "base/cancel.hpp"

namespace venvoy::cache::internal {

// Calls work(0) … work(count - 1), each once, in any order; blocks until all are done. The first exception, or an Error
// (cancelled), is thrown when all threads have ended.
void for_each_index(std::size_t count, const CancelToken& cancel, const std::function<void(std::size_t)>& work);

}  // namespace venvoy::cache::internal
