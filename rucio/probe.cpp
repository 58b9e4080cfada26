#include "rucio/probe.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "os/keeper.hpp"
#include "rucio/check.hpp"

namespace venvoy::rucio {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t max_probe_answer = 16u << 20;
constexpr std::chrono::milliseconds grace{500};

// Nothing of the caller's environment but where programs are.
os::Environment clean_environment(const os::Environment& own, const fs::path& folder) {
  os::Environment environment;
  os::set_variable(environment, "PATH", os::get_variable(own, "PATH").value_or("/usr/bin:/bin"));
  for (const char* name : {"HOME", "TMPDIR"}) os::set_variable(environment, name, folder.string());
  os::set_variable(environment, "LANG", "C.UTF-8");
  return environment;
}

json failed(const std::string& kind, const std::string& message) {
  return {{"error", {{"class", kind}, {"message", message}}}};
}

// What an answer is missing: a module that Rucio brings, or Rucio itself.
bool wants_host(const json& answer) {
  if (!answer.contains("error") || !answer["error"].is_object()) return false;
  const std::string kind = answer["error"].value("class", "");
  return kind == "ModuleNotFoundError" || kind == "ImportError";
}

}  // namespace

json ask_package(Workshop& workshop, const Package& package, const ProbePlace& place, const Question& question,
                 const ProbeLimits& limits) {
  const fs::path folder = workshop.new_folder();
  json request = question.more;
  request["question"] = question.name;
  request["module"] = package.module;
  json path = json::array({(place.root / fs::path(package.folder).parent_path()).lexically_normal().string()});
  for (const fs::path& root : package.dependency_roots)
    if (root != place.root) path.push_back(root.string());
  request["own_folders"] = 1;
  if (place.host)
    for (const fs::path& root : place.host->roots) path.push_back(root.string());
  request["path"] = path;
  request["has_host"] = place.host != nullptr;
  request["host"] = host_facts(place.version);
  request["vo"] = question.audience.vo;
  request["multi_vo"] = question.audience.multi_vo;
  request["alias_surl"] = question.alias_surl;
  request["config"] = question.config;
  request["memory"] = limits.memory;
  request["network"] = limits.network;

  os::ProgramSpec spec;
  spec.program = package.python;
  spec.arguments = {"-I", "-B", os::find_support_file("policy_probe.py").string()};
  spec.environment = clean_environment(workshop.process_environment(), folder);
  spec.working_directory = folder;
  spec.input = request.dump(-1, ' ', false, json::error_handler_t::replace);
  os::ProgramLimits program_limits;
  program_limits.timeout = limits.timeout;
  program_limits.grace = grace;
  program_limits.max_output = max_probe_answer;
  os::ProgramResult result;
  try {
    result = workshop.run(std::move(spec), program_limits);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::limit) throw;
    return failed("LimitError", "the answer is longer than 16 MiB");
  }
  if (!trim(result.error_tail).empty())
    workshop.logger().debug("{} said: {}", package.module, to_valid_utf8(trim(result.error_tail)));
  json answer = json::parse(result.output, nullptr, false);
  if (result.timed_out)
    return failed("TimeoutError", fmt::format("there was no answer within {} s", limits.timeout.count() / 1000.0));
  if (answer.is_object()) return answer;
  return failed("ProcessEnded",
                fmt::format("the package has ended the process that asked it ({})", result.exit.text()));
}

json ask_with_host_if_needed(Workshop& workshop, const Package& package, const Question& question,
                             const std::optional<contract::HostVersion>& version, const ProbeLimits& limits) {
  json answer = ask_package(workshop, package, {package.root, nullptr, version}, question, limits);
  if (!version || !wants_host(answer)) return answer;
  try {
    const Host host = find_host(workshop, *version, HostUse::run, package.python);
    return ask_package(workshop, package, {package.root, &host, version}, question, limits);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::cancelled) throw;
    workshop.logger().warning("{} is asked without Rucio {}, which cannot be had", package.module, version->text);
    return answer;
  }
}

}  // namespace venvoy::rucio
