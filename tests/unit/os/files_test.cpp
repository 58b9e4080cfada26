#include "os/files.hpp"

#include <csignal>
#include <fstream>
#include <functional>
#include <set>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>

#include "base/error.hpp"
#include "second_process.hpp"
#include "support/catch.hpp"
#include "support/temporary_dir.hpp"

using namespace venvoy;
using Catch::ContainsSubstring;
namespace fs = std::filesystem;

namespace {

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename());
  return names;
}

unsigned mode_of(const fs::path& path) {
  struct stat status = {};
  ::stat(path.c_str(), &status);
  return status.st_mode & 07777;
}

Error failure_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  throw std::runtime_error("it has not failed");
}

// While it lives, no file can grow beyond some bytes: what a full disk is like, for everybody's rights.
class SmallFiles {
 public:
  explicit SmallFiles(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit small{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
  }
  ~SmallFiles() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_;
  void (*handler_)(int);
};

}  // namespace

TEST_CASE("a file is read whole, up to the limit") {
  const test::TemporaryDir dir;
  const std::string text("a\0b", 3);
  std::ofstream(dir / "file", std::ios::binary) << text;
  fs::create_symlink("file", dir / "link");
  CHECK(os::read_file(dir / "file", 3) == text);
  CHECK(os::read_file(dir / "link", 3) == text);
  CHECK(os::read_file_if_there(dir / "file", 100) == text);
  const Error error = failure_of([&] { os::read_file(dir / "file", 2); });
  CHECK(error.code() == ErrorCode::limit);
  CHECK_THAT(error.what(), ContainsSubstring("longer than 2 bytes"));
}

TEST_CASE("files without a size of their own are read too") {
  CHECK_THAT(os::read_file("/proc/self/status", 1 << 20), ContainsSubstring("Pid:"));
}

TEST_CASE("what cannot be read is an error, what is not there may be nothing") {
  const test::TemporaryDir dir;
  ::mkfifo((dir / "fifo").c_str(), 0600);
  CHECK(failure_of([&] { os::read_file(dir / "none", 10); }).code() == ErrorCode::io);
  CHECK(os::read_file_if_there(dir / "none", 10) == std::nullopt);
  CHECK(os::read_file_if_there("/dev/null/x", 10) == std::nullopt);
  for (const fs::path& path : {dir.path(), dir / "fifo"}) {
    CHECK_THAT(failure_of([&] { os::read_file(path, 10); }).what(), ContainsSubstring("not a regular file"));
    CHECK_THAT(failure_of([&] { os::read_file_if_there(path, 10); }).what(), ContainsSubstring("not a regular file"));
  }
}

TEST_CASE("a pipe is read to its end where a person may name one") {
  const test::TemporaryDir dir;
  ::mkfifo((dir / "fifo").c_str(), 0600);
  std::ofstream(dir / "file") << "from a file";
  const auto read = [&](const char* name, std::size_t limit) { return os::read_file_or_pipe(dir / name, limit); };
  CHECK(read("file", 100) == "from a file");
  std::thread writer([&] { std::ofstream(dir / "fifo") << "from a pipe"; });
  CHECK(read("fifo", 100) == "from a pipe");
  writer.join();
  std::thread long_writer([&] { std::ofstream(dir / "fifo") << "too long"; });
  CHECK(failure_of([&] { read("fifo", 3); }).code() == ErrorCode::limit);
  long_writer.join();
  CHECK_THAT(failure_of([&] { os::read_file_or_pipe(dir.path(), 3); }).what(), ContainsSubstring("not a regular file"));
}

TEST_CASE("a file is written whole, with its mode, over an old one too") {
  const test::TemporaryDir dir;
  const std::string text = std::string(300'000, 'x') + '\0' + "end";
  const mode_t umask_before = ::umask(0077);
  os::write_file_atomically(dir / "file", "old");
  CHECK(mode_of(dir / "file") == 0600);
  os::write_file_atomically(dir / "file", text, 0644);
  ::umask(umask_before);
  CHECK(mode_of(dir / "file") == 0644);
  CHECK(os::read_file(dir / "file", 1 << 20) == text);
  CHECK(names_in(dir.path()) == std::set<std::string>{"file"});
}

TEST_CASE("a file can be written beside where we are, and with the longest of names") {
  const test::TemporaryDir dir;
  const fs::path before = fs::current_path();
  fs::current_path(dir.path());
  os::write_file_atomically("plain", "1");
  os::write_file_atomically(std::string(255, 'n'), "2");
  fs::current_path(before);
  CHECK(os::read_file(dir / "plain", 9) == "1");
  CHECK(os::read_file(dir / std::string(255, 'n'), 9) == "2");
}

TEST_CASE("a link in the place of the file is replaced, not followed") {
  const test::TemporaryDir dir;
  os::write_file_atomically(dir / "precious", "old");
  fs::create_symlink("precious", dir / "link");
  os::write_file_atomically(dir / "link", "new");
  CHECK(os::read_file(dir / "precious", 9) == "old");
  CHECK(os::read_file(dir / "link", 9) == "new");
}

TEST_CASE("a full disk leaves the old file and nothing else") {
  const test::TemporaryDir dir;
  os::write_file_atomically(dir / "file", "old");
  const Error error = failure_of([&] {
    const SmallFiles limit(1000);
    os::write_file_atomically(dir / "file", std::string(5000, 'x'));
  });
  CHECK(error.code() == ErrorCode::io);
  CHECK_THAT(error.what(), ContainsSubstring("file': File too large"));
  CHECK(os::read_file(dir / "file", 10) == "old");
  CHECK(names_in(dir.path()) == std::set<std::string>{"file"});
}

TEST_CASE("a rename that fails leaves nothing behind") {
  const test::TemporaryDir dir;
  fs::create_directories(dir / "target/full");
  const Error error = failure_of([&] { os::write_file_atomically(dir / "target", "text"); });
  CHECK_THAT(error.what(), ContainsSubstring("target': Is a directory"));
  CHECK(names_in(dir.path()) == std::set<std::string>{"target"});
}

TEST_CASE("a missing parent is an error that says so") {
  const test::TemporaryDir dir;
  const Error error = failure_of([&] { os::write_file_atomically(dir / "no/file", "text"); });
  CHECK_THAT(error.what(), ContainsSubstring("No such file or directory"));
  CHECK(names_in(dir.path()).empty());
}

TEST_CASE("a folder without permission to write is an error that says so") {
  const test::TemporaryDir dir;
  os::write_file_atomically(dir / "file", "old", 0644);
  test::give_to_unprivileged(dir.path());
  ::chmod(dir.path().c_str(), 0555);
  CHECK_THAT(test::unprivileged([&] { os::write_file_atomically(dir / "file", "new"); }),
             ContainsSubstring("file': Permission denied"));
  CHECK(os::read_file(dir / "file", 10) == "old");
  CHECK(names_in(dir.path()) == std::set<std::string>{"file"});
  ::chmod(dir.path().c_str(), 0755);
}

TEST_CASE("a directory is made once, with its mode whatever the umask") {
  const test::TemporaryDir dir;
  const mode_t umask_before = ::umask(0777);
  CHECK(os::make_directory(dir / "new", 0750));
  ::umask(umask_before);
  CHECK(mode_of(dir / "new") == 0750);
  CHECK_FALSE(os::make_directory(dir / "new", 0700));
  CHECK(mode_of(dir / "new") == 0750);
  os::write_file_atomically(dir / "file", "");
  CHECK_THAT(failure_of([&] { os::make_directory(dir / "file", 0700); }).what(), ContainsSubstring("File exists"));
  CHECK_THAT(failure_of([&] { os::make_directory(dir / "a/b", 0700); }).what(), ContainsSubstring("No such file"));
}

TEST_CASE("flushing what is no directory fails") {
  const test::TemporaryDir dir;
  os::flush_directory(dir.path());
  os::write_file_atomically(dir / "file", "");
  CHECK(failure_of([&] { os::flush_directory(dir / "file"); }).code() == ErrorCode::io);
}

TEST_CASE("a tree is listed by path: files and links, not what links lead to") {
  const test::TemporaryDir dir;
  fs::create_directories(dir / "b/c");
  fs::create_directories(dir / "empty");
  os::write_file_atomically(dir / "b/c/z", "12345");
  os::write_file_atomically(dir / "a", "");
  fs::create_symlink("b", dir / "to-folder");
  fs::create_symlink("nowhere", dir / "b/dangling");
  std::string text;
  for (const os::FileEntry& entry : os::list_tree(dir.path()))
    text += entry.path + " " + std::to_string(entry.size) + (entry.symlink ? " link\n" : "\n");
  CHECK(text == "a 0\nb/c/z 5\nb/dangling 7 link\nto-folder 1 link\n");
  CHECK_THAT(failure_of([&] { os::list_tree(dir / "none"); }).what(), ContainsSubstring("none'"));
}

TEST_CASE("random names are 16 hexadecimal digits and differ") {
  std::set<std::string> names;
  for (int i = 0; i < 1000; ++i) names.insert(os::random_name());
  CHECK(names.size() == 1000);
  for (const std::string& name : names) {
    CHECK(name.size() == 16);
    CHECK(name.find_first_not_of("0123456789abcdef") == name.npos);
  }
}
