#include "base/clock.hpp"

#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace venvoy {
namespace {

class SystemClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point monotonic() const override { return std::chrono::steady_clock::now(); }
  WallTime wall() const override {
    return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  }
};

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

std::string rfc3339_utc(WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const std::time_t number = std::chrono::system_clock::to_time_t(seconds);
  std::tm parts{};
  gmtime_r(&number, &parts);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", parts, (time - seconds).count());
}

std::string rfc3339_local_seconds(WallTime time) {
  const std::time_t number = std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(time));
  std::tm parts{};
  localtime_r(&number, &parts);
  const long minutes = parts.tm_gmtoff / 60;
  if (minutes == 0) return fmt::format("{:%Y-%m-%dT%H:%M:%S}Z", parts);
  const long size = minutes < 0 ? -minutes : minutes;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}{}{:02}:{:02}", parts, minutes < 0 ? '-' : '+', size / 60, size % 60);
}

}  // namespace venvoy
