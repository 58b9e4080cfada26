// Limits of processes and all that they start, with a real Python that uses too much.
#include <chrono>
#include <csignal>
#include <string>

#include "engine.hpp"
#include "second_process.hpp"

using namespace venvoy;
using namespace std::chrono_literals;
using Kind = os::ExceededLimit::Kind;
using test::Engine;

namespace {

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;

os::ChildSpec python_spec(const std::string& script, const os::ProcessLimits& limits) {
  os::ChildSpec spec;
  spec.program = "/usr/bin/python3";
  spec.arguments = {"-I", "-S", "-c", "import os, signal, sys, time\n" + script};
  spec.limits = limits;
  return spec;
}

os::ExitInfo end_of(const std::string& script, const os::ProcessLimits& limits) {
  Engine engine;
  os::Child child = engine.keeper.start(python_spec(script, limits));
  return engine.end_of(child);
}

std::optional<os::ExceededLimit> settled(Engine& engine, os::LimitWatch& watch) {
  std::optional<std::optional<os::ExceededLimit>> result;
  watch.settle([&](std::optional<os::ExceededLimit> exceeded) { result = exceeded; });
  while (!result && engine.turn()) continue;
  REQUIRE(result);
  return *result;
}

}  // namespace

TEST_CASE("who uses more memory than its limit is killed, and that is told") {
  for (const char* script : {"block = bytearray(300 << 20)\ntime.sleep(600)\n",
                             // In a descendant that has gone its own way.
                             "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
                             "        block = bytearray(300 << 20)\ntime.sleep(600)\n",
                             // All of them together.
                             "for _ in range(6):\n    if os.fork() == 0:\n        block = bytearray(50 << 20)\n"
                             "        time.sleep(600)\ntime.sleep(600)\n"}) {
    INFO(script);
    const os::ExitInfo end = end_of(script, {.memory = 100 * mebibyte});
    CHECK(end.text() == "signal 9 (SIGKILL)");
    REQUIRE(end.exceeded);
    CHECK(end.exceeded->kind == Kind::memory);
    CHECK(end.exceeded->used >= 100 * mebibyte);
    CHECK(end.exceeded->used < 400 * mebibyte);
  }
}

TEST_CASE("memory that processes share counts once") {
  // 80 MiB, five times.
  const os::ExitInfo end = end_of(
      "block = bytearray(80 << 20)\nfor _ in range(4):\n    if os.fork() == 0:\n        time.sleep(2)\n"
      "        os._exit(0)\nfor _ in range(4): os.wait()\n",
      {.memory = 160 * mebibyte});
  CHECK(end.text() == "exit code 0");
  CHECK_FALSE(end.exceeded);
}

TEST_CASE("who uses more processor time than its limit is killed, and that is told") {
  struct Row {
    const char* script;
    std::chrono::milliseconds limit;
  };
  const Row rows[] = {
      {"while True: pass\n", 300ms},
      {"while True: pass\n", 1s},
      // It takes no notice of the signal that the kernel sends first.
      {"signal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass\n", 1s},
      // Three together, none of which uses as much.
      {"for _ in range(3):\n    if os.fork() == 0:\n        while True: pass\ntime.sleep(600)\n", 900ms},
      // What has ended counts too.
      {"def spin():\n    if os.fork() == 0:\n        end = time.process_time() + 0.2\n"
       "        while time.process_time() < end: pass\n        os._exit(0)\n    os.wait()\n"
       "while True: spin()\n",
       800ms}};
  for (const Row& row : rows) {
    INFO(row.script);
    const os::ExitInfo end = end_of(row.script, {.processor_time = row.limit});
    CHECK(end.kind == os::ExitInfo::Kind::signalled);
    REQUIRE(end.exceeded);
    CHECK(end.exceeded->kind == Kind::processor_time);
    CHECK(std::chrono::microseconds(end.exceeded->used) > 250ms);
  }
}

TEST_CASE("the kernel's own limit on processor time is told as such") {
  // So that no look comes first: the keeper sleeps.
  Engine engine;
  os::Child child = engine.keeper.start(python_spec("while True: pass\n", {.processor_time = 1s}));
  engine.until_started(child);
  const pid_t keeper = test::parent_of(child.pid());
  ::kill(keeper, SIGSTOP);
  CHECK(test::eventually([&] { return !test::is_running(child.pid()); }));
  ::kill(keeper, SIGCONT);
  const os::ExitInfo end = engine.end_of(child);
  CHECK(end.text() == "signal 24 (SIGXCPU)");
  REQUIRE(end.exceeded);
  CHECK(end.exceeded->kind == Kind::processor_time);
  CHECK(std::chrono::microseconds(end.exceeded->used) >= 1s);
}

TEST_CASE("other deaths are not taken for limits") {
  const os::ProcessLimits limits{.memory = 500 * mebibyte, .processor_time = 100s, .open_files = 50};
  CHECK_FALSE(end_of("os.kill(os.getpid(), signal.SIGKILL)\n", limits).exceeded);
  CHECK_FALSE(end_of("os.kill(os.getpid(), signal.SIGSEGV)\n", limits).exceeded);
  CHECK(end_of("pass\n", limits).text() == "exit code 0");
}

TEST_CASE("the limit on open files cannot be raised again") {
  Engine engine;
  const std::string script = "import resource\nlimits = resource.getrlimit(resource.RLIMIT_NOFILE)\nprint(*limits)\n";
  CHECK(engine.output_of(python_spec(script, {.open_files = 40})) == "40 40\n");
}

TEST_CASE("a process that a child has forked can be watched") {
  Engine engine;
  os::Pipe pipe = os::make_pipe(), input = os::make_pipe();
  os::ChildSpec spec = python_spec(
      "child = os.fork()\nif child == 0:\n    sys.stdin.readline()\n    block = bytearray(200 << 20)\n"
      "    time.sleep(600)\nprint(child, flush=True)\npid, status = os.wait()\nprint(status, flush=True)\n"
      "sys.stdin.readline()\n",
      {});
  spec.standard_input = std::move(input.read_end);
  spec.standard_output = std::move(pipe.write_end);
  os::Child server = engine.keeper.start(std::move(spec));
  const pid_t pid = std::stoi(test::read_line(pipe.read_end));
  os::LimitWatch watch = engine.keeper.watch(pid, {.memory = 100 * mebibyte});
  os::LimitWatch of_nobody = engine.keeper.watch(pid + 1'000'000, {.memory = 1});
  REQUIRE(::write(input.write_end.get(), "\n", 1) == 1);
  CHECK(test::read_line(pipe.read_end) == "9");  // its parent goes on
  const std::optional<os::ExceededLimit> exceeded = settled(engine, watch);
  REQUIRE(exceeded);
  CHECK(exceeded->kind == Kind::memory);
  CHECK(exceeded->used >= 100 * mebibyte);
  CHECK_FALSE(settled(engine, of_nobody));
  input.write_end.reset();
  CHECK(engine.end_of(server).text() == "exit code 0");
}

TEST_CASE("a watch that has been let go of holds nobody to anything") {
  Engine engine;
  os::Pipe pipe = os::make_pipe();
  os::ChildSpec spec = python_spec(
      "child = os.fork()\nif child == 0:\n    time.sleep(0.3)\n    block = bytearray(200 << 20)\n"
      "    time.sleep(1)\n    os._exit(3)\nprint(child, flush=True)\npid, status = os.wait()\nprint(status)\n",
      {});
  spec.standard_output = std::move(pipe.write_end);
  os::Child server = engine.keeper.start(std::move(spec));
  const pid_t pid = std::stoi(test::read_line(pipe.read_end));
  { const os::LimitWatch watch = engine.keeper.watch(pid, {.memory = 100 * mebibyte}); }
  CHECK(engine.end_of(server).text() == "exit code 0");
  CHECK(test::read_line(pipe.read_end) == "768");
}

TEST_CASE("a watch is settled also when the keeper dies, or has died") {
  Engine engine;
  os::Child child = engine.keeper.start(python_spec("time.sleep(600)\n", {}));
  engine.until_started(child);
  os::LimitWatch first = engine.keeper.watch(child.pid(), {.memory = mebibyte << 10});
  ::kill(engine.keeper.pid(), SIGKILL);
  CHECK_FALSE(settled(engine, first));
  engine.end_of(child);
  os::LimitWatch second = engine.keeper.watch(child.pid(), {.memory = mebibyte << 10});
  CHECK_FALSE(settled(engine, second));
}
