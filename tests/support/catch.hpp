// Catch2, version 2 or 3.
#pragma once

#ifdef VENVOY_CATCH2_V2
#include <catch2/catch.hpp>
namespace Catch {
using Matchers::Contains;
inline auto ContainsSubstring(const std::string& text) {
  return Contains(text);
}
}  // namespace Catch
#else
#include <catch2/catch_all.hpp>
namespace Catch {
using Matchers::ContainsSubstring;
}
#endif
