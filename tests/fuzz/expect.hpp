// What a fuzz target demands beside "no crash".
#pragma once

#include <cstdlib>
#include <iostream>

namespace venvoy::fuzz {

// Ends the process, which is how a fuzzer learns of a finding. Also in a release build, where assert() is nothing.
inline void expect(bool holds, const char* what) {
  if (holds) return;
  std::cerr << "does not hold: " << what << std::endl;
  std::abort();
}

}  // namespace venvoy::fuzz
