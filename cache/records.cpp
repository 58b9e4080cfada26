// The store's small files.
#include <algorithm>
#include <cctype>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/error.hpp"
#include "cache/internal/record_names.hpp"
#include "cache/internal/store_state.hpp"
#include "cache/store.hpp"
#include "os/files.hpp"

namespace venvoy::cache {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_record_bytes = 64u << 20;
constexpr std::size_t max_name_bytes = 200;

fs::path record_path(const internal::StoreState& store, Bucket bucket, std::string_view name) {
  if (!internal::holds_records(bucket) || !internal::is_record_name(name))
    throw Error(ErrorCode::internal, fmt::format("'{}' cannot be a record of the bucket {}", name, name_of(bucket)));
  return store.bucket(bucket) / name;
}

// A use is noted in the time of modification, by which the collector judges; not more often than it needs.
void note_use(const fs::path& path, WallTime now) {
  constexpr auto often_enough = std::chrono::hours(12);
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) return;
  if (now - WallTime(std::chrono::seconds(status.st_mtime)) < often_enough) return;
  const std::int64_t seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  const timespec both[2] = {{seconds, 0}, {seconds, 0}};
  ::utimensat(AT_FDCWD, path.c_str(), both, 0);
}

}  // namespace

bool internal::holds_records(Bucket bucket) noexcept {
  return bucket == Bucket::refs || bucket == Bucket::verdict || bucket == Bucket::python || bucket == Bucket::schema;
}

bool internal::is_record_name(std::string_view name) noexcept {
  if (name.empty() || name.size() > max_name_bytes || name.front() == '.') return false;
  return std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return (c < 0x80 && std::isalnum(c)) || c == '.' || c == '_' || c == '-'; });
}

std::optional<std::string> Store::read_record(Bucket bucket, std::string_view name) const {
  const fs::path path = record_path(*state_, bucket, name);
  try {
    auto contents = os::read_file_if_there(path, max_record_bytes);
    if (!contents || contents->empty()) return std::nullopt;
    note_use(path, state_->clock().wall());
    return contents;
  } catch (const Error& error) {
    state_->logger().debug("a record is passed over: {}", error.what());
    return std::nullopt;
  }
}

void Store::write_record(Bucket bucket, std::string_view name, std::string_view contents) const {
  os::write_file_atomically(record_path(*state_, bucket, name), contents);
}

void Store::remove_record(Bucket bucket, std::string_view name) const {
  const fs::path path = record_path(*state_, bucket, name);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    throw system_error(errno, fmt::format("cannot remove '{}'", path.string()));
}

}  // namespace venvoy::cache
