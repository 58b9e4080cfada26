// The program: picks its face and hands over. The only place that catches everything.
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/exit_code.hpp"
#include "cli/commands.hpp"
#include "cli/face.hpp"
#include "cli/go_face.hpp"
#include "os/fd.hpp"

namespace {

int answer(int argc, char** argv, std::uint64_t child_file_limit) {
  using namespace venvoy::cli;
  const std::string program = argc > 0 ? argv[0] : "venvoy";
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  switch (choose_face(program, arguments)) {
    case Face::go:
      return run_go_face(program, arguments, child_file_limit);
    case Face::commands:
      return run_commands(argc, argv, child_file_limit);
    case Face::misplaced_flag:
      break;
  }
  fmt::print(stderr, "venvoy: flags of the Arcaflow engine take no further arguments; did you mean 'venvoy run {}'?\n",
             arguments.back());
  return venvoy::usage_exit;
}

}  // namespace

int main(int argc, char** argv) {
  // A reader that has gone is told by the failing write, here and in everything that writes to plugins.
  std::signal(SIGPIPE, SIG_IGN);
  const std::uint64_t child_file_limit = venvoy::os::raise_file_limit();
  try {
    return answer(argc, argv, child_file_limit);
  } catch (const std::exception& error) {
    fmt::print(stderr, "venvoy: {}\n", error.what());
    return venvoy::exit_number(venvoy::RunExit::prepare_failed);
  }
}
