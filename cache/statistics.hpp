// What a store has done since it was opened: for tests, which must not judge by time, and for reports.
#pragma once

#include <cstdint>

namespace venvoy::cache {

struct Statistics {
  std::uint64_t hits = 0;     // leases of something that was ready
  std::uint64_t misses = 0;   // look-ups that found nothing
  std::uint64_t gaps = 0;     // something that was ready had lost or changed a file
  std::uint64_t builds = 0;   // published here
  std::uint64_t waits = 0;    // for a builder in another process or thread
  std::uint64_t swept = 0;    // rubbish and superseded directories removed
  std::uint64_t evicted = 0;  // entries removed by prune or clear
};

}  // namespace venvoy::cache
