// Where the code of a reference comes from, once that is known to the last bit, and once it is known that it may run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <nlohmann/json.hpp>

#include "venv/internal/job.hpp"
#include "venv/internal/resolution.hpp"
#include "venv/python_requirement.hpp"

namespace venvoy::venv::internal {

// A source tree to build a wheel of.
struct Project {
  std::filesystem::path folder;
  // When its commit was made, in seconds since 1970; nothing if it has no date.
  std::optional<std::int64_t> time;
};

// What a movable reference means, written down when its environment is there: a first pull that fails has pinned
// nothing.
struct Meaning {
  std::string record;    // name in the bucket refs
  std::string contents;  // one JSON object
};

class Origin {
 public:
  virtual ~Origin() = default;

  std::string kind;                                 // "git", "index" or "path"
  std::string version;                              // full commit, version, or tree hash
  cache::KeyInputs inputs;                          // its part of the keys of environments and wheels
  nlohmann::json facts = nlohmann::json::object();  // for the manifest
  std::optional<Meaning> meaning;
  // How the versions of its dependencies are chosen.
  Resolution resolution;
  PythonRequirement needs;  // the Python that it says it needs
  // What the reference meant before, if that is something else by now.
  struct Former {
    cache::KeyInputs inputs;
    Resolution resolution;
  };
  std::optional<Former> superseded;

  // What the installer takes: of packages of the index; the others have a project.
  virtual std::string requirement() const { return {}; }
  // The text of the lock file that `resolution` names.
  virtual boost::asio::awaitable<std::string> lock_text(const Job& job) const;
  // Puts the project into a folder that is not there yet.
  virtual boost::asio::awaitable<Project> export_project(const Job& job, std::filesystem::path target) const = 0;
};

using OriginPtr = std::unique_ptr<Origin>;

// Each looks up what the reference means, asks the contract, and throws its refusal as an Error (contract_missing,
// contract_unreadable). With everything in the store nothing else is asked. The job outlives the coroutine.
boost::asio::awaitable<OriginPtr> find_git_origin(const Job& job, source::GitRef reference);
boost::asio::awaitable<OriginPtr> find_index_origin(const Job& job, source::IndexRef reference);
boost::asio::awaitable<OriginPtr> find_local_origin(const Job& job, source::LocalRef reference);
// A wheel that somebody has built: a path to a file `*.whl`.
boost::asio::awaitable<OriginPtr> find_wheel_origin(const Job& job, source::LocalRef reference);
bool is_wheel_file(const source::LocalRef& reference);

// Throws the refusal unless the verdict is good, or the settings let the reference pass, which is then a warning.
// `place`: "repo <url>@<version>", "package name==1.0", "folder <path>".
void enforce(const Job& job, const contract::Verdict& verdict, const std::string& module, const std::string& place);

// Whether the settings let a missing contract pass.
bool is_excused(const Job& job);

// The index settings in the form in which they are part of keys: without secrets.
cache::KeyInputs index_inputs(const Settings& settings);

// The one form for all spellings of a package's name (PEP 503).
std::string normalised_name(const std::string& name);

// The parts of a record that are there, as texts.
std::string text_in(const nlohmann::json& object, const char* name);
nlohmann::json read_json_record(const cache::Store& store, cache::Bucket bucket, const std::string& name);
std::string to_text(const nlohmann::json& json);

}  // namespace venvoy::venv::internal
