#include "source/internal/mirror_files.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "os/files.hpp"
#include "source/internal/ref_pattern.hpp"

namespace venvoy::source {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view packs_file = "venvoy-packs";
constexpr std::size_t max_packs_file = 16u << 20;

fs::path pack_folder(const fs::path& repository) {
  return repository / "objects" / "pack";
}

// Sorted, so that the same packs give the same file.
std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    names.push_back(entry->path().filename().string());
  if (error) throw system_error(error.value(), fmt::format("cannot read '{}'", folder.string()));
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<std::uintmax_t> size_of(const fs::path& file) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(file, error);
  if (error) return std::nullopt;
  return size;
}

bool is_pack_part(std::string_view name) noexcept {
  return name.starts_with("pack-") && (name.ends_with(".pack") || name.ends_with(".idx"));
}

bool has_other_half(const fs::path& folder, const std::string& name) {
  const fs::path file = folder / name;
  return size_of(fs::path(file).replace_extension(name.ends_with(".pack") ? ".idx" : ".pack")).has_value();
}

std::string configuration(bool bare) {
  // autocrlf: a work tree is checked out as committed, and git run in it must not see that as a change.
  return fmt::format(
      "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = {}\n\tlogallrefupdates = false\n"
      "\tautocrlf = false\n{}",
      bare, bare ? "\tfsyncobjectfiles = true\n" : "");
}

}  // namespace

void write_empty_repository(const fs::path& directory, bool bare) {
  for (const char* folder : {"objects", "objects/info", "objects/pack", "refs", "refs/heads", "refs/tags"})
    os::make_directory(directory / folder, 0700);
  os::write_file_atomically(directory / "config", configuration(bare));
  os::write_file_atomically(directory / "HEAD", "ref: refs/heads/main\n");
}

void record_packs(const fs::path& repository) {
  std::string text;
  const fs::path folder = pack_folder(repository);
  for (const std::string& name : names_in(folder))
    if (is_pack_part(name)) text += fmt::format("{} {}\n", size_of(folder / name).value_or(0), name);
  os::write_file_atomically(repository / packs_file, text);
}

bool packs_are_complete(const fs::path& repository) {
  const auto text = os::read_file_if_there(repository / packs_file, max_packs_file);
  if (!text) return true;  // nothing was ever fetched
  for (const std::string_view line : split_lines(*text)) {
    std::uintmax_t size = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), size);
    const std::string_view name = line.substr(std::min(line.size(), static_cast<std::size_t>(end - line.data()) + 1));
    if (error != std::errc() || !is_pack_part(name)) return false;
    if (size_of(pack_folder(repository) / name) != size) return false;
  }
  return true;
}

void sweep(const fs::path& repository) {
  const fs::path folder = pack_folder(repository);
  for (const std::string& name : names_in(folder))
    if (!is_pack_part(name) || !has_other_half(folder, name)) os::remove_tree(folder / name);
  // The temporary files of write_file_atomically.
  for (const std::string& name : names_in(repository))
    if (name.starts_with(".") || name.ends_with(".tmp")) os::remove_tree(repository / name);
}

}  // namespace venvoy::source
