#include "second_process.hpp"

#include <chrono>
#include <csignal>
#include <exception>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <poll.h>
#include <sstream>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace venvoy::test {
namespace {

constexpr unsigned nobody = 65534;

std::string read_all(int number) {
  std::string result;
  char block[4096];
  for (ssize_t count; (count = ::read(number, block, sizeof block)) > 0;)
    result.append(block, static_cast<std::size_t>(count));
  return result;
}

}  // namespace

SecondProcess::SecondProcess(const std::vector<std::string>& arguments) {
  int input[2], output[2];
  if (::pipe2(input, O_CLOEXEC) != 0 || ::pipe2(output, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  std::vector<char*> argv{const_cast<char*>(VENVOY_OS_TEST_HELPER)};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(input[0], STDIN_FILENO);
    ::dup2(output[1], STDOUT_FILENO);
    ::execv(argv[0], argv.data());
    ::_exit(99);
  }
  ::close(input[0]);
  ::close(output[1]);
  input_ = input[1];
  output_ = output[0];
}

SecondProcess::~SecondProcess() {
  if (pid_ > 0) {
    kill();
    wait();
  }
  end_input();
  ::close(output_);
}

std::string SecondProcess::read_line() {
  std::string line;
  for (char byte; ::read(output_, &byte, 1) == 1 && byte != '\n';) line.push_back(byte);
  return line;
}

void SecondProcess::end_input() {
  if (input_ >= 0) ::close(std::exchange(input_, -1));
}

void SecondProcess::kill() {
  ::kill(pid_, SIGKILL);
}

int SecondProcess::wait() {
  int status = 0;
  ::waitpid(std::exchange(pid_, 0), &status, 0);
  return status;
}

int run_helper(const std::vector<std::string>& arguments) {
  SecondProcess process(arguments);
  process.end_input();
  const int status = process.wait();
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

namespace {

// "S 4711 …": state and parent of /proc/PID/stat; nothing if there is no such process.
std::string state_and_parent(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::stringstream text;
  text << file.rdbuf();
  const std::size_t end_of_name = text.str().rfind(')');
  return end_of_name == std::string::npos ? "" : text.str().substr(end_of_name + 2);
}

}  // namespace

bool is_running(pid_t pid) {
  const std::string stat = state_and_parent(pid);
  return !stat.empty() && stat[0] != 'Z' && stat[0] != 'X';
}

pid_t parent_of(pid_t pid) {
  const std::string stat = state_and_parent(pid);
  return stat.empty() ? 0 : std::stoi(stat.substr(2));
}

bool eventually(const std::function<bool()>& condition) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    ::poll(nullptr, 0, 2);
  }
  return true;
}

std::string unprivileged(const std::function<void()>& work) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  const pid_t pid = ::fork();
  if (pid == 0) {
    std::string result;
    try {
      if (::geteuid() == 0 && (::setresgid(nobody, nobody, nobody) != 0 || ::setresuid(nobody, nobody, nobody) != 0))
        throw std::runtime_error("cannot drop the rights of root");
      work();
    } catch (const std::exception& failure) {
      result = failure.what();
    }
    ::_exit(::write(ends[1], result.data(), result.size()) == static_cast<ssize_t>(result.size()) ? 0 : 1);
  }
  ::close(ends[1]);
  const std::string result = read_all(ends[0]);
  ::close(ends[0]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  return status == 0 ? result : "the unprivileged process has died";
}

void give_to_unprivileged(const std::string& path) {
  if (::geteuid() != 0) return;
  const auto give = [](const std::filesystem::path& one) {
    if (::lchown(one.c_str(), nobody, nobody) != 0) throw std::runtime_error("cannot chown " + one.string());
  };
  give(path);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) give(entry.path());
}

}  // namespace venvoy::test
