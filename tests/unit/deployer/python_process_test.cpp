// One plugin process and everything that can become of it. The plugins are scripts that a real Python runs.
#include <chrono>
#include <string>

#include "bench.hpp"
#include "os/files.hpp"
#include "support/catch.hpp"

namespace venvoy::deployer::test {
namespace {

using namespace std::chrono_literals;
using schema::Map;
using schema::Value;

// Says hello as soon as the engine has sent its first byte; `message` is then the work.
const std::string greeting = R"(
import os, signal, subprocess, sys, time
import cbor

stream = sys.stdin.buffer
def send(value):
    sys.stdout.buffer.write(cbor.encode(value))
    sys.stdout.buffer.flush()
cbor.read(stream)
send({"version": 3, "schema": {"steps": {}}})
message = cbor.read(stream)
def done(data):
    send({"id": 2, "run_id": message["run_id"], "data": {"output_id": "success", "output_data": data, "debug_logs": ""}})
)";

Error run_error(Bench& bench, const std::string& after_work, const PythonLimits& limits = {}) {
  const auto process = bench.start(greeting + after_work, limits);
  bench.run(process->handshake());
  try {
    bench.run(process->run("r", "step", Map{}));
  } catch (const Error& error) {
    return error;
  }
  FAIL("the run succeeded");
  return Error(ErrorCode::internal, "");
}

TEST_CASE("a plugin that behaves") {
  Bench bench;
  const auto process = bench.start(greeting + "done({'got': message['data']['config'], 'folder': os.getcwd()})\n");
  CHECK(bench.run(process->handshake()).version == atp::Version::three);
  const StepAnswer answer = bench.run(process->run("r", "step", Map{{"x", 1}}));
  CHECK(answer.output_id == "success");
  CHECK(*answer.data.find("got") == Value(Map{{"x", 1}}));
  const std::string folder = answer.data.find("folder")->as_text();
  CHECK(std::filesystem::exists(folder));
  bench.close(*process);
}

TEST_CASE("its work directory goes with it") {
  std::string folder;
  Bench bench;
  {
    const auto process = bench.start(greeting + "open('left', 'w').close()\ndone({'folder': os.getcwd()})\n");
    bench.run(process->handshake());
    folder = bench.run(process->run("r", "step", Map{})).data.find("folder")->as_text();
    CHECK(std::filesystem::exists(folder + "/left"));
  }
  bench.pool.join();
  CHECK_FALSE(std::filesystem::exists(folder));
}

TEST_CASE("a plugin that dies before its hello: how, and its last words") {
  struct Row {
    const char* script;
    std::vector<std::string> words;
  };
  const std::vector<Row> rows = {
      {"import sys\nprint('no such thing here', file=sys.stderr)\nsys.exit(3)\n",
       {"exit code 3", "no such thing here"}},
      {"import a_module_that_is_not_there\n", {"exit code 1", "No module named 'a_module_that_is_not_there'"}},
      {"import os, signal\nos.write(2, b'goodbye\\n')\nos.kill(os.getpid(), signal.SIGSEGV)\n", {"SIGSEGV", "goodbye"}},
      {"import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n", {"SIGKILL"}},
      {"pass\n", {"exit code 0"}},
      {"this is no Python\n", {"exit code 1", "SyntaxError"}},
  };
  Bench bench;
  for (const Row& row : rows) {
    INFO(row.script);
    const Error error = bench.handshake_error(row.script);
    INFO(error.what());
    for (const std::string& word : row.words) CHECK_THAT(error.what(), Catch::ContainsSubstring(word));
  }
}

TEST_CASE("a plugin that dies in its step: how, and its last words") {
  Bench bench;
  const Error code = run_error(bench, "print('out of luck', file=sys.stderr, flush=True)\nos._exit(7)\n");
  CHECK(code.code() == ErrorCode::plugin);
  CHECK_THAT(code.what(), Catch::ContainsSubstring("exit code 7") && Catch::ContainsSubstring("out of luck"));
  const Error killed = run_error(bench, "os.kill(os.getpid(), signal.SIGABRT)\n");
  CHECK_THAT(killed.what(), Catch::ContainsSubstring("SIGABRT"));
}

TEST_CASE("only the tail of standard error is told, in whole lines") {
  Bench bench;
  PythonLimits limits;
  limits.stderr_tail = 1024;
  const Error error = run_error(bench,
                                "for n in range(20000):\n    sys.stderr.write(f'line {n} of many\\n')\n"
                                "sys.stderr.flush()\nos._exit(1)\n",
                                limits);
  const std::string text = error.what();
  CHECK_THAT(text, Catch::ContainsSubstring("line 19999 of many"));
  CHECK(text.find("line 0 of many") == std::string::npos);
  CHECK(text.size() < 2048);
  const std::string head = "standard error:\n";
  REQUIRE(text.find(head) != std::string::npos);
  CHECK(text.substr(text.find(head) + head.size(), 5) == "line ");
  CHECK(bench.log->has("python plugin module stderr: line 0 of many"));
}

TEST_CASE("a plugin that prints on standard output breaks the protocol, and what it printed is told") {
  Bench bench;
  const Error before = bench.handshake_error("print('Starting up', flush=True)\n" + greeting);
  CHECK(before.code() == ErrorCode::protocol);
  CHECK_THAT(before.what(), Catch::ContainsSubstring("Starting up"));
  const Error meanwhile = run_error(bench, "print('Working on it', flush=True)\ntime.sleep(30)\n");
  CHECK(meanwhile.code() == ErrorCode::protocol);
  INFO(meanwhile.what());
  CHECK_THAT(meanwhile.what(), Catch::ContainsSubstring("Working on it"));
}

TEST_CASE("a plugin that says nothing is not waited for") {
  Bench bench;
  PythonLimits limits;
  limits.hello_timeout = 300ms;
  const Error error = bench.handshake_error(
      "import sys, time\nprint('thinking', file=sys.stderr, flush=True)\ntime.sleep(600)\n", limits);
  INFO(error.what());
  CHECK(error.code() == ErrorCode::timed_out);
}

TEST_CASE("a child that holds the pipes does not hide the death of its plugin") {
  Bench bench;
  // The keeper kills what the plugin leaves behind, in its session or not.
  for (const char* session : {"False", "True"}) {
    const Error error = run_error(bench, std::string("subprocess.Popen(['sleep', '600'], start_new_session=") +
                                             session + ")\nprint('gone', file=sys.stderr, flush=True)\nos._exit(5)\n");
    INFO(error.what());
    CHECK_THAT(error.what(), Catch::ContainsSubstring("exit code 5") && Catch::ContainsSubstring("gone"));
  }
}

TEST_CASE("a killed plugin fails its run") {
  Bench bench;
  const auto process = bench.start(greeting + "time.sleep(600)\n");
  bench.run(process->handshake());
  boost::asio::post(bench.io, [&] { process->kill(); });
  CHECK_THROWS_AS(bench.run(process->run("r", "step", Map{})), Error);
  bench.close(*process);
}

TEST_CASE("a plugin with children is closed with all of them") {
  Bench bench;
  const auto process = bench.start(
      greeting + "child = subprocess.Popen(['sleep', '600'], start_new_session=True)\ndone({'child': child.pid})\n");
  bench.run(process->handshake());
  const auto child = bench.run(process->run("r", "step", Map{})).data.find("child")->as_integer();
  bench.close(*process);
  CHECK_FALSE(std::filesystem::exists("/proc/" + std::to_string(child)));
}

TEST_CASE("signals reach the step") {
  Bench bench;
  const auto process =
      bench.start(greeting + "told = cbor.read(stream)\ndone({'signal': told['data']['signal_id']})\n");
  bench.run(process->handshake());
  std::optional<StepAnswer> answer;
  boost::asio::co_spawn(bench.io, process->run("r", "step", Map{}), [&](std::exception_ptr, StepAnswer given) {
    answer = std::move(given);
    bench.io.stop();
  });
  boost::asio::co_spawn(bench.io, process->signal("r", "cancel", Map{}), [](std::exception_ptr) {});
  bench.turn();
  REQUIRE(answer);
  CHECK(*answer->data.find("signal") == Value("cancel"));
}

}  // namespace
}  // namespace venvoy::deployer::test
