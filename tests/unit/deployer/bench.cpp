#include "bench.hpp"

#include <fstream>
#include <unistd.h>

#include "deployer/exec_launcher.hpp"
#include "support/catch.hpp"

namespace venvoy::deployer::test {

namespace asio = boost::asio;

void LogLines::write(LogLevel, std::string_view, std::string_view message) {
  const std::lock_guard lock(mutex_);
  lines_.emplace_back(message);
}

bool LogLines::has(std::string_view text) const {
  const std::lock_guard lock(mutex_);
  for (const std::string& line : lines_)
    if (line.find(text) != std::string::npos) return true;
  return false;
}

Bench::Bench() : store(cache::Store::open({.workdir = folder / "work", .uid = ::geteuid()})) {}

Bench::~Bench() {
  pool.join();
}

void Bench::turn() {
  io.restart();
  io.run();
}

void Bench::close(PluginProcess& process) {
  asio::co_spawn(io, process.close(), [this](std::exception_ptr) { io.stop(); });
  turn();
}

LaunchRequest Bench::request_in(const std::filesystem::path& where) const {
  LaunchRequest request;
  request.python = "/usr/bin/python3";
  request.module = "plugin";
  request.arguments = {"--atp"};
  request.working_directory = where;
  request.environment = os::current_environment();
  os::set_variable(request.environment, "PYTHONPATH", VENVOY_CBOR_MODULE);
  os::set_variable(request.environment, "PYTHONDONTWRITEBYTECODE", "1");
  return request;
}

std::unique_ptr<internal::PythonProcess> Bench::start(std::string_view script, const PythonLimits& limits) {
  cache::WorkDir work = store.make_work_dir();
  std::ofstream(work.path() / "plugin.py") << script;
  ExecLauncher plain(io.get_executor(), keeper, VENVOY_STARTER);
  LaunchRequest request = request_in(work.path());
  request.limits = limits.process;
  Launched launched = run((launcher ? *launcher : plain).launch(std::move(request)));
  const internal::ProcessSurroundings surroundings{io.get_executor(), pool, limits, stderr_logs};
  return std::make_unique<internal::PythonProcess>(surroundings, "plugin", std::move(work), std::move(launched),
                                                   Logger(log));
}

Error Bench::handshake_error(std::string_view script, const PythonLimits& limits) {
  const auto process = start(script, limits);
  try {
    run(process->handshake());
  } catch (const Error& error) {
    return error;
  }
  FAIL("the handshake succeeded");
  return Error(ErrorCode::internal, "");
}

}  // namespace venvoy::deployer::test
