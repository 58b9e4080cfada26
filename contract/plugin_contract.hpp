// The contract of plugins for the Python deployer: a file, or a word in the package's metadata (design D5).
#pragma once

#include "contract/contract.hpp"

namespace venvoy::contract {

// Kept by an empty or any other file `.python_deployer_compat` in the plugin's root; by packages of the index also with
// the classifier or the keyword.
class PluginContract final : public Contract {
 public:
  static constexpr std::string_view marker_file = ".python_deployer_compat";
  static constexpr std::string_view classifier = "Arcaflow :: Python Deployer :: Runnable";
  static constexpr std::string_view keyword = "arcaflow-python-deployer-runnable";

  std::string_view name() const noexcept override { return "python-deployer"; }
  bool is_run_as_module() const noexcept override { return true; }
  Verdict judge_commit(const source::GitMirror& mirror, const source::CommitId& commit,
                       const std::string& subdirectory) const override;
  Verdict judge_folder(const std::filesystem::path& folder) const override;
  Verdict judge_package(const PackageFacts& package) const override;
  Refusal refusal(const std::string& module, const std::string& origin, const std::string& reference,
                  const Verdict& verdict) const override;
};

}  // namespace venvoy::contract
