#include "governance/archive.hpp"

#include <algorithm>
#include <archive.h>
#include <archive_entry.h>
#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <set>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "os/fd.hpp"

namespace venvoy::governance {

namespace fs = std::filesystem;

namespace {

// How many times as long as the archive its contents may be, beside a free allowance: what real code reaches many times
// over only in small files.
constexpr std::uint64_t free_bytes = std::uint64_t{16} << 20;
constexpr std::uint64_t max_ratio = 200;

struct ArchiveFree {
  void operator()(struct archive* reader) const noexcept { archive_read_free(reader); }
};
using Reader = std::unique_ptr<struct archive, ArchiveFree>;

Error refused(std::string_view name, std::string_view why) {
  return Error(ErrorCode::document,
               fmt::format("the archive is refused: member '{}' {}", to_valid_utf8(name.substr(0, 200)), why));
}

std::string libarchive_text(struct archive* reader) {
  const char* text = archive_error_string(reader);
  return text ? to_valid_utf8(text) : "unknown error";
}

Reader open_archive(std::string_view bytes) {
  Reader reader(archive_read_new());
  if (!reader) throw std::bad_alloc();
  archive_read_support_filter_gzip(reader.get());
  archive_read_support_filter_bzip2(reader.get());
  archive_read_support_filter_xz(reader.get());
  archive_read_support_format_tar(reader.get());
  archive_read_support_format_zip(reader.get());
  if (archive_read_open_memory(reader.get(), bytes.data(), bytes.size()) != ARCHIVE_OK)
    throw Error(ErrorCode::document, fmt::format("it is no tar or zip archive ({})", libarchive_text(reader.get())));
  return reader;
}

// The name as a relative path without "." parts; empty for the root itself.
fs::path safe_name(const std::string& name, const ArchiveLimits& limits) {
  if (name.empty() || name.size() > limits.max_name_bytes) throw refused(name, "has no name, or one that is too long");
  if (name.front() == '/') throw refused(name, "has an absolute name");
  if (name.find('\0') != name.npos || name.find('\\') != name.npos) throw refused(name, "has a backslash in its name");
  fs::path result;
  std::size_t parts = 0;
  for (const fs::path& part : fs::path(name)) {
    if (part == "..") throw refused(name, "leads out of the archive with '..'");
    if (part.empty() || part == ".") continue;
    if (++parts > limits.max_name_parts) throw refused(name, "lies too deep");
    result /= part;
  }
  return result;
}

class Extraction {
 public:
  Extraction(std::string_view bytes, const fs::path& target, const ArchiveLimits& limits)
      : reader_(open_archive(bytes)),
        target_(target),
        limits_(limits),
        allowed_(std::min<std::uint64_t>(limits.max_bytes, free_bytes + bytes.size() * max_ratio)) {}

  void run() {
    while (next()) take_member();
    copy_linked();
    if (!files_.contains("code/function.py"))
      throw Error(ErrorCode::document, "the archive has no 'code/function.py'")
          .with_hint("a policy's archive has a top folder 'code' with the file 'function.py' in it");
  }

 private:
  bool next() {
    const int result = archive_read_next_header(reader_.get(), &entry_);
    if (result == ARCHIVE_EOF) return false;
    if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
      throw Error(ErrorCode::document, fmt::format("the archive cannot be read: {}", libarchive_text(reader_.get())));
    if (++entries_ > limits_.max_entries)
      throw Error(ErrorCode::limit, fmt::format("the archive has more than {} members", limits_.max_entries));
    return true;
  }

  void take_member() {
    const char* raw = archive_entry_pathname(entry_);
    const std::string name = raw ? raw : "";
    const fs::path path = safe_name(name, limits_);
    const auto type = archive_entry_filetype(entry_);
    if (const char* other = archive_entry_hardlink(entry_)) return note_link(name, path, other);
    if (type == AE_IFLNK) {
      const char* other = archive_entry_symlink(entry_);
      return note_link(name, path, path.parent_path() / (other ? other : ""));
    }
    if (type != AE_IFREG && type != AE_IFDIR) throw refused(name, "is a device, FIFO or socket");
    if (archive_entry_is_encrypted(entry_)) throw refused(name, "is encrypted");
    if (path.empty() || *path.begin() != "code") return skip();
    if (type == AE_IFDIR)
      make_folders(path);
    else
      write_member(name, path);
  }

  // A link inside the archive becomes a copy of its file: then nothing that is unpacked can lead anywhere.
  void note_link(const std::string& name, const fs::path& path, const fs::path& other) {
    const fs::path target = other.lexically_normal();
    const bool outside = other.is_absolute() || target.empty() || *target.begin() == "..";
    if (outside) throw refused(name, "is a link that leads outside");
    if (path.empty() || *path.begin() != "code") return;
    if (*target.begin() != "code") throw refused(name, "is a link that leads out of 'code'");
    links_.push_back({name, path, target.generic_string()});
  }

  void copy_linked() {
    while (!links_.empty()) {
      const auto ready =
          std::find_if(links_.begin(), links_.end(), [this](const Link& link) { return files_.contains(link.target); });
      if (ready == links_.end()) throw refused(links_.front().name, "is a link to no file of the archive");
      if (!files_.insert(ready->path.generic_string()).second) throw refused(ready->name, "is there twice");
      make_folders(ready->path.parent_path());
      count(fs::file_size(target_ / ready->target));
      fs::copy_file(target_ / ready->target, target_ / ready->path);
      links_.erase(ready);
    }
  }

  void count(std::uint64_t more) {
    bytes_ += more;
    if (bytes_ > allowed_)
      throw Error(ErrorCode::limit, fmt::format("the archive unpacks to more than {} bytes", allowed_));
  }

  void skip() {
    const void* block = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    while (read_block(block, size, offset)) {
    }
  }

  void make_folders(const fs::path& path) {
    std::error_code error;
    fs::create_directories(target_ / path, error);
    if (error) throw refused(path.native(), "is a folder where a file is: " + error.message());
  }

  bool read_block(const void*& block, std::size_t& size, la_int64_t& offset) {
    const int result = archive_read_data_block(reader_.get(), &block, &size, &offset);
    if (result == ARCHIVE_EOF) return false;
    if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
      throw Error(ErrorCode::document, fmt::format("the archive cannot be read: {}", libarchive_text(reader_.get())));
    // A hole counts too: it is as long to read as what is written.
    if (offset < 0 || static_cast<std::uint64_t>(offset) > allowed_) count(allowed_ + 1);
    count(size);
    return true;
  }

  void write_member(const std::string& name, const fs::path& path) {
    if (!files_.insert(path.generic_string()).second) throw refused(name, "is there twice");
    make_folders(path.parent_path());
    const bool executable = (archive_entry_perm(entry_) & 0100) != 0;
    const os::Fd file(::open((target_ / path).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                             executable ? 0755 : 0644));
    if (!file) throw system_error(errno, fmt::format("cannot unpack '{}'", to_valid_utf8(name)));
    const void* block = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    while (read_block(block, size, offset)) {
      for (std::size_t done = 0; done < size;) {
        const ssize_t written = ::pwrite(file.get(), static_cast<const char*>(block) + done, size - done,
                                         static_cast<off_t>(offset) + static_cast<off_t>(done));
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) throw system_error(errno, fmt::format("cannot unpack '{}'", to_valid_utf8(name)));
        done += static_cast<std::size_t>(written);
      }
    }
  }

  struct Link {
    std::string name;
    fs::path path;
    std::string target;
  };

  Reader reader_;
  const fs::path& target_;
  const ArchiveLimits& limits_;
  std::uint64_t allowed_;
  archive_entry* entry_ = nullptr;
  std::size_t entries_ = 0;
  std::uint64_t bytes_ = 0;
  std::set<std::string> files_;
  std::vector<Link> links_;
};

}  // namespace

void extract_policy_archive(std::string_view archive, const fs::path& target, const ArchiveLimits& limits) {
  Extraction(archive, target, limits).run();
}

}  // namespace venvoy::governance
