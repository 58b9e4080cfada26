// A loop and a keeper for tests.
#pragma once

#include <chrono>
#include <string>
#include <unistd.h>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "os/keeper.hpp"
#include "support/catch.hpp"

namespace venvoy::test {

inline const std::string helper = VENVOY_OS_TEST_HELPER;

inline os::ChildSpec helper_spec(std::vector<std::string> arguments) {
  os::ChildSpec spec;
  spec.program = helper;
  spec.arguments = std::move(arguments);
  return spec;
}

inline os::ChildSpec shell_spec(const std::string& script) {
  os::ChildSpec spec;
  spec.program = "/bin/sh";
  spec.arguments = {"-c", script};
  spec.environment = {"PATH=/usr/bin:/bin"};
  return spec;
}

// The rest of what can be read; blocks until all writers are gone.
inline std::string read_all(const os::Fd& file) {
  std::string result;
  char block[65536];
  for (ssize_t count; (count = ::read(file.get(), block, sizeof block)) > 0;)
    result.append(block, static_cast<std::size_t>(count));
  return result;
}

inline std::string read_line(const os::Fd& file) {
  std::string line;
  for (char byte; ::read(file.get(), &byte, 1) == 1 && byte != '\n';) line.push_back(byte);
  return line;
}

struct Engine {
  boost::asio::io_context io;
  os::Keeper keeper{io.get_executor()};

  // Turns the loop until the child has ended.
  os::ExitInfo end_of(os::Child& child) {
    while (!child.exit() && turn()) continue;
    REQUIRE(child.exit());
    CHECK(child.ended().fired());
    return *child.exit();
  }
  void until_started(os::Child& child) {
    while (child.pid() == 0 && !child.exit() && turn()) continue;
    REQUIRE(child.pid() != 0);
  }
  // False if nothing happens for long.
  bool turn() {
    io.restart();
    return io.run_one_for(std::chrono::seconds(30)) > 0;
  }
  // What the program has written to its standard output.
  std::string output_of(os::ChildSpec spec) {
    os::Pipe pipe = os::make_pipe();
    spec.standard_output = std::move(pipe.write_end);
    os::Child child = keeper.start(std::move(spec));
    std::string text = read_all(pipe.read_end);
    CHECK(end_of(child).text() == "exit code 0");
    return text;
  }
};

}  // namespace venvoy::test
