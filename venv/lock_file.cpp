#include "venv/lock_file.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace venvoy::venv {
namespace {

Error not_a_lock(std::string_view name, std::string_view why) {
  return Error(ErrorCode::document, fmt::format("{} cannot be read: {}", name, why));
}

toml::table parse_toml(std::string_view name, std::string_view text) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    throw not_a_lock(name, fmt::format("line {}: {}", error.source().begin.line, error.description()));
  }
}

std::string text_at(const toml::table& table, std::string_view key) {
  return table[key].value_or(std::string());
}

// Versions and names go into a file of lines, where a line end or a blank would be read as something else.
bool is_plain(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '.' || c == '_' || c == '-' || c == '+' || c == '!';
  });
}

// Wherever a table says hashes: {hash = "sha256:…"} or {hashes = {sha256 = "…"}}.
void add_hashes(const toml::table& file, std::vector<std::string>& hashes) {
  if (const auto hash = read_hash(text_at(file, "hash"))) hashes.push_back(*hash);
  const toml::table* table = file["hashes"].as_table();
  if (!table) return;
  for (const auto& [algorithm, digits] : *table)
    if (const auto hash = read_hash(fmt::format("{}:{}", algorithm.str(), digits.value_or(std::string()))))
      hashes.push_back(*hash);
}

void add_hashes(const toml::array* files, std::vector<std::string>& hashes) {
  if (!files) return;
  for (const toml::node& file : *files)
    if (const toml::table* table = file.as_table()) add_hashes(*table, hashes);
}

// uv.lock and pylock.toml have `sdist` and `wheels`, poetry.lock has `files`; its first form has them at the end of the
// document, under the package's name.
std::vector<std::string> hashes_of(const toml::table& package, const toml::table& document) {
  std::vector<std::string> hashes;
  if (const toml::table* sdist = package["sdist"].as_table()) add_hashes(*sdist, hashes);
  add_hashes(package["wheels"].as_array(), hashes);
  add_hashes(package["files"].as_array(), hashes);
  add_hashes(document["metadata"]["files"][text_at(package, "name")].as_array(), hashes);
  return hashes;
}

bool is_one_line(const std::string& text) {
  return text.find_first_of("\r\n") == std::string::npos;
}

// uv: where several versions are locked, each says for which environments: one of a list of markers holds.
std::string uv_marker(const toml::table& package) {
  const toml::array* markers = package["resolution-markers"].as_array();
  if (!markers) return {};
  std::string all;
  for (const toml::node& each : *markers)
    if (const auto marker = each.value<std::string>()) all += fmt::format("{}({})", all.empty() ? "" : " or ", *marker);
  return all;
}

// Poetry 2 writes a text, or a table with a text for each group of dependencies.
std::string poetry_marker(const toml::table& package) {
  if (const toml::table* groups = package["markers"].as_table()) return text_at(*groups, "main");
  return text_at(package, "markers");
}

// From an index, and not from a repository, a folder or a file.
bool is_from_index(std::string_view file, const toml::table& package) {
  if (file == "uv.lock") {
    const toml::table* source = package["source"].as_table();
    return source && source->contains("registry");
  }
  if (file == "poetry.lock") {
    const toml::table* source = package["source"].as_table();
    const std::string type = source ? text_at(*source, "type") : std::string();
    return type.empty() || type == "legacy";
  }
  return !package.contains("vcs") && !package.contains("directory") && !package.contains("archive");
}

std::string marker_of(std::string_view file, const toml::table& package) {
  if (file == "uv.lock") return uv_marker(package);
  return file == "poetry.lock" ? poetry_marker(package) : text_at(package, "marker");
}

std::vector<Pin> read_toml_lock(std::string_view name, std::string_view text) {
  const toml::table document = parse_toml(name, text);
  const toml::array* packages = document[name == "pylock.toml" ? "packages" : "package"].as_array();
  std::vector<Pin> pins;
  if (!packages) return pins;
  for (const toml::node& node : *packages) {
    const toml::table* package = node.as_table();
    if (!package) throw not_a_lock(name, "a package is no table");
    if (!is_from_index(name, *package)) continue;
    Pin pin{text_at(*package, "name"), text_at(*package, "version"), marker_of(name, *package),
            hashes_of(*package, document)};
    if (!is_plain(pin.name) || !is_plain(pin.version) || !is_one_line(pin.marker))
      throw not_a_lock(name, fmt::format("the package '{}' has no proper name, version or marker", pin.name));
    pins.push_back(std::move(pin));
  }
  return pins;
}

// Lines with the continuations joined and the comments gone.
std::vector<std::string> logical_lines(std::string_view text) {
  std::vector<std::string> lines;
  bool continues = false;
  for (std::string_view line : split_lines(text)) {
    std::string_view part = trim(line);
    if (const std::size_t comment = part.find(" #"); comment != std::string_view::npos)
      part = trim(part.substr(0, comment));
    if (part.starts_with('#')) part = {};
    const bool goes_on = part.ends_with('\\');
    if (goes_on) part = trim(part.substr(0, part.size() - 1));
    if (continues)
      lines.back() += fmt::format(" {}", part);
    else if (!part.empty())
      lines.emplace_back(part);
    continues = goes_on && !lines.empty();
  }
  return lines;
}

// "name[extra]==1.0 ; marker --hash=sha256:…"; nothing if it is not pinned by version and hash.
std::optional<Pin> read_requirement(std::string_view line) {
  constexpr std::string_view hash_option = "--hash=";
  const std::size_t hash = line.find(hash_option);
  if (hash == std::string_view::npos) return std::nullopt;
  const std::string_view requirement = trim(line.substr(0, hash));
  const std::size_t semicolon = requirement.find(';');
  const std::string_view head = trim(requirement.substr(0, semicolon));
  const std::size_t equals = head.find("==");
  if (equals == std::string_view::npos || head.find("===") != std::string_view::npos) return std::nullopt;
  const std::string_view name = trim(head.substr(0, std::min(equals, head.find('['))));
  Pin pin{std::string(name), std::string(trim(head.substr(equals + 2))), {}, {}};
  if (semicolon != std::string_view::npos) pin.marker = trim(requirement.substr(semicolon + 1));
  for (std::size_t place = hash; place != std::string_view::npos; place = line.find(hash_option, place + 1)) {
    const std::string_view rest = line.substr(place + hash_option.size());
    if (auto each = read_hash(rest.substr(0, rest.find_first_of(" \t")))) pin.hashes.push_back(std::move(*each));
  }
  if (!is_plain(pin.name) || !is_plain(pin.version) || pin.hashes.empty()) return std::nullopt;
  return pin;
}

std::vector<Pin> read_requirements(std::string_view text) {
  std::vector<Pin> pins;
  for (const std::string& line : logical_lines(text)) {
    if (line.starts_with("-")) continue;  // an option
    auto pin = read_requirement(line);
    if (!pin) return {};
    pins.push_back(std::move(*pin));
  }
  return pins;
}

}  // namespace

std::optional<std::vector<Pin>> read_lock(std::string_view name, std::string_view text) {
  if (text.size() > max_lock_bytes)
    throw Error(ErrorCode::limit, fmt::format("{} is longer than {} bytes", name, max_lock_bytes));
  std::vector<Pin> pins = name == "requirements.txt" ? read_requirements(text) : read_toml_lock(name, text);
  if (pins.size() > max_pins)
    throw Error(ErrorCode::limit, fmt::format("{} has more than {} packages", name, max_pins));
  if (pins.empty()) return std::nullopt;
  return pins;
}

bool is_never_locked(std::string_view normalised_name) {
  return std::find(never_locked.begin(), never_locked.end(), normalised_name) != never_locked.end();
}

std::optional<std::string> read_hash(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, std::size_t>, 3> algorithms = {
      {{"sha256", 64}, {"sha384", 96}, {"sha512", 128}}};
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view algorithm = text.substr(0, colon);
  std::string digits(text.substr(colon + 1));
  for (char& c : digits) {
    if (!std::isxdigit(static_cast<unsigned char>(c))) return std::nullopt;
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  const bool known = std::any_of(algorithms.begin(), algorithms.end(), [&](const auto& each) {
    return each.first == algorithm && each.second == digits.size();
  });
  if (!known) return std::nullopt;
  return fmt::format("{}:{}", algorithm, digits);
}

std::string constraints_text(const std::vector<Pin>& pins, bool with_hashes) {
  std::string text;
  for (const Pin& pin : pins) {
    text += fmt::format("{}=={}{}{}", pin.name, pin.version, pin.marker.empty() ? "" : " ; ", pin.marker);
    if (with_hashes)
      for (const std::string& hash : pin.hashes) text += fmt::format(" --hash={}", hash);
    text += '\n';
  }
  return text;
}

}  // namespace venvoy::venv
