// Children as the engine sees them; keeper_test.cpp has the deaths of all others.
#include "os/child.hpp"

#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine.hpp"
#include "os/environment.hpp"
#include "os/files.hpp"
#include "second_process.hpp"
#include "support/temporary_dir.hpp"

using namespace venvoy;
using Catch::ContainsSubstring;
using os::ExitInfo;
using test::Engine;
using test::helper_spec;
using test::shell_spec;

TEST_CASE("ends are told in words") {
  struct Row {
    ExitInfo info;
    const char* text;
  };
  for (const Row& row :
       {Row{{.kind = ExitInfo::Kind::exited, .number = 0}, "exit code 0"},
        Row{{.kind = ExitInfo::Kind::exited, .number = 3}, "exit code 3"},
        Row{{.kind = ExitInfo::Kind::signalled, .number = 9}, "signal 9 (SIGKILL)"},
        Row{{.kind = ExitInfo::Kind::signalled, .number = 40}, "signal 40"},
        Row{{.kind = ExitInfo::Kind::not_started, .number = ENOENT}, "could not be started: No such file or directory"},
        Row{{.kind = ExitInfo::Kind::lost}, "was lost: the keeper of processes has ended"}}) {
    CHECK(row.info.text() == row.text);
    CHECK(row.info.ok() == (row.info.text() == "exit code 0"));
  }
}

TEST_CASE("exit codes and signals arrive as they were") {
  struct Row {
    const char* script;
    const char* text;
  };
  Engine engine;
  for (const Row& row :
       {Row{"exit 0", "exit code 0"}, Row{"exit 255", "exit code 255"}, Row{"kill -TERM $$", "signal 15 (SIGTERM)"},
        Row{"kill -KILL $$", "signal 9 (SIGKILL)"}, Row{"kill -SEGV $$", "signal 11 (SIGSEGV)"}}) {
    os::Child child = engine.keeper.start(shell_spec(row.script));
    CHECK_FALSE(child.exit());
    CHECK_FALSE(child.ended().fired());
    CHECK(engine.end_of(child).text() == row.text);
    CHECK(child.pid() != 0);
    child.kill();  // nothing happens
  }
}

TEST_CASE("what the process has used is told with its end") {
  Engine engine;
  os::ChildSpec spec;
  spec.program = "/usr/bin/python3";
  spec.arguments = {"-c", "import time\nblock = bytearray(64 << 20)\nwhile time.process_time() < 0.2: pass"};
  os::Child child = engine.keeper.start(std::move(spec));
  const ExitInfo end = engine.end_of(child);
  CHECK(end.ok());
  CHECK(end.user_microseconds + end.system_microseconds >= 200'000);
  CHECK(end.max_resident_kib > 64 << 10);
}

TEST_CASE("what could not be started says why") {
  const test::TemporaryDir dir;
  os::write_file_atomically(dir / "file", "no program", 0644);
  os::write_file_atomically(dir / "nonsense", "no program", 0755);
  const std::string nul("a\0b", 3);
  struct Row {
    os::ChildSpec spec;
    int error;
  };
  const auto spec = [](const std::filesystem::path& program, std::vector<std::string> arguments,
                       std::vector<std::string> environment, const std::filesystem::path& directory) {
    os::ChildSpec result;
    result.program = program;
    result.arguments = std::move(arguments);
    result.environment = std::move(environment);
    result.working_directory = directory;
    return result;
  };
  std::vector<Row> rows;
  rows.push_back({spec(dir / "none", {}, {}, ""), ENOENT});
  rows.push_back({spec("", {}, {}, ""), ENOENT});
  rows.push_back({spec("sh", {}, {}, ""), ENOENT});  // PATH is not searched
  rows.push_back({spec(dir / "file", {}, {}, ""), EACCES});
  rows.push_back({spec(dir / "nonsense", {}, {}, ""), ENOEXEC});
  rows.push_back({spec("/bin/true", {}, {}, dir / "none"), ENOENT});
  rows.push_back({spec("/bin/true", {}, {}, dir / "file"), ENOTDIR});
  rows.push_back({spec("/bin/true", {nul}, {}, ""), EINVAL});
  rows.push_back({spec("/bin/true", {}, {nul}, ""), EINVAL});
  rows.push_back({spec("/bin/true", {std::string(200'000, 'x')}, {}, ""), E2BIG});  // the kernel refuses
  rows.push_back({spec("/bin/true", {std::string(9 << 20, 'x')}, {}, ""), E2BIG});  // our own limit
  rows.push_back({spec("/bin/true", {}, {}, ""), EMFILE});
  for (int i = 0; i < 200; ++i) rows.back().spec.more.push_back(os::open_file("/dev/null", O_RDONLY));
  Engine engine;
  for (Row& row : rows) {
    os::Child child = engine.keeper.start(std::move(row.spec));
    const ExitInfo end = engine.end_of(child);
    CHECK(end.kind == ExitInfo::Kind::not_started);
    CHECK(end.number == row.error);
    CHECK(child.pid() == 0);
  }
}

TEST_CASE("standard streams and others are passed on; what is not given is /dev/null") {
  Engine engine;
  os::Pipe input = os::make_pipe(), error = os::make_pipe(), three = os::make_pipe(), four = os::make_pipe();
  os::ChildSpec spec = shell_spec("read line; echo out $line; echo err >&2; echo three >&3; echo four >&4");
  spec.standard_input = std::move(input.read_end);
  spec.standard_error = std::move(error.write_end);
  spec.more.push_back(std::move(three.write_end));
  spec.more.push_back(std::move(four.write_end));
  REQUIRE(::write(input.write_end.get(), "in\n", 3) == 3);
  CHECK(engine.output_of(std::move(spec)) == "out in\n");
  CHECK(test::read_all(error.read_end) == "err\n");
  CHECK(test::read_all(three.read_end) == "three\n");
  CHECK(test::read_all(four.read_end) == "four\n");
  CHECK(engine.output_of(shell_spec("readlink /proc/self/fd/0; readlink /proc/self/fd/2")) == "/dev/null\n/dev/null\n");
}

TEST_CASE("a standard stream that is not given is /dev/null, also beside one that is") {
  Engine engine;
  os::Pipe input = os::make_pipe(), three = os::make_pipe();
  os::ChildSpec spec;
  spec.program = "/usr/bin/python3";
  spec.arguments = {"-c", "import os\nfor i in (1, 2): os.write(3, os.readlink(f'/proc/self/fd/{i}').encode())"};
  spec.standard_input = std::move(input.read_end);
  spec.more.push_back(std::move(three.write_end));
  os::Child child = engine.keeper.start(std::move(spec));
  CHECK(test::read_all(three.read_end) == "/dev/null/dev/null");
  CHECK(engine.end_of(child).ok());
}

TEST_CASE("one descriptor can be given several times, whatever its number") {
  Engine engine;
  os::Pipe pipe = os::make_pipe();
  os::ChildSpec spec = shell_spec("echo 1; echo 2 >&2; echo 3 >&3; echo 5 >&5");
  spec.standard_output = os::Fd(::fcntl(pipe.write_end.get(), F_DUPFD_CLOEXEC, 300));
  spec.standard_error = os::Fd(::fcntl(pipe.write_end.get(), F_DUPFD_CLOEXEC, 200));
  for (int i = 0; i < 3; ++i) spec.more.push_back(os::Fd(::fcntl(pipe.write_end.get(), F_DUPFD_CLOEXEC, 0)));
  pipe.write_end.reset();
  os::Child child = engine.keeper.start(std::move(spec));
  CHECK(test::read_all(pipe.read_end) == "1\n2\n3\n5\n");
  CHECK(engine.end_of(child).ok());
}

TEST_CASE("many descriptors arrive in their order, though their numbers overlap on the way") {
  Engine engine;
  std::vector<os::Fd> read_ends;
  os::ChildSpec spec;
  spec.program = "/usr/bin/python3";
  spec.arguments = {"-c", "import os\nfor i in range(3, 43): os.write(i, str(i).encode())"};
  for (int i = 0; i < 40; ++i) {
    os::Pipe pipe = os::make_pipe();
    spec.more.push_back(std::move(pipe.write_end));
    read_ends.push_back(std::move(pipe.read_end));
  }
  os::Child child = engine.keeper.start(std::move(spec));
  for (std::size_t i = 0; i < read_ends.size(); ++i) CHECK(test::read_all(read_ends[i]) == std::to_string(i + 3));
  CHECK(engine.end_of(child).ok());
}

TEST_CASE("a child has no other descriptors than its own") {
  // Both would be inherited by a child that the engine forks itself.
  const os::Fd before(::open("/dev/null", O_RDONLY));
  Engine engine;
  const os::Fd after(::open("/dev/null", O_RDONLY));
  CHECK(engine.output_of(helper_spec({"descriptors"})) == "0 1 2 \n");
  os::ChildSpec spec = helper_spec({"descriptors"});
  for (int i = 0; i < 2; ++i) spec.more.push_back(os::open_file("/dev/null", O_RDONLY));
  CHECK(engine.output_of(std::move(spec)) == "0 1 2 3 4 \n");
}

TEST_CASE("the keeper holds nothing of the engine open") {
  const test::TemporaryDir dir;
  std::vector<os::Fd> inheritable;
  for (int i = 0; i < 5; ++i) inheritable.emplace_back(::open((dir / "file").c_str(), O_CREAT | O_RDWR, 0600));
  Engine engine;
  engine.output_of(shell_spec("true"));  // by then it has arranged itself
  const std::string self = "/proc/" + std::to_string(engine.keeper.pid());
  for (const auto& entry : std::filesystem::directory_iterator(self + "/fd"))
    CHECK(std::filesystem::read_symlink(entry.path()) != dir / "file");
  CHECK(std::filesystem::read_symlink(self + "/cwd") == "/");
}

TEST_CASE("arguments and environment arrive byte for byte") {
  Engine engine;
  const std::vector<std::string> arguments{"", " ", "\xff\x01\n\t'\"$", "--", std::string(100'000, 'a')};
  const std::vector<std::string> environment{"A=\xfe=\n", "EMPTY=", "no equals sign", "A=twice"};
  os::ChildSpec spec = helper_spec(arguments);
  spec.arguments.insert(spec.arguments.begin(), "texts");
  spec.environment = environment;
  std::string expected;
  for (const auto* texts : {&arguments, &environment})
    for (const std::string& text : *texts) expected.append(text).push_back('\0');
  CHECK(engine.output_of(std::move(spec)) == expected);
}

TEST_CASE("an environment of hundreds of KiB arrives") {
  Engine engine;
  os::ChildSpec spec = helper_spec({"texts"});
  for (int i = 0; i < 30; ++i) spec.environment.push_back("V" + std::to_string(i) + "=" + std::string(10 << 10, 'v'));
  CHECK(engine.output_of(std::move(spec)).size() > 300 << 10);
}

TEST_CASE("a child can have another name than its program") {
  Engine engine;
  os::ChildSpec spec = shell_spec("echo $0");
  spec.arguments.resize(2);
  spec.name = "-odd name";
  CHECK(engine.output_of(std::move(spec)) == "-odd name\n");
}

TEST_CASE("programs and working directories may be relative") {
  const test::TemporaryDir dir;
  std::filesystem::create_directory(dir / "work");
  os::write_file_atomically(dir / "work/program", "#!/bin/sh\npwd\n", 0755);
  const std::filesystem::path before = std::filesystem::current_path();
  Engine engine;
  std::filesystem::current_path(dir.path());  // after the keeper has been started
  os::ChildSpec relative;
  relative.program = "./program";
  relative.working_directory = "work";
  CHECK(engine.output_of(std::move(relative)) == (dir / "work").string() + "\n");
  CHECK(engine.output_of(shell_spec("pwd")) == dir.path().string() + "\n");
  std::filesystem::current_path(before);
}

TEST_CASE("a child is in a session of its own, with signals as at boot") {
  sigset_t blocked, before;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGTERM);
  ::sigaddset(&blocked, SIGUSR1);
  ::sigprocmask(SIG_BLOCK, &blocked, &before);
  const auto handler = std::signal(SIGUSR2, SIG_IGN);
  Engine engine;
  os::ChildSpec spec;
  spec.program = "/bin/cat";
  spec.arguments = {"/proc/self/status", "/proc/self/stat"};
  const std::string status = engine.output_of(std::move(spec));
  for (const char* line : {"SigBlk:\t0000000000000000\n", "SigIgn:\t0000000000000000\n"})
    CHECK_THAT(status, ContainsSubstring(line));
  // pid (name) state parent group session
  const std::string stat = status.substr(status.rfind("(cat)") + 8);
  const std::size_t group = stat.find(' ') + 1;
  const std::string numbers = stat.substr(group, stat.find(' ', stat.find(' ', group) + 1) - group);
  CHECK(numbers.substr(0, numbers.find(' ')) == numbers.substr(numbers.find(' ') + 1));
  CHECK_THAT(status, ContainsSubstring("\nPid:\t" + numbers.substr(0, numbers.find(' ')) + "\n"));
  std::signal(SIGUSR2, handler);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
}

TEST_CASE("children get the limit on open files that they should have") {
  rlimit before;
  ::getrlimit(RLIMIT_NOFILE, &before);
  const std::uint64_t old = os::raise_file_limit();
  boost::asio::io_context io;
  {
    Engine as_it_is;
    CHECK(as_it_is.output_of(helper_spec({"file-limit"})) == std::to_string(before.rlim_max) + "\n");
  }
  os::Keeper keeper(io.get_executor(), os::find_keeper_program(), 77);
  os::Pipe pipe = os::make_pipe();
  os::ChildSpec spec = helper_spec({"file-limit"});
  spec.standard_output = std::move(pipe.write_end);
  os::Child child = keeper.start(std::move(spec));
  CHECK(test::read_all(pipe.read_end) == "77\n");
  CHECK(old == before.rlim_cur);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST_CASE("a signal reaches the whole group, as early as it may come") {
  Engine engine;
  const bool early = GENERATE(true, false);
  const int number = GENERATE(SIGTERM, SIGKILL);
  os::Pipe pipe = os::make_pipe();
  os::ChildSpec spec = shell_spec("sleep 1000 & echo $!; wait");
  spec.standard_output = std::move(pipe.write_end);
  os::Child child = engine.keeper.start(std::move(spec));
  pid_t sleeper = 0;
  if (!early) {
    sleeper = std::stoi(test::read_line(pipe.read_end));
    engine.until_started(child);
  }
  child.signal(number);
  const ExitInfo end = engine.end_of(child);
  CHECK(end.kind == ExitInfo::Kind::signalled);
  CHECK(end.number == number);
  CHECK(test::read_all(pipe.read_end).size() < 20);  // it ends: nobody is left who could write
  if (sleeper != 0) CHECK_FALSE(test::is_running(sleeper));
}

TEST_CASE("a signal that the process handles does not end it") {
  Engine engine;
  os::Pipe pipe = os::make_pipe();
  os::ChildSpec spec = shell_spec("trap 'echo got; exit 5' USR1; echo ready; while :; do sleep 0.01; done");
  spec.standard_output = std::move(pipe.write_end);
  os::Child child = engine.keeper.start(std::move(spec));
  CHECK(test::read_line(pipe.read_end) == "ready");
  engine.until_started(child);
  child.signal(SIGUSR1);
  CHECK(test::read_line(pipe.read_end) == "got");
  CHECK(engine.end_of(child).text() == "exit code 5");
}

TEST_CASE("dropping the last handle kills the group") {
  Engine engine;
  const bool early = GENERATE(true, false);
  os::Pipe pipe = os::make_pipe();
  os::ChildSpec spec = shell_spec("echo $$; sleep 1000 & echo $!; wait");
  spec.standard_output = std::move(pipe.write_end);
  os::Child child = engine.keeper.start(std::move(spec));
  if (!early) {
    test::read_line(pipe.read_end);
    engine.until_started(child);
  }
  os::Child other = child;
  child = os::Child();
  CHECK_FALSE(other.exit());
  other = os::Child();
  CHECK(test::read_all(pipe.read_end).size() < 40);  // ends when both are dead
}

TEST_CASE("many children run side by side") {
  Engine engine;
  constexpr int count = 500;
  std::vector<os::Child> children;
  for (int i = 0; i < count; ++i)
    children.push_back(engine.keeper.start(shell_spec("exit " + std::to_string(i % 200))));
  for (int i = 0; i < count; ++i)
    CHECK(engine.end_of(children[static_cast<std::size_t>(i)]).text() == "exit code " + std::to_string(i % 200));
}

TEST_CASE("of many starts those that nobody wants any more are not made or are undone") {
  const test::TemporaryDir dir;
  Engine engine;
  std::vector<os::Child> children;
  // More than are on their way at once: some of the requests still wait in the engine.
  for (int i = 0; i < 300; ++i) children.push_back(engine.keeper.start(shell_spec("sleep 1000")));
  os::Child last = children.back();
  last.signal(SIGTERM);
  children.clear();
  CHECK(engine.end_of(last).text() == "signal 15 (SIGTERM)");
  os::Child next = engine.keeper.start(shell_spec("exit 3"));
  CHECK(engine.end_of(next).text() == "exit code 3");
}

TEST_CASE("a default-made handle is of no child") {
  os::Child child;
  CHECK(child.pid() == 0);
  CHECK_FALSE(child.exit());
  child.signal(SIGTERM);
  child.kill();
}
