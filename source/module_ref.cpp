#include "source/module_ref.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "source/git_url.hpp"
#include "source/internal/ascii.hpp"

namespace venvoy::source {
namespace {

constexpr std::size_t max_reference_length = 8192;
constexpr std::size_t max_text_in_message = 300;

// What is wrong in particular; becomes the hint.
struct Wrong {
  std::string hint;
};

// Words separated by one of "-_.": the Go engine's pattern for names (spec/workflow.md 8.1).
bool is_module_name(std::string_view name) noexcept {
  bool after_word = false;
  for (const char c : name) {
    if (!is_alphanumeric(c) && (!after_word || std::string_view("-_.").find(c) == std::string_view::npos)) return false;
    after_word = is_alphanumeric(c);
  }
  return after_word;
}

void check_name(std::string_view name) {
  if (name.empty()) throw Wrong{"the module name is missing"};
  if (name.find('[') != std::string_view::npos) throw Wrong{"extras in [ ] are not supported"};
  if (!is_module_name(name))
    throw Wrong{fmt::format("'{}' is not a module name: letters and digits, joined by single '-', '_' or '.'", name)};
}

// What git would not accept as the name of a reference either (git-check-ref-format), and expressions such as v1~2.
void check_version(std::string_view version) {
  if (version.empty())
    throw Wrong{"there is nothing after the last '@': give a commit, tag or branch, or leave '@' out"};
  const bool forbidden = version.find_first_of("~^:?*[\\") != std::string_view::npos ||
                         version.find("..") != std::string_view::npos || version.find("@{") != std::string_view::npos ||
                         version.find("//") != std::string_view::npos || version.front() == '-' ||
                         version.front() == '/' || version.back() == '/' || version.back() == '.';
  if (forbidden) throw Wrong{fmt::format("'{}' cannot be a commit, tag or branch", version)};
}

std::string parse_subdirectory(std::string_view text) {
  const std::string decoded = percent_decoded(text);
  if (decoded.find('\0') != std::string::npos || !is_valid_utf8(decoded))
    throw Wrong{"the subdirectory is not valid UTF-8"};
  if (!decoded.empty() && decoded.front() == '/') throw Wrong{"the subdirectory must be relative to the repository"};
  std::string result;
  for (std::size_t start = 0; start <= decoded.size();) {
    const auto end = std::min(decoded.find('/', start), decoded.size());
    const std::string part = decoded.substr(start, end - start);
    if (part == "..") throw Wrong{"the subdirectory must not contain '..'"};
    if (!part.empty() && part != ".") result += (result.empty() ? "" : "/") + part;
    start = end + 1;
  }
  if (result.empty()) throw Wrong{"the subdirectory is empty"};
  return result;
}

std::string parse_fragment(std::string_view fragment) {
  constexpr std::string_view key = "subdirectory=";
  if (!fragment.starts_with(key)) throw Wrong{"only '#subdirectory=<folder>' may follow the repository"};
  return parse_subdirectory(fragment.substr(key.size()));
}

// The place of the '@' before the version: the last one in the path.
std::size_t find_version(std::string_view url) noexcept {
  const auto scheme = url.find("://");
  const auto path = scheme == std::string_view::npos ? scheme : url.find('/', scheme + 3);
  const auto at = url.rfind('@');
  return path == std::string_view::npos || at == std::string_view::npos || at < path ? std::string_view::npos : at;
}

void check_url(std::string_view url) {
  if (url.find("://") == std::string_view::npos && url.find(':') != std::string_view::npos)
    throw Wrong{"write the address as a URL, such as ssh://git@host/path"};
  try {
    parse_git_url(url);
  } catch (const Error& error) {
    throw Wrong{error.message()};
  }
}

GitRef parse_git(std::string_view text) {
  GitRef ref;
  if (const auto hash = text.find('#'); hash != std::string_view::npos) {
    ref.subdirectory = parse_fragment(text.substr(hash + 1));
    text = text.substr(0, hash);
  }
  if (const auto at = find_version(text); at != std::string_view::npos) {
    ref.version = std::string(text.substr(at + 1));
    check_version(ref.version);
    text = text.substr(0, at);
  }
  check_url(text);
  ref.url = std::string(text);
  return ref;
}

// `rest` is what follows the first '@'.
GitRef parse_repository(std::string_view rest) {
  constexpr std::string_view prefix = "git+";
  if (rest.starts_with(prefix)) return parse_git(rest.substr(prefix.size()));
  for (const std::string_view other : {"hg+", "svn+", "bzr+"})
    if (rest.starts_with(other)) throw Wrong{fmt::format("'{}' is not supported: only git repositories are", other)};
  if (lower(rest).starts_with("git:") || rest.starts_with("git@"))
    throw Wrong{"write the address as git+https://… or git+ssh://git@host/path"};
  if (rest.find("://") != std::string_view::npos) throw Wrong{"'git+' is missing before the URL"};
  throw Wrong{"a repository must follow '@': git+https://…"};
}

void check_package_version(std::string_view version) {
  if (version.empty()) throw Wrong{"there is no version after '=='"};
  if (version.front() == '=') throw Wrong{"'===' is not supported: use '=='"};
  const auto allowed = [](char c) {
    return is_alphanumeric(c) || std::string_view(".+!-_").find(c) != std::string_view::npos;
  };
  if (!std::all_of(version.begin(), version.end(), allowed))
    throw Wrong{fmt::format("'{}' is not one fixed version", version)};
}

ModuleRef parse_package(std::string_view text) {
  const auto comparison = text.find_first_of("=<>~!;,");
  ModuleRef ref;
  ref.name = std::string(text.substr(0, comparison));
  IndexRef index;
  if (comparison != std::string_view::npos) {
    if (!text.substr(comparison).starts_with("==")) throw Wrong{"only '==' may follow the name of a package"};
    index.version = std::string(text.substr(comparison + 2));
    check_package_version(index.version);
  }
  check_name(ref.name);
  ref.source = std::move(index);
  return ref;
}

bool is_path(std::string_view text) noexcept {
  return text == "." || text == ".." || text.starts_with("./") || text.starts_with("../") || text.starts_with("/");
}

void check_text(std::string_view text) {
  if (text.empty()) throw Wrong{"the reference is empty"};
  if (text.size() > max_reference_length)
    throw Wrong{fmt::format("the reference is longer than {} bytes", max_reference_length)};
  if (!is_valid_utf8(text)) throw Wrong{"the reference is not valid UTF-8"};
  if (std::any_of(text.begin(), text.end(), is_control)) throw Wrong{"the reference contains a control character"};
  if (!is_path(text) && text.find(' ') != std::string_view::npos) throw Wrong{"the reference contains a blank"};
}

ModuleRef parse(std::string_view text) {
  check_text(text);
  ModuleRef ref;
  const auto at = text.find('@');
  if (is_path(text)) {
    ref.source = LocalRef{std::filesystem::path(text)};
  } else if (text.starts_with("git+") || text.find("://") < at) {
    throw Wrong{"the module name and '@' are missing before the URL"};
  } else if (at != std::string_view::npos) {
    ref.name = std::string(text.substr(0, at));
    check_name(ref.name);
    ref.source = parse_repository(text.substr(at + 1));
  } else {
    ref = parse_package(text);
  }
  ref.text = std::string(text);
  return ref;
}

std::string text_for_message(std::string_view text) {
  std::string shown = to_valid_utf8(safe_url(text));
  if (shown.size() > max_text_in_message) shown = to_valid_utf8(shown.substr(0, max_text_in_message)) + "…";
  std::replace_if(shown.begin(), shown.end(), is_control, '?');
  return shown;
}

}  // namespace

std::string ModuleRef::to_safe_text() const {
  return safe_url(text);
}

ModuleRef parse_module_ref(std::string_view text) {
  try {
    return parse(text);
  } catch (const Wrong& wrong) {
    Error error(ErrorCode::reference, fmt::format("\"{}\" has wrong module name format, please use "
                                                  "<module-name>@git+<repo_url>[@<commit_sha>]",
                                                  text_for_message(text)));
    error.with_hint(safe_url(wrong.hint));
    throw error;
  }
}

std::string import_name(std::string_view module_name) {
  std::string result(module_name);
  std::replace(result.begin(), result.end(), '-', '_');
  return result;
}

}  // namespace venvoy::source
