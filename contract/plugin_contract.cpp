#include "contract/plugin_contract.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace venvoy::contract {
namespace {

const std::string looked_for_file = fmt::format("no file {}", PluginContract::marker_file);

Verdict by_file(bool there) {
  if (there) return {Verdict::Kind::kept, fmt::format("file {}", PluginContract::marker_file)};
  return {Verdict::Kind::missing, looked_for_file};
}

// A folder of the name is no contract; a symbolic link is a file to git, wherever it leads.
bool is_file(const source::GitMirror& mirror, const source::CommitId& commit, const std::string& path) {
  using Kind = source::TreeEntry::Kind;
  if (!mirror.has_path(commit, path)) return false;
  const auto entries = mirror.list_tree(commit);
  return std::any_of(entries.begin(), entries.end(), [&](const source::TreeEntry& entry) {
    return entry.path == path && entry.kind != Kind::directory && entry.kind != Kind::submodule;
  });
}

bool has(const std::vector<std::string>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

}  // namespace

Verdict PluginContract::judge_commit(const source::GitMirror& mirror, const source::CommitId& commit,
                                     const std::string& subdirectory) const {
  const std::string root = subdirectory.empty() ? std::string() : subdirectory + "/";
  return by_file(is_file(mirror, commit, root + std::string(marker_file)));
}

Verdict PluginContract::judge_folder(const std::filesystem::path& folder) const {
  std::error_code ignored;
  const auto status = std::filesystem::symlink_status(folder / marker_file, ignored);
  return by_file(std::filesystem::exists(status) && !std::filesystem::is_directory(status));
}

Verdict PluginContract::judge_package(const PackageFacts& package) const {
  if (has(package.classifiers, classifier)) return {Verdict::Kind::kept, fmt::format("classifier '{}'", classifier)};
  if (has(package.keywords, keyword)) return {Verdict::Kind::kept, fmt::format("keyword '{}'", keyword)};
  if (has(package.metadata_files, marker_file)) return by_file(true);
  return {Verdict::Kind::missing,
          fmt::format("{}, no classifier '{}' and no keyword '{}'", looked_for_file, classifier, keyword)};
}

Contract::Refusal PluginContract::refusal(const std::string& module, const std::string& origin,
                                          const std::string& reference, const Verdict& verdict) const {
  // The first words are those of the deployer that introduced the contract (spec/workflow.md 8.7).
  return {
      fmt::format("impossible to run module {}, from {} marked as incompatible in package metadata: it has {}", module,
                  origin, verdict.evidence),
      fmt::format("The Python deployer runs only plugins that say they need nothing beside Python.\n"
                  "  * If the plugin is yours: add an empty file {} to the root of the plugin and use the new commit.\n"
                  "  * If you know that it runs: --allow-incompatible '{}' lets it run this time;\n"
                  "    `overrideModuleCompatibility: true` in the Python deployer's configuration always does.",
                  marker_file, reference)};
}

}  // namespace venvoy::contract
