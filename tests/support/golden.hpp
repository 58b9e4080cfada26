// Golden files: what is expected, byte for byte, in tests/data.
#pragma once

#include <string>
#include <string_view>

namespace venvoy::test {

// Compares with tests/data/<name>; with ACCEPT=1 in the environment it writes the file anew instead. Returns "" or what
// differs.
std::string golden_difference(const std::string& name, std::string_view actual);

}  // namespace venvoy::test

#define CHECK_GOLDEN(name, actual) CHECK(venvoy::test::golden_difference(name, actual) == "")
