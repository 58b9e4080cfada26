// Pages of package indexes: read, filtered, and written again.
#include "venv/internal/index_page.hpp"

#include "base/error.hpp"
#include "support/catch.hpp"

using namespace venvoy;
using namespace venvoy::venv::internal;
using Catch::ContainsSubstring;

namespace {

constexpr const char* json_type = "application/vnd.pypi.simple.v1+json; charset=utf-8";
constexpr const char* page_url = "https://host.example/simple/a/";

std::string digits(char digit) {
  return std::string(64, digit);
}

std::string names(const std::vector<IndexFile>& files) {
  std::string text;
  for (const IndexFile& file : files) text += (text.empty() ? "" : " ") + file.name;
  return text;
}

std::string trouble(std::string_view type, std::string_view body) {
  try {
    read_index_page(type, body, page_url);
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

IndexFile file(const std::string& name, const std::string& uploaded = "", const std::string& hash = "") {
  IndexFile result;
  result.name = name;
  result.url = "https://host.example/files/" + name;
  if (!hash.empty()) result.hashes = {hash};
  result.uploaded = uploaded;
  return result;
}

}  // namespace

TEST_CASE("a JSON page is read and written") {
  const auto files = read_index_page(json_type,
                                     R"({"meta": {"api-version": "1.1"}, "name": "a", "files": [
    {"filename": "a-1.0.tar.gz", "url": "../../files/a-1.0.tar.gz#x", "hashes": {"sha256": ")" +
                                         digits('a') + R"("},
     "requires-python": ">=3.8,<4", "upload-time": "2026-01-02T03:04:05.678Z", "yanked": "a \"bad\" <release>"},
    {"filename": "a-1.0-py3-none-any.whl", "url": "https://other.example/x/a.whl?q=1&r=2", "hashes": {"md5": "ff"},
     "core-metadata": {"sha256": ")" + digits('b') +
                                         R"("}, "yanked": false},
    {"filename": "a-1.1.tar.gz", "url": "/a-1.1.tar.gz", "dist-info-metadata": true, "yanked": true},
    {"filename": "", "url": "x"}, {"filename": "bad\nname", "url": "x"}, 3, {"url": "x"}]})",
                                     page_url);
  REQUIRE(files.size() == 3);
  CHECK(files[0].url == "https://host.example/files/a-1.0.tar.gz");
  CHECK(files[0].uploaded == "2026-01-02T03:04:05.678Z");
  CHECK(files[1].url == "https://other.example/x/a.whl?q=1&r=2");
  CHECK(files[2].url == "https://host.example/a-1.1.tar.gz");
  const std::string page = write_index_page("a", files);
  CHECK_THAT(page, ContainsSubstring("<a href=\"https://host.example/files/a-1.0.tar.gz#sha256=" + digits('a') +
                                     "\" data-requires-python=\"&gt;=3.8,&lt;4\" data-yanked=\"a &quot;bad&quot; "
                                     "&lt;release&gt;\">a-1.0.tar.gz</a>"));
  CHECK_THAT(page, ContainsSubstring(
                       "<a href=\"https://other.example/x/a.whl?q=1&amp;r=2\" data-dist-info-metadata=\"sha256=" +
                       digits('b') + "\" data-core-metadata=\"sha256=" + digits('b') + "\">"));
  // What was written says the same again, but for the dates, which the format does not have.
  const auto again = read_index_page("text/html", page, page_url);
  REQUIRE(again.size() == 3);
  for (std::size_t index = 0; index < files.size(); ++index) {
    CHECK(again[index].url == files[index].url);
    CHECK(again[index].hashes == files[index].hashes);
    CHECK(again[index].requires_python == files[index].requires_python);
    CHECK(again[index].yanked == files[index].yanked);
    CHECK(again[index].metadata == files[index].metadata);
  }
}

TEST_CASE("an HTML page") {
  const auto files = read_index_page(
      "text/html; charset=utf-8",
      "<html><head><base href='https://cdn.example/deep/'></head><body><h1>Links</h1><p><b><A HREF='a-1.0.zip#sha256=" +
          digits('A') + "'> a-1.0.zip </A></b><a href=\"../a-2.0.zip\" data-yanked>a-2.0.zip</a><a>none</a><br>",
      page_url);
  REQUIRE(names(files).starts_with("a-1.0.zip a-2.0.zip"));
  CHECK(files[0].url == "https://cdn.example/deep/a-1.0.zip");
  CHECK(files[0].hashes == std::vector<std::string>{"sha256:" + digits('a')});
  CHECK(files[1].url == "https://cdn.example/a-2.0.zip");
  CHECK(files[1].yanked == "");
  CHECK(read_index_page("text/html", "", page_url).empty());
}

TEST_CASE("what is no page of an index") {
  CHECK_THAT(trouble("application/octet-stream", "x"), ContainsSubstring("its type is 'application/octet-stream'"));
  for (const char* text : {"", "[", "[]", "{}", R"({"files": 3})"})
    CHECK_THAT(trouble(json_type, text), ContainsSubstring("no list of files"));
  CHECK_THAT(trouble("text/html", std::string(max_index_page + 1, ' ')), ContainsSubstring("longer than"));
}

TEST_CASE("the file of a project and of a version") {
  CHECK(is_file_of("my-package", "My_Package-1.0-py3-none-any.whl"));
  CHECK(is_file_of("my-package", "my.package-1.0.tar.gz"));
  CHECK(is_file_of("my-package", "my-package-1.0.zip"));
  CHECK_FALSE(is_file_of("my", "my-package-1.0.zip"));
  CHECK_FALSE(is_file_of("my-package", "my-package-extra-1.0.tar.gz"));
  CHECK_FALSE(is_file_of("my-package", "my-package-1.0.exe"));
  CHECK(is_of_version("a-1.0-py3-none-any.whl", "1.0"));
  CHECK(is_of_version("a-1.0.tar.gz", "1.0"));
  CHECK_FALSE(is_of_version("a-1.0.1.tar.gz", "1.0"));
  CHECK_FALSE(is_of_version("a-1.0.tar.gz", "0"));
}

TEST_CASE("files after the date are left out, and those of which nobody knows it") {
  auto undated = file("a-9.zip");
  auto named = file("a-8.zip");
  named.from_links = true;
  const std::vector<IndexFile> files = {file("a-1.zip", "2026-01-02T03:04:04.999Z"),
                                        file("a-2.zip", "2026-01-02T03:04:05Z"),
                                        file("a-3.zip", "2027-01-01T00:00:00.123456Z"), undated, named};
  IndexRule rule;
  CHECK(names(view_of("a", files, rule).files) == "a-1.zip a-2.zip a-3.zip a-9.zip a-8.zip");
  rule.before = "2026-01-02T03:04:05Z";
  const IndexView view = view_of("a", files, rule);
  CHECK(names(view.files) == "a-1.zip a-8.zip");
  CHECK(view.dateless);
  CHECK_FALSE(view_of("a", {files[0], files[1]}, rule).dateless);
  CHECK(time_of_release(files, "3") == 1'798'761'601);
  CHECK(time_of_release(files, "9") == std::nullopt);
}

TEST_CASE("of a lock file only what it names by its hash") {
  const std::string good = "sha256:" + digits('a'), other = "sha256:" + digits('b');
  const std::vector<IndexFile> files = {file("a-1.0.zip", "", good), file("a-1.0-py3-none-any.whl", "", other),
                                        file("a-2.0.zip", "", other), file("a-3.0.zip")};
  const IndexRule rule = rule_for({{"A", "1.0", "", {good}}, {"b", "1", "", {}}}, "2026-01-02T03:04:05Z");
  const IndexView view = view_of("a", files, rule);
  CHECK(names(view.files) == "a-1.0.zip");
  CHECK(view.mismatched.empty());
  // Two versions, each for some Pythons: one that is not what it was is noticed beside one that is.
  const IndexRule two = rule_for({{"a", "1.0", "x", {good}}, {"a", "2.0", "y", {good}}}, "");
  CHECK(view_of("a", files, two).mismatched == std::vector<std::string>{"2.0"});
  // A version that is not there is no other file.
  CHECK(view_of("a", files, rule_for({{"a", "7", "", {good}}}, "")).mismatched.empty());
  // Without hashes the version alone counts, which the installers see to.
  CHECK(view_of("b", files, rule).files.size() == files.size());
  CHECK(view_of("c", files, rule).unlisted);
  CHECK(view_of("c", files, rule).files.empty());
  // What lock files never have goes by the date.
  CHECK_FALSE(view_of("setuptools", {file("setuptools-1.zip", "2025-01-01T00:00:00Z")}, rule).unlisted);
  CHECK(view_of("setuptools", {file("setuptools-1.zip", "2025-01-01T00:00:00Z")}, rule).files.size() == 1);
}
