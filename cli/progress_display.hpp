// How a command shows what goes on: live on a terminal, as lines elsewhere, or not at all.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cli/common.hpp"
#include "cli/session.hpp"
#include "workflow/run_observer.hpp"

namespace venvoy::cli {

// The values of --progress that this class knows.
inline constexpr const char* progress_forms[] = {"auto", "live", "plain", "none"};

class ProgressDisplay {
 public:
  // `form` is one of progress_forms; "live" is "plain" where nothing can be drawn. Quiet commands show nothing. The
  // session and the talk outlive this object.
  ProgressDisplay(const std::string& form, Session& session, const Talk& talk);
  ~ProgressDisplay();
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

  // Null if nothing is shown. Lives as long as this object.
  workflow::RunObserver* observer() const noexcept { return observer_.get(); }
  // How many steps the run has that comes next.
  void expect_steps(std::size_t count);
  // How long it will take by what is known of earlier runs; asked only if it is shown.
  void expect_duration(const std::function<std::optional<std::chrono::milliseconds>()>& known);
  // Takes the live lines away: for what is written to standard output. Nothing is shown from here on but text.
  void finish();

 private:
  struct Live;
  std::unique_ptr<workflow::RunObserver> observer_;
  std::shared_ptr<Live> live_;
};

}  // namespace venvoy::cli
