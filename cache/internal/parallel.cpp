#include "cache/internal/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace venvoy::cache::internal {
namespace {

constexpr std::size_t most_threads = 4;
// Fewer items than this are not worth a thread.
constexpr std::size_t items_per_thread = 64;

std::size_t helpers_for(std::size_t count) {
  const std::size_t processors = std::max(1u, std::thread::hardware_concurrency());
  return std::min({most_threads, processors, 1 + count / items_per_thread}) - 1;
}

}  // namespace

void for_each_index(std::size_t count, const CancelToken& cancel, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::exception_ptr failure;
  const auto run = [&] {
    try {
      for (std::size_t i; (i = next.fetch_add(1)) < count;) {
        cancel.check();
        work(i);
      }
    } catch (...) {
      next = count;
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> helpers;
    try {
      for (std::size_t i = 0; i < helpers_for(count); ++i) helpers.emplace_back(run);
    } catch (const std::system_error&) {
      // No more threads to be had: those that are there do it all.
    }
    run();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace venvoy::cache::internal
