#include "os/run_program.hpp"

#include <csignal>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include "base/error.hpp"
#include "engine.hpp"
#include "os/environment.hpp"
#include "second_process.hpp"
#include "support/temporary_dir.hpp"

using namespace venvoy;
using namespace std::chrono_literals;
using Catch::ContainsSubstring;
using os::ProgramLimits;
using os::ProgramResult;
using os::ProgramSpec;
using test::Engine;

namespace {

ProgramSpec shell(const std::string& script) {
  ProgramSpec spec;
  spec.program = "/bin/sh";
  spec.arguments = {"-c", script};
  spec.environment = os::current_environment();
  return spec;
}

ProgramSpec python(const std::string& script, const std::vector<std::string>& arguments = {}) {
  ProgramSpec spec;
  spec.program = "/usr/bin/python3";
  spec.arguments = {"-c", script};
  spec.arguments.insert(spec.arguments.end(), arguments.begin(), arguments.end());
  spec.environment = os::current_environment();
  return spec;
}

// One run in a loop of its own, to its end.
struct Run {
  Engine engine;
  CancelSource cancel_source;
  boost::asio::cancellation_signal cancel_coroutine;
  std::vector<std::string> lines;
  std::function<void(std::string_view)> on_line = [this](std::string_view line) { lines.emplace_back(line); };
  ProgramResult result;
  std::exception_ptr failure;

  void operator()(ProgramSpec spec, ProgramLimits limits = {}) {
    const auto done = [this](std::exception_ptr error, ProgramResult value) {
      failure = error;
      result = std::move(value);
    };
    auto program = os::run_program(engine.keeper, std::move(spec), limits, cancel_source.token(), on_line);
    boost::asio::co_spawn(engine.io, std::move(program),
                          boost::asio::bind_cancellation_slot(cancel_coroutine.slot(), done));
    engine.io.run();
  }
  // The code of the Error that ended the run.
  ErrorCode error_code() const {
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const Error& error) {
      return error.code();
    }
    throw std::runtime_error("it has not failed");
  }
};

}  // namespace

TEST_CASE("a program's output, errors and exit code come back") {
  Run run;
  run(shell("echo out; echo one >&2; printf 'two\\r\\nthree' >&2; exit 4"));
  REQUIRE_FALSE(run.failure);
  CHECK(run.result.exit.text() == "exit code 4");
  CHECK(run.result.output == "out\n");
  CHECK(run.result.error_tail == "one\ntwo\r\nthree");
  CHECK(run.lines == std::vector<std::string>{"one", "two", "three"});
  CHECK_FALSE(run.result.timed_out);
}

TEST_CASE("a program runs where and with what it is told") {
  const test::TemporaryDir dir;
  Run run;
  ProgramSpec spec = shell("pwd; echo $ONLY; cat");
  spec.environment = {"ONLY=this", "PATH=/usr/bin:/bin"};
  spec.working_directory = dir.path();
  run(std::move(spec));
  CHECK(run.result.output == dir.path().string() + "\nthis\n");
}

TEST_CASE("megabytes go in and come out, on both streams at once") {
  Run run;
  run.on_line = {};
  ProgramSpec spec = python(
      "import sys\n"
      "data = sys.stdin.buffer.read()\n"
      "for i in range(0, len(data), 4096):\n"
      "    sys.stdout.buffer.write(data[i:i + 4096]); sys.stdout.buffer.flush()\n"
      "    sys.stderr.buffer.write(b'e' * 4096); sys.stderr.buffer.flush()\n");
  std::string input;
  for (int i = 0; input.size() < 3'000'000; ++i) input += std::to_string(i) + '\0';
  spec.input = input;
  run(std::move(spec));
  REQUIRE_FALSE(run.failure);
  CHECK(run.result.output == input);
  CHECK(run.result.error_tail == std::string(64 << 10, 'e'));
}

TEST_CASE("a program that does not read its input does no harm") {
  Run run;
  ProgramSpec spec = shell("exit 0");
  spec.input = std::string(1 << 20, 'x');
  run(std::move(spec));
  CHECK(run.result.exit.ok());
}

TEST_CASE("of the errors the last lines are kept") {
  Run run;
  ProgramLimits limits;
  limits.error_tail = 100;
  run(shell("i=0; while [ $i -lt 1000 ]; do echo line $i >&2; i=$((i+1)); done"), limits);
  CHECK(run.result.error_tail.size() <= 100);
  CHECK_THAT(run.result.error_tail, Catch::Matchers::EndsWith("line 998\nline 999\n"));
  CHECK_THAT(run.result.error_tail, Catch::Matchers::StartsWith("line 9"));
  CHECK(run.lines.size() == 1000);
}

TEST_CASE("a line of errors without an end comes in pieces") {
  Run run;
  run(shell("head -c 200000 /dev/zero | tr '\\0' x >&2"));
  REQUIRE(run.lines.size() > 1);
  std::string all;
  for (const std::string& line : run.lines) all += line;
  CHECK(all == std::string(200'000, 'x'));
}

TEST_CASE("more output than the limit ends the program") {
  Run run;
  ProgramLimits limits;
  limits.max_output = 1000;
  SECTION("just enough") {
    run(shell("head -c 1000 /dev/zero"), limits);
    CHECK(run.result.output.size() == 1000);
  }
  SECTION("one too many") {
    run(shell("head -c 1001 /dev/zero"), limits);
    CHECK(run.error_code() == ErrorCode::limit);
  }
  SECTION("without an end") {
    run(shell("cat /dev/zero"), limits);
    CHECK(run.error_code() == ErrorCode::limit);
  }
}

TEST_CASE("a program that takes too long is asked, then made to end") {
  Run run;
  ProgramLimits limits;
  limits.timeout = 50ms;
  SECTION("it goes when asked") {
    limits.grace = 1h;
    run(shell("echo begun; exec sleep 1000"), limits);
    CHECK(run.result.exit.text() == "signal 15 (SIGTERM)");
  }
  SECTION("it does not") {
    limits.grace = 50ms;
    run(python("import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(1000)"), limits);
    CHECK(run.result.exit.kind == os::ExitInfo::Kind::signalled);
  }
  REQUIRE_FALSE(run.failure);
  CHECK(run.result.timed_out);
}

TEST_CASE("a program in time is not timed out") {
  Run run;
  ProgramLimits limits;
  limits.timeout = 1h;
  run(shell("echo quick"), limits);  // and nobody waits for the hour
  CHECK(run.result.output == "quick\n");
  CHECK_FALSE(run.result.timed_out);
}

TEST_CASE("a program that cannot be started is a result") {
  Run run;
  ProgramSpec spec;
  spec.program = "/nowhere/program";
  run(std::move(spec));
  REQUIRE_FALSE(run.failure);
  CHECK(run.result.exit.kind == os::ExitInfo::Kind::not_started);
  CHECK(run.result.exit.number == ENOENT);
}

TEST_CASE("cancelling kills the group, and the end is waited for") {
  const std::string script = "echo $$ >&2; sleep 1000 & echo $! >&2; wait";
  Run run;
  std::vector<pid_t> pids;
  std::thread other;
  const std::string way = GENERATE("token", "token on another thread", "coroutine");
  run.on_line = [&](std::string_view line) {
    pids.push_back(std::stoi(std::string(line)));
    if (pids.size() < 2) return;
    if (way == "token") run.cancel_source.cancel();
    if (way == "token on another thread") other = std::thread([&] { run.cancel_source.cancel(); });
    if (way == "coroutine") run.cancel_coroutine.emit(boost::asio::cancellation_type::terminal);
  };
  run(shell(script));
  if (other.joinable()) other.join();
  CHECK(run.error_code() == ErrorCode::cancelled);
  REQUIRE(pids.size() == 2);
  for (const pid_t pid : pids) CHECK_FALSE(test::is_running(pid));
}

TEST_CASE("what is cancelled already is not begun") {
  Run run;
  const test::TemporaryDir dir;
  run.cancel_source.cancel();
  run(shell("touch " + (dir / "file").string()));
  CHECK(run.error_code() == ErrorCode::cancelled);
  CHECK_FALSE(std::filesystem::exists(dir / "file"));
}

TEST_CASE("after a run the coroutine can be cancelled as before") {
  Engine engine;
  boost::asio::cancellation_signal cancel;
  bool ran = false, cancelled = false;
  const auto work = [&]() -> boost::asio::awaitable<void> {
    ProgramSpec spec = shell("exit 0");
    const CancelToken never;
    const ProgramLimits limits;
    const ProgramResult result = co_await os::run_program(engine.keeper, std::move(spec), limits, never);
    ran = result.exit.ok();
    boost::asio::steady_timer timer(engine.io, 1h);
    cancel.emit(boost::asio::cancellation_type::terminal);
    co_await timer.async_wait(boost::asio::use_awaitable);
  };
  const auto done = [&](std::exception_ptr error) { cancelled = error != nullptr; };
  boost::asio::co_spawn(engine.io, work, boost::asio::bind_cancellation_slot(cancel.slot(), done));
  engine.io.run();
  CHECK(ran);
  CHECK(cancelled);
}

TEST_CASE("a failure of the listener ends the program and comes out") {
  Run run;
  run.on_line = [](std::string_view) { throw Error(ErrorCode::plugin, "do not like it"); };
  run(shell("echo line >&2; sleep 1000"));
  CHECK(run.error_code() == ErrorCode::plugin);
}

TEST_CASE("a daemon that keeps the pipes does not hold up the end") {
  Run run;
  ProgramSpec spec;
  spec.program = test::helper;
  spec.arguments = {"daemon", "2"};
  spec.environment = os::current_environment();
  run(std::move(spec));
  CHECK(run.result.exit.text() == "exit code 7");
}

TEST_CASE("not even a stranger who keeps the pipe holds up the end") {
  const test::TemporaryDir dir;
  const std::string path = (dir / "socket").string();
  const os::Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(listener.get(), 1) == 0);
  Run run;
  // The descriptor waits in the listener's queue, outside of every process that the keeper could kill.
  run(
      python("import socket, sys\n"
             "s = socket.socket(socket.AF_UNIX)\n"
             "s.connect(sys.argv[1])\n"
             "socket.send_fds(s, [b'x'], [1, 2])\n"
             "print('sent', flush=True)",
             {path}));
  REQUIRE_FALSE(run.failure);
  CHECK(run.result.exit.ok());
  CHECK(run.result.output == "sent\n");
}

TEST_CASE("a loop that is destroyed takes running programs with it") {
  const test::TemporaryDir dir;
  pid_t pid = 0;
  {
    Engine engine;
    CancelSource source;
    const auto note = [&pid](std::string_view line) { pid = std::stoi(std::string(line)); };
    auto program = os::run_program(engine.keeper, shell("echo $$ >&2; sleep 1000"), {}, source.token(), note);
    boost::asio::co_spawn(engine.io, std::move(program), [](std::exception_ptr, ProgramResult) {});
    while (pid == 0) engine.turn();
  }
  CHECK_FALSE(test::is_running(pid));
}

TEST_CASE("many programs run side by side") {
  Engine engine;
  int good = 0;
  for (int i = 0; i < 100; ++i) {
    auto program = os::run_program(engine.keeper, shell("echo " + std::to_string(i)), {}, {});
    boost::asio::co_spawn(engine.io, std::move(program), [&good, i](std::exception_ptr, ProgramResult result) {
      good += result.output == std::to_string(i) + "\n";
    });
  }
  engine.io.run();
  CHECK(good == 100);
}
