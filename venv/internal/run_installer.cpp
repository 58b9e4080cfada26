#include "venv/internal/run_installer.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "os/on_pool.hpp"

namespace venvoy::venv::internal {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

constexpr std::size_t max_output = 64u << 20;
// Of the output in an error message.
constexpr std::size_t max_tail = 6000;

struct Cause {
  std::string_view sign;  // in the output
  std::string_view hint;
};

constexpr std::string_view no_network =
    "the package index could not be reached: check the network, its proxy, or `indexUrl` in the configuration; what is "
    "installed already runs without it";
constexpr std::string_view no_login =
    "the package index wants a login: write it into netrc, or into the address of the index in the installer's own "
    "configuration or variables";
constexpr std::string_view no_match =
    "a package, or this version of it, is not on the index for this Python: correct its name or version, or choose "
    "another interpreter with `pythonPath`";
constexpr std::string_view no_backend =
    "the build backend that its pyproject.toml names cannot be imported: it must be listed in [build-system] requires";
constexpr std::string_view other_python =
    "choose an interpreter that fits the package with `pythonPath` in the Python deployer's configuration";

// The first one counts: where there is no network, nothing is found on the index either.
constexpr Cause causes[] = {
    {"Temporary failure in name resolution", no_network},
    {"Name or service not known", no_network},
    {"Failed to establish a new connection", no_network},
    {"Network is unreachable", no_network},
    {"error sending request for url", no_network},
    {"HTTP status server error", no_network},
    {"Max retries exceeded with url", no_network},
    {"Read timed out", no_network},
    {"ReadTimeoutError", no_network},
    {"HTTP error 5", no_network},
    {"lack of valid authentication credentials", no_login},
    {"the network was disabled",
     "it was to be installed without network, and not everything it needs is in the installer's cache"},
    {"requires a different Python", other_python},
    {"the requested Python version", other_python},
    {"ensurepip is not available", "install the Python's venv module (on Debian: apt install python3-venv), or uv"},
    {"No module named ensurepip", "install the Python's venv module (on Debian: apt install python3-venv), or uv"},
    {"No module named venv", "install the Python's venv module (on Debian: apt install python3-venv), or uv"},
    {"BackendUnavailable", no_backend},
    {"doesn't declare it as a build dependency", no_backend},
    {"No matching distribution found", no_match},
    {"No solution found", no_match},
};

constexpr std::string_view full_disk_signs[] = {"No space left on device", "Disk quota exceeded"};

bool tells_of_full_disk(std::string_view text) {
  return std::any_of(std::begin(full_disk_signs), std::end(full_disk_signs),
                     [&](std::string_view sign) { return text.find(sign) != std::string_view::npos; });
}

constexpr const char* make_room =
    "make room, for instance with `venvoy cache prune`, or choose another `workdir` in the configuration; nothing "
    "half-made was left behind";

const Cause* cause_of(std::string_view output) {
  const auto* const found = std::find_if(std::begin(causes), std::end(causes), [&](const Cause& cause) {
    return output.find(cause.sign) != std::string_view::npos;
  });
  return found == std::end(causes) ? nullptr : found;
}

std::string_view hint_of(const Cause* cause) {
  if (cause) return cause->hint;
  return "the output above is that of the plugin's own build or of its dependencies: choose another version of it, or "
         "tell its author";
}

ErrorCode code_of(const Cause* cause) {
  if (!cause) return ErrorCode::install;
  if (cause->hint == no_login) return ErrorCode::authentication;
  return cause->hint == no_network ? ErrorCode::network : ErrorCode::install;
}

// Installers get the engine's environment (spec/workflow.md 8.8) but for what would let packages from elsewhere pass
// for installed ones. They cannot ask anybody: no terminal, no standard input.
os::Environment environment_for(const Job& job, const InstallerRun& run) {
  os::Environment environment = job.services.environment;
  for (const char* name : {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "SOURCE_DATE_EPOCH"})
    os::unset_variable(environment, name);
  os::set_variable(environment, "GIT_TERMINAL_PROMPT", "0");
  os::set_variable(environment, "TMPDIR", run.temporary.string());
  // With its own three tries a server that says nothing would be waited for two minutes.
  if (!os::get_variable(environment, "UV_HTTP_RETRIES")) os::set_variable(environment, "UV_HTTP_RETRIES", "2");
  for (const auto* const more : {&run.command.environment, &run.environment})
    for (const std::string& variable : *more) {
      const auto equals = variable.find('=');
      os::set_variable(environment, variable.substr(0, equals), variable.substr(equals + 1));
    }
  return environment;
}

void log_output(const Job& job, const InstallerRun& run, const os::ProgramResult& result) {
  if (!trim(result.output).empty()) job.logger.debug("{} stdout: {}", run.installer, trim(result.output));
  if (!trim(result.error_tail).empty()) job.logger.debug("{} stderr: {}", run.installer, trim(result.error_tail));
}

}  // namespace

Error install_error(const InstallerRun& run, const std::string& reference, const os::ProgramResult& result) {
  const std::string_view said = trim(result.error_tail).empty() ? trim(result.output) : trim(result.error_tail);
  const std::string end = to_valid_utf8(tail(said, max_tail));
  const bool full_disk = tells_of_full_disk(said);
  std::string message = fmt::format("{} {} ({})", run.trouble, reference, result.exit.text());
  if (!end.empty()) message += fmt::format(", {} says:\n{}", run.installer, end);
  const Cause* const cause = cause_of(said);
  Error error(full_disk ? ErrorCode::environment : code_of(cause), std::move(message));
  error.with_hint(full_disk ? std::string(make_room) : std::string(hint_of(cause)));
  return error;
}

void explain_full_disk(Error& error, const fs::path& store) {
  if (!error.hint().empty() || !tells_of_full_disk(error.message())) return;
  error.with_hint(fmt::format("the store is in '{}': {}", store.string(), make_room));
}

asio::awaitable<void> run_installer(const Job& job, InstallerRun run) {
  os::ProgramSpec spec;
  spec.program = run.command.program;
  spec.arguments = run.command.arguments;
  spec.environment = environment_for(job, run);
  // No project's configuration lies there, and nobody but root can put one there.
  spec.working_directory = "/";
  os::ProgramLimits limits;
  limits.max_output = max_output;
  job.logger.debug("running {} {}", spec.program.string(), fmt::join(spec.arguments, " "));
  const os::ProgramResult result = co_await os::run_program(job.services.keeper, std::move(spec), limits, job.cancel);
  log_output(job, run, result);
  if (!result.exit.ok()) throw install_error(run, job.shown, result);
}

asio::awaitable<nlohmann::json> list_distributions(const Job& job, fs::path python, fs::path folder) {
  Work<fs::path> find_script = [](const CancelToken&) { return os::find_support_file("distributions.py"); };
  const fs::path script = co_await os::on_pool<fs::path>(job.services.pool, job.cancel, std::move(find_script));
  os::ProgramSpec spec;
  spec.program = std::move(python);
  spec.arguments = {"-I", "-S", script.string(), folder.string()};
  spec.environment = job.services.environment;
  spec.working_directory = "/";
  os::ProgramLimits limits;
  limits.max_output = max_output;
  const os::ProgramResult result = co_await os::run_program(job.services.keeper, std::move(spec), limits, job.cancel);
  nlohmann::json list = nlohmann::json::parse(result.output, nullptr, false);
  if (!result.exit.ok() || !list.is_array())
    throw Error(ErrorCode::install, fmt::format("the packages of {} could not be listed ({}):\n{}", job.shown,
                                                result.exit.text(), trim(tail(result.error_tail, max_tail))));
  co_return list;
}

}  // namespace venvoy::venv::internal
