// Real repositories, a real server and a fresh mirror for the tests of this folder.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "os/fd.hpp"
#include "source/git_mirror.hpp"
#include "source/transport.hpp"
#include "support/temporary_dir.hpp"

namespace venvoy::source::test {

namespace fs = std::filesystem;

// Runs a program to its end and returns its standard output without the last line end. Throws if it fails.
std::string run(const std::vector<std::string>& command, const fs::path& directory,
                const std::vector<std::string>& more_environment = {});

// Another process that runs one of this program's own hidden test cases; killed by the destructor if it still runs.
class SecondProcess {
 public:
  SecondProcess(const std::string& test_case, const std::vector<std::string>& environment);
  ~SecondProcess();
  SecondProcess(const SecondProcess&) = delete;
  SecondProcess& operator=(const SecondProcess&) = delete;
  void kill_hard();
  bool succeeds();  // waits

 private:
  pid_t pid_ = 0;
  os::Fd standard_input_, standard_output_;
};

void write_file(const fs::path& path, std::string_view contents);
std::string read_file(const fs::path& path);

// A work tree in which the `git` program makes commits with fixed names and dates.
class TestRepository {
 public:
  // An empty one, or a copy.
  explicit TestRepository(fs::path path);
  TestRepository(fs::path path, const TestRepository& original);
  const fs::path& path() const noexcept { return path_; }
  std::string url() const { return "file://" + path_.string(); }
  std::string git(std::vector<std::string> arguments) const;
  // Writes a file, commits everything and returns the commit's id. Each commit is a minute later than the last.
  std::string commit(const std::string& file, std::string_view contents);
  std::string commit_all(const std::string& message);
  std::string head() const { return git({"rev-parse", "HEAD"}); }

 private:
  fs::path path_;
  mutable int minute_ = 0;
};

// tests/support/git_http_server.py, ended by the destructor.
class TestServer {
 public:
  // With a file of key and certificate it speaks TLS on a second port.
  TestServer(const fs::path& root, const fs::path& log, const fs::path& pem = {});
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;
  int port() const noexcept { return port_; }
  int tls_port() const noexcept { return tls_port_; }
  std::string url(std::string_view mode, std::string_view repository) const;
  std::vector<std::string> requests() const;
  // Requests for objects, the ones that cost something.
  int posts() const;
  void stop();

 private:
  fs::path log_;
  os::Fd standard_input_;
  pid_t pid_ = 0;
  int port_ = 0;
  int tls_port_ = 0;
};

// One repository with branches, tags and some history; a server; a place for mirrors.
//
//   first (tag v0.1, annotated) - second (tag light) - third (main)
//                                        \ side (side)
struct World {
  World();
  venvoy::test::TemporaryDir directory;
  TestRepository repository;
  std::string first, second, third, side;

  // Started when first asked for.
  TestServer& server() const;
  std::string url(std::string_view mode) const { return server().url(mode, "repository/.git"); }
  GitMirror mirror(const std::string& url, const std::string& name = "mirror") const;
  // Short time-outs, and an environment without anything of the user.
  Transport transport() const;

 private:
  mutable std::once_flag start_;
  mutable std::unique_ptr<TestServer> server_;
};

CommitId id(const std::string& text);

// The message of the Error that `work` throws; "" if none.
std::string error_of(const std::function<void()>& work);

}  // namespace venvoy::source::test
