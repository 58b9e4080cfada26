// How a plugin's process comes to life: separate from what it speaks (design D9).
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "atp/byte_channel.hpp"
#include "os/child.hpp"
#include "os/environment.hpp"
#include "os/event.hpp"
#include "os/fd.hpp"

namespace venvoy::deployer {

// A process somewhere. A handle: when it goes, the process is killed.
class RunningProcess {
 public:
  virtual ~RunningProcess() = default;
  // For logs: the process id, on its machine; 0 when it is not known.
  virtual pid_t pid() const noexcept = 0;
  // Set when the process and all that it has started are gone.
  virtual const std::optional<os::ExitInfo>& exit() const noexcept = 0;
  // Fires together with exit().
  virtual os::Event& ended() noexcept = 0;
  // The process and all that it has started.
  virtual void kill() noexcept = 0;
  // The machine that it runs on; empty: this one.
  virtual std::string node() const { return {}; }
};

struct LaunchRequest {
  std::filesystem::path python;  // of the environment
  std::string module;            // run as `-m` does
  std::vector<std::string> arguments;
  std::filesystem::path working_directory;
  os::Environment environment;
  // A launcher holds the process to them: the exit() of the process says which of them was exceeded.
  os::ProcessLimits limits;
  // The process is to tell what it has imported; not every launcher can do that.
  bool report_imports = false;
};

struct Launched {
  std::unique_ptr<RunningProcess> process;
  // Its standard input and output.
  std::unique_ptr<atp::ByteChannel> channel;
  // Where its standard error can be read.
  os::Fd standard_error;
  // Where the names of the modules that it has imported can be read, a line each, when it has ended; its own are left
  // out. Empty if that was not asked for.
  os::Fd imports;
};

class Launcher {
 public:
  virtual ~Launcher() = default;
  // Throws an Error (start) when nothing can be started at all; that a program could not be executed is the exit() of
  // its process.
  virtual boost::asio::awaitable<Launched> launch(LaunchRequest request) = 0;
};

}  // namespace venvoy::deployer
