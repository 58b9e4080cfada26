// What a package will need, read before it is built.
#include "venv/known_dependencies.hpp"

#include <fmt/format.h>

#include "support/catch.hpp"

using venvoy::venv::known_dependencies;
using Texts = std::vector<std::string>;

namespace {

Texts of_poetry(const std::string& lines) {
  return known_dependencies(
      "[build-system]\nbuild-backend = \"poetry.core.masonry.api\"\n[tool.poetry]\nname = \"mine\"\n"
      "[tool.poetry.dependencies]\npython = \"^3.9\"\n" +
      lines);
}

Texts of_project(const std::string& lines) {
  return known_dependencies("[project]\nname = \"My.Package\"\n" + lines);
}

}  // namespace

TEST_CASE("the dependencies of a project are those of its wheel") {
  CHECK(of_project("dependencies = ['a', ' b[x]>=1,<2 ', \"c (~=1.0) ; python_version < '4'\"]") ==
        Texts{"a", "b[x]>=1,<2", "c (~=1.0) ; python_version < '4'"});
  CHECK(of_project("dependencies = []").empty());
}

TEST_CASE("Poetry's versions are written as everybody's") {
  struct Row {
    const char* poetry;
    const char* common;
  };
  const Row rows[] = {{"^1.2.3", "x>=1.2.3,<2"},
                      {"^0.14.0", "x>=0.14.0,<0.15"},
                      {"^0.0.3", "x>=0.0.3,<0.0.4"},
                      {"^0", "x>=0,<1"},
                      {"~1.2.3", "x>=1.2.3,<1.3"},
                      {"~1", "x>=1,<2"},
                      {"1.2", "x==1.2"},
                      {"1.*", "x==1.*"},
                      {"*", "x"},
                      {">= 1.0 , <2", "x>=1.0,<2"},
                      {"~=1.4", "x~=1.4"},
                      {">=1.0rc1,!=1.3", "x>=1.0rc1,!=1.3"}};
  for (const Row& row : rows) CHECK(of_poetry(fmt::format("x = \"{}\"", row.poetry)) == Texts{row.common});
  CHECK(of_poetry("x = {version = \"^1\", extras = [\"a\", \"b\"]}") == Texts{"x[a,b]>=1,<2"});
  CHECK(of_poetry("x = {version = \"^1\"}\ny = \"*\"") == Texts{"x>=1,<2", "y"});
}

TEST_CASE("where one is not plain, nothing is known") {
  for (const char* const bad : {"{version = \"1\", optional = true}", "{git = \"http://x/y\"}", "{path = \"../y\"}",
                                "[{version = \"1\", python = \"<3.9\"}]", "\"1 || 2\"", "\">=1 <2\"", "\"^1.0rc1\"",
                                "\"\"", "\"latest\"", "\"^1.*\"", "1", "{version = \"1\", extras = [\"-e\"]}"}) {
    CAPTURE(bad);
    CHECK(of_poetry(fmt::format("y = \"*\"\nx = {}", bad)).empty());
  }
  for (const char* const bad : {"--index-url=http://evil", "-r", "./folder", "a.whl", "a @ http://x/a.whl", "a b/c", "",
                                "a\\nb", "my_package[extra]", "MY--package"}) {
    CAPTURE(bad);
    CHECK(of_project(fmt::format("dependencies = [\"z\", \"{}\"]", bad)).empty());
  }
  CHECK(of_project("dependencies = ['a', 1]").empty());
  CHECK(of_project(fmt::format("dependencies = ['{}']", std::string(501, 'a'))).empty());
  std::string many;
  for (int index = 0; index <= 200; ++index) many += fmt::format("'a{}',", index);
  CHECK(of_project(fmt::format("dependencies = [{}]", many)).empty());
}

TEST_CASE("what the build decides is not known before") {
  CHECK(of_project("dynamic = ['version', 'dependencies']\ndependencies = ['a']").empty());
  CHECK(of_project("dynamic = ['version']\ndependencies = ['a']") == Texts{"a"});
  // Poetry 2 takes the old table then, or not; other back ends may do as they like.
  CHECK(known_dependencies("[project]\nname = 'x'\n[build-system]\nbuild-backend = 'poetry.core.masonry.api'\n"
                           "[tool.poetry.dependencies]\na = '*'\n")
            .empty());
  CHECK(known_dependencies("[build-system]\nbuild-backend = 'setuptools.build_meta'\n"
                           "[tool.poetry.dependencies]\na = '*'\n")
            .empty());
  CHECK(known_dependencies("").empty());
  CHECK(known_dependencies("no = toml = at all").empty());
}
