// Reading lock files, and what follows from them.
#include "venv/lock_file.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "support/catch.hpp"

using namespace venvoy;
using Catch::ContainsSubstring;

namespace {

std::string constraints(std::string_view name, std::string_view text) {
  const auto pins = venv::read_lock(name, text);
  return pins ? venv::constraints_text(*pins, true) : "no lock";
}

std::string digits(char digit) {
  return std::string(64, digit);
}

std::string trouble(std::string_view name, std::string_view text) {
  try {
    venv::read_lock(name, text);
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

}  // namespace

TEST_CASE("a uv.lock pins what comes from an index, each version where it holds") {
  CHECK(constraints("uv.lock", R"(
version = 1
[[package]]
name = "me"
version = "0.1"
source = { virtual = "." }
[[package]]
name = "numpy"
version = "1.26.4"
source = { registry = "https://example.org/simple" }
resolution-markers = ["python_full_version < '3.10'", "sys_platform == 'win32'"]
[[package]]
name = "numpy"
version = "2.1.0"
source = { registry = "https://example.org/simple" }
[[package]]
name = "fork"
version = "3"
source = { git = "https://example.org/fork.git" }
)") == "numpy==1.26.4 ; (python_full_version < '3.10') or (sys_platform == 'win32')\nnumpy==2.1.0\n");
}

TEST_CASE("a poetry.lock of both forms") {
  CHECK(constraints("poetry.lock", R"(
[[package]]
name = "cbor2"
version = "5.4.6"
category = "main"
python-versions = ">=3.7"
[[package]]
name = "ours"
version = "1.0"
[package.source]
type = "git"
url = "https://example.org/ours.git"
[[package]]
name = "theirs"
version = "1.0"
[package.source]
type = "legacy"
url = "https://example.org/simple"
[metadata]
lock-version = "1.1"
)") == "cbor2==5.4.6\ntheirs==1.0\n");
  CHECK(constraints("poetry.lock", R"(
[[package]]
name = "colorama"
version = "0.4.6"
groups = ["main", "dev"]
markers = {main = "platform_system == \"Windows\"", dev = "sys_platform == \"win32\""}
[[package]]
name = "tomli"
version = "2.0.1"
markers = "python_version < \"3.11\""
)") == "colorama==0.4.6 ; platform_system == \"Windows\"\ntomli==2.0.1 ; python_version < \"3.11\"\n");
}

TEST_CASE("a pylock.toml") {
  CHECK(constraints("pylock.toml", R"(
lock-version = "1.0"
[[packages]]
name = "attrs"
version = "25.1.0"
marker = "python_version >= '3.9'"
[[packages]]
name = "here"
directory = { path = "." }
)") == "attrs==25.1.0 ; python_version >= '3.9'\n");
}

TEST_CASE("a requirements.txt is a lock if everything in it has a version and a hash") {
  CHECK(constraints("requirements.txt", R"(# by a tool
--index-url https://example.org/simple
attrs==25.1.0 ; python_version >= "3.9" \
    --hash=sha256:aa \
    --hash=sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA \
    --hash=sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
uvicorn[standard]==0.30 --hash=sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc  # for serving
)") == "attrs==25.1.0 ; python_version >= \"3.9\" --hash=sha256:" + digits('a') + " --hash=sha256:" + digits('b') +
            "\nuvicorn==0.30 --hash=sha256:" + digits('c') + "\n");
  for (const char* text : {"", "# nothing", "attrs==25.1.0", "attrs==25.1.0 --hash=sha256:aa\nother>=1\n",
                           "attrs>=25 --hash=sha256:aa", "-r other.txt"})
    CHECK(constraints("requirements.txt", text) == "no lock");
}

TEST_CASE("hashes are taken from where each kind has them") {
  const auto hashes = [](std::string_view name, std::string_view package, std::string_view rest = {}) {
    const std::string list = name == "pylock.toml" ? "packages" : "package";
    const auto pins =
        venv::read_lock(name, fmt::format("[[{}]]\nname = 'a'\nversion = '1'\n{}\n{}", list, package, rest));
    return pins ? pins->front().hashes : std::vector<std::string>{"no lock"};
  };
  const std::string a = "sha256:" + digits('a'), b = "sha256:" + digits('b'), c = "sha512:" + digits('c') + digits('c');
  using List = std::vector<std::string>;
  CHECK(hashes("uv.lock",
               fmt::format("source = {{registry = 'x'}}\nsdist = {{url = 'x', hash = '{}'}}\nwheels = [{{url = "
                           "'x', hash = '{}'}}, {{url = 'x', hash = '{}'}}]",
                           a, b, c)) == List{a, b, c});
  CHECK(hashes("poetry.lock",
               fmt::format("files = [{{file = 'x', hash = '{}'}}, {{file = 'y', hash = '{}'}}]", a, b)) == List{a, b});
  CHECK(hashes("poetry.lock", "", fmt::format("[metadata.files]\na = [{{file = 'x', hash = '{}'}}]\nother = []", a)) ==
        List{a});
  CHECK(hashes("pylock.toml", fmt::format("[packages.sdist]\nhashes = {{sha256 = '{}', md5 = 'ff'}}\n"
                                          "[[packages.wheels]]\nhashes = {{sha512 = '{}'}}",
                                          a.substr(7), c.substr(7))) == List{a, c});
  CHECK(hashes("poetry.lock", "files = [{file = 'x', hash = 'md5:00'}, 3, {file = 'y'}]").empty());
  CHECK(venv::read_hash("sha256:" + digits('A')) == a);
  for (const char* text : {"", "sha256", "sha256:aa", "sha256:zz", "md5:d41d8cd98f00b204e9800998ecf8427e"})
    CHECK_FALSE(venv::read_hash(text));
}

TEST_CASE("what cannot be read is told with its line") {
  CHECK(constraints("uv.lock", "version = 1") == "no lock");
  CHECK_THAT(trouble("uv.lock", "version = 1\n[[package]\n"), ContainsSubstring("uv.lock cannot be read: line 2"));
  CHECK_THAT(trouble("poetry.lock", "package = [1]"), ContainsSubstring("a package is no table"));
  for (const char* field : {"name = \"a b\"\nversion = \"1\"", "name = \"a\"", "name = \"a\"\nversion = \"1\\n--evil\"",
                            "name = \"a\"\nversion = \"1\"\nmarkers = \"x\\ny\""})
    CHECK_THAT(trouble("poetry.lock", fmt::format("[[package]]\n{}\n", field)), ContainsSubstring("no proper name"));
  CHECK_THAT(trouble("uv.lock", std::string(venv::max_lock_bytes + 1, '#')), ContainsSubstring("is longer than"));
}
