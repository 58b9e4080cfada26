#include "git_fixture.hpp"

#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <spawn.h>
#include <sstream>
#include <stdexcept>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "base/error.hpp"
#include "os/environment.hpp"

namespace venvoy::source::test {
namespace {

struct Started {
  pid_t pid;
  os::Fd standard_input;
  os::Fd standard_output;
};

Started start(const std::vector<std::string>& command, const fs::path& directory,
              const std::vector<std::string>& more_environment) {
  os::Environment environment = os::current_environment();
  for (const std::string& variable : more_environment) {
    const auto equals = variable.find('=');
    os::set_variable(environment, variable.substr(0, equals), variable.substr(equals + 1));
  }
  std::vector<char*> arguments, variables;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  for (const std::string& variable : environment) variables.push_back(const_cast<char*>(variable.c_str()));
  arguments.push_back(nullptr);
  variables.push_back(nullptr);

  os::Pipe in = os::make_pipe();
  os::Pipe out = os::make_pipe();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, directory.c_str());
  posix_spawn_file_actions_adddup2(&actions, in.read_end.get(), 0);
  posix_spawn_file_actions_adddup2(&actions, out.write_end.get(), 1);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), variables.data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("cannot start " + command[0]);
  return {pid, std::move(in.write_end), std::move(out.read_end)};
}

std::string read_all(int descriptor) {
  std::string text;
  char buffer[4096];
  for (ssize_t got; (got = ::read(descriptor, buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(got));
  return text;
}

std::string read_line(int descriptor) {
  std::string text;
  for (char c; ::read(descriptor, &c, 1) == 1 && c != '\n';) text += c;
  return text;
}

// Whoever runs the tests may have a proxy; the server here is not behind it. Before any thread is there.
[[maybe_unused]] const int no_proxy = ::setenv("no_proxy", "127.0.0.1,localhost", 1);

void must_succeed(pid_t pid, const std::vector<std::string>& command) {
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (status == 0) return;
  std::string text = "failed:";
  for (const std::string& word : command) text += " " + word;
  throw std::runtime_error(text);
}

}  // namespace

std::string run(const std::vector<std::string>& command, const fs::path& directory,
                const std::vector<std::string>& more_environment) {
  Started program = start(command, directory, more_environment);
  program.standard_input.reset();
  std::string output = read_all(program.standard_output.get());
  must_succeed(program.pid, command);
  if (!output.empty() && output.back() == '\n') output.pop_back();
  return output;
}

SecondProcess::SecondProcess(const std::string& test_case, const std::vector<std::string>& environment) {
  Started program = start({fs::read_symlink("/proc/self/exe"), test_case}, "/", environment);
  pid_ = program.pid;
  standard_input_ = std::move(program.standard_input);
  standard_output_ = std::move(program.standard_output);
}

SecondProcess::~SecondProcess() {
  kill_hard();
}

void SecondProcess::kill_hard() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(std::exchange(pid_, 0), nullptr, 0);
}

bool SecondProcess::succeeds() {
  read_all(standard_output_.get());
  int status = 0;
  ::waitpid(std::exchange(pid_, 0), &status, 0);
  return status == 0;
}

void write_file(const fs::path& path, std::string_view contents) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << contents;
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TestRepository::TestRepository(fs::path path) : path_(std::move(path)) {
  fs::create_directories(path_);
  git({"init", "-q", "-b", "main"});
}

TestRepository::TestRepository(fs::path path, const TestRepository& original)
    : path_(std::move(path)), minute_(original.minute_) {
  fs::copy(original.path_, path_, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
}

std::string TestRepository::git(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), "git");
  const std::string date = std::to_string(1'700'000'000 + 60 * minute_) + " +0100";
  return run(arguments, path_,
             {"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_AUTHOR_NAME=A U Thor",
              "GIT_AUTHOR_EMAIL=author@example.com", "GIT_COMMITTER_NAME=C O Mitter",
              "GIT_COMMITTER_EMAIL=committer@example.com", "GIT_AUTHOR_DATE=" + date, "GIT_COMMITTER_DATE=" + date});
}

std::string TestRepository::commit(const std::string& file, std::string_view contents) {
  write_file(path_ / file, contents);
  return commit_all("Change " + file);
}

std::string TestRepository::commit_all(const std::string& message) {
  ++minute_;
  git({"add", "-A"});
  git({"commit", "-q", "--allow-empty", "-m", message});
  return head();
}

TestServer::TestServer(const fs::path& root, const fs::path& log, const fs::path& pem) : log_(log) {
  std::vector<std::string> command{"python3", VENVOY_TEST_SUPPORT "/git_http_server.py", root, log};
  if (!pem.empty()) command.push_back(pem);
  Started program = start(command, root, {"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null"});
  pid_ = program.pid;
  standard_input_ = std::move(program.standard_input);
  port_ = std::stoi(read_line(program.standard_output.get()));
  if (!pem.empty()) tls_port_ = std::stoi(read_line(program.standard_output.get()));
}

TestServer::~TestServer() {
  stop();
}

void TestServer::stop() {
  if (pid_ == 0) return;
  standard_input_.reset();
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

std::string TestServer::url(std::string_view mode, std::string_view repository) const {
  return "http://127.0.0.1:" + std::to_string(port_) + "/" + std::string(mode) + "/" + std::string(repository);
}

std::vector<std::string> TestServer::requests() const {
  std::istringstream lines(read_file(log_));
  std::vector<std::string> result;
  for (std::string line; std::getline(lines, line);) result.push_back(line);
  return result;
}

int TestServer::posts() const {
  int count = 0;
  for (const std::string& line : requests()) count += line.starts_with("POST ") ? 1 : 0;
  return count;
}

namespace {

// Made once; every World has a copy.
const TestRepository& model() {
  static const venvoy::test::TemporaryDir directory;
  static const TestRepository repository = [] {
    TestRepository made(directory / "model");
    made.commit("pyproject.toml", "[project]\nname = 'p'\n");
    made.git({"tag", "-a", "-m", "First", "v0.1"});
    made.commit("src/p.py", "print('two')\n");
    made.git({"tag", "light"});
    made.git({"checkout", "-q", "-b", "side"});
    made.commit("side.txt", "side\n");
    made.git({"checkout", "-q", "main"});
    std::string big;
    for (int line = 0; line < 20'000; ++line) big += std::to_string(line * 7919 % 100'003) + "\n";
    made.commit("big.txt", big);
    return made;
  }();
  return repository;
}

}  // namespace

World::World() : repository(directory / "repository", model()) {
  std::istringstream ids(repository.git({"rev-parse", "v0.1^{}", "light", "main", "side"}));
  ids >> first >> second >> third >> side;
  fs::create_directories(directory / "home");
}

TestServer& World::server() const {
  std::call_once(start_, [&] { server_ = std::make_unique<TestServer>(directory.path(), directory / "requests.log"); });
  return *server_;
}

GitMirror World::mirror(const std::string& url, const std::string& name) const {
  return GitMirror(url, directory / (name + ".git"), directory / (name + ".lock"));
}

Transport World::transport() const {
  Transport transport;
  transport.options.connect_timeout = std::chrono::milliseconds(2000);
  transport.options.low_speed_time = std::chrono::milliseconds(700);
  transport.options.environment = {"PATH=" + *os::get_variable(os::current_environment(), "PATH"),
                                   "HOME=" + (directory / "home").string(), "GIT_CONFIG_SYSTEM=/dev/null"};
  return transport;
}

CommitId id(const std::string& text) {
  return CommitId::parse(text).value();
}

std::string error_of(const std::function<void()>& work) {
  try {
    work();
    return {};
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace venvoy::source::test
