#include "os/keeper_program/process_table.hpp"

#include <algorithm>
#include <cerrno>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/keeper_program/own_children.hpp"
#include "os/keeper_program/start.hpp"

namespace venvoy::keeper {
namespace {

namespace protocol = os::internal::keeper_protocol;
using namespace std::chrono_literals;

// A killed process that does not go away hangs in the kernel (a dead file server). No end is held back longer for it.
constexpr std::chrono::milliseconds patience_with_leftovers = 2s;

std::int64_t microseconds(const timeval& time) {
  return std::int64_t{time.tv_sec} * 1'000'000 + time.tv_usec;
}

protocol::Reply reply(protocol::ReplyKind kind, std::uint64_t token, int number) {
  protocol::Reply result;
  result.kind = kind;
  result.token = token;
  result.number = number;
  return result;
}

}  // namespace

void ProcessTable::start(Channel::Incoming incoming) {
  const std::uint64_t token = incoming.request.token;
  Started started{.error = incoming.error};
  const protocol::Limits& limits = incoming.request.limits;
  const int group = started.error == 0 ? limits_.prepare(token, limits) : -1;
  if (started.error == 0)
    started = keeper::start(incoming.request, std::move(incoming.descriptors), {null_device_, group});
  if (started.pid == 0) {
    limits_.remove(token);
    return channel_.send(reply(protocol::ReplyKind::failed, token, started.error));
  }
  limits_.add(token, started.pid, limits);
  processes_[started.pid] = Process{.token = token, .outcome = std::move(started.outcome)};
  by_token_[token] = started.pid;
}

void ProcessTable::signal(std::uint64_t token, int number) {
  const auto found = by_token_.find(token);
  if (found == by_token_.end()) return;
  Process& process = processes_.at(found->second);
  if (!process.outcome) {
    ::kill(-found->second, number);
  } else if (number == SIGKILL) {
    ::kill(found->second, number);  // it has no children yet
  } else {
    process.early_signals.push_back(number);
  }
}

std::vector<int> ProcessTable::outcomes() const {
  std::vector<int> result;
  for (const auto& [pid, process] : processes_)
    if (process.outcome) result.push_back(process.outcome.get());
  return result;
}

void ProcessTable::look_for_outcomes() {
  for (auto& [pid, process] : processes_)
    if (process.outcome) settle(pid, process);
}

void ProcessTable::settle(pid_t pid, Process& process) {
  int error = 0;
  const ssize_t size = ::read(process.outcome.get(), &error, sizeof error);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  process.outcome = Descriptor();
  process.failed = size > 0;
  if (process.failed) {
    by_token_.erase(process.token);
    limits_.remove(process.token);
    return channel_.send(reply(protocol::ReplyKind::failed, process.token, error));
  }
  channel_.send(reply(protocol::ReplyKind::started, process.token, pid));
  for (const int number : process.early_signals) ::kill(-pid, number);
}

void ProcessTable::reap() {
  bool changed = false;
  while (reap_one()) changed = true;
  if (!changed && ends_.empty()) return;
  kill_leftovers();
  if (held_back_until() <= std::chrono::steady_clock::now()) report_ends();
}

bool ProcessTable::reap_one() {
  siginfo_t info = {};
  // WNOWAIT: until we have waited for it, its number still means its process group and nothing else.
  if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return false;
  const auto found = processes_.find(info.si_pid);
  if (found != processes_.end()) {
    if (found->second.outcome) settle(found->first, found->second);
    ::kill(-info.si_pid, SIGKILL);
  }
  int status = 0;
  rusage usage = {};
  if (::wait4(info.si_pid, &status, WNOHANG, &usage) != info.si_pid) return false;
  if (found == processes_.end()) return true;
  note_end(found->second, status, usage);
  processes_.erase(found);
  return true;
}

void ProcessTable::note_end(const Process& process, int status, const rusage& usage) {
  if (process.failed) return;
  by_token_.erase(process.token);
  const bool memory_by_kernel = limits_.ended(process.token, status, usage);
  protocol::Reply& end = ends_.emplace_back(reply(protocol::ReplyKind::ended, process.token, status));
  end.flags = memory_by_kernel ? protocol::memory_by_kernel : 0;
  end.user_microseconds = microseconds(usage.ru_utime);
  end.system_microseconds = microseconds(usage.ru_stime);
  end.max_resident_kib = usage.ru_maxrss;
}

void ProcessTable::kill_leftovers() {
  std::map<pid_t, Time> seen;
  for (const pid_t pid : own_children()) {
    if (processes_.count(pid) != 0) continue;
    const auto known = leftovers_.find(pid);
    if (known == leftovers_.end()) ::kill(pid, SIGKILL);
    seen[pid] = known == leftovers_.end() ? std::chrono::steady_clock::now() : known->second;
  }
  leftovers_ = std::move(seen);
}

// The last moment until which a leftover holds back all reports; nothing if there is none.
std::optional<ProcessTable::Time> ProcessTable::held_back_until() const {
  const auto youngest = std::max_element(leftovers_.begin(), leftovers_.end(),
                                         [](const auto& a, const auto& b) { return a.second < b.second; });
  if (youngest == leftovers_.end()) return std::nullopt;
  return youngest->second + patience_with_leftovers;
}

void ProcessTable::report_ends() {
  for (const protocol::Reply& end : ends_) channel_.send(end);
  ends_.clear();
}

int ProcessTable::milliseconds_to_next_reap() const {
  if (ends_.empty()) return -1;
  const auto left = held_back_until().value_or(Time::min()) - std::chrono::steady_clock::now();
  return static_cast<int>(std::max<std::int64_t>(0, std::chrono::ceil<std::chrono::milliseconds>(left).count()));
}

void ProcessTable::kill_everything() {
  for (const auto& [pid, process] : processes_) ::kill(-pid, SIGKILL);
  processes_.clear();
  kill_all_children();
}

}  // namespace venvoy::keeper
