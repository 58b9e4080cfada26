#include "venv/internal/local_tree.hpp"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/sha256.hpp"
#include "os/fd.hpp"

namespace venvoy::venv::internal {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 12> never = {".git",        ".hg",           ".svn",         "__pycache__",
                                                    ".mypy_cache", ".pytest_cache", ".ruff_cache",  ".tox",
                                                    ".nox",        ".venv",         "node_modules", ".idea"};
constexpr std::array<std::string_view, 2> never_at_the_top = {"build", "dist"};

template <std::size_t Size>
bool is_one_of(std::string_view name, const std::array<std::string_view, Size>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// A folder that has the name of an environment is one only if it is made like one: a package may be called `venv`.
bool is_left_out(const fs::path& path, bool at_the_top) {
  const std::string name = path.filename();
  if (name == "venv") return fs::exists(path / "pyvenv.cfg");
  if (is_one_of(name, never) || name.ends_with(".egg-info")) return true;
  return at_the_top && is_one_of(name, never_at_the_top) && fs::is_directory(fs::symlink_status(path));
}

// Goes through a tree in the order of names; hashes it, and copies it if there is a target.
class Walk {
 public:
  Walk(fs::path root, fs::path target, const CancelToken& cancel, const TreeLimits& limits)
      : root_(std::move(root)), target_(std::move(target)), cancel_(cancel), limits_(limits) {}

  std::string run() {
    if (!target_.empty()) fs::create_directory(target_);
    directory({});
    return hash_.hex();
  }

 private:
  void directory(const fs::path& relative) {
    std::vector<fs::path> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(root_ / relative))
      if (!is_left_out(entry.path(), relative.empty())) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    for (const fs::path& name : names) entry(relative / name);
  }

  void entry(const fs::path& relative) {
    cancel_.check();
    if (++entries_ > limits_.max_entries) too_large(fmt::format("more than {} files", limits_.max_entries));
    const fs::path path = root_ / relative;
    const fs::file_status status = fs::symlink_status(path);
    if (fs::is_directory(status)) {
      add("folder", relative.string());
      if (!target_.empty()) fs::create_directory(target_ / relative);
      directory(relative);
    } else if (fs::is_symlink(status)) {
      add("link", relative.string());
      add("target", fs::read_symlink(path).string());
      if (!target_.empty()) fs::copy_symlink(path, target_ / relative);
    } else if (fs::is_regular_file(status)) {
      const bool executable = (status.permissions() & fs::perms::owner_exec) != fs::perms::none;
      add(executable ? "program" : "file", relative.string());
      file(relative, executable ? 0755 : 0644);
    }
  }

  // The contents' own hash is what is added: their length need not be known before they are read.
  void file(const fs::path& relative, unsigned mode) {
    const os::Fd from = os::open_file(root_ / relative, O_RDONLY | O_NOFOLLOW);
    os::Fd to;
    if (!target_.empty()) to = os::open_file(target_ / relative, O_WRONLY | O_CREAT | O_EXCL, mode);
    Sha256 contents;
    for (;;) {
      const ssize_t count = ::read(from.get(), block_.data(), block_.size());
      if (count < 0) throw system_error(errno, fmt::format("cannot read '{}'", (root_ / relative).string()));
      if (count == 0) break;
      const std::string_view bytes(block_.data(), static_cast<std::size_t>(count));
      count_bytes(bytes.size());
      contents.update(bytes);
      if (to) write(to, bytes, relative);
    }
    add("contents", contents.hex());
  }

  void write(const os::Fd& to, std::string_view bytes, const fs::path& relative) {
    while (!bytes.empty()) {
      const ssize_t count = ::write(to.get(), bytes.data(), bytes.size());
      if (count < 0) throw system_error(errno, fmt::format("cannot write '{}'", (target_ / relative).string()));
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  void count_bytes(std::size_t count) {
    bytes_ += count;
    if (bytes_ > limits_.max_bytes) too_large(fmt::format("more than {} MiB", limits_.max_bytes >> 20));
  }

  [[noreturn]] void too_large(const std::string& what) const {
    throw Error(ErrorCode::limit, fmt::format("'{}' holds {}", root_.string(), what))
        .with_hint("name the folder of the plugin itself, the one with its pyproject.toml");
  }

  void add(std::string_view kind, std::string_view text) {
    hash_.update(fmt::format("{} {}:", kind, text.size()));
    hash_.update(text);
  }

  fs::path root_, target_;
  const CancelToken& cancel_;
  TreeLimits limits_;
  Sha256 hash_;
  std::array<char, 65536> block_;
  std::size_t entries_ = 0;
  std::uint64_t bytes_ = 0;
};

std::string walk(const fs::path& folder, const fs::path& target, const CancelToken& cancel, const TreeLimits& limits) {
  try {
    return Walk(folder, target, cancel, limits).run();
  } catch (const fs::filesystem_error& error) {
    throw Error(ErrorCode::io, fmt::format("cannot read '{}': {}", error.path1().string(), error.code().message()));
  }
}

}  // namespace

std::string hash_tree(const fs::path& folder, const CancelToken& cancel, const TreeLimits& limits) {
  return walk(folder, {}, cancel, limits);
}

std::string copy_tree(const fs::path& folder, const fs::path& target, const CancelToken& cancel,
                      const TreeLimits& limits) {
  return walk(folder, target, cancel, limits);
}

}  // namespace venvoy::venv::internal
