// Another process, for tests that need a second one: it is talked to by lines.
#pragma once

#include <filesystem>
#include <string>
#include <sys/types.h>
#include <vector>

#include "os/environment.hpp"
#include "os/fd.hpp"

namespace venvoy::test {

class Program {
 public:
  // Standard error is the test's own. The program is looked for in PATH.
  explicit Program(const std::vector<std::string>& command,
                   const os::Environment& environment = os::current_environment());
  // Kills it if it still runs.
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // The next line of its output; "" at the end of it.
  std::string receive();
  // Closes its input and waits for its end; gives its exit code, or minus the signal.
  int finish();
  // kill -9, and waits for the end.
  void kill();
  pid_t pid() const noexcept { return process_; }

 private:
  int wait();

  pid_t process_ = 0;
  os::Fd to_, from_;
  std::string received_;
};

}  // namespace venvoy::test
