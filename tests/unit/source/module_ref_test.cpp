#include "source/module_ref.hpp"

#include <string>
#include <vector>

#include "base/error.hpp"
#include "source/git_url.hpp"
#include "support/catch.hpp"

namespace venvoy::source {
namespace {

struct Accepted {
  std::string text;
  std::string name;
  std::string url;
  std::string version;
  std::string subdirectory = {};
};

const std::string sha = "a34551a4d79dbcf4a09e7f9b5b79c0b7d6a4b0a1";

const std::vector<Accepted> git_references = {
    {"p@git+https://github.com/o/p.git", "p", "https://github.com/o/p.git", ""},
    {"p@git+https://github.com/o/p.git@" + sha, "p", "https://github.com/o/p.git", sha},
    {"p@git+http://127.0.0.1:8080/cases/p.git@main", "p", "http://127.0.0.1:8080/cases/p.git", "main"},
    {"p@git+https://h.example/p@v1.0.0-rc.1", "p", "https://h.example/p", "v1.0.0-rc.1"},
    {"p@git+https://h/p@feature/x", "p", "https://h/p", "feature/x"},
    {"p@git+https://h/p@refs/pull/7/head", "p", "https://h/p", "refs/pull/7/head"},
    {"p@git+https://h/p@with@in-it@main", "p", "https://h/p@with@in-it", "main"},
    {"p@git+https://h/p#subdirectory=a/b", "p", "https://h/p", "", "a/b"},
    {"p@git+https://h/p@v1#subdirectory=./a//b/./c%20d/", "p", "https://h/p", "v1", "a/b/c d"},
    {"arcaflow-plugin-kill-pod@git+https://h/p", "arcaflow-plugin-kill-pod", "https://h/p", ""},
    {"A.b_c-9@git+https://h/p", "A.b_c-9", "https://h/p", ""},
    {"p@git+https://user@h/p", "p", "https://user@h/p", ""},
    {"p@git+https://user:pa%40ss@h:8443/p@v1", "p", "https://user:pa%40ss@h:8443/p", "v1"},
    {"p@git+ssh://git@h.example:2222/o/p.git@v1", "p", "ssh://git@h.example:2222/o/p.git", "v1"},
    {"p@git+ssh://git@h/~/p.git", "p", "ssh://git@h/~/p.git", ""},
    {"p@git+http://[::1]:8080/p@main", "p", "http://[::1]:8080/p", "main"},
    {"p@git+file:///srv/git/p.git@main", "p", "file:///srv/git/p.git", "main"},
    {"p@git+file:///srv/with%20blank/p", "p", "file:///srv/with%20blank/p", ""},
    {"p@git+https://h/p.git/@v1", "p", "https://h/p.git/", "v1"},
    {"p@git+HTTPS://H.Example/P", "p", "HTTPS://H.Example/P", ""},
    {"p@git+https://h/p?path=x", "p", "https://h/p?path=x", ""},
};

TEST_CASE("TestImageFormatValidation: references to git repositories are taken apart") {
  for (const Accepted& row : git_references) {
    INFO(row.text);
    const ModuleRef ref = parse_module_ref(row.text);
    REQUIRE(ref.git());
    CHECK(ref.text == row.text);
    CHECK(ref.name == row.name);
    CHECK(ref.git()->url == row.url);
    CHECK(ref.git()->version == row.version);
    CHECK(ref.git()->subdirectory == row.subdirectory);
  }
}

TEST_CASE("references to packages are taken apart") {
  const std::vector<std::vector<std::string>> rows = {
      {"name", "name", ""},
      {"name==1.2.3", "name", "1.2.3"},
      {"Some.Name_x==1!2.0.post1+local.1", "Some.Name_x", "1!2.0.post1+local.1"},
      {"a", "a", ""},
      {"name==2024-01", "name", "2024-01"}};
  for (const auto& row : rows) {
    INFO(row[0]);
    const ModuleRef ref = parse_module_ref(row[0]);
    REQUIRE(ref.index());
    CHECK(ref.name == row[1]);
    CHECK(ref.index()->version == row[2]);
  }
}

TEST_CASE("references to folders keep their path") {
  for (const std::string text :
       {"./plugin", "../plugin", "/srv/my plugin", ".", "..", "./a@b", "/srv/p#1", "./name==1"}) {
    INFO(text);
    const ModuleRef ref = parse_module_ref(text);
    REQUIRE(ref.local());
    CHECK(ref.local()->path == text);
    CHECK(ref.name.empty());
  }
}

struct Refused {
  std::string text;
  std::string hint;
};

const std::vector<Refused> wrong_references = {
    {"", "the reference is empty"},
    {"@git+https://h/p", "the module name is missing"},
    {"p@", "a repository must follow '@': git+https://…"},
    {"p@1.0", "a repository must follow '@': git+https://…"},
    {"p@https://h/p", "'git+' is missing before the URL"},
    {"p@hg+https://h/p", "'hg+' is not supported: only git repositories are"},
    {"p@svn+ssh://h/p", "'svn+' is not supported: only git repositories are"},
    {"p@git@github.com:o/p.git", "write the address as git+https://… or git+ssh://git@host/path"},
    {"p@git://h/p", "write the address as git+https://… or git+ssh://git@host/path"},
    {"p@git+git@github.com:o/p.git", "write the address as a URL, such as ssh://git@host/path"},
    {"git+https://h/p", "the module name and '@' are missing before the URL"},
    {"https://h/p", "the module name and '@' are missing before the URL"},
    {"p@git+https://h/p@", "there is nothing after the last '@': give a commit, tag or branch, or leave '@' out"},
    {"p@git+https://h/p@#subdirectory=x",
     "there is nothing after the last '@': give a commit, tag or branch, or leave '@' out"},
    {"p@git+https://h/p@v1~2", "'v1~2' cannot be a commit, tag or branch"},
    {"p@git+https://h/p@-x", "'-x' cannot be a commit, tag or branch"},
    {"p@git+https://h/p@a..b", "'a..b' cannot be a commit, tag or branch"},
    {"p@git+https://h/p@v1:x", "'v1:x' cannot be a commit, tag or branch"},
    {"p@git+https://h/p#egg=p", "only '#subdirectory=<folder>' may follow the repository"},
    {"p@git+https://h/p#subdirectory=", "the subdirectory is empty"},
    {"p@git+https://h/p#subdirectory=./", "the subdirectory is empty"},
    {"p@git+https://h/p#subdirectory=/a", "the subdirectory must be relative to the repository"},
    {"p@git+https://h/p#subdirectory=a/../b", "the subdirectory must not contain '..'"},
    {"p@git+https://h/p#subdirectory=%2e%2e", "the subdirectory must not contain '..'"},
    {"p@git+https://h", "the URL names no repository"},
    {"p@git+https://h/", "the URL names no repository"},
    {"p@git+https:///p", "the URL has no host"},
    {"p@git+https://h:0/p", "the port of the URL is not a number from 1 to 65535"},
    {"p@git+https://h:x/p", "the port of the URL is not a number from 1 to 65535"},
    {"p@git+https://h:/p", "the port of the URL is not a number from 1 to 65535"},
    {"p@git+https://[::1/p", "the URL has a '[' without ']'"},
    {"p@git+https://[fe80::1%25eth0]/p", "the URL has a wrong host name"},
    {"p@git+https://h!/p", "the URL has a wrong host name"},
    {"p@git+ssh://-oProxyCommand=x/p", "the URL has a wrong host name"},
    {"p@git+ftp://h/p", "the URL starts with 'ftp://'; http, https, ssh and file are supported"},
    {"p@git+file://p", "a file URL needs an absolute path: file:///path/to/repository"},
    {"p@git+/srv/p", "the URL has no scheme, such as https://"},
    {"p@git+https://h/p\\x", "the URL contains '\\'"},
    {"p @ git+https://h/p", "the reference contains a blank"},
    {"p\n", "the reference contains a control character"},
    {"p\xff", "the reference is not valid UTF-8"},
    {"p[extra]==1.0", "extras in [ ] are not supported"},
    {"p>=1.0", "only '==' may follow the name of a package"},
    {"p~=1.0", "only '==' may follow the name of a package"},
    {"p===1.0", "'===' is not supported: use '=='"},
    {"p==", "there is no version after '=='"},
    {"p==1.*", "'1.*' is not one fixed version"},
    {"p--q", "'p--q' is not a module name: letters and digits, joined by single '-', '_' or '.'"},
    {"-p@git+https://h/p", "'-p' is not a module name: letters and digits, joined by single '-', '_' or '.'"},
    {"p-@git+https://h/p", "'p-' is not a module name: letters and digits, joined by single '-', '_' or '.'"},
    {"plugin/sub", "'plugin/sub' is not a module name: letters and digits, joined by single '-', '_' or '.'"},
};

TEST_CASE(
    "TestImageFormatValidation Test_PullModule_ErrorModuleNameFmt: wrong references are refused with the words of the "
    "seed and a hint") {
  for (const Refused& row : wrong_references) {
    INFO(row.text);
    try {
      parse_module_ref(row.text);
      FAIL("accepted");
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::reference);
      CHECK(error.hint() == row.hint);
      if (row.text.find_first_of("\n\xff") == std::string::npos)
        CHECK(error.message() ==
              "\"" + row.text +
                  "\" has wrong module name format, please use <module-name>@git+<repo_url>[@<commit_sha>]");
    }
  }
}

TEST_CASE("no message shows a password or token") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"p@git+https://user:s3cret@h/p@v1", "p@git+https://***@h/p@v1"},
      {"p@git+https://s3cret@h/p", "p@git+https://***@h/p"},
      {"p@git+ssh://git@h/p", "p@git+ssh://git@h/p"},
      {"p@git+ssh://git:s3cret@h/p", "p@git+ssh://git:***@h/p"},
      {"p@git+https://h/p?private_token=s3cret&x=s3cret#subdirectory=a",
       "p@git+https://h/p?private_token=***&x=***#subdirectory=a"},
      {"p@git+https://u:s3/cret@h/p", "p@git+https://***@h/p"},
      {"p@hg+https://u:s3cret@h/p", "p@hg+https://***@h/p"},
      {"https://u:s3cret@h/p", "https://***@h/p"},
      {"p@git+ssh://git:s3cret@h:x/p", "p@git+ssh://git:***@h:x/p"},
  };
  for (const auto& [text, safe] : rows) {
    INFO(text);
    CHECK(safe_url(text) == safe);
    try {
      const std::string shown = parse_module_ref(text).to_safe_text();
      CHECK(shown == safe);
    } catch (const Error& error) {
      CHECK_THAT(error.message(), Catch::ContainsSubstring(safe));
      CHECK(std::string(error.what()).find("s3") == std::string::npos);
      CHECK(error.hint().find("s3") == std::string::npos);
    }
  }
}

TEST_CASE("a reference of megabytes makes a short message") {
  try {
    parse_module_ref("p@git+https://h/" + std::string(500'000, 'x'));
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.message().size() < 500);
  }
}

TEST_CASE("URLs that surely mean the same have one normal form") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"HTTPS://GitHub.com:443/O/P.git/", "https://github.com/O/P.git"},
      {"https://token@h/p", "https://h/p"},
      {"https://u:p@h:8443/p", "https://h:8443/p"},
      {"http://h:80/p//", "http://h/p"},
      {"http://h:443/p", "http://h:443/p"},
      {"ssh://git:x@H:22/p", "ssh://git@h/p"},
      {"ssh://other@h/p", "ssh://other@h/p"},
      {"ssh://%6fther%22%40%0a@h/p", "ssh://other%22%40%0A@h/p"},
      {"ssh://\xC3\xA4@h/p", "ssh://%C3%A4@h/p"},
      {"http://[::1]:80/p", "http://[::1]/p"},
      {"http://[FE80::A]:81/p", "http://[fe80::a]:81/p"},
      {"file://localhost/srv/p/", "file:///srv/p"},
      {"https://h/%7euser/%2fx/a%20b", "https://h/~user/%2Fx/a%20b"},
      {"https://h/100%/%%39en", "https://h/100%25/%259en"},
      {"https://h/p", "https://h/p"},
      {"https://h/p.git", "https://h/p.git"},
  };
  for (const auto& [text, normal] : rows) {
    INFO(text);
    CHECK(normalised_url(text) == normal);
    CHECK(normalised_url(normal) == normal);
  }
}

TEST_CASE("the longest prefix rewrites a URL, once") {
  const std::vector<UrlRewrite> rules = {{"https://github.com/", "https://mirror/gh/"},
                                         {"https://github.com/o/", "file:///srv/o/"},
                                         {"https://github.com/o/", "file:///never/"},
                                         {"https://mirror/", "https://wrong/"},
                                         {"", "nothing"}};
  CHECK(rewrite("https://github.com/o/p.git", rules) == "file:///srv/o/p.git");
  CHECK(rewrite("https://github.com/x/p.git", rules) == "https://mirror/gh/x/p.git");
  CHECK(rewrite("https://gitlab.com/x", rules) == "https://gitlab.com/x");
  CHECK(rewrite("https://gitlab.com/x", {}) == "https://gitlab.com/x");
}

TEST_CASE("the imported name has underscores") {
  CHECK(import_name("a-b.c-d_e") == "a_b.c_d_e");
}

}  // namespace
}  // namespace venvoy::source
