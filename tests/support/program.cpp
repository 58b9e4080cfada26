#include "support/program.hpp"

#include <csignal>
#include <spawn.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace venvoy::test {
namespace {

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

}  // namespace

Program::Program(const std::vector<std::string>& command, const os::Environment& environment) {
  os::Pipe in = os::make_pipe(), out = os::make_pipe();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.read_end.get(), 0);
  posix_spawn_file_actions_adddup2(&actions, out.write_end.get(), 1);
  const int error = posix_spawnp(&process_, command.front().c_str(), &actions, nullptr, pointers_to(command).data(),
                                 pointers_to(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("cannot start " + command.front());
  to_ = std::move(in.write_end);
  from_ = std::move(out.read_end);
}

Program::~Program() {
  kill();
}

std::string Program::receive() {
  for (;;) {
    if (const auto end = received_.find('\n'); end != std::string::npos) {
      std::string line = received_.substr(0, end);
      received_.erase(0, end + 1);
      return line;
    }
    char block[4096];
    const ssize_t count = ::read(from_.get(), block, sizeof block);
    if (count <= 0) return std::exchange(received_, {});
    received_.append(block, static_cast<std::size_t>(count));
  }
}

int Program::finish() {
  to_.reset();
  return wait();
}

void Program::kill() {
  if (process_ == 0) return;
  ::kill(process_, SIGKILL);
  wait();
}

int Program::wait() {
  int status = 0;
  if (process_ != 0) ::waitpid(std::exchange(process_, 0), &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace venvoy::test
