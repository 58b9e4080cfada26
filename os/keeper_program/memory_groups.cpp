#include "os/keeper_program/memory_groups.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <signal.h>
#include <sstream>
#include <string_view>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "os/keeper_program/proc_text.hpp"

namespace venvoy::keeper {
namespace {

constexpr const char* prefix = "venvoy-";

bool write_to(const std::string& path, std::string_view text) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::vector<std::string> words_of(const std::optional<std::string>& text) {
  std::istringstream stream(text.value_or(std::string()));
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

bool has_word(const std::string& path, const char* word) {
  const std::vector<std::string> words = words_of(contents(path));
  return std::find(words.begin(), words.end(), word) != words.end();
}

// The number behind a key of a file with a key and a number per line.
std::uint64_t number_of(const std::string& path, const char* key) {
  const std::vector<std::string> words = words_of(contents(path));
  const auto found = std::find(words.begin(), words.end(), key);
  return found == words.end() || found + 1 == words.end() ? 0 : std::strtoull((found + 1)->c_str(), nullptr, 10);
}

// The folder of this process's group; empty if the groups are not mounted.
std::string own_folder() {
  std::string group;
  std::istringstream groups(contents("/proc/self/cgroup").value_or(std::string()));
  for (std::string line; std::getline(groups, line);)
    if (line.rfind("0::/", 0) == 0) group = line.substr(3);
  std::istringstream mounts(contents("/proc/self/mountinfo").value_or(std::string()));
  for (std::string line; !group.empty() && std::getline(mounts, line);) {
    // "36 35 98:0 root mount-point options … - type source …"; see proc(5).
    const std::size_t dash = line.find(" - cgroup2 ");
    const std::vector<std::string> words = words_of(line.substr(0, dash));
    if (dash == line.npos || words.size() < 5) continue;
    const std::string& root = words[3];
    if (root != "/" && group.rfind(root, 0) == 0) group.erase(0, root.size());
    while (group.ends_with('/')) group.pop_back();
    return words[4] + group;
  }
  return {};
}

std::string parent_group(const std::string& folder) {
  return folder.substr(0, folder.rfind('/'));
}

// Fails where the group itself has processes, unless it is the root.
bool hands_out_memory(const std::string& folder) {
  const std::string handed_out = folder + "/cgroup.subtree_control";
  return has_word(handed_out, "memory") ||
         (has_word(folder + "/cgroup.controllers", "memory") && write_to(handed_out, "+memory"));
}

// "venvoy-<keeper>-<n>" of keepers that are no more. Only empty ones can be removed.
void remove_groups_of_the_dead(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(folder.c_str()), ::closedir);
  while (const dirent* entry = directory ? ::readdir(directory.get()) : nullptr) {
    if (std::string_view(entry->d_name).rfind(prefix, 0) != 0) continue;
    const auto keeper = static_cast<pid_t>(std::atol(entry->d_name + std::string_view(prefix).size()));
    if (keeper > 0 && ::kill(keeper, 0) != 0 && errno == ESRCH) ::rmdir((folder + "/" + entry->d_name).c_str());
  }
}

}  // namespace

MemoryGroups::~MemoryGroups() {
  for (const std::string& path : leaving_) ::rmdir(path.c_str());
}

std::optional<MemoryGroups::Group> MemoryGroups::make(std::uint64_t token, std::uint64_t bytes) {
  if (!std::exchange(has_looked_, true)) look_for_place();
  std::erase_if(leaving_, [](const std::string& path) { return ::rmdir(path.c_str()) == 0 || errno == ENOENT; });
  if (place_.empty()) return std::nullopt;
  Group group{place_ + "/" + prefix + std::to_string(::getpid()) + "-" + std::to_string(token), {}};
  if (::mkdir(group.path.c_str(), 0755) != 0) return std::nullopt;
  if (write_to(group.path + "/memory.max", std::to_string(bytes)))
    group.processes = Descriptor(::open((group.path + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
  if (!group.processes) {
    ::rmdir(group.path.c_str());
    return std::nullopt;
  }
  // Neither is there everywhere. Without swap the limit means what it says; all die together, as with a look at them.
  write_to(group.path + "/memory.swap.max", "0");
  write_to(group.path + "/memory.oom.group", "1");
  return group;
}

std::optional<std::uint64_t> MemoryGroups::exceeded(const std::string& path) const {
  if (number_of(path + "/memory.events", "oom_kill") == 0) return std::nullopt;
  // The peak is known since Linux 5.19; who was killed had reached the limit.
  for (const char* file : {"/memory.peak", "/memory.max"})
    if (const auto text = contents(path + file)) return std::strtoull(text->c_str(), nullptr, 10);
  return 0;
}

void MemoryGroups::remove(std::string path) {
  if (::rmdir(path.c_str()) == 0) return;
  write_to(path + "/cgroup.kill", "1");
  leaving_.push_back(std::move(path));
}

void MemoryGroups::release(std::string path) {
  if (::rmdir(path.c_str()) == 0) return;
  write_to(path + "/memory.max", "max");
  leaving_.push_back(std::move(path));
}

void MemoryGroups::look_for_place() {
  const std::string own = own_folder();
  if (own.empty()) return;
  if (works(own) || (make_room(own) && works(own)))
    place_ = own;
  else if (works(parent_group(own)))
    place_ = parent_group(own);
}

// Tries it out, with a process that does nothing. Removes what killed keepers have left there.
bool MemoryGroups::works(const std::string& folder) const {
  if (!hands_out_memory(folder)) return false;
  remove_groups_of_the_dead(folder);
  const std::string path = folder + "/" + prefix + std::to_string(::getpid()) + "-0";
  if (::mkdir(path.c_str(), 0755) != 0) return false;
  const bool has_limit = ::access((path + "/memory.max").c_str(), W_OK) == 0;
  const pid_t pid = has_limit ? ::fork() : -1;
  if (pid == 0) ::_exit(write_to(path + "/cgroup.procs", "0") ? 0 : 1);
  int status = 1;
  if (pid > 0) ::waitpid(pid, &status, 0);
  ::rmdir(path.c_str());
  return status == 0;
}

// Moves the engine and its keeper away, if nobody else is there.
bool MemoryGroups::make_room(const std::string& folder) const {
  const std::vector<std::string> here = words_of(contents(folder + "/cgroup.procs"));
  const auto is_ours = [this](const std::string& pid) {
    const auto number = static_cast<pid_t>(std::atol(pid.c_str()));
    return number == engine_ || number == guard_ || number == ::getpid();
  };
  if (here.empty() || !std::all_of(here.begin(), here.end(), is_ours)) return false;
  if (!has_word(folder + "/cgroup.controllers", "memory")) return false;
  const std::string room = folder + "/" + prefix + "engine";
  if (::mkdir(room.c_str(), 0755) != 0 && errno != EEXIST) return false;
  return std::all_of(here.begin(), here.end(),
                     [&](const std::string& pid) { return write_to(room + "/cgroup.procs", pid); });
}

}  // namespace venvoy::keeper
