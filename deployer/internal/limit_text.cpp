#include "deployer/internal/limit_text.hpp"

#include <array>

#include <fmt/format.h>

namespace venvoy::deployer::internal {
namespace {

// With one digit after the point, unless that is 0.
std::string amount(double value) {
  std::string text = fmt::format("{:.1f}", value);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

}  // namespace

std::string memory_text(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> names = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < names.size(); ++unit) value /= 1024;
  return fmt::format("{} {}", amount(value), names[unit]);
}

std::string time_text(std::chrono::microseconds time) {
  const std::chrono::duration<double> seconds = time;
  if (seconds.count() < 1) return fmt::format("{} ms", amount(1000 * seconds.count()));
  if (seconds.count() < 120) return fmt::format("{} s", amount(seconds.count()));
  if (seconds.count() < 7200) return fmt::format("{} min", amount(seconds.count() / 60));
  return fmt::format("{} h", amount(seconds.count() / 3600));
}

std::string exceeded_text(const os::ExceededLimit& exceeded, const PythonLimits& limits) {
  constexpr const char* form =
      "the plugin was ended because it used more than its {} limit of {} (`limits: {}`): {}, with all that it had "
      "started";
  if (exceeded.kind == os::ExceededLimit::Kind::memory)
    return fmt::format(fmt::runtime(form), "memory", memory_text(limits.process.memory), "memory",
                       memory_text(exceeded.used));
  return fmt::format(fmt::runtime(form), "processor time", time_text(limits.process.processor_time), "cpuTime",
                     time_text(std::chrono::microseconds(exceeded.used)));
}

std::string wall_time_text(std::chrono::milliseconds limit) {
  return fmt::format("the plugin was ended because it ran longer than its time limit of {} (`limits: wallTime`)",
                     time_text(limit));
}

std::string with_file_limit(std::string words, const PythonLimits& limits) {
  if (limits.process.open_files == 0 || words.find("Too many open files") == words.npos) return words;
  if (words.ends_with('\n')) words.pop_back();
  return fmt::format("{}\nThe plugin may have {} files open (`limits: openFiles`).", words, limits.process.open_files);
}

}  // namespace venvoy::deployer::internal
