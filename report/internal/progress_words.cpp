#include "report/internal/progress_words.hpp"

#include <fmt/format.h>

namespace venvoy::report::internal {
namespace {

constexpr std::size_t full_commit = 40;
constexpr std::size_t short_commit = 7;

bool is_hexadecimal(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// A commit is known by its first digits; hashes that nobody knows by heart say nothing.
std::string shortened(std::string_view version) {
  if (!is_hexadecimal(version)) return std::string(version);
  if (version.size() == full_commit) return std::string(version.substr(0, short_commit));
  return version.size() > full_commit ? std::string() : std::string(version);
}

struct ModuleParts {
  std::string_view name;
  std::string_view version;
};

ModuleParts parts_of(std::string_view reference) {
  if (const auto equals = reference.find("=="); equals != std::string_view::npos)
    return {reference.substr(0, equals), reference.substr(equals + 2)};
  const auto git = reference.find("@git+");
  if (git == std::string_view::npos) return {reference, {}};
  std::string_view url = reference.substr(git + 1);
  url = url.substr(0, url.find('#'));
  const std::string_view version = url.substr(url.rfind('@') + 1);
  // "git@host/path" names a user, not a version.
  const bool is_version = url.find('@') != std::string_view::npos && version.find('/') == std::string_view::npos;
  return {reference.substr(0, git), is_version ? version : std::string_view()};
}

}  // namespace

std::string step_text(const workflow::StepName& name) {
  return name.item.empty() ? name.step : fmt::format("{}[{}]", name.step, name.item);
}

std::string counted(std::uint64_t done, std::uint64_t total) {
  return total == 0 ? std::to_string(done) : fmt::format("{} of {}", done, total);
}

std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find('\n'));
}

std::string resolved_label(std::string_view reference, std::string_view version) {
  const ModuleParts parts = parts_of(reference);
  const std::string shown = shortened(version.empty() ? parts.version : version);
  return shown.empty() ? std::string(parts.name) : fmt::format("{} {}", parts.name, shown);
}

bool names_version(std::string_view reference, std::string_view version) {
  return parts_of(reference).version == version;
}

std::string ending_text(const workflow::StepFinished& event, const std::string& time) {
  const bool well = event.outcome == workflow::Outcome::succeeded;
  const std::string when = time.empty() ? std::string() : fmt::format(" {} {}", well ? "in" : "after", time);
  std::string_view error = first_line(event.error);
  // What a line like "…; the last it wrote to standard error:" announces is not shown.
  if (error.ends_with(':')) error = error.substr(0, error.rfind("; "));
  const std::string what = error.empty() ? fmt::format(" ({})", event.output_id) : fmt::format(": {}", error);
  return fmt::format("{}{}{}", to_text(event.outcome), when, what);
}

}  // namespace venvoy::report::internal
