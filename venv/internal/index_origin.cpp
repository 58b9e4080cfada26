// A package of an index becomes a version, the hash of its wheel, and a verdict, before any of its code is run: only
// wheels can be looked into without that. What was found is kept under the name, the version as written, the index
// settings and the kind of Python:
//
//   refs-v1/<…>.json   {"version", "hash", "at", "classifiers", "keywords", "metadata_files", "released"}
//
// or {"needs"}, the Pythons that it runs on, if this one is none of them.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "venv/internal/origin.hpp"
#include "venv/internal/own_pip.hpp"
#include "venv/internal/run_installer.hpp"
#include "venv/internal/scratch.hpp"
#include "venv/internal/steered_run.hpp"

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
  std::optional<std::int64_t> released;  // see time_of_release()
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
  if (const auto time = object.find("released"); time != object.end() && time->is_number_integer())
    package.released = time->get<std::int64_t>();
  package.facts = {name, package.version, texts_in(object, "classifiers"), texts_in(object, "keywords"),
                   texts_in(object, "metadata_files")};
  return package;
}

std::string to_record(const Package& package) {
  json record = {{"version", package.version},
                 {"hash", package.hash},
                 {"at", package.at},
                 {"classifiers", package.facts.classifiers},
                 {"keywords", package.facts.keywords},
                 {"metadata_files", package.facts.metadata_files}};
  if (package.released) record["released"] = *package.released;
  return to_text(record);
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

// When this version came to the index. Without an answer there is no date to choose dependencies by.
asio::awaitable<std::optional<std::int64_t>> ask_for_time(const Job& job, const Installer& installer,
                                                          std::string version, std::optional<IndexPlaces> places) {
  using Time = std::optional<std::int64_t>;
  if (job.settings.dependency_resolution == DependencyResolution::newest || job.settings.offline) co_return Time();
  if (!places) {
    IndexPlaces found = co_await places_of_uv(job, installer);
    places = std::move(found);
  }
  Work<Time> ask = [&](const CancelToken& cancel) -> Time {
    try {
      PackageIndexes indexes(*places, job.services.environment, cancel);
      return time_of_release(indexes.files_of(normalised_name(job.reference.name)), version);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::cancelled) throw;
      job.logger.debug("{}: {}", job.shown, error.message());
      return std::nullopt;
    }
  };
  const Time time = co_await os::on_pool<Time>(job.services.pool, job.cancel, std::move(ask));
  if (!time) job.logger.warning("{}: the package index does not say when version {} was uploaded", job.shown, version);
  co_return time;
}

// Of what an installer says when a version is not for this Python: which ones it needs. Empty if it is not about that.
std::string python_needed(const std::string& message, const std::string& version) {
  const auto between = [&](const std::string& start, std::string_view end) -> std::string {
    const std::size_t place = message.find(start);
    if (place == std::string::npos) return {};
    const std::size_t from = place + start.size();
    const std::size_t to = std::min({message.find(end, from), message.find('\n', from), message.size()});
    return std::string(trim(std::string_view(message).substr(from, to - from)));
  };
  const std::string by_uv = between("does not satisfy Python", " and ");
  return by_uv.empty() ? between(version + " Requires-Python ", ";") : by_uv;
}

// Brings the wheel and reads what it says of itself.
asio::awaitable<Package> look_into(const Job& job, std::string requirement, Interpreter python, fs::path scratch) {
  const auto installer = co_await job.installers.choose(job.settings.installer, job.logger, job.cancel);
  const fs::path output = scratch / "wheel";
  std::shared_ptr<cache::Lease> tools;
  if (installer->needs_tools()) tools = co_await lease_own_pip(job, python, scratch);
  const Target target{scratch / "venv", python.program, tools ? tools->path() : fs::path()};
  InstallerRun make;
  make.command = installer->make_environment(target);
  make.installer = installer->name();
  make.trouble = "error creating venv for";
  make.temporary = scratch;
  co_await run_installer(job, std::move(make));
  SteeredRun fetch;
  fetch.run.temporary = scratch;
  fetch.target = target;
  fetch.command = [&](const Steering& steering) {
    return installer->fetch_wheel(target, requirement, output, job.settings, steering);
  };
  std::optional<IndexPlaces> places;
  co_await run_steered(job, *installer, std::move(fetch), places);
  const json found = co_await list_distributions(job, python.program, output);
  auto package = found.size() == 1 ? read_package(found.front(), job.reference.name) : std::nullopt;
  if (!package) throw Error(ErrorCode::install, fmt::format("the wheel of {} holds no sensible metadata", job.shown));
  package->at = time_text(job.services.clock->wall());
  package->released = co_await ask_for_time(job, *installer, package->version, std::move(places));
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

// A package, an interpreter for it, and what is known of both.
struct IndexSearch {
  const Job& job;
  source::IndexRef reference;
  PythonRequirement needs = {};
  Interpreter python = {};
  std::string record = {};
  std::optional<Package> known = std::nullopt;

  asio::awaitable<void> look() {
    InterpreterWish wish{job.settings.python_path, needs, job.shown,
                         Logger()};  // it is told when it is chosen for good
    python = co_await job.interpreters.find(std::move(wish), job.cancel);
    record = name_of(record_inputs(job, reference.version, python)) + ".json";
    Work<json> read = [this](const CancelToken&) { return read_json_record(job.services.store, Bucket::refs, record); };
    const json found = co_await os::on_pool<json>(job.services.pool, job.cancel, std::move(read));
    known = read_package(found, job.reference.name);
    const std::string needed = text_in(found, "needs");
    if (needed.empty() || !needs.text.empty() || job.renew) co_return;
    needs = PythonRequirement{needed, "the package's metadata"};
    co_await look();
  }

  // Asks the index, and once more with another interpreter if the version is not for the first one.
  asio::awaitable<Package> ask() {
    std::optional<Error> failure;
    try {
      Package package = co_await ask_index(job, reference, python);
      co_return package;
    } catch (const Error& error) {
      failure = error;
    }
    const std::string needed = python_needed(failure->message(), reference.version);
    if (needed.empty() || !needs.text.empty() || reference.version.empty()) throw Error(*failure);
    Work<bool> note = [this, &needed](const CancelToken&) {
      const json facts = {{"needs", needed}};
      job.services.store.write_record(Bucket::refs, record, to_text(facts));
      return true;
    };
    co_await os::on_pool<bool>(job.services.pool, job.cancel, std::move(note));
    needs = PythonRequirement{needed, "the package's metadata"};
    co_await look();
    Package package = co_await ask_index(job, reference, python);
    co_return package;
  }

  // A name alone means the newest of everything, unless the configuration says otherwise.
  Resolution resolution_of(const Package& package) const {
    const bool by_name = reference.version.empty();
    const DependencyResolution setting = job.settings.dependency_resolution;
    SourceFacts facts;
    if (!by_name || setting == DependencyResolution::as_of_commit) facts.time = package.released;
    return plan_resolution(setting, std::move(facts), job.shown);
  }

  asio::awaitable<OriginPtr> run() {
    co_await look();
    const bool renews = !known || job.renew;
    // Even without the network an installer would be run to find out.
    if (renews && job.look_only)
      throw Error(ErrorCode::unresolvable, fmt::format("no index has been asked for {} yet", job.shown));
    if (known && !renews && reference.version.empty())
      job.logger.info(
          "package '{}' means version {} since {}; modulePullPolicy Always or `venvoy cache pull` looks again",
          job.reference.name, known->version, known->at);
    Package package = known.value_or(Package());
    if (renews) {
      Package asked = co_await ask();
      package = std::move(asked);
    }
    auto origin = std::make_unique<IndexOrigin>(job.reference.name, package);
    origin->resolution = resolution_of(package);
    origin->needs = needs;
    if (renews) origin->meaning = Meaning{record, to_record(package)};
    if (renews && known && origin->inputs_of(*known) != origin->inputs)
      origin->superseded = Origin::Former{origin->inputs_of(*known), resolution_of(*known)};
    enforce(job, judge(job, package), job.reference.name, "package " + origin->requirement());
    co_return OriginPtr(std::move(origin));
  }
};

}  // namespace

asio::awaitable<OriginPtr> find_index_origin(const Job& job, source::IndexRef reference) {
  IndexSearch search{job, std::move(reference)};
  OriginPtr origin = co_await search.run();
  co_return origin;
}

}  // namespace venvoy::venv::internal
