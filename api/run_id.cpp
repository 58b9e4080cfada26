#include "api/run_id.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/clock.hpp"
#include "os/files.hpp"

namespace venvoy::api {

std::string new_run_id() {
  const auto now = std::chrono::floor<std::chrono::seconds>(system_clock().wall());
  return fmt::format("{:%Y%m%dT%H%M%S}-{}", fmt::gmtime(std::chrono::system_clock::to_time_t(now)),
                     os::random_name().substr(0, 6));
}

}  // namespace venvoy::api
