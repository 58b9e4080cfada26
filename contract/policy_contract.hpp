// What policy packages of Rucio must be to get into the store: anything that can be installed.
#pragma once

#include "contract/contract.hpp"

namespace venvoy::contract {

// A policy package is bound to hosts, not to us: the same code is right for one version of Rucio and wrong for the next
// (supported_version.hpp). So everything may be installed into the store, where it is looked at and asked; what goes on
// to a host is decided by the verdict for that host. Such packages are imported by others and have no module to run.
class PolicyContract final : public Contract {
 public:
  std::string_view name() const noexcept override { return "rucio-policy"; }
  bool is_run_as_module() const noexcept override { return false; }
  Verdict judge_commit(const source::GitMirror& mirror, const source::CommitId& commit,
                       const std::string& subdirectory) const override;
  Verdict judge_folder(const std::filesystem::path& folder) const override;
  Verdict judge_package(const PackageFacts& package) const override;
  Refusal refusal(const std::string& module, const std::string& origin, const std::string& reference,
                  const Verdict& verdict) const override;
};

}  // namespace venvoy::contract
