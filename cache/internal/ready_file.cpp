#include "cache/internal/ready_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/sha256.hpp"
#include "base/text.hpp"
#include "cache/file_sha256.hpp"
#include "cache/internal/directory_lock.hpp"
#include "cache/internal/file_names.hpp"
#include "cache/internal/open_file.hpp"
#include "cache/internal/parallel.hpp"
#include "os/fd.hpp"

namespace venvoy::cache::internal {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// A ready.json of 500,000 files; nobody's environment is larger.
constexpr std::size_t max_text_bytes = 64u << 20;

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// The seal is over the text as it will be read back, so that replaced bytes make no difference.
std::string seal_of(json ready) {
  ready.erase("seal");
  return sha256_hex(dump(ready));
}

bool is_ours(const os::FileEntry& entry) {
  return entry.path == lease_file || entry.path == ready_file || entry.path == hashes_file;
}

std::vector<os::FileEntry> files_of(const fs::path& root) {
  std::vector<os::FileEntry> files = os::list_tree(root);
  std::erase_if(files, is_ours);
  return files;
}

json hash_files(const fs::path& root, const std::vector<os::FileEntry>& files, const CancelToken& cancel) {
  std::vector<std::string> hashes(files.size());
  for_each_index(files.size(), cancel, [&](std::size_t i) {
    if (files[i].symlink) return;
    auto hash = sha256_of_file(root / files[i].path);
    if (!hash) throw Error(ErrorCode::io, fmt::format("cannot read '{}'", (root / files[i].path).string()));
    hashes[i] = std::move(*hash);
  });
  json result = json::object();
  for (std::size_t i = 0; i < files.size(); ++i)
    if (!files[i].symlink) result[to_printable(files[i].path)] = hashes[i];
  return result;
}

std::string link_target(int directory, const char* path) {
  std::array<char, PATH_MAX> target;
  const ssize_t length = ::readlinkat(directory, path, target.data(), target.size());
  return length < 0 ? std::string() : std::string(target.data(), static_cast<std::size_t>(length));
}

json list_files(const fs::path& root, const std::vector<os::FileEntry>& files) {
  json folders = json::object();
  for (const os::FileEntry& file : files) {
    const std::size_t slash = file.path.rfind('/');
    const std::string folder = slash == std::string::npos ? "" : file.path.substr(0, slash);
    json& entry = folders[to_printable(folder)][to_printable(file.path.substr(slash + 1))];
    if (file.symlink)
      entry = to_printable(link_target(AT_FDCWD, (root / file.path).c_str()));
    else
      entry = file.size;
  }
  return folders;
}

std::uint64_t sum_of_sizes(const std::vector<os::FileEntry>& files) {
  std::uint64_t sum = 0;
  for (const os::FileEntry& file : files) sum += file.size;
  return sum;
}

json clean_inputs(const KeyInputs& inputs) {
  json result = json::array();
  for (const auto& [name, value] : inputs) result.push_back({to_valid_utf8(name), to_valid_utf8(value)});
  return result;
}

// What a listed entry says, compared with the file that is there.
bool is_as_listed(int directory, const std::string& path, const json& entry) {
  if (entry.is_string())
    return link_target(directory, path.c_str()) == from_printable(entry.get_ref<const std::string&>());
  struct stat status;
  if (::fstatat(directory, path.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOMEM) throw system_error(errno, "cannot check the files of a directory");
    return false;
  }
  return S_ISREG(status.st_mode) && entry == static_cast<std::uint64_t>(status.st_size);
}

// Calls visit(path, entry) for every listed file until it says false.
template <class Visit>
void for_each_file(const json& folders, Visit visit) {
  std::string path;
  for (const auto& [folder, names] : folders.items()) {
    std::string prefix = from_printable(folder);
    if (!prefix.empty()) prefix += '/';
    for (const auto& [name, entry] : names.items()) {
      path = prefix;
      path += name.find('%') == std::string::npos ? name : from_printable(name);
      if (!visit(path, entry)) return;
    }
  }
}

bool has_shape(const json& ready) {
  if (!ready.is_object() || ready.value("layout", json()) != layout_version) return false;
  const auto is = [&ready](const char* name, bool (json::*kind)() const noexcept) {
    const auto found = ready.find(name);
    return found != ready.end() && ((*found).*kind)();
  };
  if (!is("key", &json::is_string) || !is("hashes", &json::is_string) || !is("seal", &json::is_string)) return false;
  if (!is("created", &json::is_number_integer) || !is("lease", &json::is_number_unsigned)) return false;
  if (!is("bytes", &json::is_number_unsigned) || !is("inputs", &json::is_array) || !is("files", &json::is_object))
    return false;
  return std::all_of(ready["files"].begin(), ready["files"].end(), [](const json& names) { return names.is_object(); });
}

KeyInputs read_inputs(const json& list) {
  KeyInputs inputs;
  for (const json& pair : list)
    if (pair.is_array() && pair.size() == 2 && pair[0].is_string() && pair[1].is_string())
      inputs.emplace_back(pair[0].get<std::string>(), pair[1].get<std::string>());
  return inputs;
}

// The paths whose bytes differ from what hashes.json says, or that it does not know.
std::vector<std::string> changed_paths(const fs::path& root, const std::vector<std::string>& paths, const json& hashes,
                                       const CancelToken& cancel) {
  std::vector<char> changed(paths.size(), 0);
  for_each_index(paths.size(), cancel, [&](std::size_t i) {
    const auto expected = hashes.find(to_printable(paths[i]));
    const auto actual = sha256_of_file(root / paths[i]);
    changed[i] = expected == hashes.end() || !actual || *expected != *actual;
  });
  std::vector<std::string> result;
  for (std::size_t i = 0; i < paths.size(); ++i)
    if (changed[i]) result.push_back(paths[i]);
  return result;
}

}  // namespace

ReadyTexts describe_directory(const fs::path& root, const Key& key, const json& details, WallTime created,
                              std::uint64_t lease_inode, const CancelToken& cancel) {
  const std::vector<os::FileEntry> files = files_of(root);
  ReadyTexts texts;
  texts.hashes = dump(hash_files(root, files, cancel));
  json ready = {{"layout", layout_version},
                {"key", key.hex()},
                {"inputs", clean_inputs(key.inputs())},
                {"details", details},
                {"created", created.time_since_epoch().count()},
                {"lease", lease_inode},
                {"bytes", sum_of_sizes(files)},
                {"files", list_files(root, files)},
                {"hashes", sha256_hex(texts.hashes)}};
  ready["seal"] = seal_of(json::parse(dump(ready)));
  texts.ready = dump(ready) + "\n";
  return texts;
}

std::optional<Ready> parse_ready(const std::string& text, Seal seal) {
  json ready = json::parse(text, nullptr, false);
  if (!has_shape(ready)) return std::nullopt;
  const bool seal_holds = seal == Seal::check && ready["seal"] == seal_of(ready);
  return Ready{.key = ready["key"],
               .inputs = read_inputs(ready["inputs"]),
               .details = std::move(ready["details"]),
               .created = WallTime(std::chrono::microseconds(ready["created"].get<std::int64_t>())),
               .lease_inode = ready["lease"],
               .bytes = ready["bytes"],
               .files = std::move(ready["files"]),
               .hashes = ready["hashes"],
               .seal_holds = seal_holds};
}

std::optional<std::string> read_in(int directory, const char* name) {
  const os::Fd file = open_if_there(directory, name, O_RDONLY);
  struct stat status;
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  if (static_cast<std::uint64_t>(status.st_size) > max_text_bytes) return std::nullopt;
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = ::read(file.get(), text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return std::nullopt;
    done += static_cast<std::size_t>(count);
  }
  return text;
}

std::optional<std::string> first_gap(int directory, const json& files) {
  std::optional<std::string> gap;
  for_each_file(files, [&](const std::string& path, const json& entry) {
    if (!is_as_listed(directory, path, entry)) gap = path;
    return !gap;
  });
  return gap;
}

std::vector<std::string> damaged_paths(const fs::path& root, int directory, const CancelToken& cancel) {
  const auto text = read_in(directory, ready_file);
  const auto ready = text ? parse_ready(*text, Seal::check) : std::nullopt;
  if (!ready || !ready->seal_holds) return {ready_file};
  const auto hashes_text = read_in(directory, hashes_file);
  if (!hashes_text || sha256_hex(*hashes_text) != ready->hashes) return {hashes_file};
  std::vector<std::string> damaged, to_hash;
  for_each_file(ready->files, [&](const std::string& path, const json& entry) {
    if (!is_as_listed(directory, path, entry))
      damaged.push_back(path);
    else if (!entry.is_string())
      to_hash.push_back(path);
    return true;
  });
  const json hashes = json::parse(*hashes_text, nullptr, false);
  for (std::string& path : changed_paths(root, to_hash, hashes, cancel)) damaged.push_back(std::move(path));
  std::sort(damaged.begin(), damaged.end());
  return damaged;
}

}  // namespace venvoy::cache::internal
