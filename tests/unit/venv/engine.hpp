// An engine with environments, and places for tests that need one or several of them.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/progress.hpp"
#include "contract/plugin_contract.hpp"
#include "os/keeper.hpp"
#include "plugin_project.hpp"
#include "support/catch.hpp"
#include "unit/source/git_fixture.hpp"
#include "venv/environments.hpp"

namespace venvoy::test {

namespace fs = std::filesystem;
using source::test::read_file;
using source::test::run;
using source::test::TestRepository;
using source::test::write_file;

// Keeps log lines, as "info: text".
class LogLines final : public LogSink {
 public:
  bool enabled(LogLevel) const noexcept override { return true; }
  void write(LogLevel level, std::string_view, std::string_view message) override;
  // Whether a line holds all of the texts.
  bool has(const std::vector<std::string>& texts) const;
  std::string all() const;
  void clear();

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

class Events final : public ProgressSink {
 public:
  void progress(const Progress& progress) override { events.push_back(progress); }
  // "resolve_started resolve_finished(ok) …", without fetch_progress.
  std::string text() const;
  std::vector<Progress> events;
};

// A directory in memory where there is a file system for that: many environments are built here, and each is flushed.
class Place {
 public:
  Place();
  ~Place();
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  const fs::path& path() const noexcept { return path_; }
  fs::path operator/(const fs::path& name) const { return path_ / name; }

 private:
  fs::path path_;
};

class SteppedClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point monotonic() const override { return {}; }
  WallTime wall() const override { return now; }
  WallTime now = WallTime(std::chrono::hours(24 * 365 * 50));
};

// What the tests ask for, unless they say otherwise: one known Python, and uv, which is quick. A missing uv is an
// error.
venv::Settings uv_settings();
venv::Settings pip_settings();
// The tests' environment variables, with a cache of uv that is theirs, and without the user's configuration.
os::Environment test_environment();

// One engine on the store of a work directory. Several may live side by side, as if they were processes.
struct Engine {
  explicit Engine(const fs::path& workdir, os::Environment environment = test_environment());
  ~Engine();

  venv::ReadyEnvPtr get(const std::string& reference, const venv::Settings& settings = uv_settings(),
                        venv::GetContext context = {});
  // The Error that get() throws; the test fails if there is none.
  Error error_of(const std::string& reference, const venv::Settings& settings = uv_settings(),
                 venv::GetContext context = {});
  // Begins a get(); the loop has to be turned for it.
  struct Call {
    bool ended = false;
    venv::ReadyEnvPtr result;
    std::optional<Error> error;
  };
  std::shared_ptr<Call> begin(const std::string& reference, const venv::Settings& settings = uv_settings(),
                              venv::GetContext context = {});
  void turn_until(const std::function<bool()>& done);

  // Before the loop: with it end the calls that are under way, which still tell them how.
  std::shared_ptr<LogLines> log = std::make_shared<LogLines>();
  Events events;
  SteppedClock clock;
  boost::asio::io_context io;
  boost::asio::thread_pool pool{3};
  os::Keeper keeper{io.get_executor()};
  cache::Store store;
  source::GitSource git;
  contract::PluginContract contract;
  venv::Environments environments;
};

// A repository with a plugin in it.
class PluginRepository : public TestRepository {
 public:
  explicit PluginRepository(const fs::path& path, const PluginProject& project = {});
  // Writes the project over what is there and commits it.
  std::string commit_project(const PluginProject& project);
  // "test-plugin@git+file://…@version#…"
  std::string reference(const std::string& version = {}, const std::string& fragment = {}) const;

  std::string name;
  std::string first;  // commit
};

// What `python -m module` prints in the environment.
std::string output_of(const venv::ReadyEnv& environment);

// Whether the store holds nothing half-made: no generation without ready.json, no work directory but empty ones.
bool is_clean(const fs::path& workdir);

// Directories of ready generations.
std::vector<fs::path> generations_in(const fs::path& workdir);

}  // namespace venvoy::test
