#include "support/golden.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace venvoy::test {

std::string golden_difference(const std::string& name, std::string_view actual) {
  const std::filesystem::path path = std::filesystem::path(VENVOY_TEST_DATA) / name;
  if (std::getenv("ACCEPT")) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << actual;
    return {};
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return "there is no golden file " + path.string() + "; ACCEPT=1 writes it";
  const std::string expected{std::istreambuf_iterator<char>(file), {}};
  if (expected == actual) return {};
  const auto [left, right] = std::mismatch(expected.begin(), expected.end(), actual.begin(), actual.end());
  const auto line = 1 + std::count(expected.begin(), left, '\n');
  return name + " differs from line " + std::to_string(line) + " on; got:\n" + std::string(actual);
}

}  // namespace venvoy::test
