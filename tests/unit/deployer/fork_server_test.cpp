// A fork server and what can become of it. The plugins are scripts that a real Python runs.
#include "deployer/fork_server.hpp"

#include <chrono>
#include <csignal>
#include <fstream>
#include <string>

#include "bench.hpp"
#include "deployer/exec_launcher.hpp"
#include "support/catch.hpp"

namespace venvoy::deployer::test {
namespace {

using namespace std::chrono_literals;
using schema::Map;

// Says hello, and answers with who it is.
const std::string script = R"(
import os, sys, time
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
const std::string answer = "done({'pid': os.getpid(), 'parent': os.getppid(), 'loaded': 'fractions' in sys.modules})\n";

struct Forks : Bench {
  explicit Forks(ForkServerSettings settings = {}) : plain(io.get_executor(), keeper, VENVOY_STARTER) {
    if (settings.starter.empty()) settings.starter = VENVOY_STARTER;
    settings.plugin = "the plugin";
    settings.make_work_dir = [store = store] { return store.make_work_dir(); };
    settings.logger = Logger(log);
    settings.on_checked = [this](const Preparation& list) { checked = list; };
    server = std::make_unique<ForkServer>(io.get_executor(), keeper, plain, std::move(settings));
    launcher = server.get();
  }

  struct Said {
    std::int64_t pid, parent;
    bool loaded;
  };
  Said ask() {
    const auto process = start(script + answer);
    run(process->handshake());
    const StepAnswer got = run(process->run("r", "step", Map{}));
    close(*process);
    return {got.data.find("pid")->as_integer(), got.data.find("parent")->as_integer(),
            got.data.find("loaded")->as_bool()};
  }

  ExecLauncher plain;
  std::optional<Preparation> checked;
  std::unique_ptr<ForkServer> server;
};

bool lives(pid_t pid) {
  return ::kill(pid, 0) == 0;
}

TEST_CASE("steps are forks of one process that has imported what they need") {
  Forks bench({.preparation = {{"fractions", "a_module_that_is_not_there"}, false}});
  CHECK(bench.server->pid() == 0);
  const Forks::Said first = bench.ask();
  const Forks::Said second = bench.ask();
  CHECK(first.pid != second.pid);
  CHECK(first.parent == second.parent);
  CHECK(first.parent == bench.server->pid());
  CHECK(first.loaded);
  REQUIRE(bench.checked);
  CHECK(bench.checked->checked);
  CHECK(bench.checked->modules == std::vector<std::string>{"fractions"});
}

TEST_CASE("an environment of another kind reaches the fork") {
  Forks bench;
  bench.ask();
  cache::WorkDir work = bench.store.make_work_dir();
  std::ofstream(work.path() / "plugin.py") << script << "done({'pid': os.environ.get('OTHER', 'none')})\n";
  LaunchRequest request = bench.request_in(work.path());
  os::set_variable(request.environment, "OTHER", "here");
  Launched launched = bench.run(bench.server->launch(std::move(request)));
  const internal::ProcessSurroundings surroundings{bench.io.get_executor(), bench.pool, {}, {}};
  internal::PythonProcess process(surroundings, "plugin", std::move(work), std::move(launched), Logger());
  bench.run(process.handshake());
  CHECK(bench.run(process.run("r", "step", Map{})).data.find("pid")->as_text() == "here");
  bench.close(process);
}

TEST_CASE("a server that is killed takes its steps with it, and is replaced") {
  Forks bench;
  const auto process = bench.start(script + "time.sleep(1000)\n");
  bench.run(process->handshake());
  const pid_t old = bench.server->pid();
  REQUIRE(old > 0);
  ::kill(old, SIGKILL);
  std::string told;
  try {
    bench.run(process->run("r", "step", Map{}));
  } catch (const Error& error) {
    told = error.what();
  }
  CHECK_THAT(told, Catch::ContainsSubstring("SIGKILL") && Catch::ContainsSubstring("fork server"));
  CHECK(bench.ask().parent != old);
}

TEST_CASE("a killed step ends at once, and the server goes on") {
  Forks bench;
  const auto process = bench.start(script + "time.sleep(1000)\n");
  bench.run(process->handshake());
  const pid_t server = bench.server->pid();
  process->kill();
  bench.close(*process);
  CHECK(bench.ask().parent == server);
}

TEST_CASE("a server ends when it is idle, or told so; the next step gets another one") {
  Forks bench({.idle_time = 50ms});
  const pid_t first = static_cast<pid_t>(bench.ask().parent);
  CHECK(bench.within(20s, [&] { return !lives(first); }));
  CHECK(bench.server->pid() == 0);
  const pid_t second = static_cast<pid_t>(bench.ask().parent);
  CHECK(second != first);
  bench.server->retire();
  CHECK(bench.within(20s, [&] { return !lives(second); }));
}

TEST_CASE("a server that is told to end lets its steps finish") {
  Forks bench;
  const auto process = bench.start(script + answer);
  bench.run(process->handshake());
  const pid_t server = bench.server->pid();
  bench.server->retire();
  CHECK(bench.run(process->run("r", "step", Map{})).data.find("parent")->as_integer() == server);
  bench.close(*process);
  CHECK(bench.within(20s, [&] { return !lives(server); }));
}

TEST_CASE("without a server each step has a Python of its own, with one line about it") {
  Forks bench({.starter = "/nowhere/plugin_starter.py"});
  const Forks::Said first = bench.ask();
  const Forks::Said second = bench.ask();
  CHECK(first.pid != second.pid);
  CHECK(first.parent == second.parent);
  CHECK(bench.server->pid() == 0);
  CHECK(bench.log->has("each step starts Python anew"));
}

}  // namespace
}  // namespace venvoy::deployer::test
