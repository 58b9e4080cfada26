#include "rucio/target_directory.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <set>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/sha256.hpp"
#include "os/fd.hpp"
#include "os/files.hpp"
#include "rucio/internal/names.hpp"

namespace venvoy::rucio {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t max_record = 16u << 20;
constexpr std::size_t max_file = std::size_t{256} << 20;
constexpr const char* record_name = ".venvoy.json";
constexpr const char* lock_name = ".venvoy.lock";
constexpr const char* plan_name = "plan.json";
constexpr const char* former_name = "record.json";
constexpr std::string_view stage_prefix = ".stage-";
constexpr std::string_view previous_prefix = ".previous-";
constexpr std::string_view info_ending = ".dist-info";

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

// 0 if there is nothing.
std::uint64_t inode_of(const fs::path& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

void move(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0)
    throw system_error(errno, fmt::format("cannot rename '{}' to '{}'", from.string(), to.string()));
}

// Where the kernel cannot exchange names (NFS, CephFS), there is a moment in which `there` is missing; what a kill
// leaves then is mended by finish_exchange.
fs::path aside_of(const fs::path& staged) {
  return staged.parent_path() / (".aside-" + staged.filename().string());
}

void exchange(const fs::path& staged, const fs::path& there) {
  if (::renameat2(AT_FDCWD, staged.c_str(), AT_FDCWD, there.c_str(), RENAME_EXCHANGE) == 0) return;
  if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP && errno != EXDEV)
    throw system_error(errno, fmt::format("cannot exchange '{}' and '{}'", staged.string(), there.string()));
  move(there, aside_of(staged));
  move(staged, there);
  move(aside_of(staged), staged);
}

// Puts `staged` in the place of `there`; done already if the inode says so.
void put_in_place(const fs::path& staged, const fs::path& there, std::uint64_t inode) {
  if (inode_of(there) != inode) {
    if (is_there(there))
      exchange(staged, there);
    else
      move(staged, there);
  }
  if (is_there(aside_of(staged))) move(aside_of(staged), staged);
}

// The folder of a distribution has its version in its name: the new one takes the place of the old one, and then its
// own name. So there is one at any moment.
void replace_info(const fs::path& stage, const fs::path& target, const std::string& from, const std::string& to,
                  std::uint64_t inode) {
  const fs::path staged = stage / to;
  if (inode_of(target / to) != inode) {
    put_in_place(staged, target / from, inode);
    if (from != to) move(target / from, target / to);
  }
  if (is_there(aside_of(staged))) move(aside_of(staged), staged);
  // What is staged now is the old one.
  if (from != to && is_there(staged)) move(staged, stage / from);
}

std::string read_json_text(const fs::path& path) {
  return os::read_file_if_there(path, max_record).value_or("");
}

json read_json(const fs::path& path) {
  const std::string text = read_json_text(path);
  return text.empty() ? json() : json::parse(text, nullptr, false);
}

void write_json(const fs::path& path, const json& value) {
  os::write_file_atomically(path, value.dump(2, ' ', false, json::error_handler_t::replace) + "\n", 0644);
}

json to_json(const InstallRecord& record) {
  return {{"reference", record.reference},
          {"commit", record.commit},
          {"module", record.module},
          {"distribution", record.distribution},
          {"version", record.version},
          {"content_sha256", record.content_sha256},
          {"entries", record.entries},
          {"host_version", record.host_version},
          {"verdict", record.verdict},
          {"installed", record.installed},
          {"dependencies", record.dependencies}};
}

std::vector<std::string> strings(const json& object, const char* name) {
  std::vector<std::string> result;
  for (const json& each : object.value(name, json::array()))
    if (each.is_string()) result.push_back(each.get<std::string>());
  return result;
}

InstallRecord to_record(const json& object) {
  const auto text = [&](const char* name) { return object.value(name, ""); };
  return {text("reference"),
          text("commit"),
          text("module"),
          text("distribution"),
          text("version"),
          text("content_sha256"),
          strings(object, "entries"),
          text("host_version"),
          text("verdict"),
          text("installed"),
          strings(object, "dependencies")};
}

InstallRecords records_in(const json& document) {
  InstallRecords records;
  if (!document.is_object()) return records;
  const json packages = document.value("packages", json::object());
  for (const auto& [module, record] : packages.items())
    if (record.is_object()) records[module] = to_record(record);
  return records;
}

std::set<std::string> entries_in(const json& document) {
  std::set<std::string> names;
  for (const auto& [module, record] : records_in(document)) names.insert(record.entries.begin(), record.entries.end());
  return names;
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}

// Entries of a set, without our own files beside them.
std::vector<std::string> staged_entries(const fs::path& stage) {
  std::vector<std::string> names = names_in(stage);
  std::erase_if(names, [](const std::string& name) {
    return name == plan_name || name == former_name || name.starts_with(".aside-");
  });
  return names;
}

// "my_package" of "my_package-1.0.dist-info".
std::string distribution_of(const std::string& info) {
  return normalised_name(info.substr(0, info.find('-')));
}

void flush_tree(const fs::path& folder) {
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_directory()) os::flush_directory(entry.path());
  os::flush_directory(folder);
}

void copy_contents(const fs::path& source, const fs::path& target) {
  const std::string contents = os::read_file(source, max_file);
  os::Fd file(::open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file) throw system_error(errno, fmt::format("cannot create '{}'", target.string()));
  std::string_view left = contents;
  while (!left.empty()) {
    const ssize_t count = ::write(file.get(), left.data(), left.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw system_error(errno, fmt::format("cannot write '{}'", target.string()));
    left.remove_prefix(static_cast<std::size_t>(count));
  }
  // Whatever the umask: hosts run as other users.
  if (::fchmod(file.get(), 0644) != 0 || ::fsync(file.get()) != 0)
    throw system_error(errno, fmt::format("cannot write '{}'", target.string()));
}

void make_folders(const fs::path& stage, const fs::path& relative) {
  fs::path made = stage;
  for (const fs::path& part : relative) {
    made /= part;
    os::make_directory(made, 0755);
  }
}

// The lines of RECORD that are about installed files.
std::string filtered_record(const std::string& record, const std::set<std::string>& paths, const std::string& own) {
  std::string result;
  std::string_view rest = record;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size() - 1);
    const std::string line(rest.substr(0, end + 1));
    rest.remove_prefix(end + 1);
    std::string path = line.substr(0, line.find(','));
    if (path.starts_with('"')) path = line.substr(1, line.find('"', 1) - 1);
    if (path == own || paths.contains(path)) result += line;
  }
  return result;
}

}  // namespace

std::vector<std::string> entries_of(const std::vector<FileToInstall>& files) {
  std::set<std::string> names;
  for (const FileToInstall& file : files) names.insert(file.path.substr(0, file.path.find('/')));
  return {names.begin(), names.end()};
}

std::string content_hash(std::vector<FileToInstall> files) {
  std::ranges::sort(files, {}, &FileToInstall::path);
  std::string all;
  for (const FileToInstall& file : files) {
    // A list of installed files, and who installed them, say nothing about the code.
    if (file.path.ends_with(".dist-info/RECORD") || file.path.ends_with(".dist-info/INSTALLER")) continue;
    const std::string contents = os::read_file(file.source, max_file);
    all += fmt::format("{}:{},{}\n", file.path.size(), file.path, sha256_hex(contents));
  }
  return sha256_hex(all);
}

TargetDirectory TargetDirectory::open(const fs::path& path, const CancelToken& cancel) {
  std::error_code error;
  const fs::path absolute = fs::absolute(path).lexically_normal();
  fs::create_directories(absolute, error);
  if (error || !fs::is_directory(absolute))
    throw Error(ErrorCode::io, fmt::format("'{}' cannot be made a folder: {}", path.string(), error.message()));
  try {
    os::FileLock lock = os::FileLock::wait(absolute / lock_name, os::LockMode::exclusive, cancel);
    TargetDirectory target(absolute, std::move(lock));
    target.recover();
    return target;
  } catch (Error& failure) {
    if (failure.code() == ErrorCode::io)
      failure.add_frame(fmt::format("cannot work in the target '{}'", path.string()));
    throw;
  }
}

InstallRecords TargetDirectory::records() const {
  return records_in(read_json(path_ / record_name));
}

bool TargetDirectory::holds(const InstallRecord& record) const {
  std::vector<FileToInstall> files;
  for (const std::string& entry : record.entries) {
    const fs::path there = path_ / entry;
    if (fs::is_regular_file(there)) {
      files.push_back({there, entry});
    } else if (fs::is_directory(there)) {
      for (const os::FileEntry& file : os::list_tree(there))
        if (!file.symlink && file.path.find("__pycache__/") == std::string::npos)
          files.push_back({there / file.path, entry + "/" + file.path});
    } else {
      return false;
    }
  }
  return content_hash(std::move(files)) == record.content_sha256;
}

TargetDirectory::Stage::Stage(Stage&& other) noexcept : path_(std::exchange(other.path_, fs::path())) {}

TargetDirectory::Stage::~Stage() {
  if (path_.empty()) return;
  try {
    os::remove_tree(path_);
  } catch (const Error&) {
    // The next one who opens the target removes it.
  }
}

TargetDirectory::Stage TargetDirectory::stage(const std::vector<FileToInstall>& files) const {
  Stage stage(path_ / (std::string(stage_prefix) + os::random_name()));
  os::make_directory(stage.path(), 0755);
  std::set<std::string> paths;
  for (const FileToInstall& file : files) paths.insert(file.path);
  for (const FileToInstall& file : files) {
    const fs::path relative = file.path;
    make_folders(stage.path(), relative.parent_path());
    const fs::path target = stage.path() / relative;
    if (file.path.ends_with(".dist-info/RECORD"))
      os::write_file_atomically(target, filtered_record(os::read_file(file.source, max_file), paths, file.path), 0644);
    else if (file.path.ends_with(".dist-info/INSTALLER"))
      os::write_file_atomically(target, "venvoy\n", 0644);
    else
      copy_contents(file.source, target);
  }
  flush_tree(stage.path());
  return stage;
}

json TargetDirectory::plan_for(const fs::path& stage, const json& record) const {
  const json former = read_json(path_ / record_name);
  json swaps = json::array(), infos = json::array(), removals = json::array();
  std::set<std::string> gone = entries_in(former);
  for (const std::string& name : entries_in(record)) gone.erase(name);
  for (const std::string& name : staged_entries(stage)) gone.erase(name);
  const std::vector<std::string> there = names_in(path_);
  for (const std::string& name : staged_entries(stage)) {
    const std::uint64_t inode = inode_of(stage / name);
    if (!name.ends_with(info_ending)) {
      swaps.push_back({{"name", name}, {"inode", inode}});
      continue;
    }
    // The first one of the same distribution is replaced, others of it go: pip leaves several behind.
    std::string from = name;
    bool first = true;
    for (const std::string& other : there) {
      if (!other.ends_with(info_ending) || distribution_of(other) != distribution_of(name)) continue;
      if (first)
        from = other;
      else
        gone.insert(other);
      gone.erase(from);
      first = false;
    }
    infos.push_back({{"name", name}, {"from", from}, {"inode", inode}});
  }
  for (const std::string& name : gone)
    if (is_there(path_ / name)) removals.push_back(name);
  return {{"swaps", swaps}, {"infos", infos}, {"removals", removals}, {"record", record}, {"former", former}};
}

void TargetDirectory::carry_out(fs::path stage, const json& plan) const {
  for (const json& swap : plan.at("swaps")) {
    const std::string name = swap.at("name");
    put_in_place(stage / name, path_ / name, swap.at("inode"));
  }
  for (const json& info : plan.at("infos"))
    replace_info(stage, path_, info.at("from"), info.at("name"), info.at("inode"));
  for (const json& removal : plan.at("removals")) {
    const std::string name = removal;
    if (is_there(path_ / name)) move(path_ / name, stage / name);
  }
  if (plan.at("record").is_null())
    os::remove_tree(path_ / record_name);
  else
    write_json(path_ / record_name, plan.at("record"));
  os::flush_directory(path_);
  const bool was_empty = plan.at("former").is_null() && staged_entries(stage).empty();
  if (was_empty) return os::remove_tree(stage);
  write_json(stage / former_name, plan.at("former"));
  // The one before goes while the plan is still in the stage: there are never two sets to go back to.
  for (const std::string& name : names_in(path_))
    if (name.starts_with(previous_prefix)) os::remove_tree(path_ / name);
  const std::string id = stage.filename().string().substr(stage_prefix.size());
  move(stage, path_ / (std::string(previous_prefix) + id));
  os::flush_directory(path_);
}

void TargetDirectory::recover() const {
  for (const std::string& name : names_in(path_)) {
    if (!name.starts_with(stage_prefix)) continue;
    const json plan = read_json(path_ / name / plan_name);
    if (plan.is_object())
      carry_out(path_ / name, plan);
    else
      os::remove_tree(path_ / name);
  }
}

void TargetDirectory::swap(Stage stage, const InstallRecords& records) {
  json packages = json::object();
  for (const auto& [module, record] : records) packages[module] = to_json(record);
  const json plan = plan_for(stage.path(), {{"venvoy", 1}, {"packages", packages}});
  write_json(stage.path() / plan_name, plan);
  // From here on it is for whoever opens the target next to finish it.
  const fs::path path = std::exchange(stage.path_, fs::path());
  carry_out(path, plan);
}

void TargetDirectory::roll_back() {
  std::string previous;
  for (const std::string& name : names_in(path_))
    if (name.starts_with(previous_prefix)) previous = name;
  if (previous.empty())
    throw Error(ErrorCode::unresolvable, fmt::format("there is nothing to go back to in '{}'", path_.string()))
        .with_hint("the set before is kept from the second installation on");
  const fs::path folder = path_ / previous;
  const json plan = plan_for(folder, read_json(folder / former_name));
  write_json(folder / plan_name, plan);
  const fs::path stage = path_ / (std::string(stage_prefix) + os::random_name());
  move(folder, stage);
  carry_out(stage, plan);
}

}  // namespace venvoy::rucio
