#include "venv/internal/steered_run.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "os/files.hpp"
#include "venv/internal/origin.hpp"
#include "venv/internal/steered_index.hpp"

namespace venvoy::venv::internal {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

constexpr std::string_view not_in_lock = "which its lock file does not list";
constexpr std::string_view no_dates = "does not say when its files were uploaded";

Error run_error(const Job& job, const InstallerRun& run, ErrorCode code, const std::string& why) {
  return Error(code, fmt::format("{} {}: {}", run.trouble, job.shown, why));
}

Error wrong_hash(const Job& job, const InstallerRun& run, const std::string& lock, const std::string& package) {
  return run_error(job, run, ErrorCode::install,
                   fmt::format("the file of {} that the index has is not the one that {} names: its hash is another",
                               package, lock))
      .with_hint(
          "somebody has replaced the package, or the lock file is of another index: compare both before you trust "
          "either; `dependencyResolution: asOfCommit` passes the lock file over");
}

Error dateless(const Job& job, const InstallerRun& run, const std::string& index, const std::string& package) {
  return run_error(job, run, ErrorCode::install,
                   fmt::format("the package index {} {}, so {} cannot be chosen by the date of the commit", index,
                               no_dates, package))
      .with_hint("choose with `dependencyResolution: locked` or `newest`, or an `indexUrl` that tells upload times");
}

// What stands after `sign` in a text, up to one of `ends`.
std::string text_after(const std::string& text, std::string_view sign, std::string_view ends) {
  const std::size_t place = text.find(sign);
  if (place == std::string::npos) return {};
  const std::size_t start = place + sign.size();
  return std::string(trim(std::string_view(text).substr(start, text.find_first_of(ends, start) - start)));
}

// Of what the installers say about a file that is not the one that was promised: "helper==1.0", "helper 1.0".
std::optional<std::string> mismatch_in(const std::string& message) {
  if (std::string name = text_after(message, "Hash mismatch for `", "`"); !name.empty()) return name;
  constexpr std::string_view sign = "DO NOT MATCH THE HASHES";
  const std::size_t place = message.find(sign);
  if (place == std::string::npos) return std::nullopt;
  // The next line but that with the rest of the sentence names it: "    helper==1.0 from http://…".
  for (const std::string_view line : split_lines(std::string_view(message).substr(place)))
    if (const std::size_t from = line.find(" from http"); from != std::string_view::npos && line.starts_with("    "))
      return std::string(trim(line.substr(0, from)));
  return "a package";
}

// In the place of what the installer says, if there is something better to say.
Error explained(const Job& job, const SteeredRun& steered, const IndexFindings& findings, const std::string& index,
                Error error) {
  const InstallerRun& run = steered.run;
  const Bounds& bounds = steered.bounds;
  if (error.code() != ErrorCode::install && error.code() != ErrorCode::network) return error;
  if (findings.failure)
    return run_error(job, run, findings.failure->code(), findings.failure->message())
        .with_hint(findings.failure->hint());
  if (bounds.pins) {
    if (!findings.mismatched.empty()) return wrong_hash(job, run, bounds.lock, findings.mismatched.front());
    if (const auto package = mismatch_in(error.message())) return wrong_hash(job, run, bounds.lock, *package);
  }
  if (!found_nothing(error)) return error;
  if (bounds.pins && !findings.unlisted.empty()) return not_listed(job, bounds.lock, findings.unlisted);
  if (bounds.before.empty()) return error;
  if (!findings.dateless.empty()) return dateless(job, run, index, "'" + findings.dateless.front() + "'");
  // uv says it of each file: "warning: helper-1.0-py3-none-any.whl is missing an upload date, but user provided: …"
  if (error.message().find("is missing an upload date") != std::string::npos)
    return dateless(job, run, job.settings.index_url ? source::safe_url(*job.settings.index_url) : "in use",
                    "what it needs");
  return error;
}

asio::awaitable<void> run_with_index(const Job& job, SteeredRun& steered, IndexPlaces places) {
  const std::string shown = shown_places(places);
  IndexRule rule;
  if (steered.bounds.pins)
    rule = rule_for(*steered.bounds.pins, steered.bounds.before);
  else
    rule.before = steered.bounds.before;
  SteeredIndex index(job, std::move(places), std::move(rule));
  std::exception_ptr failure;
  try {
    InstallerRun run = steered.run;
    const std::vector<std::string> variables = index.variables(run.temporary);
    run.environment.insert(run.environment.end(), variables.begin(), variables.end());
    co_await run_installer(job, std::move(run));
  } catch (const Error& error) {
    failure = std::make_exception_ptr(explained(job, steered, index.findings(), shown, error));
  } catch (...) {
    failure = std::current_exception();
  }
  co_await index.finish();
  if (failure) std::rethrow_exception(failure);
  if (index.findings().failure) job.logger.warning("{}: {}", job.shown, index.findings().failure->message());
}

}  // namespace

bool found_nothing(const Error& error) {
  constexpr std::array<std::string_view, 5> signs = {"No solution found", "No matching distribution found",
                                                     "ResolutionImpossible", not_in_lock, no_dates};
  return error.code() == ErrorCode::install && std::any_of(signs.begin(), signs.end(), [&](std::string_view sign) {
           return error.message().find(sign) != std::string::npos;
         });
}

asio::awaitable<void> run_steered(const Job& job, const Installer& installer, SteeredRun steered,
                                  std::optional<IndexPlaces>& places) {
  const bool needs_index = installer.needs_index();
  Steering steering;
  steering.before = steered.bounds.before;
  if (steered.bounds.pins) {
    steering.constraints = steered.run.temporary / "constraints.txt";
    os::write_file_atomically(steering.constraints, constraints_text(*steered.bounds.pins, !needs_index));
  }
  steered.run.command = steered.command(steering);
  steered.run.installer = installer.name();
  if (needs_index) {
    if (!places) {
      IndexPlaces found = co_await places_of_pip(job, steered.target);
      places = std::move(found);
    }
    co_await run_with_index(job, steered, *places);
    co_return;
  }
  std::optional<Error> failure;
  try {
    co_await run_installer(job, steered.run);
  } catch (const Error& error) {
    const IndexFindings none;
    failure = explained(job, steered, none, {}, error);
  }
  if (failure) throw Error(*failure);
}

std::vector<std::string> unlisted_in(const nlohmann::json& distributions, const std::vector<Pin>& pins,
                                     const std::string& plugin) {
  std::vector<std::string> names;
  for (const nlohmann::json& each : distributions) {
    const std::string name = text_in(each, "normalised");
    const auto files = each.value("metadata_files", nlohmann::json::array());
    const bool from_elsewhere = std::find(files.begin(), files.end(), "direct_url.json") != files.end();
    const bool listed =
        std::any_of(pins.begin(), pins.end(), [&](const Pin& pin) { return normalised_name(pin.name) == name; });
    if (name != plugin && !from_elsewhere && !listed && !is_never_locked(name)) names.push_back(name);
  }
  return names;
}

Error not_listed(const Job& job, const std::string& lock, const std::vector<std::string>& names) {
  return Error(ErrorCode::install, fmt::format("error in pip installing {}: it needs {}, {} ({})", job.shown,
                                               quoted_list(names), not_in_lock, lock))
      .with_hint("the lock file is older than the project, or is not the project's: have its tool write it anew");
}

}  // namespace venvoy::venv::internal
