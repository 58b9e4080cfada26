#include "os/keeper_program/own_children.hpp"

#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <string>
#include <unistd.h>

#include "os/keeper_program/descriptor.hpp"

namespace venvoy::keeper {
namespace {

std::optional<std::string> contents(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  std::string result;
  char block[4096];
  for (;;) {
    const ssize_t count = ::read(file.get(), block, sizeof block);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::nullopt;
    if (count == 0) return result;
    result.append(block, static_cast<std::size_t>(count));
  }
}

// From "pid (name) state ppid …"; the name may hold anything, parentheses too.
std::optional<pid_t> parent_of(const std::string& stat) {
  const std::size_t end_of_name = stat.rfind(')');
  if (end_of_name == stat.npos || stat.size() < end_of_name + 5) return std::nullopt;
  return static_cast<pid_t>(std::strtol(stat.c_str() + end_of_name + 4, nullptr, 10));
}

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

}  // namespace

bool children_from_kernel_list(std::vector<pid_t>& children) {
  const std::string self = std::to_string(::getpid());
  const std::optional<std::string> list = contents("/proc/self/task/" + self + "/children");
  if (!list) return false;
  const char* at = list->c_str();
  for (char* end = nullptr;; at = end) {
    const long pid = std::strtol(at, &end, 10);
    if (end == at) return true;
    children.push_back(static_cast<pid_t>(pid));
  }
}

bool children_from_process_table(std::vector<pid_t>& children) {
  const std::unique_ptr<DIR, CloseDirectory> processes(::opendir("/proc"));
  if (!processes) return false;
  while (const dirent* entry = ::readdir(processes.get())) {
    if (!std::isdigit(static_cast<unsigned char>(entry->d_name[0]))) continue;
    const auto stat = contents("/proc/" + std::string(entry->d_name) + "/stat");
    if (stat && parent_of(*stat) == ::getpid()) children.push_back(static_cast<pid_t>(std::atol(entry->d_name)));
  }
  return true;
}

std::vector<pid_t> own_children() {
  std::vector<pid_t> children;
  if (!children_from_kernel_list(children)) children_from_process_table(children);
  return children;
}

}  // namespace venvoy::keeper
