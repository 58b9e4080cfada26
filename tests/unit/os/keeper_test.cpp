// Who dies with whom.
#include "os/keeper.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/error.hpp"
#include "engine.hpp"
#include "os/files.hpp"
#include "os/keeper_program/own_children.hpp"
#include "second_process.hpp"
#include "support/temporary_dir.hpp"

using namespace venvoy;
using Catch::ContainsSubstring;
using os::ExitInfo;
using test::Engine;
using test::eventually;
using test::helper_spec;
using test::is_running;
using test::shell_spec;

namespace {

std::vector<pid_t> read_pids(const os::Fd& file, int count) {
  std::vector<pid_t> pids;
  for (int i = 0; i < count; ++i) pids.push_back(std::stoi(test::read_line(file)));
  return pids;
}

bool none_runs(const std::vector<pid_t>& pids) {
  return std::none_of(pids.begin(), pids.end(), is_running);
}

// The pids that a helper engine says, up to an empty line.
std::vector<pid_t> pids_said_by(test::SecondProcess& process) {
  std::vector<pid_t> pids;
  for (std::string line; !(line = process.read_line()).empty();) pids.push_back(std::stoi(line));
  return pids;
}

// The guard, the keeper, and what runs below them.
std::vector<pid_t> running_tree(pid_t guard) {
  std::vector<pid_t> tree = keeper::process_and_descendants(guard);
  std::erase_if(tree, [](pid_t pid) { return !is_running(pid); });
  return tree;
}

std::string command_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline");
  std::string command;
  std::getline(file, command, '\0');
  return command;
}

extern "C" void take_every_child(int) {
  const int kept = errno;
  while (::waitpid(-1, nullptr, WNOHANG) > 0) continue;
  errno = kept;
}

std::vector<pid_t> children_of_this_process() {
  std::vector<pid_t> children;
  REQUIRE(keeper::children_from_process_table(children));
  return children;
}

}  // namespace

TEST_CASE("what a process leaves behind is dead when its end is told") {
  Engine engine;
  const int depth = GENERATE(1, 4);
  os::Pipe pipe = os::make_pipe(), input = os::make_pipe();
  os::ChildSpec spec = helper_spec({"daemon-and-stay", std::to_string(depth)});
  spec.standard_input = std::move(input.read_end);
  spec.standard_output = std::move(pipe.write_end);
  os::Child child = engine.keeper.start(std::move(spec));
  const std::vector<pid_t> daemons = read_pids(pipe.read_end, depth);
  for (const pid_t pid : daemons) CHECK(is_running(pid));
  for (const pid_t pid : daemons) ::kill(pid, SIGTERM);  // they are deaf
  input.write_end.reset();
  CHECK(engine.end_of(child).text() == "exit code 7");
  CHECK(none_runs(daemons));
}

TEST_CASE("stopped leftovers die too") {
  Engine engine;
  os::Pipe pipe = os::make_pipe(), input = os::make_pipe();
  os::ChildSpec spec = helper_spec({"daemon-and-stay", "3"});
  spec.standard_input = std::move(input.read_end);
  spec.standard_output = std::move(pipe.write_end);
  os::Child child = engine.keeper.start(std::move(spec));
  const std::vector<pid_t> daemons = read_pids(pipe.read_end, 3);
  for (const pid_t pid : daemons) ::kill(pid, SIGSTOP);
  input.write_end.reset();
  engine.end_of(child);
  CHECK(none_runs(daemons));
}

TEST_CASE("the daemons of a running process are left alone when another ends") {
  Engine engine;
  os::Pipe pipe = os::make_pipe(), input = os::make_pipe();
  os::ChildSpec spec = helper_spec({"daemon-and-stay", "2"});
  spec.standard_input = std::move(input.read_end);
  spec.standard_output = std::move(pipe.write_end);
  os::Child stays = engine.keeper.start(std::move(spec));
  const std::vector<pid_t> daemons = read_pids(pipe.read_end, 2);
  for (int i = 0; i < 5; ++i) {
    os::Child ends = engine.keeper.start(helper_spec({"daemon", "2"}));
    CHECK(engine.end_of(ends).text() == "exit code 7");
  }
  for (const pid_t pid : daemons) CHECK(is_running(pid));
  CHECK_FALSE(stays.exit());
  stays.kill();
  engine.end_of(stays);
  CHECK(none_runs(daemons));
}

TEST_CASE("many processes that leave daemons behind at once") {
  Engine engine;
  std::vector<os::Child> children;
  std::vector<os::Fd> outputs;
  for (int i = 0; i < 30; ++i) {
    os::Pipe pipe = os::make_pipe();
    os::ChildSpec spec = helper_spec({"daemon", "2"});
    spec.standard_output = std::move(pipe.write_end);
    children.push_back(engine.keeper.start(std::move(spec)));
    outputs.push_back(std::move(pipe.read_end));
  }
  for (os::Child& child : children) CHECK(engine.end_of(child).text() == "exit code 7");
  // The pipes come to their end: nobody holds them any more.
  for (const os::Fd& output : outputs) CHECK(test::read_all(output).size() < 40);
}

TEST_CASE("nothing survives the engine, however it dies") {
  test::SecondProcess engine({"engine"});
  const std::vector<pid_t> pids = pids_said_by(engine);
  REQUIRE(pids.size() == 7);  // the keeper, two children, four daemons
  for (const pid_t pid : pids) CHECK(is_running(pid));
  engine.kill();
  engine.wait();
  CHECK(eventually([&] { return none_runs(pids); }));
}

TEST_CASE("nothing survives the engine, even if a forked copy of it does") {
  test::SecondProcess engine({"engine-with-copy"});
  const std::vector<pid_t> pids = pids_said_by(engine);
  const pid_t copy = std::stoi(engine.read_line());
  REQUIRE(pids.size() == 3);
  engine.kill();
  engine.wait();
  CHECK(eventually([&] { return none_runs(pids); }));
  CHECK(is_running(copy));
  ::kill(copy, SIGKILL);
}

TEST_CASE("a forked copy of the engine has no power over its children") {
  Engine engine;
  os::Child child = engine.keeper.start(shell_spec("sleep 1000"));
  engine.until_started(child);
  const pid_t copy = ::fork();
  if (copy == 0) {
    child.kill();
    ::_exit(0);
  }
  ::waitpid(copy, nullptr, 0);
  CHECK(is_running(child.pid()));
  child.signal(SIGTERM);
  CHECK(engine.end_of(child).text() == "signal 15 (SIGTERM)");  // the copy's SIGKILL would have come first
}

TEST_CASE("a process that hops from pid to pid is caught") {
  os::Pipe pipe = os::make_pipe(), input = os::make_pipe();
  os::ChildSpec spec = helper_spec({"hop-and-stay"});
  spec.standard_input = std::move(input.read_end);
  spec.standard_output = std::move(pipe.write_end);
  const bool with_engine = GENERATE(true, false);
  {
    Engine engine;
    os::Child child = engine.keeper.start(std::move(spec));
    CHECK(test::read_line(pipe.read_end) == "hopping");
    if (with_engine) {
      input.write_end.reset();
      CHECK(engine.end_of(child).text() == "exit code 7");
    }
  }
  CHECK(test::read_all(pipe.read_end).empty());  // comes to its end only when nobody has the pipe any more
}

TEST_CASE("nothing survives the keeper or its guard, whichever is killed") {
  Engine engine;
  os::Pipe pipe = os::make_pipe();
  os::ChildSpec spec = helper_spec({"daemon-and-stay", "3"});
  spec.standard_input = os::open_file("/dev/zero", O_RDONLY);
  spec.standard_output = std::move(pipe.write_end);
  os::Child child = engine.keeper.start(std::move(spec));
  engine.until_started(child);
  std::vector<pid_t> pids = read_pids(pipe.read_end, 3);
  const std::vector<pid_t> tree = running_tree(engine.keeper.pid());
  REQUIRE(tree.size() == 6);
  CHECK(tree[2] == child.pid());
  CHECK(command_of(tree[0]) == "keeper-guard");
  CHECK_THAT(command_of(tree[1]), Catch::EndsWith("venvoy-keeper"));
  const int victim = GENERATE(0, 1);
  ::kill(tree[victim], SIGKILL);
  CHECK(engine.end_of(child).kind == ExitInfo::Kind::lost);
  CHECK(eventually([&] { return none_runs(tree); }));
  CHECK(none_runs(pids));
  CHECK(eventually([&] {
    try {
      engine.keeper.start(shell_spec("true"));
      return false;
    } catch (const Error& error) {
      return error.code() == ErrorCode::start;
    }
  }));
  engine.io.restart();
  engine.io.run();  // comes to its end, and buries the guard
  CHECK(engine.keeper.pid() == 0);
  CHECK(children_of_this_process().empty());
}

TEST_CASE("nothing survives an engine that is killed together with the keeper or its guard") {
  test::SecondProcess engine({"engine"});
  const std::vector<pid_t> pids = pids_said_by(engine);
  const std::vector<pid_t> tree = running_tree(pids[0]);
  REQUIRE(tree.size() == 8);  // the guard, the keeper, two children, four daemons
  const int victim = GENERATE(0, 1);
  ::kill(tree[victim], SIGSTOP);  // so that it does nothing before it dies
  engine.kill();
  ::kill(tree[victim], SIGKILL);
  engine.wait();
  CHECK(eventually([&] { return none_runs(tree); }));
}

TEST_CASE("a keeper that hangs does not outlive its engine") {
  test::SecondProcess engine({"engine"});
  const std::vector<pid_t> pids = pids_said_by(engine);
  const std::vector<pid_t> tree = running_tree(pids[0]);
  ::kill(tree[1], SIGSTOP);
  engine.kill();
  engine.wait();
  CHECK(eventually([&] { return none_runs(tree); }));
}

TEST_CASE("children die with the keeper, also when the engine does nothing") {
  Engine engine;
  os::Child child = engine.keeper.start(shell_spec("exec sleep 1000"));
  engine.until_started(child);
  ::kill(engine.keeper.pid(), SIGKILL);
  CHECK(eventually([&] { return !is_running(child.pid()); }));
}

TEST_CASE("a start throws when the keeper has died unseen") {
  Engine engine;
  os::Child first = engine.keeper.start(shell_spec("true"));
  engine.end_of(first);
  const std::vector<pid_t> tree = running_tree(engine.keeper.pid());
  ::kill(engine.keeper.pid(), SIGKILL);
  REQUIRE(eventually([&] { return none_runs(tree); }));
  CHECK_THROWS_AS(engine.keeper.start(shell_spec("true")), Error);
  CHECK_THROWS_AS(engine.keeper.start(shell_spec("true")), Error);
}

TEST_CASE("an idle keeper does not keep the loop busy") {
  Engine engine;
  os::Child child = engine.keeper.start(shell_spec("exit 4"));
  engine.io.run();
  REQUIRE(child.exit());
  CHECK(child.exit()->text() == "exit code 4");
  engine.io.restart();
  CHECK(engine.io.run() == 0);
}

TEST_CASE("the end of the keeper object is the end of all that it has started") {
  boost::asio::io_context io;
  os::Pipe pipe = os::make_pipe();
  std::vector<pid_t> pids;
  os::Child child;
  {
    os::Keeper keeper(io.get_executor());
    os::ChildSpec spec = helper_spec({"daemon-and-stay", "2"});
    spec.standard_output = std::move(pipe.write_end);
    spec.standard_input = os::open_file("/dev/zero", O_RDONLY);
    child = keeper.start(std::move(spec));
    pids = read_pids(pipe.read_end, 2);
    pids.push_back(keeper.pid());
  }
  CHECK(none_runs(pids));
  REQUIRE(child.exit());
  CHECK(child.exit()->kind == ExitInfo::Kind::lost);
  CHECK(child.ended().fired());
  CHECK(children_of_this_process().empty());
}

TEST_CASE("a host's own way with SIGCHLD is neither used nor disturbed") {
  struct Row {
    const char* name;
    void (*handler)(int);
  };
  for (const Row& row : {Row{"ignores it", SIG_IGN}, Row{"takes every child", take_every_child}}) {
    INFO("a host that " << row.name);
    struct sigaction wanted = {}, before = {}, after = {};
    wanted.sa_handler = row.handler;
    ::sigaction(SIGCHLD, &wanted, &before);
    pid_t keeper = 0;
    {
      Engine engine;
      keeper = engine.keeper.pid();
      os::Child child = engine.keeper.start(shell_spec("sleep 0.01; exit 6"));
      CHECK(engine.end_of(child).text() == "exit code 6");
    }
    CHECK_FALSE(is_running(keeper));
    ::sigaction(SIGCHLD, &before, &after);
    CHECK(after.sa_handler == row.handler);
    CHECK(children_of_this_process().empty());
  }
}

TEST_CASE("a loop that is destroyed takes waiting coroutines and their children with it") {
  os::Pipe pipe = os::make_pipe();
  {
    Engine engine;
    os::ChildSpec spec = shell_spec("echo $$; sleep 1000");
    spec.standard_output = std::move(pipe.write_end);
    os::Child child = engine.keeper.start(std::move(spec));
    auto wait = [](os::Child own) -> boost::asio::awaitable<void> {
      co_await own.ended().wait(boost::asio::use_awaitable);
    };
    boost::asio::co_spawn(engine.io, wait(std::move(child)), boost::asio::detached);
    test::read_line(pipe.read_end);
    engine.io.poll();
  }
  CHECK(test::read_all(pipe.read_end).empty());
}

TEST_CASE("a keeper inside a coroutine goes with the loop") {
  os::Pipe pipe = os::make_pipe();
  {
    boost::asio::io_context io;
    auto work = [](os::Fd output) -> boost::asio::awaitable<void> {
      const auto executor = co_await boost::asio::this_coro::executor;
      os::Keeper keeper(executor);
      os::ChildSpec spec = shell_spec("sleep 1000");
      spec.standard_output = std::move(output);
      os::Child child = keeper.start(std::move(spec));
      co_await child.ended().wait(boost::asio::use_awaitable);
    };
    boost::asio::co_spawn(io, work(std::move(pipe.write_end)), boost::asio::detached);
    io.poll();
  }
  CHECK(test::read_all(pipe.read_end).empty());
}

TEST_CASE("a keeper that cannot be started says why") {
  const test::TemporaryDir dir;
  boost::asio::io_context io;
  os::write_file_atomically(dir / "text", "no program", 0755);
  for (const auto& [name, reason] : {std::pair("none", "No such file"), std::pair("text", "Exec format error")}) {
    try {
      os::Keeper keeper(io.get_executor(), dir / name);
      FAIL("started");
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::start);
      CHECK_THAT(error.what(), ContainsSubstring(name) && ContainsSubstring(reason));
    }
  }
  CHECK(children_of_this_process().empty());
}

TEST_CASE("a program that is no keeper is found out at the first start") {
  boost::asio::io_context io;
  os::Keeper keeper(io.get_executor(), "/bin/true");
  os::Child child;
  try {
    child = keeper.start(shell_spec("true"));
    io.run();
    REQUIRE(child.exit());
    CHECK(child.exit()->kind == ExitInfo::Kind::lost);
  } catch (const Error& error) {  // it has ended before we asked
    CHECK(error.code() == ErrorCode::start);
  }
}

TEST_CASE("the keeper is found where it is told to be, or nowhere") {
  const std::string place = ::getenv("VENVOY_KEEPER");
  CHECK(os::find_keeper_program() == place);
  ::setenv("VENVOY_KEEPER", "/nowhere/keeper", 1);
  try {
    os::find_keeper_program();
    FAIL("found");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::environment);
    CHECK_THAT(error.what(), ContainsSubstring("looked at '/nowhere/keeper'"));
    CHECK_THAT(error.hint(), ContainsSubstring("VENVOY_KEEPER"));
  }
  // Beside this program, as after an installation.
  ::unsetenv("VENVOY_KEEPER");
  CHECK(os::find_keeper_program() == place);
  ::setenv("VENVOY_KEEPER", place.c_str(), 1);
}

TEST_CASE("both ways to know the children of a process agree") {
  test::SecondProcess first({"daemon-and-stay", "0"}), second({"file-limit"});
  REQUIRE(test::eventually([&] { return !is_running(second.pid()); }));  // a zombie is a child too
  std::vector<pid_t> expected{first.pid(), second.pid()};
  std::sort(expected.begin(), expected.end());
  for (const auto way : {keeper::children_from_kernel_list, keeper::children_from_process_table}) {
    std::vector<pid_t> children;
    REQUIRE(way(children));
    std::sort(children.begin(), children.end());
    CHECK(children == expected);
  }
}
