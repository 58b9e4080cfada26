// One plugin process and everything that can become of it. The plugins are scripts that a real Python runs.
#include <chrono>
#include <fcntl.h>
#include <string>
#include <thread>

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

TEST_CASE("somebody else who holds the pipes does not hide the death of a plugin") {
  Bench bench;
  const std::filesystem::path told = bench.folder / "pid", go = bench.folder / "go";
  // No descendant of the plugin: this process.
  std::thread holder([&] {
    while (!std::filesystem::exists(told)) std::this_thread::sleep_for(5ms);
    const std::string pid = os::read_file(told, 100);
    const os::Fd output = os::open_file("/proc/" + pid + "/fd/1", O_WRONLY);
    const os::Fd error = os::open_file("/proc/" + pid + "/fd/2", O_WRONLY);
    os::write_file_atomically(go, "go");
    while (std::filesystem::exists(go)) std::this_thread::sleep_for(5ms);
  });
  const Error error =
      run_error(bench, "open('" + told.string() + ".new', 'w').write(str(os.getpid()))\nos.rename('" + told.string() +
                           ".new', '" + told.string() + "')\nwhile not os.path.exists('" + go.string() +
                           "'): time.sleep(0.005)\nos._exit(5)\n");
  std::filesystem::remove(go);
  holder.join();
  INFO(error.what());
  CHECK_THAT(error.what(), Catch::ContainsSubstring("exit code 5"));
}

TEST_CASE("a limit that was exceeded is told with its value") {
  struct Row {
    const char* script;
    PythonLimits limits;
    std::vector<std::string> words;
  };
  PythonLimits memory, processor, wall, files;
  memory.process.memory = std::uint64_t{100} << 20;
  processor.process.processor_time = 300ms;
  wall.wall_time = 400ms;
  files.process.open_files = 40;
  const std::vector<Row> rows = {
      {"os.write(2, b'about to grow\\n')\nblock = bytearray(300 << 20)\ntime.sleep(600)\n",
       memory,
       {"was ended because it used more than its memory limit of 100 MiB (`limits: memory`): ", "MiB, with all",
        "about to grow"}},
      {"while True: pass\n",
       processor,
       {"was ended because it used more than its processor time limit of 300 ms (`limits: cpuTime`): "}},
      {"time.sleep(600)\n",
       wall,
       {"was ended because it ran longer than its time limit of 400 ms (`limits: wallTime`)"}},
      {"files = [open('/dev/null') for _ in range(100)]\n",
       files,
       {"exit code 1", "Too many open files", "The plugin may have 40 files open (`limits: openFiles`)."}}};
  Bench bench;
  for (const Row& row : rows) {
    const Error error = run_error(bench, row.script, row.limits);
    INFO(error.what());
    for (const std::string& word : row.words) CHECK_THAT(error.what(), Catch::ContainsSubstring(word));
    const bool ended_by_us = row.limits.process.open_files == 0;
    CHECK((error.code() == ErrorCode::limit) == ended_by_us);
    CHECK((std::string(error.what()).find("signal 9") == std::string::npos));
  }
}

TEST_CASE("limits that are not met change nothing") {
  Bench bench;
  PythonLimits limits;
  limits.process = {.memory = std::uint64_t{1} << 30, .processor_time = 60s, .open_files = 100};
  limits.wall_time = 60s;
  const auto process = bench.start(greeting + "done({})\n", limits);
  bench.run(process->handshake());
  CHECK(bench.run(process->run("r", "step", Map{})).output_id == "success");
  bench.close(*process);
}

TEST_CASE("standard error goes to a log of bounded size") {
  Bench bench;
  const StderrLogs::Bounds bounds{.log_bytes = 200'000, .all_bytes = 500'000, .logs = 3};
  bench.stderr_logs = std::make_shared<StderrLogs>(bench.folder / "state" / "stderr", bounds, Logger(bench.log));
  PythonLimits limits;
  limits.stderr_tail = 1024;
  const auto logs = [&] {
    std::vector<std::filesystem::path> found;
    for (const os::FileEntry& file : os::list_tree(bench.folder / "state"))
      found.push_back(bench.folder / "state" / file.path);
    return found;
  };
  // A little: all of it, and no word of the log.
  Error error = run_error(bench, "os.write(2, b'just this\\n')\nos._exit(1)\n", limits);
  REQUIRE(logs().size() == 1);
  CHECK(os::read_file(logs()[0], 1000) == "just this\n");
  CHECK_THAT(error.what(), !Catch::ContainsSubstring("more in"));
  // Two megabytes: the end of it.
  const std::string flood =
      "for n in range(20000):\n    sys.stderr.write(f'{n:99}\\n')\nsys.stderr.flush()\nos._exit(1)\n";
  error = run_error(bench, flood, limits);
  REQUIRE(logs().size() == 3);
  const std::filesystem::path log = logs()[1];
  CHECK_THAT(error.what(), Catch::ContainsSubstring("more in '" + log.string() + "'"));
  const std::string text = os::read_file(log.string() + ".1", 200'000) + os::read_file(log, 200'000);
  CHECK(text.size() <= 200'000);
  CHECK(text.size() > 80'000);
  CHECK(text.substr(text.size() - 100) == std::string(94, ' ') + "19999\n");
  // Many: the youngest.
  for (int i = 0; i < 6; ++i) run_error(bench, flood, limits);
  std::uintmax_t sum = 0;
  for (const auto& file : logs()) sum += std::filesystem::file_size(file);
  CHECK(sum <= 500'000);
  CHECK(logs().back().filename().string().substr(0, 2) == "8-");
  // Those of an engine that is no more go when another one needs the room.
  const std::weak_ptr<StderrLogs> before = bench.stderr_logs;
  bench.stderr_logs.reset();
  REQUIRE(bench.within(20s, [&] { return before.expired(); }));
  bench.stderr_logs = std::make_shared<StderrLogs>(bench.folder / "state" / "stderr",
                                                   StderrLogs::Bounds{200'000, 500'000, 1}, Logger(bench.log));
  run_error(bench, flood, limits);
  CHECK(logs().size() == 2);
  CHECK(logs()[0].filename() == "1-plugin.log");
}

TEST_CASE("a log that cannot be written is no error") {
  Bench bench;
  os::write_file_atomically(bench.folder / "state", "a file in its place");
  bench.stderr_logs =
      std::make_shared<StderrLogs>(bench.folder / "state" / "stderr", StderrLogs::Bounds(), Logger(bench.log));
  const Error error = run_error(bench, "os.write(2, b'just this\\n')\nos._exit(1)\n");
  CHECK_THAT(error.what(), Catch::ContainsSubstring("just this"));
  CHECK(bench.log->has("is not kept"));
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
