// A package of an index becomes a version, the hash of its wheel, and a verdict, before any of its code is run: only
// wheels can be looked into without that. What was found is kept under the name, the version as written, the index
// settings and the kind of Python:
//
//   refs-v1/<…>.json   {"version", "hash", "at", "classifiers", "keywords", "metadata_files"}
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "venv/internal/origin.hpp"
#include "venv/internal/run_installer.hpp"
#include "venv/internal/scratch.hpp"

namespace venvoy::venv::internal {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using cache::Bucket;
using nlohmann::json;

// In the place of a hash, where there is only a source archive.
constexpr const char* unseen = "source";
constexpr const char* not_looked_into = "no wheel, so it cannot be looked into before its code runs";

// A package as the index has it.
struct Package {
  std::string version;
  std::string hash;  // of its wheel, see distributions.py; or `unseen`
  std::string at;
  contract::PackageFacts facts;
};

std::vector<std::string> texts_in(const json& object, const char* name) {
  std::vector<std::string> texts;
  const auto place = object.find(name);
  if (place == object.end() || !place->is_array()) return texts;
  for (const json& text : *place)
    if (text.is_string()) texts.push_back(text.get<std::string>());
  return texts;
}

std::optional<Package> read_package(const json& object, const std::string& name) {
  Package package;
  package.version = text_in(object, "version");
  package.hash = text_in(object, "hash");
  if (package.version.empty() || package.hash.empty()) return std::nullopt;
  package.at = text_in(object, "at");
  package.facts = {name, package.version, texts_in(object, "classifiers"), texts_in(object, "keywords"),
                   texts_in(object, "metadata_files")};
  return package;
}

std::string to_record(const Package& package) {
  return to_text({{"version", package.version},
                  {"hash", package.hash},
                  {"at", package.at},
                  {"classifiers", package.facts.classifiers},
                  {"keywords", package.facts.keywords},
                  {"metadata_files", package.facts.metadata_files}});
}

class IndexOrigin final : public Origin {
 public:
  IndexOrigin(std::string name, const Package& package) : name_(std::move(name)) {
    kind = "index";
    version = package.version;
    inputs = inputs_of(package);
    facts["package"] = name_;
    facts["version"] = version;
    facts["hash"] = package.hash;
  }

  std::string requirement() const override { return name_ + "==" + version; }
  asio::awaitable<Project> export_project(const Job&, fs::path) const override {
    throw Error(ErrorCode::internal, "a package of the index has no project");
    co_return Project{};
  }
  cache::KeyInputs inputs_of(const Package& package) const {
    return {{"kind", "index"},
            {"distribution", normalised_name(name_)},
            {"version", package.version},
            {"hash", package.hash}};
  }

 private:
  std::string name_;
};

cache::KeyInputs record_inputs(const Job& job, const std::string& version, const Interpreter& python) {
  cache::KeyInputs inputs = {{"kind", "index"},    {"name", normalised_name(job.reference.name)},
                             {"version", version}, {"python", python.version},
                             {"abi", python.abi},  {"platform", python.platform}};
  for (auto& input : index_inputs(job.settings)) inputs.push_back(std::move(input));
  return inputs;
}

// Brings the wheel and reads what it says of itself.
asio::awaitable<Package> look_into(const Job& job, std::string requirement, Interpreter python, fs::path scratch) {
  const auto installer = co_await job.installers.choose(job.settings.installer, job.logger, job.cancel);
  const fs::path environment = scratch / "venv", output = scratch / "wheel";
  const std::vector<Command> commands = installer->make_environment(python.program, environment);
  for (const Command& command : commands) {
    InstallerRun make;
    make.command = command;
    make.installer = installer->name();
    make.trouble = "error creating venv for";
    make.temporary = scratch;
    co_await run_installer(job, std::move(make));
  }
  InstallerRun fetch;
  fetch.command = installer->fetch_wheel(environment, requirement, output, job.settings);
  fetch.installer = installer->name();
  fetch.temporary = scratch;
  co_await run_installer(job, fetch);
  const json found = co_await list_distributions(job, python.program, output);
  auto package = found.size() == 1 ? read_package(found.front(), job.reference.name) : std::nullopt;
  if (!package) throw Error(ErrorCode::install, fmt::format("the wheel of {} holds no sensible metadata", job.shown));
  package->at = time_text(job.services.clock->wall());
  co_return *package;
}

// A package without a wheel may be installed if the user has said that its code may run; but which version, he must
// say.
Package source_only(const std::string& version) {
  Package package;
  package.version = version;
  package.hash = unseen;
  return package;
}

asio::awaitable<Package> ask_index(const Job& job, source::IndexRef reference, Interpreter python) {
  Stage stage(job, Progress::Kind::resolve_started, Progress::Kind::resolve_finished);
  const std::string requirement = job.reference.name + (reference.version.empty() ? "" : "==" + reference.version);
  std::function<asio::awaitable<Package>(fs::path)> look = [&](fs::path scratch) {
    return look_into(job, requirement, python, std::move(scratch));
  };
  try {
    Package package = co_await with_scratch<Package>(job, look);
    stage.done(package.version);
    co_return package;
  } catch (Error& error) {
    if (error.code() != ErrorCode::install) {
      stage.failed(error);
      throw;
    }
    if (!is_excused(job) || reference.version.empty()) {
      const std::string more = error.hint().empty() ? "" : "\n";
      error.with_hint(error.hint() + more +
                      "packages without a wheel for this Python are refused, since they cannot be looked into before "
                      "their code runs; a git reference to the same code can be, and `overrideModuleCompatibility: "
                      "true` together with name==version installs them unseen");
      stage.failed(error);
      throw;
    }
  }
  stage.done(reference.version);
  co_return source_only(reference.version);
}

contract::Verdict judge(const Job& job, const Package& package) {
  if (package.hash == unseen) return {contract::Verdict::Kind::missing, not_looked_into};
  return job.contract.judge_package(package.facts);
}

}  // namespace

asio::awaitable<OriginPtr> find_index_origin(const Job& job, source::IndexRef reference) {
  const Interpreter python = co_await job.interpreters.find(job.settings.python_path, job.cancel);
  const std::string record = name_of(record_inputs(job, reference.version, python)) + ".json";
  using Known = std::optional<Package>;
  Work<Known> read = [&](const CancelToken&) {
    return read_package(read_json_record(job.services.store, Bucket::refs, record), job.reference.name);
  };
  const Known known = co_await os::on_pool<Known>(job.services.pool, job.cancel, std::move(read));
  const bool ask = !known || job.renew;
  // Even without the network an installer would be run to find out.
  if (ask && job.look_only)
    throw Error(ErrorCode::unresolvable, fmt::format("no index has been asked for {} yet", job.shown));
  if (known && !ask && reference.version.empty())
    job.logger.info(
        "package '{}' means version {} since {}; modulePullPolicy Always or `venvoy cache pull` looks again",
        job.reference.name, known->version, known->at);
  Package package = known.value_or(Package());
  if (ask) {
    Package asked = co_await ask_index(job, reference, python);
    package = std::move(asked);
  }
  auto origin = std::make_unique<IndexOrigin>(job.reference.name, package);
  origin->resolution = plan_resolution(job.settings.dependency_resolution, {}, job.shown);
  if (ask) origin->meaning = Meaning{record, to_record(package)};
  if (ask && known && origin->inputs_of(*known) != origin->inputs)
    origin->superseded = Origin::Former{origin->inputs_of(*known), origin->resolution};
  enforce(job, judge(job, package), job.reference.name, "package " + origin->requirement());
  co_return OriginPtr(std::move(origin));
}

}  // namespace venvoy::venv::internal
