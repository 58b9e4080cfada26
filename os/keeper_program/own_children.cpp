#include "os/keeper_program/own_children.hpp"

#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <dirent.h>
#include <map>
#include <memory>
#include <optional>
#include <poll.h>
#include <set>
#include <signal.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#include "os/keeper_program/proc_text.hpp"

namespace venvoy::keeper {
namespace {

std::optional<pid_t> parent_of(const std::string& stat) {
  const char* const state = after_name(stat);
  if (!state) return std::nullopt;
  return static_cast<pid_t>(std::strtol(state + 2, nullptr, 10));
}

constexpr int pause_between_looks_ms = 2;

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

// The names that are numbers.
std::optional<std::vector<pid_t>> numbers_in(const std::string& path) {
  const std::unique_ptr<DIR, CloseDirectory> directory(::opendir(path.c_str()));
  if (!directory) return std::nullopt;
  std::vector<pid_t> numbers;
  while (const dirent* entry = ::readdir(directory.get()))
    if (std::isdigit(static_cast<unsigned char>(entry->d_name[0])))
      numbers.push_back(static_cast<pid_t>(std::atol(entry->d_name)));
  return numbers;
}

// False if the kernel does not offer it; a process that has gone has no children.
bool add_children_of_threads(pid_t parent, std::vector<pid_t>& children) {
  const std::string tasks = "/proc/" + std::to_string(parent) + "/task/";
  const auto threads = numbers_in(tasks);
  if (!threads) return errno == ENOENT || errno == ESRCH;
  for (const pid_t thread : *threads) {
    const std::string task = tasks + std::to_string(thread);
    const auto list = contents(task + "/children");
    if (!list && ::access((task + "/stat").c_str(), F_OK) == 0) return false;
    const char* at = list ? list->c_str() : "";
    for (char* end = nullptr;; at = end) {
      const long pid = std::strtol(at, &end, 10);
      if (end == at) break;
      children.push_back(static_cast<pid_t>(pid));
    }
  }
  return true;
}

using Families = std::multimap<pid_t, pid_t>;  // children by parent

std::optional<Families> all_families() {
  const auto processes = numbers_in("/proc");
  if (!processes) return std::nullopt;
  Families families;
  for (const pid_t pid : *processes) {
    const auto stat = contents("/proc/" + std::to_string(pid) + "/stat");
    const auto parent = stat ? parent_of(*stat) : std::nullopt;
    if (parent) families.emplace(*parent, pid);
  }
  return families;
}

}  // namespace

bool children_from_kernel_list(std::vector<pid_t>& children) {
  return add_children_of_threads(::getpid(), children);
}

bool children_from_process_table(std::vector<pid_t>& children) {
  const std::optional<Families> families = all_families();
  if (!families) return false;
  const auto [first, last] = families->equal_range(::getpid());
  for (auto at = first; at != last; ++at) children.push_back(at->second);
  return true;
}

std::vector<pid_t> own_children() {
  std::vector<pid_t> children;
  if (!children_from_kernel_list(children)) children_from_process_table(children);
  return children;
}

std::vector<pid_t> process_and_descendants(pid_t root) {
  std::vector<pid_t> tree{root};
  for (std::size_t next = 0; next < tree.size(); ++next) {
    if (add_children_of_threads(tree[next], tree)) continue;
    const Families families = all_families().value_or(Families());
    tree.assign(1, root);
    for (next = 0; next < tree.size(); ++next) {
      const auto [first, last] = families.equal_range(tree[next]);
      for (auto at = first; at != last; ++at) tree.push_back(at->second);
    }
  }
  return tree;
}

void kill_all_children() {
  std::set<pid_t> killed;
  for (;;) {
    // Whatever dies hands its children to us, so look again and again.
    bool news = false;
    for (const pid_t pid : own_children())
      if (killed.insert(pid).second) news = ::kill(pid, SIGKILL) == 0 || news;
    pid_t pid = 0;
    while ((pid = ::waitpid(-1, nullptr, WNOHANG)) > 0) killed.erase(pid);
    if (pid < 0 && errno == ECHILD) return;
    // A process that forks and ends, again and again, is caught only by who looks without a pause. Otherwise thousands
    // may be dying, and a look at every single death would be quadratic.
    if (!news) ::poll(nullptr, 0, pause_between_looks_ms);
  }
}

}  // namespace venvoy::keeper
