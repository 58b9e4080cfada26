// Limits in sentences for people.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "deployer/python_settings.hpp"
#include "os/child.hpp"

namespace venvoy::deployer::internal {

// "256 MiB", "1.5 GiB", "900 B"; "1.5 s", "2 min".
std::string memory_text(std::uint64_t bytes);
std::string time_text(std::chrono::microseconds time);

// "the plugin was ended because it used more than its memory limit of 256 MiB (`limits: memory`): 300.2 MiB, with all
// that it had started".
std::string exceeded_text(const os::ExceededLimit& exceeded, const PythonLimits& limits);
// The same for `wallTime`.
std::string wall_time_text(std::chrono::milliseconds limit);

// The words with the limit on open files behind them, if they are those of a program that has met it: nobody is ended
// for that.
std::string with_file_limit(std::string words, const PythonLimits& limits);

}  // namespace venvoy::deployer::internal
