// Where policies are evaluated, and how that is switched (spec/governance.md 8.10).
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "governance/settings.hpp"

namespace venvoy::governance {

// What `governance mode` has written beside the rules: `mode.json`.
struct StoredMode {
  Mode mode = Mode::local;
  std::string executor_id;  // empty: that of the configuration
};

struct ModeInForce {
  Mode mode = Mode::local;
  std::string executor_id;
  std::string host;
  std::string decided_by;  // "environment", "governance mode", "configuration" or "default"
};

// "local", "remote", or empty for local. Throws an Error (document) for every other word; `where` says whose it is.
Mode mode_from(const std::string& word, const std::string& where);

std::filesystem::path mode_file(const Settings& settings);
// Nothing if no mode has been written. Throws an Error (document).
std::optional<StoredMode> read_stored_mode(const Settings& settings);
void write_stored_mode(const Settings& settings, const StoredMode& mode);

// Environment, then what was stored, then the configuration. Throws an Error (document) for a wrong word, and for
// `remote` without an executor id or without a host.
ModeInForce mode_in_force(const Settings& settings);

// The change of an AIOS gateway's Deployment: a strategic merge patch, which changes two variables by name and leaves
// the others. JSON in one line.
std::string gateway_patch(const StoredMode& mode);

}  // namespace venvoy::governance
