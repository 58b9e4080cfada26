// Counts what operator new gives out in this test program, with every build and sanitizer.
#pragma once

#include <cstddef>

namespace venvoy::test {

// The most bytes that were in use at one time since its construction, beyond what was in use then.
class MemoryPeak {
 public:
  MemoryPeak() noexcept;
  std::size_t bytes() const noexcept;

 private:
  std::size_t start_;
};

}  // namespace venvoy::test
