// Our own commands. Each adds itself to the app and, when it is the one that was called, puts what is to be done into
// `action`, which returns the exit code.
#pragma once

#include <functional>
#include <optional>

#include "cli/common.hpp"

namespace venvoy::cli {

using Action = std::function<int()>;

void add_run_command(CLI::App& app, CommonOptions& common, Action& action);
void add_check_command(CLI::App& app, CommonOptions& common, Action& action);
void add_plan_command(CLI::App& app, CommonOptions& common, Action& action);
void add_graph_command(CLI::App& app, CommonOptions& common, Action& action);
void add_plugin_command(CLI::App& app, CommonOptions& common, Action& action);
void add_schema_command(CLI::App& app, CommonOptions& common, Action& action);
void add_cache_command(CLI::App& app, CommonOptions& common, Action& action);
void add_runs_command(CLI::App& app, CommonOptions& common, Action& action);
void add_expr_command(CLI::App& app, CommonOptions& common, Action& action);
void add_package_command(CLI::App& app, CommonOptions& common, Action& action);
void add_governance_command(CLI::App& app, CommonOptions& common, Action& action);
void add_serve_command(CLI::App& app, CommonOptions& common, Action& action);
void add_init_command(CLI::App& app, CommonOptions& common, Action& action);
void add_doctor_command(CLI::App& app, CommonOptions& common, Action& action);
void add_completion_command(CLI::App& app, CommonOptions& common, Action& action);

// What a completion script asks while somebody types: `__complete -- WORD…`, the last one being typed. The candidates
// go to standard output; the exit code. Nothing for every other command line. `app` has all of its commands. Throws
// nothing that a word can be the reason of.
std::optional<int> answer_completion(const CLI::App& app, const CommonOptions& common, int argc, char** argv);

// The whole command line of `venvoy COMMAND …`.
int run_commands(int argc, char** argv, std::uint64_t child_file_limit);

}  // namespace venvoy::cli
