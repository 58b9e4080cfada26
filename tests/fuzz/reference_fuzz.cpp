// The text of a module reference, and the URL in it.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "expect.hpp"
#include "source/git_url.hpp"
#include "source/module_ref.hpp"

namespace {

using namespace venvoy;

std::optional<source::ModuleRef> read(std::string_view text) {
  try {
    return source::parse_module_ref(text);
  } catch (const Error& error) {
    fuzz::expect(error.code() == ErrorCode::reference, "what is refused is the reference's fault");
    return std::nullopt;
  }
}

void check_url(const std::string& text) {
  source::safe_url(text);
  std::optional<source::GitUrl> url;
  std::string normalised;
  try {
    url = source::parse_git_url(text);
    normalised = source::normalised_url(text);
  } catch (const Error& error) {
    fuzz::expect(error.code() == ErrorCode::reference, "what is refused is the URL's fault");
    return;
  }
  url->shown();
  url->local_path();
  url->without_login();
  // Keys and mirrors are named by it: one form must have one name. Escapes that it adds may make it longer than a URL
  // may be.
  constexpr std::size_t longest_url = 4096;
  if (normalised.size() > longest_url) return;
  fuzz::expect(source::normalised_url(normalised) == normalised, "a normalised URL is normalised");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check_url(text);
  const auto reference = read(text);
  if (!reference) return 0;
  fuzz::expect(reference->text == text, "a reference keeps its text");
  const std::string safe = reference->to_safe_text();
  if (const source::GitRef* git = reference->git()) {
    check_url(git->url);
    fuzz::expect(git->subdirectory.empty() || git->subdirectory.front() != '/', "a subdirectory is relative");
    fuzz::expect(("/" + git->subdirectory + "/").find("/../") == std::string::npos,
                 "a subdirectory leads nowhere else");
  }
  source::import_name(reference->name);
  return 0;
}
