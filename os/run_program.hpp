// Running a program to its end: for installers, git's helpers and the questions put to an interpreter.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/cancel.hpp"
#include "os/child.hpp"
#include "os/keeper.hpp"

namespace venvoy::os {

struct ProgramSpec {
  std::filesystem::path program;
  std::vector<std::string> arguments;
  std::vector<std::string> environment;  // complete; see environment.hpp
  std::filesystem::path working_directory;
  std::string input;  // its standard input, as a file in memory; empty: /dev/null
};

struct ProgramLimits {
  std::optional<std::chrono::milliseconds> timeout;  // then SIGTERM, and SIGKILL after `grace`
  std::chrono::milliseconds grace{2000};
  std::size_t max_output = 16u << 20;  // more on standard output is an Error (limit)
  std::size_t error_tail = 64u << 10;  // the last bytes of standard error that are kept
};

struct ProgramResult {
  ExitInfo exit;
  std::string output;
  std::string error_tail;
  bool timed_out = false;
};

// Completes when the program has ended and both its streams are read to their end (or have been closed with its group).
// A cancelled coroutine, or a cancelled token, kills the group and throws an Error (cancelled). `on_error_line` is
// called for each line of standard error as it comes.
boost::asio::awaitable<ProgramResult> run_program(Keeper& keeper, ProgramSpec spec, ProgramLimits limits,
                                                  CancelToken cancel,
                                                  std::function<void(std::string_view)> on_error_line = {});

}  // namespace venvoy::os
