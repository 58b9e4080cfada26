#include "rucio/internal/render_parts.hpp"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/sha256.hpp"
#include "base/text.hpp"
#include "os/files.hpp"
#include "rucio/internal/names.hpp"
#include "source/git_url.hpp"

namespace venvoy::rucio {
namespace {

constexpr std::array<std::pair<Part, std::string_view>, 6> part_names = {{
    {Part::server, "server"},
    {Part::daemons, "daemons"},
    {Part::ui, "ui"},
    {Part::webui, "webui"},
    {Part::init, "init"},
    {Part::clients, "clients"},
}};

// Signs that a shell, a list or pip would take for something else.
constexpr std::string_view forbidden = " ,<>|&;$`()*?~'\"\\\t\n";
constexpr std::size_t max_object_bytes = 1u << 20;
constexpr std::size_t max_key_length = 253;
constexpr std::size_t max_secret_file = 16u << 20;

bool is_key(std::string_view name) noexcept {
  if (name.empty() || name.size() > max_key_length) return false;
  for (const char symbol : name) {
    const bool letter = (symbol >= 'a' && symbol <= 'z') || (symbol >= 'A' && symbol <= 'Z');
    if (!letter && !is_digit(symbol) && !is_in("-._", symbol)) return false;
  }
  return true;
}

bool is_test_folder(std::string_view path) {
  for (const std::string_view name : {"tests/", "test/"})
    if (path.starts_with(name) || path.find("/" + std::string(name)) != std::string_view::npos) return true;
  return false;
}

void check_size(const Package& package, const SecretFolder& folder) {
  std::size_t total = 0;
  std::string sizes;
  for (const auto& [name, contents] : folder.files) {
    total += contents.size();
    sizes += fmt::format("{}{} {}", sizes.empty() ? "" : ", ", name, contents.size());
  }
  if (total > max_object_bytes)
    refuse_package(package, fmt::format("the files of '{}/{}' are {} bytes, and a Secret holds at most {}: {}",
                                        package.module, folder.folder, total, max_object_bytes, sizes));
}

}  // namespace

std::string_view to_text(Part part) noexcept {
  for (const auto& [each, name] : part_names)
    if (each == part) return name;
  return "";
}

std::optional<Part> part_from(std::string_view text) noexcept {
  for (const auto& [each, name] : part_names)
    if (name == text) return each;
  return std::nullopt;
}

void refuse_package(const Package& package, const std::string& why, const std::string& hint) {
  throw Error(ErrorCode::denied, fmt::format("{} cannot be deployed this way: {}", package.shown, why)).with_hint(hint);
}

void refuse_options(const std::string& why) {
  throw Error(ErrorCode::usage, why);
}

std::string image_of(Part part, const RenderOptions& options) {
  if (!options.host) refuse_options("the image needs the version of Rucio: give --host-version");
  std::string registry = options.registry;
  while (registry.ends_with('/')) registry.pop_back();
  if (!registry.empty()) registry += '/';
  return fmt::format("{}rucio/rucio-{}:release-{}", registry, to_text(part), options.host->text);
}

std::string entry_point_of(Part part) {
  if (part == Part::daemons) return "/start-daemon.sh";
  if (part == Part::clients) return "/opt/user/entrypoint.sh";
  return "/docker-entrypoint.sh";
}

std::string path_script() {
  return "if [ -n \"${POLICY_PKG_PATH:-}\" ]; then\n"
         "  policy_path=\n"
         "  policy_seen=\n"
         "  policy_rest=${PYTHONPATH:-}:\n"
         "  while [ -n \"$policy_rest\" ]; do\n"
         "    policy_part=${policy_rest%%:*}\n"
         "    policy_rest=${policy_rest#*:}\n"
         "    if [ -z \"$policy_part\" ]; then continue; fi\n"
         "    if [ \"${policy_part%/}\" = \"${POLICY_PKG_PATH%/}\" ]; then\n"
         "      if [ -n \"$policy_seen\" ]; then continue; fi\n"
         "      policy_seen=yes\n"
         "    fi\n"
         "    policy_path=${policy_path:+$policy_path:}$policy_part\n"
         "  done\n"
         "  if [ -z \"$policy_seen\" ]; then policy_path=$POLICY_PKG_PATH${policy_path:+:$policy_path}; fi\n"
         "  export PYTHONPATH=\"$policy_path\"\n"
         "fi\n";
}

std::string import_folder(const RenderOptions& options) {
  std::string path = options.mount_path;
  if (!path.starts_with('/')) refuse_options(fmt::format("the mount path '{}' must begin with '/'", path));
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

std::string deployable_requirement(const Package& package) {
  std::string text;
  if (const source::GitRef* git = package.reference.git()) {
    if (source::safe_url(git->url) != git->url)
      refuse_package(package, "its URL holds a login, which would be readable in the values",
                     "use an index or a mirror that needs none, or the Secret (render secret)");
    const bool named = !git->version.empty() && package.branch.empty();
    text = fmt::format("git+{}@{}", git->url, named ? git->version : package.commit);
    if (!git->subdirectory.empty()) text += "#subdirectory=" + git->subdirectory;
  } else if (package.reference.index()) {
    text = fmt::format("{}=={}", package.reference.name, package.version);
  } else {
    refuse_package(package, "a folder or wheel on this machine is nothing that a pod could install",
                   "use a git reference or a package of an index, or the Secret (render secret)");
  }
  if (const auto place = text.find_first_of(forbidden); place != std::string::npos)
    refuse_package(package,
                   fmt::format("the '{}' in '{}' would be taken apart by a shell or a list", text[place], text));
  return text;
}

std::string secret_name_of(const Package& package, std::size_t index, const RenderOptions& options) {
  if (!options.secret_name.empty()) return secret_name_for(options.secret_name, index == 0 ? "" : package.module);
  const std::string first = object_name(index < options.vos.size() ? options.vos[index] : package.module);
  const bool said = first.ends_with("rucio-policy-package");
  return said ? first : first + "-rucio-policy-package";
}

std::string secret_name_for(const std::string& base, const std::string& folder) {
  return folder.empty() ? base : base + "-" + object_name(folder);
}

std::vector<SecretFolder> secret_folders(const Package& package, const RenderOptions& options) {
  std::map<std::string, SecretFolder> folders;
  for (const std::string& path : package.module_files) {
    const std::string inside = path.substr(package.folder.size() + 1);
    if (is_test_folder(inside)) continue;
    const auto slash = inside.rfind('/');
    const std::string folder = slash == std::string::npos ? "" : inside.substr(0, slash);
    const std::string name = inside.substr(slash == std::string::npos ? 0 : slash + 1);
    if (!is_key(name))
      refuse_package(package,
                     fmt::format("the file name '{}' is no key of a Secret (letters, digits, '-', '_', '.')", path));
    SecretFolder& entry = folders[folder];
    entry.folder = folder;
    entry.files.emplace_back(name, os::read_file(package.root / path, max_secret_file));
  }
  if (options.flat && folders.size() > (folders.contains("") ? 1u : 0u)) {
    std::vector<std::string> nested;
    for (const auto& [name, folder] : folders)
      if (!name.empty()) nested.push_back(name);
    refuse_package(package, fmt::format("it has folders in it, and a Secret has none: {}", quoted_list(nested)),
                   "without --flat there is one Secret for each folder");
  }
  std::vector<SecretFolder> result;
  for (auto& [name, folder] : folders) {
    std::ranges::sort(folder.files);
    check_size(package, folder);
    result.push_back(std::move(folder));
  }
  return result;
}

std::string content_of_folders(const std::vector<SecretFolder>& folders) {
  std::string all;
  for (const SecretFolder& folder : folders)
    for (const auto& [name, contents] : folder.files)
      all += fmt::format("{}  {}\n", sha256_hex(contents), folder.folder.empty() ? name : folder.folder + "/" + name);
  return sha256_hex(all);
}

}  // namespace venvoy::rucio
