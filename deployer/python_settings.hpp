// The configuration of the Python deployer (spec/command.md section 4).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "os/child.hpp"
#include "schema/type.hpp"
#include "schema/value.hpp"
#include "source/git_url.hpp"
#include "venv/settings.hpp"

namespace venvoy::deployer {

// Limits of each plugin process.
struct PythonLimits {
  std::size_t stderr_tail = std::size_t{64} << 10;  // bytes of a plugin's standard error that are kept
  std::chrono::milliseconds hello_timeout{60'000};
  std::optional<std::chrono::milliseconds> wall_time;  // of a step, from its input to its output
  os::ProcessLimits process;
};

// How a plugin's process comes to life (design D8, D9).
enum class LauncherChoice {
  exec,        // Python is started anew each time
  forkserver,  // from the second use on, it is forked from a process that has imported what the plugin needs
  ssh,         // so, on other machines that are reached by ssh
  slurm,       // so, on the nodes of a job of Slurm
};
std::string_view to_text(LauncherChoice choice) noexcept;
// Nothing for a text that names none.
std::optional<LauncherChoice> launcher_named(std::string_view text) noexcept;

// What both ways to other machines need.
struct RemoteSettings {
  // venvoy-keeper on those machines, with the scripts beside it. Default: where it is on this one.
  std::optional<std::string> keeper;
  // Each machine has a store of its own at the path of ours, which is filled from ours. Else all of them share it.
  bool own_stores = false;
  std::size_t places = 0;  // steps at a time on each machine; 0: one for each processor that may be used there
  std::vector<std::string> extra_arguments;  // of ssh, salloc
};

struct SshSettings : RemoteSettings {
  std::vector<std::string> hosts;
};

// What a job is asked for, in the words of salloc(1). Inside of a job none is asked for.
struct SlurmSettings : RemoteSettings {
  std::vector<std::pair<std::string, std::string>> options;  // {"partition", "long"}, …
  std::size_t nodes = 1;
};

struct PythonSettings {
  // What paths of references to folders are relative to; no key of the configuration.
  std::filesystem::path context = ".";
  std::filesystem::path workdir = "/tmp";
  venv::Settings environment;
  // As it was written, since only a written `false` makes the face of the Go engine refuse (design D5).
  std::optional<bool> override_compatibility;
  std::vector<source::UrlRewrite> source_rewrites;
  PythonLimits limits;
  LauncherChoice launcher = LauncherChoice::forkserver;
  SshSettings ssh;
  SlurmSettings slurm;
  std::size_t max_concurrent_deployments = 4;
  // By which the store is pruned without being asked.
  std::optional<std::uint64_t> cache_max_bytes;
  std::chrono::seconds cache_max_age = std::chrono::hours(24 * 60);
  // The store may lie where other machines use it too.
  bool shared_store = false;
};

// Of the machines that the launcher starts steps on; null if it starts them here.
const RemoteSettings* remote_settings(const PythonSettings& settings) noexcept;
// Where a script that lies here lies there: beside the keeper.
std::filesystem::path script_there(const RemoteSettings& settings, const std::filesystem::path& script_here);

// An object type with every key, its default and what it means; the texts are those of `docs/configuration.md`.
schema::TypePtr python_settings_type();

// Reads data that fits the type.
PythonSettings read_python_settings(const schema::Value& data);

// The keys whose values are texts, numbers or booleans: those that an environment variable can override
// (`VENVOY_MODULE_PULL_POLICY`).
std::vector<std::string> scalar_python_settings();

}  // namespace venvoy::deployer
