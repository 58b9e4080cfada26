// The second process of the tests: os_test_helper COMMAND …
//
//   lock shared|exclusive PATH      takes the lock, says "locked", holds it until its input ends
//   try-lock shared|exclusive PATH  exit code 0 if it could be had, 1 if somebody has it
//   descriptors                     prints the numbers of its open descriptors
//   file-limit                      prints its soft limit on open files
//   texts                           prints arguments and environment, each with a NUL
//   daemon DEPTH                    leaves DEPTH processes behind, each in a session of its own, deaf to SIGTERM, the
//                                   parent of the next; prints their pids
//   daemon-and-stay DEPTH           the same, and waits until its input ends
//   hop-and-stay                    leaves a process behind that forks and ends, again and again; waits until its input
//                                   ends
//   engine                          starts a keeper and two children with daemons, prints all pids, waits for ever
//   engine-with-copy                the same, and a forked copy of itself holds its descriptors
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <dirent.h>
#include <map>
#include <string>
#include <unistd.h>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "os/environment.hpp"
#include "os/file_lock.hpp"
#include "os/keeper.hpp"

namespace {

using namespace venvoy;
using Arguments = std::vector<std::string>;

void say(const std::string& text) {
  std::fputs((text + "\n").c_str(), stdout);
  std::fflush(stdout);
}

void wait_for_end_of_input() {
  char byte;
  while (::read(STDIN_FILENO, &byte, 1) > 0) continue;
}

[[noreturn]] void wait_for_ever() {
  for (;;) ::pause();
}

os::LockMode mode(const std::string& name) {
  return name == "shared" ? os::LockMode::shared : os::LockMode::exclusive;
}

int lock(const Arguments& arguments) {
  const os::FileLock held = os::FileLock::wait(arguments.at(1), mode(arguments.at(0)), {});
  say("locked");
  wait_for_end_of_input();
  return 0;
}

int try_lock(const Arguments& arguments) {
  return os::FileLock::try_lock(arguments.at(1), mode(arguments.at(0))) ? 0 : 1;
}

int descriptors(const Arguments&) {
  DIR* const directory = ::opendir("/proc/self/fd");
  std::string numbers;
  while (const dirent* entry = ::readdir(directory)) {
    const std::string name = entry->d_name;
    if (name[0] != '.' && name != std::to_string(::dirfd(directory))) numbers += name + " ";
  }
  say(numbers);
  return ::closedir(directory);
}

int file_limit(const Arguments&) {
  say(std::to_string(os::soft_file_limit()));
  return 0;
}

int texts(const Arguments& arguments) {
  std::string all;
  for (const std::string& text : arguments) all.append(text).push_back('\0');
  for (const std::string& text : os::current_environment()) all.append(text).push_back('\0');
  return std::fwrite(all.data(), 1, all.size(), stdout) == all.size() ? 0 : 1;
}

// One generation after the other, each says who it is.
void breed(int depth) {
  if (depth == 0) return;
  if (::fork() != 0) return;
  ::setsid();
  std::signal(SIGTERM, SIG_IGN);
  say(std::to_string(::getpid()));
  breed(depth - 1);
  wait_for_ever();
}

void daemonize(int depth) {
  // Through a process that ends at once, so that nothing but a sub-reaper is above the first.
  if (::fork() == 0) {
    breed(depth);
    ::_exit(0);
  }
}

int daemon(const Arguments& arguments) {
  daemonize(std::stoi(arguments.at(0)));
  return 7;
}

int daemon_and_stay(const Arguments& arguments) {
  daemonize(std::stoi(arguments.at(0)));
  wait_for_end_of_input();
  return 7;
}

int hop_and_stay(const Arguments&) {
  std::signal(SIGCHLD, SIG_IGN);  // or thousands of zombies would wait for us
  if (::fork() == 0) {
    ::setsid();
    say("hopping");
    while (::fork() == 0) continue;
    ::_exit(0);
  }
  wait_for_end_of_input();
  return 7;
}

// Relays the pids that a child says on its standard output.
void start_daemons(os::Keeper& keeper, std::vector<os::Child>& children, const char* self) {
  os::Pipe output = os::make_pipe(), input = os::make_pipe();
  os::ChildSpec spec;
  spec.program = self;
  spec.arguments = {"daemon-and-stay", "2"};
  spec.standard_input = std::move(input.read_end);
  spec.standard_output = std::move(output.write_end);
  children.push_back(keeper.start(std::move(spec)));
  char byte;
  for (int lines = 0; lines < 2 && ::read(output.read_end.get(), &byte, 1) == 1; lines += byte == '\n')
    std::fputc(byte, stdout);
  static_cast<void>(input.write_end.release());
}

int engine(const char* self) {
  boost::asio::io_context context;
  os::Keeper keeper(context.get_executor());
  std::vector<os::Child> children;
  say(std::to_string(keeper.pid()));
  for (int i = 0; i < 2; ++i) start_daemons(keeper, children, self);
  while (children[0].pid() == 0 || children[1].pid() == 0) context.run_one();
  for (const os::Child& child : children) say(std::to_string(child.pid()));
  say("");
  wait_for_ever();
}

int engine_with_copy(const char* self) {
  boost::asio::io_context context;
  os::Keeper keeper(context.get_executor());
  std::vector<os::Child> children;
  start_daemons(keeper, children, self);
  const pid_t copy = ::fork();
  if (copy == 0) {
    ::close(STDOUT_FILENO);
    wait_for_ever();
  }
  say(std::to_string(keeper.pid()));
  say("");
  say(std::to_string(copy));
  wait_for_ever();
}

}  // namespace

int main(int argc, char** argv) {
  const std::map<std::string, int (*)(const Arguments&)> commands{
      {"lock", lock},   {"try-lock", try_lock}, {"descriptors", descriptors},         {"file-limit", file_limit},
      {"texts", texts}, {"daemon", daemon},     {"daemon-and-stay", daemon_and_stay}, {"hop-and-stay", hop_and_stay}};
  const std::string command = argc > 1 ? argv[1] : "";
  if (command == "engine") return engine(argv[0]);
  if (command == "engine-with-copy") return engine_with_copy(argv[0]);
  const auto found = commands.find(command);
  return found == commands.end() ? 2 : found->second(Arguments(argv + 2, argv + argc));
}
