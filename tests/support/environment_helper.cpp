// A second engine for tests. It gets one environment, tells of it in one line, and keeps it until its input ends.
//
//   environment-helper WORKDIR uv|pip IfNotPresent|Always REFERENCE
//
// "built GENERATION PYTHON BUILDS" or "reused GENERATION PYTHON BUILDS", or "error: MESSAGE".
#include <csignal>
#include <iostream>
#include <optional>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <fmt/format.h>

#include "base/error.hpp"
#include "contract/plugin_contract.hpp"
#include "venv/environments.hpp"

namespace {

using namespace venvoy;
namespace asio = boost::asio;

struct Engine {
  explicit Engine(const std::string& workdir)
      : store(cache::Store::open({.workdir = workdir, .uid = geteuid()})),
        git(io.get_executor(), pool, keeper, git_options()),
        environments(venv::Services{io.get_executor(), pool, keeper, git, store}) {}
  ~Engine() { pool.join(); }

  source::GitSourceOptions git_options() const {
    source::GitSourceOptions options;
    options.mirrors = store.bucket(cache::Bucket::git);
    options.locks = store.bucket(cache::Bucket::lock);
    return options;
  }

  venv::ReadyEnvPtr get(const std::string& reference, const venv::Settings& settings) {
    std::exception_ptr failure;
    venv::ReadyEnvPtr result;
    asio::co_spawn(io, environments.get(source::parse_module_ref(reference), contract, settings, {}),
                   [&](std::exception_ptr thrown, venv::ReadyEnvPtr ready) {
                     failure = thrown;
                     result = std::move(ready);
                     io.stop();
                   });
    io.run();
    if (failure) std::rethrow_exception(failure);
    return result;
  }

  asio::io_context io;
  asio::thread_pool pool{2};
  os::Keeper keeper{io.get_executor()};
  cache::Store store;
  source::GitSource git;
  contract::PluginContract contract;
  venv::Environments environments;
};

std::string one_line(std::string text) {
  for (char& c : text)
    if (c == '\n') c = ' ';
  return text;
}

}  // namespace

int main(int, char** argv) try {
  std::signal(SIGPIPE, SIG_IGN);
  venv::Settings settings;
  settings.python_path = "/usr/bin/python3";
  settings.installer = argv[2] == std::string("uv") ? venv::InstallerChoice::uv : venv::InstallerChoice::pip;
  settings.pull_policy = argv[3] == std::string("Always") ? venv::PullPolicy::always : venv::PullPolicy::if_not_present;
  Engine engine(argv[1]);
  const venv::ReadyEnvPtr ready = engine.get(argv[4], settings);
  std::cout << fmt::format("{} {} {} {}", ready->built_now ? "built" : "reused", ready->lease.generation(),
                           ready->python.string(), engine.store.statistics().builds)
            << std::endl;
  std::cin.get();
  return 0;
} catch (const std::exception& error) {
  std::cout << "error: " << one_line(error.what()) << std::endl;
  return 1;
}
