// What code must carry to be run: facts in, verdict out, and no code is run (design D5).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "contract/verdict.hpp"
#include "source/git_mirror.hpp"

namespace venvoy::contract {

// What is known of a package of the index before it is installed.
struct PackageFacts {
  std::string name;
  std::string version;
  std::vector<std::string> classifiers;
  std::vector<std::string> keywords;
  // Names of the files in the root of a source archive, or in the `.dist-info` folder of a wheel.
  std::vector<std::string> metadata_files;
};

class Contract {
 public:
  virtual ~Contract() = default;
  // A word without blanks; stored verdicts are told apart by it.
  virtual std::string_view name() const noexcept = 0;
  // Whether such code is started by `python -m <name>`: then an environment is good only if it has that module.
  virtual bool is_run_as_module() const noexcept = 0;

  // `subdirectory` as in source::GitRef. Throws an Error (io) when the mirror is damaged.
  virtual Verdict judge_commit(const source::GitMirror& mirror, const source::CommitId& commit,
                               const std::string& subdirectory) const = 0;
  virtual Verdict judge_folder(const std::filesystem::path& folder) const = 0;
  virtual Verdict judge_package(const PackageFacts& package) const = 0;

  // The sentences for someone whose code was refused: what is missing in `origin` ("repo <url>@<version>", "package
  // name==1.0"), and what can be done about it.
  struct Refusal {
    std::string message;
    std::string hint;
  };
  virtual Refusal refusal(const std::string& module, const std::string& origin, const std::string& reference,
                          const Verdict& verdict) const = 0;
};

}  // namespace venvoy::contract
