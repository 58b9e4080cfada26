// Which Python a project needs.
#include "venv/python_requirement.hpp"

#include "support/catch.hpp"

using namespace venvoy;
using venv::suits;

TEST_CASE("a version suits a requirement") {
  struct Row {
    const char* requirement;
    std::vector<const char*> yes;
    std::vector<const char*> no;
  };
  const Row rows[] = {
      {"", {"3.8.0", "3.13.1"}, {}},
      {"*", {"3.8.0"}, {}},
      {">=3.9", {"3.9.0", "3.11.2", "4.0"}, {"3.8.18", "2.7.18"}},
      {">=3.9,<3.12", {"3.9.0", "3.11.9"}, {"3.12.0", "3.8.1"}},
      {" >= 3.9 , < 4 ", {"3.13.0"}, {"4.0.0"}},
      {">=3.9 <3.12", {"3.10.0"}, {"3.12.1"}},
      {">3.9", {"3.9.1"}, {"3.9.0", "3.9"}},
      {"<=3.11", {"3.11.0", "3.10.5"}, {"3.11.1"}},
      {"!=3.10.*,>=3.9", {"3.9.1", "3.11.0"}, {"3.10.4"}},
      {"==3.11.*", {"3.11.2"}, {"3.12.0", "3.1.1"}},
      {"==3.11.2", {"3.11.2"}, {"3.11.3"}},
      {"===3.11.2", {"3.11.2"}, {"3.11.3"}},
      {"~=3.9", {"3.9.0", "3.13.0"}, {"3.8.0", "4.0.0"}},
      {"~=3.9.1", {"3.9.1", "3.9.18"}, {"3.9.0", "3.10.0"}},
      {"^3.9", {"3.9.0", "3.13.0"}, {"4.0.0", "3.8.9"}},
      {"^0.3", {"0.3.4"}, {"0.4.0"}},
      {"~3.9", {"3.9.7"}, {"3.10.0"}},
      {"~3", {"3.12.0"}, {"4.0.0"}},
      {"3.9.*", {"3.9.7"}, {"3.10.0"}},
      {"~2.7 || ^3.6", {"2.7.18", "3.12.0"}, {"2.6.0", "3.5.9"}},
      {">=3.9rc1", {"3.9.0"}, {"3.8.0"}},
      {">=three", {"3.8.0"}, {}},
  };
  for (const Row& row : rows) {
    INFO(row.requirement);
    for (const char* version : row.yes) CHECK(suits(version, row.requirement));
    for (const char* version : row.no) CHECK_FALSE(suits(version, row.requirement));
  }
}

TEST_CASE("where a project says it") {
  const auto found = [](std::string_view pyproject, std::string_view setup_cfg = {}) {
    const venv::PythonRequirement requirement = venv::python_requirement(pyproject, setup_cfg);
    return requirement.text + " " + requirement.place;
  };
  constexpr const char* setup = "[metadata]\npython_requires = >=2\n[options]\npython_requires = >=3.8, <4\n";
  CHECK(found("[project]\nrequires-python = '>=3.9'\n", setup) == ">=3.9 pyproject.toml");
  CHECK(found("[tool.poetry.dependencies]\npython = '^3.9'\n") == "^3.9 pyproject.toml");
  CHECK(found("[tool.poetry.dependencies]\npython = {version = '^3.9'}\n") == "^3.9 pyproject.toml");
  CHECK(found("[build-system]\nrequires = []\n", setup) == ">=3.8, <4 setup.cfg");
  CHECK(found("not = [toml", setup) == ">=3.8, <4 setup.cfg");
  CHECK(found("[project]\ndynamic = ['requires-python']\n") == " ");
  CHECK(found("[project]\nrequires-python = 3\n") == " ");
  CHECK(found("[project]\nrequires-python = \"a\\nb\"\n") == " ");
}
