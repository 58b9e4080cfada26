#include "rucio/install.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "rucio/internal/names.hpp"

namespace venvoy::rucio {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// What installers leave beside the metadata, and what says where on this machine the code came from.
bool is_left_out(const std::string& path) {
  for (const char* name : {"/direct_url.json", "/REQUESTED", "/uv_cache.json", "/uv_build.json"})
    if (path.ends_with(std::string(".dist-info") + name)) return true;
  return path.find("__pycache__/") != std::string::npos;
}

void add_files(const fs::path& root, const std::vector<std::string>& paths, std::vector<FileToInstall>& files) {
  for (const std::string& path : paths)
    if (!is_left_out(path) && fs::is_regular_file(root / path)) files.push_back({root / path, path});
}

struct Prepared {
  InstallRecord record;
  std::vector<FileToInstall> files;
};

Prepared prepare(const Package& package, const CheckReport& report, const InstallOptions& options) {
  Prepared prepared;
  InstallRecord& record = prepared.record;
  if (package.own_files) {
    add_files(package.root, package.own_files->files, prepared.files);
    for (const InstalledFiles* each : dependencies_to_bring(package, report)) {
      add_files(package.root, each->files, prepared.files);
      record.dependencies.push_back(each->name + "==" + each->version);
    }
  } else {
    add_files(package.root, package.module_files, prepared.files);
  }
  record.reference = package.shown;
  record.commit = package.commit;
  record.module = package.module;
  record.distribution = package.distribution;
  record.version = package.version;
  record.entries = entries_of(prepared.files);
  record.content_sha256 = content_hash(prepared.files);
  record.host_version = options.check.host ? options.check.host->text : "";
  record.verdict = contract::to_text(report.verdict);
  record.installed = options.now;
  return prepared;
}

bool same_installation(const InstallRecord& one, const InstallRecord& other) {
  return one.reference == other.reference && one.commit == other.commit && one.version == other.version &&
         one.content_sha256 == other.content_sha256 && one.entries == other.entries &&
         one.host_version == other.host_version && one.verdict == other.verdict;
}

// A package is asked once more from the stage: this is what hosts will import.
void probe_stage(Workshop& workshop, const Package& package, const fs::path& stage, const InstallOptions& options) {
  Question question;
  question.name = "contract";
  question.audience = options.check.audience;
  const json answer =
      ask_package(workshop, package, {stage, nullptr, options.check.host}, question, options.check.limits);
  if (!answer.contains("error")) return;
  const json& error = answer["error"];
  // Rucio is not in the stage; that it can be imported with Rucio is what the check has seen.
  if (error.value("missing", "").starts_with("rucio")) return;
  throw Error(ErrorCode::install, fmt::format("{} cannot be imported from the stage: {}: {}", package.module,
                                              error.value("class", ""), error.value("message", "")));
}

// Two of them may bring the same file, but not two different ones.
std::vector<FileToInstall> all_files(const std::vector<Prepared>& prepared) {
  std::map<std::string, fs::path> seen;
  std::vector<FileToInstall> files;
  for (const Prepared& each : prepared)
    for (const FileToInstall& file : each.files) {
      const auto [place, is_new] = seen.emplace(file.path, file.source);
      if (is_new)
        files.push_back(file);
      else if (content_hash({{place->second, "x"}}) != content_hash({{file.source, "x"}}))
        throw Error(ErrorCode::install, fmt::format("two of the packages bring '{}', and they differ", file.path));
    }
  return files;
}

}  // namespace

std::vector<const InstalledFiles*> dependencies_to_bring(const Package& package, const CheckReport& report) {
  std::set<std::string> there(report.host_distributions.begin(), report.host_distributions.end());
  there.insert("rucio");
  std::vector<const InstalledFiles*> result;
  std::vector<std::string> todo = package.own_files ? package.own_files->needs : std::vector<std::string>();
  while (!todo.empty()) {
    const std::string name = todo.back();
    todo.pop_back();
    if (!there.insert(name).second) continue;
    const auto found = std::ranges::find(package.dependencies, name, &InstalledFiles::name);
    if (found == package.dependencies.end()) continue;
    result.push_back(&*found);
    todo.insert(todo.end(), found->needs.begin(), found->needs.end());
  }
  std::ranges::sort(result, {}, [](const InstalledFiles* each) { return each->name; });
  return result;
}

InstallOutcome install_packages(Workshop& workshop, const std::vector<std::string>& references,
                                const InstallOptions& options, const CancelToken& cancel) {
  InstallOutcome outcome;
  std::vector<Prepared> prepared;
  const InstallRecords before = fs::exists(options.target / ".venvoy.json")
                                    ? TargetDirectory::open(options.target, cancel).records()
                                    : InstallRecords();
  for (const std::string& reference : references) {
    Package package = open_package(workshop, reference, options.open);
    CheckOptions check = options.check;
    if (const auto known = before.find(package.module); known != before.end() && !known->second.commit.empty())
      check.deployed = Deployed{known->second.commit, known->second.version};
    CheckReport report = check_package(workshop, package, check);
    outcome.exit = outcome.exit == PackageExit::ok ? exit_of(report) : outcome.exit;
    outcome.installed.push_back(package.module);
    prepared.push_back(prepare(package, report, options));
    outcome.checked.emplace_back(std::move(package), std::move(report));
  }
  if (outcome.exit != PackageExit::ok && !options.force) return outcome;
  outcome.exit = PackageExit::ok;
  TargetDirectory target = TargetDirectory::open(options.target, cancel);
  outcome.records = target.records();
  outcome.unchanged = std::ranges::all_of(prepared, [&](const Prepared& each) {
    const auto known = outcome.records.find(each.record.module);
    return known != outcome.records.end() && same_installation(known->second, each.record) &&
           target.holds(known->second);
  });
  if (outcome.unchanged) return outcome;
  TargetDirectory::Stage stage = target.stage(all_files(prepared));
  if (!options.force)
    for (const auto& [package, report] : outcome.checked) probe_stage(workshop, package, stage.path(), options);
  for (Prepared& each : prepared) outcome.records[each.record.module] = std::move(each.record);
  target.swap(std::move(stage), outcome.records);
  return outcome;
}

}  // namespace venvoy::rucio
