// The rules file: read by everybody, changed under a lock, replaced in one step (spec/governance.md 8.7, design D14).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "governance/rule_map.hpp"

namespace venvoy::governance {

// Thrown by update() when somebody else was faster.
class StaleRevision : public Error {
 public:
  StaleRevision(std::int64_t wanted, std::int64_t found);
};

// May be used from any thread, and by several processes at once. Everything blocks for some system calls.
class RuleStore {
 public:
  // Makes the file's folder (0700) if it is not there; not the file.
  explicit RuleStore(std::filesystem::path file, const Clock& clock = system_clock());

  const std::filesystem::path& file() const noexcept { return file_; }

  // The map as it is now: read again only when the file has changed. A file that is not there is an empty map. Throws
  // an Error (document) when the file is damaged, (io) when it cannot be read.
  std::shared_ptr<const RuleMap> read() const;

  struct Updated {
    std::shared_ptr<const RuleMap> map;
    Change change;
  };
  // Reads, merges and replaces the file, the only one to do so. `expected`: the revision that the caller has seen. When
  // this returns the new map survives a power cut; the map before it lies in `<file>.previous`.
  Updated update(const std::string& cluster_id, const Update& update, const std::string& actor,
                 std::optional<std::int64_t> expected, const CancelToken& cancel);

  // Fills a file that is not there yet with these rules of the network.
  void seed(const Update& update, const std::string& actor);

 private:
  struct Stamp {
    std::int64_t inode = 0, size = 0, seconds = 0, nanoseconds = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  std::optional<Stamp> stamp() const;
  std::shared_ptr<const RuleMap> read_file() const;
  void write(const RuleMap& map, bool keep_previous);

  std::filesystem::path file_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  mutable std::optional<Stamp> seen_;
  mutable std::shared_ptr<const RuleMap> map_;
};

}  // namespace venvoy::governance
