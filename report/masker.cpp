#include "report/masker.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <set>

#include <fmt/format.h>

#include "base/text.hpp"
#include "report/internal/pem.hpp"
#include "schema/yaml.hpp"

namespace venvoy::report {

using schema::Kind;
using schema::Value;

namespace {

constexpr std::size_t start_bytes = 4;
constexpr std::size_t start_table = std::size_t{1} << 16;
// Shorter ones are masked only as whole words: "1234" must not be cut out of a time stamp.
constexpr std::size_t long_enough = 8;
// Lines of a secret of several lines that are remembered for themselves: logs show it line by line.
constexpr std::size_t secret_line = 8;
// Messages cut long values short: their beginning gives them away.
constexpr std::size_t known_by_prefix = 32;
constexpr std::size_t telling_prefix = 16;
// Longer secrets are known by their first bytes.
constexpr std::size_t max_secret = std::size_t{64} << 10;
constexpr std::size_t max_names_cached = 10'000;
constexpr std::size_t max_kubeconfig = std::size_t{1} << 20;

// Words that make a name secret, and pairs of words.
const std::set<std::string, std::less<>>& secret_words() {
  static const std::set<std::string, std::less<>> words = {
      "apikey",  "authorization", "bearer",    "cookie",    "credential", "credentials", "kubeconfig", "passphrase",
      "passwd",  "password",      "passwords", "pwd",       "pass",       "privatekey",  "secret",     "secretkey",
      "secrets", "token",         "tokens",    "accesskey", "jwt",        "otp"};
  return words;
}

const std::set<std::string, std::less<>>& words_before_key() {
  static const std::set<std::string, std::less<>> words = {"access",     "account", "api",     "auth", "client",
                                                           "encryption", "master",  "private", "rsa",  "session",
                                                           "shared",     "signing", "ssh"};
  return words;
}

// A last word that says that the value is about the secret, and not the secret.
const std::set<std::string, std::less<>>& harmless_endings() {
  static const std::set<std::string, std::less<>> words = {
      "algorithm", "count", "enabled", "endpoint", "expiry", "file", "files", "format",
      "length",    "limit", "mode",    "name",     "names",  "path", "paths", "policy",
      "required",  "size",  "timeout", "ttl",      "type",   "uri",  "url",   "urls"};
  return words;
}

bool is_upper(char letter) {
  return std::isupper(static_cast<unsigned char>(letter)) != 0;
}
bool is_alphanumeric(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0 || static_cast<unsigned char>(letter) >= 0x80;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& letter : result) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return result;
}

// "dbPassword", "db_password" and "DB-PASSWORD" are the words db and password; "APIKey" is api and key.
std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words;
  std::string word;
  const auto end = [&] {
    if (!word.empty()) words.push_back(lower(word));
    word.clear();
  };
  for (std::size_t at = 0; at < name.size(); ++at) {
    const char letter = name[at];
    if (!is_alphanumeric(letter)) {
      end();
      continue;
    }
    const bool after_small = at > 0 && is_upper(letter) && !is_upper(name[at - 1]);
    const bool before_small = at > 0 && is_upper(letter) && is_upper(name[at - 1]) && at + 1 < name.size() &&
                              std::islower(static_cast<unsigned char>(name[at + 1])) != 0;
    if (after_small || before_small) end();
    word += letter;
  }
  end();
  return words;
}

// For comparing given names: without case and separators.
std::string folded(std::string_view name) {
  std::string result;
  for (const char letter : name)
    if (is_alphanumeric(letter)) result += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return result;
}

bool looks_secret(std::string_view name) {
  const std::vector<std::string> words = words_of(name);
  if (words.empty()) return false;
  if (words.size() > 1 && harmless_endings().contains(words.back())) return false;
  // How many, not which.
  if (words.back() == "tokens" && words.size() > 1 && (words.front() == "max" || words.front() == "num")) return false;
  for (std::size_t at = 0; at < words.size(); ++at) {
    if (secret_words().contains(words[at])) return true;
    const bool is_key = words[at] == "key" || words[at] == "keys";
    if (is_key && at > 0 && words_before_key().contains(words[at - 1])) return true;
  }
  return false;
}

bool is_kubeconfig(const schema::Map& map) {
  const Value* users = map.find("users");
  if (!users || (users->kind() != Kind::list && users->kind() != Kind::map)) return false;
  return map.contains("clusters") || map.contains("contexts") ||
         (map.find("kind") && *map.find("kind") == Value("Config"));
}

bool may_be_kubeconfig(std::string_view text) {
  return text.size() <= max_kubeconfig && text.find("users") != text.npos &&
         (text.find("clusters") != text.npos || text.find("contexts") != text.npos || text.find("Config") != text.npos);
}

// The secrets among the users of the text of a kubeconfig; empty for every other text.
std::vector<std::string> kubeconfig_secrets(std::string_view text) {
  if (!may_be_kubeconfig(text)) return {};
  std::vector<std::string> found;
  try {
    const Value root = schema::to_text_value(schema::read_yaml(text, "kubeconfig"));
    if (root.kind() != Kind::map || !is_kubeconfig(root.as_map())) return {};
    std::vector<const Value*> todo = {root.find("users")};
    while (!todo.empty()) {
      const Value& value = *todo.back();
      todo.pop_back();
      if (value.kind() == Kind::text) found.push_back(value.as_text());
      if (value.kind() == Kind::list)
        for (const Value& item : value.as_list()) todo.push_back(&item);
      if (value.kind() == Kind::map)
        for (const auto& [key, item] : value.as_map())
          if (!(key == Value("name"))) todo.push_back(&item);  // users are known by it everywhere
    }
  } catch (const Error&) {
    return {};
  }
  return found;
}

std::size_t indent_of(std::string_view line) {
  const std::size_t indent = line.find_first_not_of(' ');
  return indent == line.npos ? line.size() : indent;
}

// The text of a kubeconfig without what stands below `users:` in block style. All other texts as they are.
std::string without_users(std::string_view text) {
  if (!may_be_kubeconfig(text)) return std::string(text);
  std::string result;
  bool below = false;     // below the key,
  std::size_t users = 0;  // which has this indent
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size() - 1) + 1;
    const std::string_view line = text.substr(begin, end - begin);
    begin = end;
    const std::string_view content = trim(line);
    if (below) {
      const std::size_t indent = indent_of(line);
      if (content.empty() || indent > users || (indent == users && content.starts_with('-'))) continue;
      below = false;
    }
    if (content.starts_with("users:") && trim(content.substr(6)).empty()) {
      below = true;
      users = indent_of(line);
      result += fmt::format("{:{}}users: {}\n", "", users, Masker::mask);
    } else {
      result += line;
    }
  }
  return result;
}

bool says_nothing(std::string_view text) {
  static const std::set<std::string, std::less<>> words = {"true", "false", "null", "none", "[masked]"};
  return text.size() < start_bytes || words.contains(lower(text));
}

std::uint32_t start_of(std::string_view text) {
  std::uint32_t start = 0;
  std::memcpy(&start, text.data(), start_bytes);
  return start;
}

std::size_t place_of(std::uint32_t start) {
  return (start * 2654435761U) >> 16;
}

std::size_t common_prefix(std::string_view left, std::string_view right) {
  const std::size_t size = std::min(left.size(), right.size());
  const auto end = left.begin() + static_cast<std::ptrdiff_t>(size);
  return static_cast<std::size_t>(std::mismatch(left.begin(), end, right.begin()).first - left.begin());
}

}  // namespace

Masker::Masker(std::vector<std::string> names) : starts_(start_table) {
  add_names(names);
}

void Masker::add_names(const std::vector<std::string>& names) {
  const std::lock_guard lock(mutex_);
  for (const std::string& name : names) names_.push_back(folded(name));
  name_cache_.clear();
}

bool Masker::is_secret_name(std::string_view property) const {
  const std::lock_guard lock(mutex_);
  return has_secret_name(property);
}

bool Masker::has_secret_name(std::string_view property) const {
  const std::string name(property);
  if (const auto cached = name_cache_.find(name); cached != name_cache_.end()) return cached->second;
  const bool is_secret = looks_secret(name) || std::find(names_.begin(), names_.end(), folded(name)) != names_.end();
  if (name_cache_.size() < max_names_cached) name_cache_.emplace(name, is_secret);
  return is_secret;
}

void Masker::learn(const Value& value) {
  const std::lock_guard lock(mutex_);
  learn_in(value, false);
}

Value Masker::masked(const Value& value) {
  const std::lock_guard lock(mutex_);
  // What is found late in the value may stand early in it too.
  if (!learn_in(value, false) && known_.empty()) return value;
  return mask_in(value, false).value_or(value);
}

std::string Masker::masked_text(std::string_view text) const {
  const std::lock_guard lock(mutex_);
  return mask_text(text);
}

// True if there is anything in it that has to be masked.
bool Masker::learn_in(const Value& value, bool secret) {
  bool found = false;
  switch (value.kind()) {
    case Kind::text:
      return learn_text(value.as_text(), secret);
    case Kind::integer:
      if (secret) remember(std::to_string(value.as_integer()));
      return secret;
    case Kind::floating:
      return secret;
    case Kind::bytes: {
      const auto& bytes = value.as_bytes();
      const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      return learn_text(text, secret);
    }
    case Kind::list:
      for (const Value& item : value.as_list()) found |= learn_in(item, secret);
      return found;
    case Kind::map: {
      const bool kubeconfig = is_kubeconfig(value.as_map());
      for (const auto& [key, item] : value.as_map()) {
        const bool is_text = key.kind() == Kind::text;
        const bool users = kubeconfig && is_text && key.as_text() == "users";
        found |= learn_in(item, secret || users || (is_text && has_secret_name(key.as_text())));
      }
      return found;
    }
    default:
      return false;
  }
}

bool Masker::learn_text(std::string_view text, bool secret) {
  bool found = secret && !text.empty();
  if (secret) remember(text);
  for (const std::string_view block : internal::pem_blocks(text)) {
    remember(block);
    found = true;
  }
  for (const std::string& part : kubeconfig_secrets(text)) {
    remember(part);
    found = true;
  }
  return found;
}

void Masker::remember(std::string_view secret) {
  secret = trim(secret);
  remember_one(secret);
  if (secret.find('\n') == secret.npos) return;
  for (const std::string_view line : split_lines(secret)) {
    const std::string_view part = trim(line);
    if (part.size() >= secret_line && !part.starts_with("-----")) remember_one(part);
  }
}

void Masker::remember_one(std::string_view secret) {
  if (says_nothing(secret) || known_.size() >= max_known) return;
  secret = secret.substr(0, max_secret);
  const std::uint32_t start = start_of(secret);
  const auto [begin, end] = known_.equal_range(start);
  if (std::any_of(begin, end, [&](const auto& entry) { return entry.second == secret; })) return;
  known_.emplace(start, secret);
  starts_[place_of(start)] = true;
}

std::optional<Value> Masker::mask_in(const Value& value, bool secret) const {
  switch (value.kind()) {
    case Kind::text: {
      if (secret && !value.as_text().empty()) return Value(mask);
      std::string text = mask_text(value.as_text());
      if (text == value.as_text()) return std::nullopt;
      return Value(std::move(text));
    }
    case Kind::bytes: {
      const auto& bytes = value.as_bytes();
      const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      if (!secret && mask_text(text) == text) return std::nullopt;
      return Value(mask);
    }
    case Kind::integer:
    case Kind::floating:
      return secret ? std::optional(Value(mask)) : std::nullopt;
    case Kind::list:
      return mask_list(value.as_list(), secret);
    case Kind::map:
      return mask_map(value.as_map(), secret);
    default:
      return std::nullopt;
  }
}

std::optional<Value> Masker::mask_list(const schema::List& list, bool secret) const {
  std::optional<schema::List> changed;
  for (std::size_t at = 0; at < list.size(); ++at) {
    std::optional<Value> item = mask_in(list[at], secret);
    if (!item) continue;
    if (!changed) changed = list;
    (*changed)[at] = std::move(*item);
  }
  if (!changed) return std::nullopt;
  return Value(std::move(*changed));
}

std::optional<Value> Masker::mask_map(const schema::Map& map, bool secret) const {
  const bool kubeconfig = is_kubeconfig(map);
  std::optional<schema::Map> changed;
  for (const auto& [key, value] : map) {
    const bool is_text = key.kind() == Kind::text;
    const bool users = kubeconfig && is_text && key.as_text() == "users";
    if (std::optional<Value> item = mask_in(value, secret || users || (is_text && has_secret_name(key.as_text())))) {
      if (!changed) changed = map;
      changed->set(key, std::move(*item));
    }
  }
  // A secret may be a key too.
  const schema::Map& now = changed ? *changed : map;
  std::optional<schema::Map> renamed;
  for (const auto& [key, value] : now) {
    if (key.kind() != Kind::text) continue;
    const std::string name = mask_known(key.as_text());
    if (name == key.as_text()) continue;
    if (!renamed) renamed = now;
    renamed->erase(key);
    renamed->set(name, value);
  }
  if (renamed) return Value(std::move(*renamed));
  if (!changed) return std::nullopt;
  return Value(std::move(*changed));
}

std::string Masker::mask_text(std::string_view text) const {
  if (!kubeconfig_secrets(text).empty()) return mask_known(internal::without_pem(without_users(text), mask));
  if (!internal::mentions_pem(text)) return mask_known(text);
  return mask_known(internal::without_pem(text, mask));
}

std::string Masker::mask_known(std::string_view text) const {
  if (known_.empty() || text.size() < start_bytes) return std::string(text);
  std::string result;
  std::size_t copied = 0;
  for (std::size_t at = 0; at + start_bytes <= text.size();) {
    const std::string_view rest = text.substr(at);
    const std::size_t length =
        starts_[place_of(start_of(rest))] ? known_at(rest, at == 0 ? ' ' : text[at - 1]) : std::size_t{0};
    if (length == 0) {
      ++at;
      continue;
    }
    result += text.substr(copied, at - copied);
    result += mask;
    at += length;
    copied = at;
  }
  if (copied == 0) return std::string(text);
  return result += text.substr(copied);
}

// How much of the beginning of `rest` is a secret; `before` is the character before it.
std::size_t Masker::known_at(std::string_view rest, char before) const {
  std::size_t longest = 0;
  const auto [begin, end] = known_.equal_range(start_of(rest));
  for (auto entry = begin; entry != end; ++entry) {
    const std::string& secret = entry->second;
    const std::size_t same = common_prefix(rest, secret);
    const bool whole = same == secret.size();
    if (!whole && (secret.size() < known_by_prefix || same < telling_prefix)) continue;
    const bool is_word = !is_alphanumeric(before) && (same == rest.size() || !is_alphanumeric(rest[same]));
    if (secret.size() < long_enough && !is_word) continue;
    longest = std::max(longest, same);
  }
  return longest;
}

}  // namespace venvoy::report
