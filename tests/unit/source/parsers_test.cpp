// The readers of what others have written: .gitmodules and git's packet lines.
#include <string>
#include <vector>

#include "base/error.hpp"
#include "git_fixture.hpp"
#include "source/internal/gitmodules.hpp"
#include "source/internal/packet_scanner.hpp"
#include "support/catch.hpp"

namespace venvoy::source::test {
namespace {

TEST_CASE(".gitmodules is read as git reads it") {
  const std::vector<GitModule> modules = parse_gitmodules(
      "\xEF\xBB\xBF# comment\n"
      "[submodule \"a\"] path = pa ; comment\n"
      "\turl = https://h/a#fragment\n"
      "[core]\n\turl = https://wrong\n\tbare\n"
      "[SubModule \"with \\\"quote\\\" and \\\\\"]\r\n"
      "\tPath=  \"p # b\"  \r\n"
      "\turl = \"x\\ty\" z \\\n  w\n"
      "\tupdate = none\n\tignored = all\n"
      "[submodule \"a\"]\n\tpath = again");
  REQUIRE(modules.size() == 2);
  CHECK(modules[0].name == "a");
  CHECK(modules[0].path == "again");
  CHECK(modules[0].url == "https://h/a");
  CHECK(modules[1].name == "with \"quote\" and \\");
  CHECK(modules[1].path == "p # b");
  CHECK(modules[1].url == "x\ty z   w");
  CHECK(modules[1].update == "none");
  CHECK(parse_gitmodules("").empty());
  CHECK(parse_gitmodules("\n  \n;x").empty());
  CHECK(parse_gitmodules("#").empty());
}

TEST_CASE("a .gitmodules that is not in git's syntax is refused with its line") {
  const std::vector<std::pair<std::string, int>> rows = {
      {"[submodule \"a\"]\npath = \"x\n", 2},
      {"[submodule \"a\n", 1},
      {"\n\n[submodule", 3},
      {"path x", 1},
      {"[submodule \"a\"]\nurl = \\q", 2},
      {"=", 1},
      {"[", 1},
      {"[a \"", 1},
      {"a=\"", 1},
      {"a=\\", 0},
  };
  for (const auto& [text, line] : rows) {
    INFO(text);
    const std::string error = error_of([&, &words = text] { parse_gitmodules(words); });
    CHECK(error == (line == 0 ? "" : ".gitmodules: line " + std::to_string(line) + " is not understood"));
  }
}

TEST_CASE("URLs of submodules are resolved against the parent's") {
  const std::string parent = "https://u:p@h/group/p.git/";
  CHECK(submodule_url("../q.git", parent) == "https://u:p@h/group/q.git");
  CHECK(submodule_url("./q", parent) == "https://u:p@h/group/p.git/q");
  CHECK(submodule_url("../../x/q", parent) == "https://u:p@h/x/q");
  CHECK(submodule_url("https://other/q", parent) == "https://other/q");
  CHECK(submodule_url("git@host.example:group/q.git", parent) == "ssh://git@host.example/group/q.git");
  CHECK(submodule_url("host:/abs/q", parent) == "ssh://host/abs/q");
  CHECK(submodule_url("/srv/my repo%", "file:///x/p") == "file:///srv/my%20repo%25");
  CHECK(submodule_url("../q", "file:///x/p") == "file:///x/q");
  for (const char* bad : {"../../../q", "q", "", "-u", "git://h/q", "ext::sh -c x", "file:///srv/q", "/srv/q",
                          "ssh://-oProxyCommand=x/q", "-o:x", "https://h"}) {
    INFO(bad);
    CHECK_THAT(error_of([&] { submodule_url(bad, parent); }), Catch::ContainsSubstring("cannot be used"));
  }
}

std::string packet(const std::string& content) {
  char length[5];
  std::snprintf(length, sizeof length, "%04zx", content.size() + 4);
  return length + content;
}

TEST_CASE("the server's error is found in what it sends, however it is cut") {
  const std::string data(70, 'x');
  const std::vector<std::pair<std::string, std::string>> rows = {
      {packet("ERR not our ref\n"), "not our ref"},
      {"0000" + packet("NAK\n") + packet("ERR too late"), "too late"},
      {packet("NAK\n") + packet("\1" + data) + packet("\2progress ERR no\n") + packet("\3broken disk\n"),
       "broken disk"},
      {packet("ERR first") + packet("ERR second"), "first"},
      {packet("NAK\n") + packet("\1ERR data"), ""},
      {packet("ER"), ""},
      {"PACK" + packet("ERR no packet"), ""},
      {"00", ""},
      {"", ""},
  };
  for (const auto& [bytes, error] : rows)
    for (const std::size_t piece : {1u, 3u, 1000u}) {
      INFO(bytes << " in pieces of " << piece);
      PacketScanner scanner;
      for (std::size_t start = 0; start < bytes.size(); start += piece)
        scanner.feed(std::string_view(bytes).substr(start, piece));
      CHECK(scanner.error() == error);
    }
  PacketScanner scanner;
  scanner.feed(packet("ERR " + std::string(60'000, 'x')));
  CHECK(scanner.error().size() < 1001);
  CHECK(scanner.error().size() > 900);
}

}  // namespace
}  // namespace venvoy::source::test
