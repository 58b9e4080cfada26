#include "rucio/config_file.hpp"

#include "base/error.hpp"
#include "support/catch.hpp"

using venvoy::Error;
using venvoy::rucio::config_bool;
using venvoy::rucio::ConfigFile;

namespace {

std::string value_of(const ConfigFile& config, const char* section, const char* option) {
  const auto* found = config.find(section, option);
  return found ? found->value : "(none)";
}

int line_of_error(const char* text) {
  try {
    ConfigFile::parse(text, "rucio.cfg");
  } catch (const Error& error) {
    return error.position().line;
  }
  return 0;
}

}  // namespace

TEST_CASE("values are read as ConfigParser reads them") {
  const auto config = ConfigFile::parse(
      "; a note\n[DEFAULT]\nhome = /x\n\n[policy]\nPackage-Vo1: a_policy ; not a note\nlong = one\n   two\n\n  "
      "three\nlast =\n",
      "rucio.cfg");
  CHECK(value_of(config, "policy", "package-vo1") == "a_policy ; not a note");
  CHECK(value_of(config, "policy", "long") == "one\ntwo\nthree");
  CHECK(value_of(config, "policy", "last") == "");
  CHECK(value_of(config, "policy", "home") == "/x");
  CHECK(value_of(config, "nowhere", "home") == "(none)");
  CHECK(config.find("policy", "package-vo1")->line == 6);
  CHECK(config.has_section("policy"));
}

TEST_CASE("what ConfigParser refuses is refused with its line") {
  CHECK(line_of_error("a = b\n") == 1);
  CHECK(line_of_error("[x]\na = b\nA = c\n") == 3);
  CHECK(line_of_error("[x]\n[y]\n[x]\n") == 3);
  CHECK(line_of_error("[x]\nalone\n") == 2);
  CHECK(line_of_error("[x]\na = b\n") == 0);
}

TEST_CASE("an edited file keeps its other lines") {
  const auto edited = [](const char* text, std::vector<std::pair<std::string, std::string>> options) {
    return ConfigFile::parse(text, "rucio.cfg").edited("policy", options);
  };
  CHECK(edited("", {{"package", "x"}}) == "[policy]\npackage = x\n");
  CHECK(edited("[a]\nb = c", {{"package", "x"}}) == "[a]\nb = c\n\n[policy]\npackage = x\n");
  CHECK(edited("[policy]\npackage = x\n", {{"package", "x"}}) == "[policy]\npackage = x\n");
  CHECK(edited("[policy]\n# n\npackage : y\n[z]\n", {{"package", "x"}}) == "[policy]\n# n\npackage = x\n[z]\n");
  CHECK(edited("[policy]\na = 1\n  2\n[z]\n", {{"package", "x"}}) == "[policy]\na = 1\n  2\npackage = x\n[z]\n");
  CHECK(edited("[policy]\n  a = 1\n    2\n", {{"package", "x"}}) == "[policy]\n  a = 1\n    2\n  package = x\n");
  CHECK(edited("[policy]\n[z]\n", {{"package", "x"}}) == "[policy]\npackage = x\n[z]\n");
  CHECK(edited("[DEFAULT]\npackage = x\n[policy]\n", {{"package", "x"}}) ==
        "[DEFAULT]\npackage = x\n[policy]\npackage = x\n");
}

TEST_CASE("a second edit changes nothing") {
  const std::vector<std::pair<std::string, std::string>> options = {{"package", "x"}, {"package-vo1", "y"}};
  for (const char* text :
       {"", "[policy]\n  a = 1\n   2\n", "[z]\n a = 1", "[policy]\npackage = old\n  old\n\n  older\nb = 2\n"}) {
    const std::string once = ConfigFile::parse(text, "rucio.cfg").edited("policy", options);
    CHECK(ConfigFile::parse(once, "rucio.cfg").edited("policy", options) == once);
    CHECK(value_of(ConfigFile::parse(once, "rucio.cfg"), "policy", "package-vo1") == "y");
  }
}

TEST_CASE("booleans") {
  CHECK(config_bool("True") == true);
  CHECK(config_bool("ON") == true);
  CHECK(config_bool("0") == false);
  CHECK_FALSE(config_bool("maybe"));
  CHECK_FALSE(config_bool(""));
}
