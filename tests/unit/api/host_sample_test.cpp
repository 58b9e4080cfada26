// samples/host as a user runs it: another program, built with the public headers alone.
#include "os/environment.hpp"
#include "support/catch.hpp"
#include "unit/source/git_fixture.hpp"
#include "world.hpp"

namespace venvoy::test {
namespace {

using source::test::read_file;
using source::test::run;
using source::test::TestRepository;
using source::test::write_file;

// Not on the way of the exception that run() throws for every exit code but 0.
int exit_code_of(const std::string& command, const fs::path& folder) {
  return std::stoi(run({"/bin/sh", "-c", "(" + command + ") >out 2>err; echo $?"}, folder));
}

TEST_CASE("TestRunStepGit: samples/host runs samples/hello from a git repository") {
  const TemporaryDir folder;
  fs::copy(VENVOY_SOURCE_DIR "/samples/hello/plugin", folder / "venvoy-hello", fs::copy_options::recursive);
  TestRepository repository(folder / "venvoy-hello");
  const std::string commit = repository.commit_all("A plugin that greets");
  std::string workflow = read_file(VENVOY_SOURCE_DIR "/samples/hello/workflow.yaml");
  for (std::size_t at; (at = workflow.find("@REFERENCE@")) != std::string::npos;)
    workflow.replace(at, 11, "venvoy-hello@git+" + repository.url() + "@" + commit);
  write_file(folder / "workflow.yaml", workflow);
  write_file(folder / "config.yaml", "deployer:\n  type: python\n  pythonPath: /usr/bin/python3\n  workdir: " +
                                         (folder / "work").string() + "\n");
  write_file(folder / "input.yaml", "name: host\ntimes: 2\n");

  const std::string program = VENVOY_HOST_SAMPLE;
  const int code = exit_code_of(program + " workflow.yaml input.yaml", folder.path());
  INFO(read_file(folder / "err"));
  REQUIRE(code == 0);
  const std::string output = read_file(folder / "out");
  CHECK_THAT(output, Catch::ContainsSubstring("output success:\n"));
  CHECK_THAT(output, Catch::ContainsSubstring("cheers:\n    - Hello, host!\n    - Hello, host!\n"));
  const std::string talk = read_file(folder / "err");
  CHECK_THAT(talk, Catch::ContainsSubstring("is ready (built)\n"));
  const auto greet = talk.find("step greet succeeded: outputs.success\n");
  const auto cheer = talk.find("step cheer succeeded: outputs.success\n");
  CHECK(greet != std::string::npos);
  CHECK(cheer != std::string::npos);
  CHECK(greet < cheer);

  // And what goes wrong has its place and its exit code.
  write_file(folder / "input.yaml", "times: 2\n");
  CHECK(exit_code_of(program + " workflow.yaml input.yaml", folder.path()) == 3);
  CHECK_THAT(read_file(folder / "err"), Catch::ContainsSubstring("name"));
  write_file(folder / "wrong.yaml", "version: v0.2.0\nsteps: {}\n");
  CHECK(exit_code_of(program + " wrong.yaml", folder.path()) == 1);
  CHECK_THAT(read_file(folder / "err"), Catch::ContainsSubstring("wrong.yaml:"));
  CHECK(exit_code_of(program, folder.path()) == 2);
}

}  // namespace
}  // namespace venvoy::test
