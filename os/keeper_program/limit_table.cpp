#include "os/keeper_program/limit_table.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "os/keeper_program/own_children.hpp"
#include "os/keeper_program/proc_text.hpp"

namespace venvoy::keeper {
namespace {

namespace protocol = os::internal::keeper_protocol;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// A look costs some 0.1 ms per process. Those that use more than half of a limit are looked at more often.
constexpr std::chrono::milliseconds usual_pause = 200ms;
constexpr std::chrono::milliseconds short_pause = 40ms;

// What /proc/PID/stat says; see proc(5). Times in clock ticks.
struct Stat {
  std::uint64_t processor_ticks = 0;
  std::uint64_t start_time = 0;
};

std::optional<Stat> stat_of(pid_t pid) {
  const auto text = contents("/proc/" + std::to_string(pid) + "/stat");
  const char* at = text ? after_name(*text) : nullptr;
  if (!at) return std::nullopt;
  Stat result;
  // The state is field 3 and no number; utime, stime, cutime and cstime are 14 to 17, starttime is 22.
  ++at;
  for (int field = 4; field <= 22; ++field) {
    char* end = nullptr;
    const std::uint64_t value = std::strtoull(at, &end, 10);
    if (end == at) return std::nullopt;
    at = end;
    if (field >= 14 && field <= 17) result.processor_ticks += value;
    if (field == 22) result.start_time = value;
  }
  return result;
}

std::uint64_t resident_bytes(pid_t pid) {
  static const auto page_size = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const auto text = contents("/proc/" + std::to_string(pid) + "/statm");
  const char* const space = text ? std::strchr(text->c_str(), ' ') : nullptr;
  return space ? std::strtoull(space, nullptr, 10) * page_size : 0;
}

// As resident_bytes where the kernel does not say.
std::uint64_t proportional_bytes(pid_t pid) {
  const auto text = contents("/proc/" + std::to_string(pid) + "/smaps_rollup");
  constexpr char key[] = "\nPss:";
  const std::size_t line = text ? text->find(key) : std::string::npos;
  if (line == std::string::npos) return resident_bytes(pid);
  return std::strtoull(text->c_str() + line + sizeof key - 1, nullptr, 10) * 1024;
}

std::uint64_t processor_microseconds(const rusage& usage) {
  const auto of = [](const timeval& time) { return std::int64_t{time.tv_sec} * 1'000'000 + time.tv_usec; };
  return static_cast<std::uint64_t>(of(usage.ru_utime) + of(usage.ru_stime));
}

bool is_beyond(std::uint64_t used, std::uint64_t limit) {
  return limit != 0 && used > limit;
}

}  // namespace

Usage usage_of(const std::vector<pid_t>& processes, bool share) {
  static const auto ticks_per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  Usage usage;
  std::uint64_t ticks = 0;
  for (const pid_t pid : processes) {
    usage.memory_bytes += share ? proportional_bytes(pid) : resident_bytes(pid);
    if (const auto stat = stat_of(pid)) ticks += stat->processor_ticks;
  }
  usage.processor_microseconds = ticks * 1'000'000 / ticks_per_second;
  return usage;
}

int LimitTable::prepare(std::uint64_t token, const protocol::Limits& limits) {
  if (limits.memory_bytes == 0 && limits.processor_microseconds == 0) return -1;
  Watched& watched = watched_[token];
  watched.limits = limits;
  if (limits.memory_bytes != 0) watched.group = groups_.make(token, limits.memory_bytes);
  return watched.group ? watched.group->processes.get() : -1;
}

void LimitTable::add(std::uint64_t token, pid_t pid, const protocol::Limits& limits) {
  const auto found = watched_.find(token);
  if (found == watched_.end()) return;
  Watched& watched = found->second;
  watched.pid = pid;
  if (watched.group) watched.group->processes = Descriptor();
  const auto stat = stat_of(pid);
  watched.start_time = stat ? stat->start_time : 0;
  const bool needs_looks = !watched.group || limits.processor_microseconds != 0;
  if (needs_looks) watched.next_look = Clock::now() + short_pause;
}

void LimitTable::watch(std::uint64_t token, pid_t pid, const protocol::Limits& limits) {
  // It may have ended, which its parent notices.
  if (pid <= 0 || set_kernel_limits(pid, limits) != 0) return;
  const int group = prepare(token, limits);
  const std::string number = std::to_string(pid);
  if (group >= 0 && ::write(group, number.data(), number.size()) < 0) {
    Watched& watched = watched_[token];
    groups_.remove(std::exchange(watched.group, std::nullopt)->path);
  }
  add(token, pid, limits);
}

void LimitTable::unwatch(std::uint64_t token) {
  if (const auto found = watched_.find(token); found != watched_.end()) {
    tell_of_group(token, found->second);
    if (found->second.group) groups_.release(found->second.group->path);
    watched_.erase(found);
  }
  protocol::Reply reply;
  reply.kind = protocol::ReplyKind::unwatched;
  reply.token = token;
  channel_.send(reply);
}

void LimitTable::remove(std::uint64_t token) {
  const auto found = watched_.find(token);
  if (found == watched_.end()) return;
  if (found->second.group) groups_.remove(found->second.group->path);
  watched_.erase(found);
}

void LimitTable::tell_of_group(std::uint64_t token, Watched& watched) {
  const auto used = watched.group ? groups_.exceeded(watched.group->path) : std::nullopt;
  if (!used || std::exchange(watched.exceeded, true)) return;
  tell(token, protocol::LimitKind::memory, {.memory_bytes = std::max(*used, watched.limits.memory_bytes)});
}

bool LimitTable::ended(std::uint64_t token, int status, const rusage& usage) {
  const auto found = watched_.find(token);
  if (found == watched_.end()) return false;
  Watched& watched = found->second;
  const bool has_group = watched.group.has_value();
  tell_of_group(token, watched);
  if (!watched.exceeded && WIFSIGNALED(status) && watched.limits.processor_microseconds != 0) {
    const std::uint64_t used = processor_microseconds(usage);
    // The kernel sends SIGXCPU first, and SIGKILL a second later to who takes no notice.
    const bool killed_late = WTERMSIG(status) == SIGKILL && used > watched.limits.processor_microseconds;
    // It counts a little differently from what it tells us afterwards.
    const Usage told{.processor_microseconds = std::max(used, watched.limits.processor_microseconds)};
    if (WTERMSIG(status) == SIGXCPU || killed_late) tell(token, protocol::LimitKind::processor_time, told);
  }
  remove(token);
  return has_group;
}

void LimitTable::look() {
  const Time now = Clock::now();
  for (auto& [token, watched] : watched_)
    if (watched.next_look <= now) look_at(token, watched);
}

void LimitTable::look_at(std::uint64_t token, Watched& watched) {
  watched.next_look = Time::max();
  const auto stat = stat_of(watched.pid);
  if (!stat || stat->start_time != watched.start_time) return;  // it is no more
  const std::uint64_t memory_limit = watched.group ? 0 : watched.limits.memory_bytes;
  const std::vector<pid_t> processes = process_and_descendants(watched.pid);
  Usage usage = usage_of(processes, false);
  // Forked processes share most of their pages: only who is still too large without counting them twice is.
  if (is_beyond(usage.memory_bytes, memory_limit)) usage = usage_of(processes, true);
  if (is_beyond(usage.memory_bytes, memory_limit))
    return kill_for(token, watched, protocol::LimitKind::memory, usage, processes);
  if (is_beyond(usage.processor_microseconds, watched.limits.processor_microseconds))
    return kill_for(token, watched, protocol::LimitKind::processor_time, usage, processes);
  const bool is_near = is_beyond(2 * usage.memory_bytes, memory_limit) ||
                       is_beyond(2 * usage.processor_microseconds, watched.limits.processor_microseconds);
  watched.next_look = Clock::now() + (is_near ? short_pause : usual_pause);
}

void LimitTable::kill_for(std::uint64_t token, Watched& watched, protocol::LimitKind kind, const Usage& usage,
                          const std::vector<pid_t>& processes) {
  watched.exceeded = true;
  tell(token, kind, usage);
  // The first is the one whose end is waited for: whatever the others leave behind dies with it.
  for (const pid_t pid : processes) ::kill(pid, SIGKILL);
}

void LimitTable::tell(std::uint64_t token, protocol::LimitKind kind, const Usage& usage) {
  protocol::Reply reply;
  reply.kind = protocol::ReplyKind::exceeded;
  reply.token = token;
  reply.number = static_cast<std::int32_t>(kind);
  reply.max_resident_kib = static_cast<std::int64_t>(usage.memory_bytes / 1024);
  reply.user_microseconds = static_cast<std::int64_t>(usage.processor_microseconds);
  channel_.send(reply);
}

int LimitTable::milliseconds_to_next_look() const {
  const auto first = std::min_element(watched_.begin(), watched_.end(), [](const auto& a, const auto& b) {
    return a.second.next_look < b.second.next_look;
  });
  if (first == watched_.end() || first->second.next_look == Time::max()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(first->second.next_look - Clock::now());
  return static_cast<int>(std::max<std::int64_t>(0, left.count()));
}

int set_kernel_limits(pid_t pid, const protocol::Limits& limits) {
  if (limits.open_files != 0) {
    rlimit files{};
    if (::prlimit(pid, RLIMIT_NOFILE, nullptr, &files) != 0) return errno;
    const rlim_t wanted = std::min<rlim_t>(limits.open_files, files.rlim_max);
    files = {wanted, wanted};
    if (::prlimit(pid, RLIMIT_NOFILE, &files, nullptr) != 0) return errno;
  }
  if (limits.processor_microseconds != 0) {
    rlimit time{};
    if (::prlimit(pid, RLIMIT_CPU, nullptr, &time) != 0) return errno;
    // Whole seconds, so rounded up; what is finer, and the sum over all processes, is for the looks.
    const rlim_t seconds = (limits.processor_microseconds + 999'999) / 1'000'000;
    time = {std::min(seconds, time.rlim_max), std::min(seconds + 1, time.rlim_max)};
    if (::prlimit(pid, RLIMIT_CPU, &time, nullptr) != 0) return errno;
  }
  return 0;
}

}  // namespace venvoy::keeper
