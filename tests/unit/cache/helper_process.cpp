#include "helper_process.hpp"

#include <signal.h>
#include <spawn.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

extern char** environ;

namespace venvoy::test {

HelperProcess::HelperProcess(const std::filesystem::path& workdir, const std::string& user) {
  os::Pipe in = os::make_pipe(), out = os::make_pipe();
  std::string program = VENVOY_STORE_HELPER, directory = workdir.string(), name = user;
  std::vector<char*> arguments = {program.data(), directory.data()};
  if (!user.empty()) arguments.push_back(name.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.read_end.get(), 0);
  posix_spawn_file_actions_adddup2(&actions, out.write_end.get(), 1);
  const int error = posix_spawn(&process_, program.c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("cannot start " + program);
  to_ = std::move(in.write_end);
  from_ = std::move(out.read_end);
}

HelperProcess::~HelperProcess() {
  to_.reset();
  if (process_ > 0) waitpid(process_, nullptr, 0);
}

void HelperProcess::send(const std::string& command) {
  const std::string line = command + "\n";
  if (write(to_.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    throw std::runtime_error("the helper does not listen");
}

std::string HelperProcess::receive() {
  std::size_t end;
  while ((end = received_.find('\n')) == std::string::npos) {
    char block[4096];
    const ssize_t count = read(from_.get(), block, sizeof block);
    if (count <= 0) return {};
    received_.append(block, static_cast<std::size_t>(count));
  }
  const std::string line = received_.substr(0, end);
  received_.erase(0, end + 1);
  return line;
}

std::string HelperProcess::ask(const std::string& command) {
  send(command);
  return receive();
}

void HelperProcess::kill() {
  ::kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
  process_ = -1;
}

}  // namespace venvoy::test
