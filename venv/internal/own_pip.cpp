#include "venv/internal/own_pip.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "cache/manifest.hpp"
#include "os/files.hpp"
#include "os/on_pool.hpp"
#include "venv/internal/origin.hpp"
#include "venv/internal/run_installer.hpp"

namespace venvoy::venv::internal {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using nlohmann::json;
using SharedTool = std::shared_ptr<cache::Lease>;

// own_pip.py of an interpreter; what it prints. Fails in the words of an environment that cannot be made.
asio::awaitable<std::string> ask_for_pip(const Job& job, fs::path python, std::vector<std::string> arguments,
                                         fs::path scratch) {
  Work<fs::path> find_script = [](const CancelToken&) { return os::find_support_file("own_pip.py"); };
  const fs::path script = co_await os::on_pool<fs::path>(job.services.pool, job.cancel, std::move(find_script));
  os::ProgramSpec spec;
  spec.program = std::move(python);
  spec.arguments = {"-I", script.string()};
  spec.arguments.insert(spec.arguments.end(), arguments.begin(), arguments.end());
  spec.environment = job.services.environment;
  spec.working_directory = "/";
  os::ProgramLimits limits;
  const os::ProgramResult result = co_await os::run_program(job.services.keeper, std::move(spec), limits, job.cancel);
  if (result.exit.ok()) co_return result.output;
  InstallerRun run;
  run.installer = "pip";
  run.trouble = "error creating venv for";
  run.temporary = std::move(scratch);
  const Error error = install_error(run, job.shown, result);
  throw Error(error);
}

cache::Key key_of(const json& pip, const Interpreter& python) {
  cache::KeyBuilder builder;
  builder.add("tool", "pip")
      .add("version", text_in(pip, "version"))
      .add("place", text_in(pip, "place"))
      .add("state", text_in(pip, "state"))
      .add("python", python.real_path.string())
      .add("python-inode", std::to_string(python.inode))
      .add("python-modified", std::to_string(python.modified))
      .add("python-version", python.version)
      .add("python-implementation", python.implementation)
      .add("python-abi", python.abi);
  return builder.finish();
}

// Others may have been faster; then theirs is the one.
SharedTool keep_pip(const Job& job, const json& pip, const Interpreter& python, const cache::Key& key,
                    const fs::path& copy, const CancelToken& cancel) {
  cache::Staging staging = job.services.store.stage_tool(key, cancel);
  fs::rename(copy, staging.path() / copy.filename());
  cache::Manifest manifest;
  manifest.details = {{"tool", "pip"},
                      {"version", text_in(pip, "version")},
                      {"place", text_in(pip, "place")},
                      {"python", python.real_path.string()}};
  return std::make_shared<cache::Lease>(staging.publish(manifest));
}

asio::awaitable<SharedTool> copy_pip(const Job& job, json pip, Interpreter python, cache::Key key, fs::path scratch) {
  const fs::path folder = scratch / "own";
  std::vector<std::string> arguments = {text_in(pip, "place"), text_in(pip, "state"), folder.string()};
  co_await ask_for_pip(job, python.program, std::move(arguments), scratch);
  Work<SharedTool> keep = [&](const CancelToken& cancel) {
    return keep_pip(job, pip, python, key, folder / "pip", cancel);
  };
  SharedTool tool = co_await os::on_pool<SharedTool>(job.services.pool, job.cancel, std::move(keep));
  co_return tool;
}

}  // namespace

asio::awaitable<SharedTool> lease_own_pip(const Job& job, Interpreter python, fs::path scratch) {
  std::vector<std::string> none;
  const std::string answer = co_await ask_for_pip(job, python.program, std::move(none), scratch);
  const json pip = json::parse(answer, nullptr, false);
  if (!pip.is_object()) throw Error(ErrorCode::install, "own_pip.py does not say where pip is");
  const cache::Key key = key_of(pip, python);
  Work<SharedTool> look = [&](const CancelToken&) -> SharedTool {
    auto lease = job.services.store.lease_tool(key);
    return lease ? std::make_shared<cache::Lease>(std::move(*lease)) : nullptr;
  };
  SharedTool tool = co_await os::on_pool<SharedTool>(job.services.pool, job.cancel, std::move(look));
  if (!tool) tool = co_await copy_pip(job, pip, python, key, scratch);
  co_return tool;
}

}  // namespace venvoy::venv::internal
