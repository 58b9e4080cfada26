// A running store-helper; see tests/support/store_helper.cpp for what it understands.
#pragma once

#include <filesystem>
#include <string>
#include <sys/types.h>

#include "os/fd.hpp"

namespace venvoy::test {

class HelperProcess {
 public:
  // With `user`, a helper that root starts becomes that user.
  explicit HelperProcess(const std::filesystem::path& workdir, const std::string& user = {});
  // Ends it in an orderly way.
  ~HelperProcess();
  HelperProcess(const HelperProcess&) = delete;
  HelperProcess& operator=(const HelperProcess&) = delete;

  void send(const std::string& command);
  // The next line of its output; "" at the end of it.
  std::string receive();
  std::string ask(const std::string& command);

  // kill -9, and waits for the end.
  void kill();
  pid_t pid() const noexcept { return process_; }

 private:
  pid_t process_ = -1;
  os::Fd to_, from_;
  std::string received_;
};

}  // namespace venvoy::test
