// Time as an argument, so that tests can move it.
#pragma once

#include <chrono>
#include <string>

namespace venvoy {

using WallTime = std::chrono::sys_time<std::chrono::microseconds>;

class Clock {
 public:
  virtual ~Clock() = default;
  // For durations. Never goes back.
  virtual std::chrono::steady_clock::time_point monotonic() const = 0;
  // For people and files.
  virtual WallTime wall() const = 0;
};

// The machine's clock.
const Clock& system_clock();

// "2026-01-02T03:04:05.123456Z": RFC 3339 in UTC with microseconds.
std::string rfc3339_utc(WallTime time);
// "2026-01-02T03:04:05+01:00" ("Z" for UTC): RFC 3339 in the machine's time zone, with seconds.
std::string rfc3339_local_seconds(WallTime time);

}  // namespace venvoy
