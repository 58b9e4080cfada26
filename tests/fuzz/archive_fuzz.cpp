// Archives of policies.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "expect.hpp"
#include "governance/archive.hpp"

namespace {

namespace fs = std::filesystem;
using namespace venvoy;

// A folder with a neighbour that nobody may touch; removed at the end of the process.
struct Place {
  Place() {
    std::string name = (fs::temp_directory_path() / "archive-fuzz-XXXXXX").string();
    fuzz::expect(::mkdtemp(name.data()) != nullptr, "a folder can be made");
    root = name;
    fs::create_directory(root / "neighbour");
  }
  ~Place() { fs::remove_all(root); }
  fs::path root;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Place place;
  const fs::path target = place.root / "target";
  fs::remove_all(target);
  fs::create_directory(target);
  const governance::ArchiveLimits limits{1 << 20, 100, 1024, 32};
  try {
    governance::extract_policy_archive({reinterpret_cast<const char*>(data), size}, target, limits);
    fuzz::expect(fs::is_regular_file(fs::symlink_status(target / "code/function.py")), "a policy is there");
  } catch (const Error&) {
    // Whatever is left lies in the target.
  }
  std::uintmax_t bytes = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(target)) {
    const auto status = entry.symlink_status();
    fuzz::expect(fs::is_regular_file(status) || fs::is_directory(status), "only files and folders are made");
    if (fs::is_regular_file(status)) bytes += entry.file_size();
  }
  fuzz::expect(bytes <= limits.max_bytes * 2, "it is not larger than it may be");
  fuzz::expect(fs::is_empty(place.root / "neighbour"), "nothing is written outside");
  std::size_t beside = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(place.root)) ++beside;
  fuzz::expect(beside == 2, "nothing is written beside");
  return 0;
}
