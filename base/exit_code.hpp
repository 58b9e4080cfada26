// The exit codes of all commands (spec/command.md section 3). A test walks that table through the binary.
#pragma once

namespace venvoy {

// `run`, `plugin run` and the Go engine's face.
enum class RunExit : int {
  output = 0,
  prepare_failed = 1,  // also a denied deployment or run, and the third interrupt
  error_output = 2,    // a workflow that ended in an output marked as error
  run_failed = 3,      // also time-out, abort, denied step
};

// `check`, `plan`, `graph`, `cache verify`, `doctor`, `plugin check`.
enum class CheckExit : int { clean = 0, findings = 1, usage = 2, could_not_look = 3 };

// `package`; when several hold, see rucio/check.hpp.
enum class PackageExit : int {
  ok = 0,
  unresolvable = 1,  // also everything else that could not be done
  usage = 2,
  contract_mismatch = 3,
  contract_unparsable = 4,
  import_failed = 5,
  install_failed = 6,
  drift = 7,
  lint_error = 8,
};

// Everything else.
enum class PlainExit : int { ok = 0, failed = 1, usage = 2 };

// A wrong command line, for every command.
inline constexpr int usage_exit = 2;

template <class Exit>
constexpr int exit_number(Exit exit) noexcept {
  return static_cast<int>(exit);
}

}  // namespace venvoy
