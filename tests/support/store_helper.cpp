// A second process for tests of the store. It reads one command a line and answers each with one line; the end of its
// input ends it. Usage: store-helper WORKDIR [USER]; with USER, root becomes that user first.
//
//   build KEY FILES | rebuild KEY FILES   lease_or_build, fill, publish    "built GEN" | "leased GEN"
//   begin KEY                             lease_or_build, fill nothing     "building GEN" | "leased GEN"
//   publish                               what was begun                   "built GEN"
//   lease KEY                                                              "leased GEN" | "absent"
//   release                               lease and building               "released"
//   work                                  a work directory, kept           "work PATH"
//   mirror-lock NAME                      the lock of a mirror, kept       "locked"
//   counters                                                               "hits misses builds waits swept"
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "base/error.hpp"
#include "cache/manifest.hpp"
#include "cache/store.hpp"
#include "os/file_lock.hpp"

namespace {

using namespace venvoy;
using namespace venvoy::cache;

class Helper {
 public:
  explicit Helper(Store store) : store_(std::move(store)) {}

  std::string answer(const std::string& line) {
    std::istringstream words(line);
    std::string command, name;
    int files = 0;
    words >> command >> name >> files;
    if (command == "build") return begin(name, WhenReady::use) ? fill_and_publish(files) : leased();
    if (command == "rebuild") return begin(name, WhenReady::rebuild) ? fill_and_publish(files) : leased();
    if (command == "begin")
      return begin(name, WhenReady::use) ? fmt::format("building {}", building_->generation()) : leased();
    if (command == "publish") return fill_and_publish(0);
    if (command == "lease") return (lease_ = store_.lease(key(name))) ? leased() : "absent";
    if (command == "release") return release();
    if (command == "work") return "work " + work_dirs_.emplace_back(store_.make_work_dir()).path().string();
    if (command == "mirror-lock") return lock_mirror(name);
    if (command == "counters") return counters();
    return "unknown command";
  }

 private:
  static Key key(const std::string& name) { return KeyBuilder{}.add("name", name).finish(); }

  bool begin(const std::string& name, WhenReady when_ready) {
    auto result = store_.lease_or_build(key(name), when_ready, {});
    if (auto* lease = std::get_if<Lease>(&result)) {
      lease_ = std::move(*lease);
      return false;
    }
    building_ = std::move(std::get<Building>(result));
    return true;
  }

  std::string fill_and_publish(int files) {
    for (int i = 0; i < files; ++i) {
      const auto folder = building_->path() / fmt::format("folder-{}", i / 20);
      std::filesystem::create_directories(folder);
      std::ofstream(folder / fmt::format("file-{}", i)) << std::string(static_cast<std::size_t>(100 + i), 'x');
    }
    Lease lease = building_->publish({.details = {{"files", files}}});
    building_.reset();
    lease_ = std::move(lease);
    return fmt::format("built {}", lease_->generation());
  }

  std::string leased() const { return fmt::format("leased {}", lease_->generation()); }

  std::string release() {
    lease_.reset();
    building_.reset();
    return "released";
  }

  std::string lock_mirror(const std::string& name) {
    locks_.push_back(os::FileLock::wait(store_.lock_file(Bucket::git, name), os::LockMode::shared, {}));
    return "locked";
  }

  std::string counters() const {
    const Statistics s = store_.statistics();
    return fmt::format("{} {} {} {} {}", s.hits, s.misses, s.builds, s.waits, s.swept);
  }

  Store store_;
  std::optional<Lease> lease_;
  std::optional<Building> building_;
  std::vector<WorkDir> work_dirs_;
  std::vector<os::FileLock> locks_;
};

std::string one_line(std::string text) {
  for (char& c : text)
    if (c == '\n') c = ' ';
  return text;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc > 2 && geteuid() == 0 && (setgid(65534) != 0 || setuid(static_cast<uid_t>(std::stoul(argv[2]))) != 0))
    return 1;
  Helper helper(Store::open({.workdir = argv[1], .uid = geteuid()}));
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line);) std::cout << one_line(helper.answer(line)) << std::endl;
  return 0;
} catch (const Error& error) {
  std::cout << one_line(fmt::format("error: {}; {}", error.what(), error.hint())) << std::endl;
  return 1;
}
