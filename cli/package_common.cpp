#include "cli/package_common.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include "base/error.hpp"
#include "cli/quantity.hpp"
#include "schema/json.hpp"

namespace venvoy::cli {
namespace {

// Installers' words for what is not there, as opposed to what does not build.
bool is_not_there(const Error& error) {
  for (const char* sign :
       {"No solution found", "No matching distribution found", "was not found in the package registry",
        "Could not find a version", "the network was disabled", "no sensible metadata"})
    if (error.message().find(sign) != std::string::npos) return true;
  return false;
}

}  // namespace

void add_host_option(CLI::App& command, PackageOptions& options) {
  command
      .add_option("--host-version", options.host_version,
                  "Version of Rucio that the package is for: 41.5.1, or an image's tag, release-41.5.1")
      ->type_name("V");
}

void add_vo_options(CLI::App& command, PackageOptions& options) {
  command.add_option("--vo", options.vos, "The VO that the package is for, on a multi-VO host")
      ->type_name("VO")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command.add_flag("--single-vo", options.single_vo, "The host is a single-VO one, although a VO is named");
}

void add_source_options(CLI::App& command, PackageOptions& options) {
  command.add_option("--module", options.module, "The module that Rucio names, where a package has several")
      ->type_name("NAME");
  command.add_option("--find-links", options.find_links, "A folder with wheels to install from; may be repeated")
      ->type_name("DIR")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void add_limit_options(CLI::App& command, PackageOptions& options) {
  command.add_option("--timeout", options.timeout, "How long the package may take for an answer; 30s if not given")
      ->type_name("TIME");
  command.add_option("--memory", options.memory, "How much memory it may take; 1GB if not given")->type_name("SIZE");
  command.add_flag("--allow-network", options.network, "Let it open connections");
}

std::optional<contract::HostVersion> host_version_of(const PackageOptions& options) {
  if (!options.host_version) return std::nullopt;
  auto host = contract::parse_host_version(*options.host_version);
  if (!host)
    throw Error(ErrorCode::usage, fmt::format("--host-version '{}' is no version of Rucio", *options.host_version))
        .with_hint("write it as 41.5.1, or as the tag of an image, release-41.5.1");
  return host;
}

rucio::ProbeLimits limits_of(const PackageOptions& options) {
  rucio::ProbeLimits limits;
  if (options.timeout) limits.timeout = parse_duration(*options.timeout, "--timeout");
  if (options.memory) limits.memory = parse_size(*options.memory, "--memory");
  limits.network = options.network;
  return limits;
}

rucio::Audience audience_of(const PackageOptions& options) {
  rucio::Audience audience;
  if (options.vos.size() > 1) throw Error(ErrorCode::usage, "this is asked for one VO: give --vo once");
  if (!options.vos.empty()) audience.vo = options.vos.front();
  audience.multi_vo = !audience.vo.empty() && !options.single_vo;
  return audience;
}

rucio::CheckOptions check_options_of(const PackageOptions& options) {
  rucio::CheckOptions check;
  check.host = host_version_of(options);
  check.audience = audience_of(options);
  check.image_python = options.image_python;
  check.limits = limits_of(options);
  return check;
}

PackageExit PackageWork::exit_of(const Error& error) const {
  switch (error.code()) {
    case ErrorCode::usage:
    case ErrorCode::reference:
      return PackageExit::usage;
    case ErrorCode::install:
      return common_.offline || is_not_there(error) ? PackageExit::unresolvable : PackageExit::install_failed;
    case ErrorCode::io:
      return io_failure_;
    case ErrorCode::denied:
      return PackageExit::lint_error;
    default:
      return PackageExit::unresolvable;
  }
}

int PackageWork::run_alone(const std::function<PackageExit()>& body) {
  try {
    return exit_number(body());
  } catch (const Error& error) {
    talk_.error(error);
    return exit_number(exit_of(error));
  }
}

int PackageWork::run(const PackageOptions& options, const Body& body) {
  return run_alone([&] {
    auto configuration = load_configuration(common_, files_, talk_);
    if (!configuration) return PackageExit::unresolvable;
    Session session(std::move(*configuration), runtime_options(common_, talk_));
    PackageWorkshop workshop(session, common_, talk_, options.find_links);
    return body(workshop, session.cancel_token());
  });
}

void PackageWork::write_data(const nlohmann::json& data) const {
  const std::string text = data.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  write_out(data_document(schema::read_json(text), common_.output));
}

void PackageWork::tell(const std::vector<rucio::Finding>& findings) const {
  for (const rucio::Finding& each : findings) {
    if (talk_.quiet() && each.level != "error") continue;
    const Severity severity = each.level == "error" ? Severity::error : Severity::warning;
    talk_.issue({severity, {each.file, each.line, 0}, fmt::format("{}: {}", each.rule, each.text), {}});
  }
}

}  // namespace venvoy::cli
