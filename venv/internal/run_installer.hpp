// Running installers and our own scripts, and saying what went wrong.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <nlohmann/json.hpp>

#include "os/run_program.hpp"
#include "venv/internal/job.hpp"

namespace venvoy::venv::internal {

// A run of an installer.
struct InstallerRun {
  Command command;
  std::string installer;  // its name
  // "error in pip installing", "error creating venv for": the words before the reference (spec/workflow.md 8.5).
  std::string trouble = "error in pip installing";
  std::filesystem::path temporary;       // its TMPDIR
  std::vector<std::string> environment;  // "NAME=value", beyond what all of them get
};

// Throws an Error: install_error's, start, cancelled.
boost::asio::awaitable<void> run_installer(const Job& job, InstallerRun run);

// "<trouble> <reference> (exit code 1), <installer> says:" and the tail of the output, with a hint for the usual
// causes: of code install, network or authentication where the installer tells of that, environment when the disk is
// full.
Error install_error(const InstallerRun& run, const std::string& reference, const os::ProgramResult& result);

// What distributions.py says of a folder: a list of objects. `python` is an interpreter of its own, not that of the
// environment. Throws an Error: install, environment (the script is not there), cancelled.
boost::asio::awaitable<nlohmann::json> list_distributions(const Job& job, std::filesystem::path python,
                                                          std::filesystem::path folder);

// An Error that a full disk is behind says what to do about it.
void explain_full_disk(Error& error, const std::filesystem::path& store);

}  // namespace venvoy::venv::internal
