// What the commands of `venvoy package` share.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/exit_code.hpp"
#include "cli/commands.hpp"
#include "cli/package_workshop.hpp"
#include "rucio/check.hpp"

namespace venvoy::cli {

// Options of several of them.
struct PackageOptions {
  std::vector<std::string> references;
  std::optional<std::string> host_version;
  std::vector<std::string> vos;
  bool single_vo = false;
  bool read_only = false;
  bool alias_surl = false;
  std::string module;
  std::string image_python = "3.9";
  std::vector<std::string> find_links;
  std::optional<std::string> timeout;
  std::optional<std::string> memory;
  bool network = false;
};

void add_host_option(CLI::App& command, PackageOptions& options);
void add_vo_options(CLI::App& command, PackageOptions& options);
// --module, --find-links
void add_source_options(CLI::App& command, PackageOptions& options);
void add_limit_options(CLI::App& command, PackageOptions& options);

// Throw an Error (usage) for a text that is no version, duration or size.
std::optional<contract::HostVersion> host_version_of(const PackageOptions& options);
rucio::ProbeLimits limits_of(const PackageOptions& options);
rucio::Audience audience_of(const PackageOptions& options);
rucio::CheckOptions check_options_of(const PackageOptions& options);

// One command at work: configuration, session and workshop are made, and every Error becomes its exit code.
class PackageWork {
 public:
  // `io_failure`: what it means that the operating system refuses a file.
  explicit PackageWork(const CommonOptions& common, PackageExit io_failure = PackageExit::unresolvable)
      : common_(common), files_(common.context), talk_(common, &files_), io_failure_(io_failure) {}

  const Talk& talk() const noexcept { return talk_; }
  const CommonOptions& common() const noexcept { return common_; }
  ContextFiles& files() noexcept { return files_; }

  using Body = std::function<PackageExit(rucio::Workshop&, const CancelToken&)>;
  int run(const PackageOptions& options, const Body& body);
  // Without an engine.
  int run_alone(const std::function<PackageExit()>& body);

  void write_data(const nlohmann::json& data) const;
  void tell(const std::vector<rucio::Finding>& findings) const;

 private:
  PackageExit exit_of(const Error& error) const;
  const CommonOptions& common_;
  ContextFiles files_;
  Talk talk_;
  PackageExit io_failure_;
};

// The commands with files of their own.
void add_package_render_command(CLI::App& package, CommonOptions& common, Action& action);
void add_package_drift_command(CLI::App& package, CommonOptions& common, Action& action);

}  // namespace venvoy::cli
