#include "os/environment.hpp"

#include <cstdlib>
#include <fstream>
#include <sys/stat.h>

#include "support/catch.hpp"
#include "support/temporary_dir.hpp"

using namespace venvoy;
using os::Environment;

TEST_CASE("variables are set, replaced, found and removed by their whole name") {
  Environment environment{"A=1", "AB=2", "C="};
  CHECK(os::get_variable(environment, "A") == "1");
  CHECK(os::get_variable(environment, "C") == "");
  CHECK(os::get_variable(environment, "B") == std::nullopt);
  os::set_variable(environment, "A", "x=y");
  CHECK(environment == Environment{"AB=2", "C=", "A=x=y"});
  os::unset_variable(environment, "AB");
  CHECK(environment == Environment{"C=", "A=x=y"});
}

TEST_CASE("the environment of this process is copied") {
  ::setenv("VENVOY_TEST_VARIABLE", "a b", 1);
  CHECK(os::get_variable(os::current_environment(), "VENVOY_TEST_VARIABLE") == "a b");
  ::unsetenv("VENVOY_TEST_VARIABLE");
  CHECK(os::get_variable(os::current_environment(), "VENVOY_TEST_VARIABLE") == std::nullopt);
}

TEST_CASE("programs are found in the folders of PATH, in their order") {
  const test::TemporaryDir dir;
  const auto put = [&dir](const std::string& name, mode_t mode) {
    std::filesystem::create_directories((dir / name).parent_path());
    std::ofstream(dir / name) << "#!/bin/sh\n";
    ::chmod((dir / name).c_str(), mode);
  };
  put("one/not-executable", 0644);
  put("two/not-executable", 0755);
  put("one/both", 0755);
  put("two/both", 0755);
  std::filesystem::create_directories(dir / "one/folder");
  const std::string one = (dir / "one").string(), two = (dir / "two").string();
  const Environment environment{"PATH=" + one + "::/nowhere:" + two};
  CHECK(os::find_program("both", environment) == dir / "one/both");
  CHECK(os::find_program("not-executable", environment) == dir / "two/not-executable");
  CHECK(os::find_program("folder", environment) == std::nullopt);
  CHECK(os::find_program("missing", environment) == std::nullopt);
  CHECK(os::find_program("", environment) == std::nullopt);
  CHECK(os::find_program("both", {}) == std::nullopt);
  CHECK(os::find_program(two + "/both", {}) == dir / "two/both");
  CHECK(os::find_program(one + "/not-executable", environment) == std::nullopt);
}
