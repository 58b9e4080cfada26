#include "deployer/stderr_logs.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "os/files.hpp"

namespace venvoy::deployer {
namespace {

namespace fs = std::filesystem;

// "20260102T030405Z-4711": sorted by name is sorted by time.
std::string engine_name() {
  std::string time = rfc3339_utc(system_clock().wall()).substr(0, 19);
  std::erase_if(time, [](char symbol) { return symbol == '-' || symbol == ':'; });
  return fmt::format("{}Z-{}", time, ::getpid());
}

fs::path older(fs::path path) {
  return path += ".1";
}

// Of one that is looked at as a whole.
constexpr std::size_t longest_line = std::size_t{64} << 10;

// Only letters that are at home in names of files.
std::string file_name(std::string name) {
  for (char& symbol : name)
    if (!std::isalnum(static_cast<unsigned char>(symbol)) && symbol != '.' && symbol != '-') symbol = '_';
  return name.substr(0, 100);
}

os::Fd lock_directory(const fs::path& path, int how) {
  os::Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory && ::flock(directory.get(), how | LOCK_NB) != 0) directory.reset();
  return directory;
}

std::uint64_t bytes_in(const fs::path& folder) {
  std::uint64_t sum = 0;
  for (const os::FileEntry& file : os::list_tree(folder)) sum += file.size;
  return sum;
}

}  // namespace

StderrLogs::StderrLogs(fs::path folder, Bounds bounds, Logger logger, Filter filter)
    : folder_(std::move(folder)), bounds_(bounds), logger_(std::move(logger)), filter_(std::move(filter)) {}

std::unique_ptr<StderrLogs::Log> StderrLogs::make_log(std::string name) {
  return std::make_unique<Log>(shared_from_this(), std::move(name));
}

const fs::path& StderrLogs::engine_folder() {
  if (engine_lock_) return engine_folder_;
  // The folder of all state is the user's own, as what lies in it may be secret.
  std::error_code error;
  fs::create_directories(folder_.parent_path().parent_path(), error);
  os::make_directory(folder_.parent_path(), 0700);
  os::make_directory(folder_, 0700);
  remove_old_engines();
  const fs::path wanted = folder_ / engine_name();
  engine_folder_ = wanted;
  for (int number = 2; !os::make_directory(engine_folder_, 0700); ++number)
    engine_folder_ = fmt::format("{}-{}", wanted.string(), number);
  engine_lock_ = lock_directory(engine_folder_, LOCK_SH);
  if (!engine_lock_) throw system_error(errno, fmt::format("cannot lock '{}'", engine_folder_.string()));
  return engine_folder_;
}

// Half of the room is for us.
void StderrLogs::remove_old_engines() {
  struct Engine {
    fs::path path;
    std::uint64_t bytes;
  };
  std::vector<Engine> engines;
  std::uint64_t sum = 0;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    engines.push_back({entry.path(), bytes_in(entry.path())});
    sum += engines.back().bytes;
  }
  std::sort(engines.begin(), engines.end(), [](const Engine& a, const Engine& b) { return a.path < b.path; });
  for (std::size_t i = 0; i < engines.size(); ++i) {
    if (sum <= bounds_.all_bytes / 2 && engines.size() - i < bounds_.logs) return;
    if (!lock_directory(engines[i].path, LOCK_EX)) continue;
    os::remove_tree(engines[i].path);
    sum -= engines[i].bytes;
  }
}

void StderrLogs::note_end(fs::path path, std::uint64_t bytes) {
  ended_.push_back({std::move(path), bytes});
  ended_bytes_ += bytes;
  while (!ended_.empty() && (ended_bytes_ > bounds_.all_bytes / 2 || ended_.size() > bounds_.logs)) {
    ::unlink(ended_.front().path.c_str());
    ::unlink(older(ended_.front().path).c_str());
    ended_bytes_ -= ended_.front().bytes;
    ended_.pop_front();
  }
}

StderrLogs::Log::~Log() {
  if (!pending_.empty()) write_as_is(logs_->filter_(pending_));
  if (file_) logs_->note_end(path_, size_ + older_size_);
}

void StderrLogs::Log::write(std::string_view bytes) {
  if (!logs_->filter_) return write_as_is(bytes);
  pending_ += bytes;
  const std::size_t end = pending_.rfind('\n');
  const std::size_t whole = end != std::string::npos ? end + 1 : pending_.size() > longest_line ? pending_.size() : 0;
  write_as_is(logs_->filter_(std::string_view(pending_).substr(0, whole)));
  pending_.erase(0, whole);
}

void StderrLogs::Log::write_as_is(std::string_view bytes) {
  if (is_off_ || bytes.empty()) return;
  try {
    if (!file_) open();
    if (size_ + bytes.size() > logs_->bounds_.log_bytes / 2) begin_anew();
  } catch (const std::exception& error) {
    is_off_ = true;
    logs_->logger_.debug("what plugins write to standard error is not kept: {}", error.what());
    return;
  }
  while (!bytes.empty()) {
    const ssize_t count = ::write(file_.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      is_off_ = true;
      return;
    }
    size_ += static_cast<std::uint64_t>(count);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void StderrLogs::Log::open() {
  path_ = logs_->engine_folder() / fmt::format("{}-{}.log", ++logs_->last_number_, file_name(name_));
  file_ = os::open_file(path_, O_WRONLY | O_CREAT | O_EXCL | O_APPEND);
}

void StderrLogs::Log::begin_anew() {
  if (size_ == 0) return;
  fs::rename(path_, older(path_));
  file_ = os::open_file(path_, O_WRONLY | O_CREAT | O_EXCL | O_APPEND);
  older_size_ = std::exchange(size_, 0);
}

}  // namespace venvoy::deployer
