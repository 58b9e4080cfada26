#include "venv/internal/resolution.hpp"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace venvoy::venv::internal {
namespace {

std::string_view name_of_setting(DependencyResolution setting) {
  switch (setting) {
    case DependencyResolution::automatic:
      return "auto";
    case DependencyResolution::locked:
      return "locked";
    case DependencyResolution::as_of_commit:
      return "asOfCommit";
    case DependencyResolution::newest:
      return "newest";
  }
  return "";
}

std::string lock_text(const SourceFacts& facts) {
  return fmt::format("{} sha256:{}", facts.lock, facts.lock_sha256);
}

std::vector<Choice> install_choices(DependencyResolution setting, const SourceFacts& facts) {
  std::vector<Choice> choices;
  const bool automatic = setting == DependencyResolution::automatic;
  if (!facts.lock.empty() && (automatic || setting == DependencyResolution::locked))
    choices.push_back({Choice::By::lock});
  if (facts.time && (automatic || setting == DependencyResolution::as_of_commit))
    choices.push_back({Choice::By::date, *facts.time});
  if (automatic || setting == DependencyResolution::newest) choices.push_back({});
  return choices;
}

std::vector<Choice> build_choices(DependencyResolution setting, const SourceFacts& facts) {
  std::vector<Choice> choices;
  if (facts.time && setting != DependencyResolution::newest) choices.push_back({Choice::By::date, *facts.time});
  if (choices.empty() || setting != DependencyResolution::as_of_commit) choices.push_back({});
  return choices;
}

}  // namespace

std::string_view Choice::mode() const noexcept {
  switch (by) {
    case By::lock:
      return "locked";
    case By::date:
      return "asOfCommit";
    case By::newest:
      return "newest";
  }
  return "";
}

std::string Resolution::input_of(const Choice& choice) const {
  if (choice.by == Choice::By::lock) return lock_text(facts);
  return choice.by == Choice::By::date ? date_text(choice.date) : std::string();
}

Resolution plan_resolution(DependencyResolution setting, SourceFacts facts, const std::string& reference) {
  Resolution resolution;
  resolution.for_install = install_choices(setting, facts);
  if (resolution.for_install.empty()) {
    const bool locked = setting == DependencyResolution::locked;
    throw Error(ErrorCode::install,
                fmt::format("{} has no {}", reference, locked ? "lock file" : "date of a commit or an upload"))
        .with_hint(fmt::format("dependencyResolution is {} in the configuration; auto takes what is there",
                               name_of_setting(setting)));
  }
  resolution.for_build = build_choices(setting, facts);
  resolution.inputs = {{"resolution", std::string(name_of_setting(setting))}};
  for (const Choice& choice : resolution.for_install) {
    if (choice.by == Choice::By::lock) resolution.inputs.emplace_back("lock", lock_text(facts));
    if (choice.by == Choice::By::date) resolution.inputs.emplace_back("date", date_text(choice.date));
  }
  resolution.facts = std::move(facts);
  return resolution;
}

std::string date_text(std::int64_t seconds) {
  const std::string text = rfc3339_utc(WallTime(std::chrono::seconds(seconds)));
  return text.substr(0, 19) + "Z";
}

}  // namespace venvoy::venv::internal
