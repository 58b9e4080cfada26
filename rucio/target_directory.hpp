// A folder in the PYTHONPATH of hosts, and what is installed there (spec/policy-packages.md 5.4).
//
//   <target>/<module>/, <target>/<dist>-<version>.dist-info/    as pip would leave them
//   <target>/.venvoy.json          what is installed by us, see InstallRecord
//   <target>/.venvoy.lock          locked by whoever changes anything
//   <target>/.stage-<id>/          a set that is being written; with plan.json in it: that is being swapped in
//   <target>/.previous-<id>/       the set before, with its record in record.json
//
// A set is swapped in one entry after the other, each by an exchange of names that the kernel does at once: at any
// moment a module is the old one or the new one. plan.json is written when the stage is complete, and whoever opens the
// folder next finishes what it says; a stage without it is rubbish. Which steps are done is known by inode numbers.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/cancel.hpp"
#include "os/file_lock.hpp"

namespace venvoy::rucio {

// One installed package. In JSON: {"reference", "commit", "module", "distribution", "version", "content_sha256",
// "entries", "host_version", "verdict", "installed", "dependencies"}.
struct InstallRecord {
  std::string reference;
  std::string commit;
  std::string module;
  std::string distribution;
  std::string version;
  std::string content_sha256;        // over the paths and contents of all files
  std::vector<std::string> entries;  // names in the target
  std::string host_version;          // that its contract was judged for; empty: none
  std::string verdict;
  std::string installed;                  // RFC 3339
  std::vector<std::string> dependencies;  // "name==version" that came with it
};

// By module.
using InstallRecords = std::map<std::string, InstallRecord>;

struct FileToInstall {
  std::filesystem::path source;
  std::string path;  // in the target
};

// Throws an Error (io) for every failure of the file system; what was there stays.
class TargetDirectory {
 public:
  // Makes the folder if it is not there, waits for its lock, and finishes or sweeps what a killed process has left.
  // Throws also an Error (cancelled), and (environment) where the file system has no locks.
  static TargetDirectory open(const std::filesystem::path& path, const CancelToken& cancel);

  const std::filesystem::path& path() const noexcept { return path_; }
  InstallRecords records() const;

  // Whether these files, and nothing else of theirs, are there: names and contents.
  bool holds(const InstallRecord& record) const;

  // Copies files into a stage; nothing of the target changes. The stage is removed with the object.
  class Stage {
   public:
    Stage(Stage&& other) noexcept;
    ~Stage();
    const std::filesystem::path& path() const noexcept { return path_; }

   private:
    friend class TargetDirectory;
    explicit Stage(std::filesystem::path path) : path_(std::move(path)) {}
    std::filesystem::path path_;
  };
  Stage stage(const std::vector<FileToInstall>& files) const;

  // Swaps the stage in. `records` are all of the target from now on.
  void swap(Stage stage, const InstallRecords& records);

  // Swaps the set before in again; what was there becomes the set before. Throws an Error (unresolvable) if there is
  // none.
  void roll_back();

 private:
  TargetDirectory(std::filesystem::path path, os::FileLock lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  void recover() const;
  void carry_out(std::filesystem::path stage, const nlohmann::json& plan) const;
  nlohmann::json plan_for(const std::filesystem::path& stage, const nlohmann::json& record) const;

  std::filesystem::path path_;
  os::FileLock lock_;
};

// The names in a target that files make: the first parts of their paths, sorted.
std::vector<std::string> entries_of(const std::vector<FileToInstall>& files);
// InstallRecord::content_sha256 of files; reads them. Throws an Error (io).
std::string content_hash(std::vector<FileToInstall> files);

}  // namespace venvoy::rucio
