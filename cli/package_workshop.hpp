// The engine, as work on policy packages sees it.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cache/work_dir.hpp"
#include "cli/common.hpp"
#include "cli/session.hpp"
#include "contract/policy_contract.hpp"
#include "report/plain_progress.hpp"
#include "rucio/workshop.hpp"

namespace venvoy::cli {

class PackageWorkshop final : public rucio::Workshop {
 public:
  // The session and talk outlive it. `find_links`: one more folder or page with packages.
  PackageWorkshop(Session& session, const CommonOptions& common, const Talk& talk,
                  const std::vector<std::string>& find_links);
  ~PackageWorkshop() override;

  venv::ReadyEnvPtr environment(const source::ModuleRef& reference,
                                std::optional<std::vector<std::string>> dependencies,
                                const std::filesystem::path& python) override;
  rucio::GitMeaning git(const source::GitRef& reference, std::optional<std::filesystem::path> target) override;
  os::ProgramResult run(os::ProgramSpec spec, os::ProgramLimits limits) override;
  std::filesystem::path python() override;
  std::filesystem::path new_folder() override;
  const os::Environment& process_environment() const override { return environment_; }
  const Logger& logger() const override { return talk_.logger(); }
  bool offline() const override { return settings_.offline; }

 private:
  Session& session_;
  const Talk& talk_;
  report::PlainProgress progress_;
  contract::PolicyContract contract_;
  os::Environment environment_;
  venv::Settings settings_;
  std::optional<cache::WorkDir> folder_;
  unsigned folders_ = 0;
};

// What the user wrote as a reference, with paths made absolute: a folder or a wheel of that name in the context goes
// before a package of an index.
std::string package_reference(const std::string& text, const std::string& context);

}  // namespace venvoy::cli
