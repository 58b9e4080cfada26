#include "source/internal/gitmodules.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.hpp"
#include "source/git_url.hpp"
#include "source/internal/ascii.hpp"

namespace venvoy::source {
namespace {

constexpr std::size_t max_modules = 1000;

bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\r';
}
bool is_word(char c) noexcept {
  return is_alphanumeric(c) || c == '-' || c == '.';
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::vector<GitModule> parse() {
    for (skip_space(); at_ < text_.size(); skip_space()) {
      if (text_[at_] == '[')
        section();
      else
        entry();
    }
    return std::move(modules_);
  }

 private:
  [[noreturn]] void fail() const {
    const auto line =
        1 + std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(std::min(at_, text_.size())), '\n');
    throw Error(ErrorCode::unresolvable, fmt::format(".gitmodules: line {} is not understood", line));
  }

  char peek() const noexcept { return at_ < text_.size() ? text_[at_] : '\n'; }

  void skip_blanks() {
    while (is_blank(peek())) ++at_;
  }

  // Blanks, line ends and comments.
  void skip_space() {
    for (; at_ < text_.size() &&
           (is_blank(text_[at_]) || std::string_view("\n#;").find(text_[at_]) != std::string_view::npos);
         ++at_) {
      const bool comment = text_[at_] == '#' || text_[at_] == ';';
      if (comment) at_ = std::min(text_.find('\n', at_), text_.size() - 1);
    }
  }

  std::string word() {
    std::string result;
    while (is_word(peek())) result += text_[at_++];
    if (result.empty()) fail();
    return lower(result);
  }

  // [submodule "name"]
  void section() {
    ++at_;
    const std::string kind = word();
    skip_blanks();
    std::string name;
    if (peek() == '"') name = quoted_name();
    skip_blanks();
    if (peek() != ']') fail();
    ++at_;
    in_module_ = kind == "submodule" && !name.empty();
    if (!in_module_) return;
    const auto known =
        std::find_if(modules_.begin(), modules_.end(), [&](const GitModule& one) { return one.name == name; });
    current_ = static_cast<std::size_t>(known - modules_.begin());
    if (known != modules_.end()) return;
    if (modules_.size() == max_modules) throw Error(ErrorCode::limit, ".gitmodules names too many submodules");
    modules_.push_back({name, "", "", ""});
  }

  std::string quoted_name() {
    std::string name;
    for (++at_; peek() != '"'; ++at_) {
      if (peek() == '\\') ++at_;
      if (peek() == '\n') fail();
      name += peek();
    }
    ++at_;
    return name;
  }

  void entry() {
    const std::string key = word();
    skip_blanks();
    std::string given;
    if (peek() == '=') {
      ++at_;
      given = value();
    } else if (peek() != '\n' && peek() != '#' && peek() != ';') {
      fail();
    }
    if (!in_module_) return;
    GitModule& module = modules_[current_];
    if (key == "path") module.path = given;
    if (key == "url") module.url = given;
    if (key == "update") module.update = given;
  }

  char escaped() {
    switch (const char c = peek(); c) {
      case 'n':
        return '\n';
      case 't':
        return '\t';
      case 'b':
        return '\b';
      case '"':
      case '\\':
        return c;
      default:
        fail();
    }
  }

  std::string value() {
    std::string result;
    std::size_t solid = 0;  // length up to the last character that is not a blank outside quotes
    bool quoted = false;
    for (skip_blanks(); at_ < text_.size() && text_[at_] != '\n'; ++at_) {
      const char c = text_[at_];
      if (!quoted && (c == '#' || c == ';')) break;
      if (c == '"') {
        quoted = !quoted;
        solid = result.size();
        continue;
      }
      if (c != '\\') {
        result += c;
      } else if (++at_; peek() != '\n') {
        result += escaped();
      }
      if (quoted || !is_blank(result.empty() ? ' ' : result.back())) solid = result.size();
    }
    if (quoted) fail();
    result.resize(solid);
    return result;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool in_module_ = false;
  std::size_t current_ = 0;
  std::vector<GitModule> modules_;
};

[[noreturn]] void refuse(std::string_view written, std::string_view why) {
  throw Error(ErrorCode::unresolvable,
              fmt::format("the submodule's URL '{}' cannot be used: {}", safe_url(written), why));
}

std::string relative_url(std::string_view written, std::string_view parent) {
  std::string base(parent);
  while (base.ends_with("/")) base.pop_back();
  const auto path_start = base.find('/', base.find("://") + 3);
  std::string_view rest = written;
  while (rest.starts_with("./") || rest.starts_with("../")) {
    if (rest.starts_with("../")) {
      const auto slash = base.rfind('/');
      if (slash == std::string::npos || path_start == std::string::npos || slash < path_start)
        refuse(written, "it leads out of the server");
      base.resize(slash);
    }
    rest.remove_prefix(rest.find('/') + 1);
  }
  return fmt::format("{}/{}", base, rest);
}

std::string encoded_path(std::string_view path) {
  std::string result;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = is_word(c) || c == '/' || c == '_' || c == '~' || c == '+' || c == '@' || byte >= 0x80;
    result += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return result;
}

std::string absolute_url(std::string_view written) {
  if (written.find("://") != std::string_view::npos) return std::string(written);
  if (written.starts_with("/")) return "file://" + encoded_path(written);
  const auto colon = written.find(':');
  if (colon == std::string_view::npos || written.find('/') < colon) refuse(written, "it is no URL");
  const std::string_view path = written.substr(colon + 1);
  return fmt::format("ssh://{}{}{}", written.substr(0, colon), path.starts_with("/") ? "" : "/", path);
}

}  // namespace

std::vector<GitModule> parse_gitmodules(std::string_view text) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  return Parser(text).parse();
}

std::string submodule_url(std::string_view written, std::string_view parent_url) {
  const bool relative = written.starts_with("./") || written.starts_with("../");
  const std::string url = relative ? relative_url(written, parent_url) : absolute_url(written);
  GitUrl parsed;
  try {
    parsed = parse_git_url(url);
  } catch (const Error& error) {
    refuse(written, error.message());
  }
  if (parsed.scheme == UrlScheme::file && parse_git_url(parent_url).scheme != UrlScheme::file)
    refuse(written, "it is a repository on this machine, and the one that names it is not");
  return url;
}

}  // namespace venvoy::source
