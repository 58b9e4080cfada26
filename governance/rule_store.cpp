#include "governance/rule_store.hpp"

#include <cerrno>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "os/file_lock.hpp"
#include "os/files.hpp"

namespace venvoy::governance {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t max_rules_bytes = std::size_t{64} << 20;

}  // namespace

StaleRevision::StaleRevision(std::int64_t wanted, std::int64_t found)
    : Error(ErrorCode::usage, fmt::format("the rules have revision {}, not {}", found, wanted)) {
  with_hint("read them again, and send the update with the new revision");
}

RuleStore::RuleStore(fs::path file, const Clock& clock) : file_(std::move(file)), clock_(clock) {
  const fs::path folder = file_.parent_path();
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    fs::create_directories(folder.parent_path(), error);
    os::make_directory(folder, 0700);
  }
}

std::optional<RuleStore::Stamp> RuleStore::stamp() const {
  struct stat facts = {};
  if (::stat(file_.c_str(), &facts) != 0) {
    if (errno == ENOENT) return std::nullopt;
    throw system_error(errno, fmt::format("cannot look at '{}'", file_.string()));
  }
  return Stamp{static_cast<std::int64_t>(facts.st_ino), facts.st_size, facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec};
}

std::shared_ptr<const RuleMap> RuleStore::read_file() const {
  const auto text = os::read_file_if_there(file_, max_rules_bytes);
  return std::make_shared<const RuleMap>(text ? RuleMap::from_text(*text, file_.string()) : RuleMap());
}

std::shared_ptr<const RuleMap> RuleStore::read() const {
  // The file is replaced, never changed: a new inode or time is a new map, and looking before reading errs only towards
  // reading once more.
  const auto now = stamp();
  const std::lock_guard lock(mutex_);
  if (map_ && now == seen_) return map_;
  map_ = read_file();
  seen_ = now;
  return map_;
}

void RuleStore::write(const RuleMap& map, bool keep_previous) {
  if (keep_previous)
    if (const auto text = os::read_file_if_there(file_, max_rules_bytes))
      os::write_file_atomically(file_.string() + ".previous", *text);
  os::write_file_atomically(file_, map.to_text());
}

RuleStore::Updated RuleStore::update(const std::string& cluster_id, const Update& update, const std::string& actor,
                                     std::optional<std::int64_t> expected, const CancelToken& cancel) {
  const auto held = os::FileLock::wait(file_.string() + ".lock", os::LockMode::exclusive, cancel);
  RuleMap map = *read_file();
  if (expected && *expected != map.revision) throw StaleRevision(*expected, map.revision);
  Updated result;
  result.change = apply(map, cluster_id, update, actor, rfc3339_utc(clock_.wall()));
  if (!update.empty()) {
    write(map, true);
    // Two updates in one tick of the clock may look alike from outside: the next reader looks inside.
    const std::lock_guard lock(mutex_);
    map_ = nullptr;
  }
  result.map = std::make_shared<const RuleMap>(std::move(map));
  return result;
}

void RuleStore::seed(const Update& update, const std::string& actor) {
  const auto held = os::FileLock::wait(file_.string() + ".lock", os::LockMode::exclusive, {});
  if (stamp()) return;
  RuleMap map;
  apply(map, {}, update, actor, rfc3339_utc(clock_.wall()));
  write(map, false);
}

}  // namespace venvoy::governance
