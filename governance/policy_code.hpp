// From a record of the registry to something that can be installed (spec/governance.md 8.4).
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/cancel.hpp"
#include "governance/registry.hpp"
#include "source/module_ref.hpp"

namespace venvoy::governance {

// What an environment is made from.
struct PolicySource {
  source::ModuleRef reference;  // of the plugin, or of the folder that the archive was unpacked to
  std::string module;           // empty for an archive
  std::string sha256;           // of the archive; empty for a plugin
};

// `<state>/governance/code-v1/<sha256>/` holds each archive as a project that the installer of plugins can install, and
// `<state>/governance/digests.json` what each unpinned archive was at its first use. May be used from any thread.
class PolicyCode {
 public:
  static constexpr std::size_t max_archive_bytes = std::size_t{64} << 20;

  // `folder` is `<state>/governance`; made if it is not there. `build_script` is policy_build.py.
  PolicyCode(std::filesystem::path folder, std::filesystem::path build_script);

  // Fetches and unpacks an archive if need be; blocks. An archive is looked at anew when its file has changed, or once
  // in the life of this object when it comes from a URL. Throws a PolicyError: fetch, integrity, install.
  PolicySource locate(const PolicyRecord& record, const CancelToken& cancel);

  // Takes the archive that is there now for what the rule id means. Throws as locate(), and an Error (usage) for a
  // policy that is no archive or is pinned.
  std::string accept(const PolicyRecord& record, const CancelToken& cancel);

 private:
  struct Seen {
    std::string stamp;
    std::string sha256;
  };
  std::string fetch(const PolicyRecord& record, const CancelToken& cancel) const;
  std::string read_archive(const PolicyRecord& record, std::string& bytes, const CancelToken& cancel);
  void compare_with_first_use(const PolicyRecord& record, const std::string& sha256);
  std::string recorded(const RuleId& id) const;
  std::string record_digest(const RuleId& id, const std::string& sha256, bool replace) const;
  std::filesystem::path unpacked(const std::string& sha256, const PolicyRecord& record, std::string bytes,
                                 const CancelToken& cancel);

  std::filesystem::path folder_;
  std::filesystem::path build_script_;
  std::mutex mutex_;
  std::map<std::string, Seen> seen_;  // by where the archive is
};

// The requirements of a `requirements.txt`, without comments. Throws a PolicyError (install) for lines that are options
// of an installer.
std::vector<std::string> read_requirements(std::string_view text);

}  // namespace venvoy::governance
