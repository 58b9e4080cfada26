#include "os/fd.hpp"

#include <fcntl.h>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.hpp"
#include "support/catch.hpp"
#include "support/temporary_dir.hpp"

using namespace venvoy;
using Catch::ContainsSubstring;

namespace {

bool is_open(int number) {
  return ::fcntl(number, F_GETFD) >= 0;
}

}  // namespace

TEST_CASE("a descriptor is closed once, by its last owner") {
  os::Pipe pipe = os::make_pipe();
  const int read_end = pipe.read_end.get(), write_end = pipe.write_end.get();
  {
    os::Fd taken = std::move(pipe.read_end);
    CHECK_FALSE(pipe.read_end);
    CHECK(is_open(read_end));
    taken = std::move(pipe.write_end);
    CHECK_FALSE(is_open(read_end));
    CHECK(taken.get() == write_end);
  }
  CHECK_FALSE(is_open(write_end));
}

TEST_CASE("a released descriptor stays open") {
  os::Pipe pipe = os::make_pipe();
  const int number = pipe.read_end.release();
  CHECK_FALSE(pipe.read_end);
  CHECK(is_open(number));
  ::close(number);
}

TEST_CASE("closing keeps errno") {
  os::Fd bad(999999);
  errno = ENOSPC;
  bad.reset();
  CHECK(errno == ENOSPC);
}

TEST_CASE("pipes and files close on exec") {
  const test::TemporaryDir dir;
  const os::Pipe pipe = os::make_pipe();
  const os::Fd file = os::open_file(dir / "file", O_CREAT | O_WRONLY);
  for (const int number : {pipe.read_end.get(), pipe.write_end.get(), file.get()})
    CHECK((::fcntl(number, F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("a file that cannot be opened is named, with the reason") {
  const test::TemporaryDir dir;
  try {
    os::open_file(dir / "missing", O_RDONLY);
    FAIL("opened");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::io);
    CHECK_THAT(error.what(), ContainsSubstring("missing': No such file or directory"));
  }
}

TEST_CASE("the limit on open files can be raised to the hard limit") {
  rlimit before;
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit lower = before;
  lower.rlim_cur = 100;
  ::setrlimit(RLIMIT_NOFILE, &lower);
  CHECK(os::soft_file_limit() == 100);
  CHECK(os::raise_file_limit() == 100);
  CHECK(os::soft_file_limit() == before.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &before);
}
