// Our own commands. Each adds itself to the app and, when it is the one that was called, puts what is to be done into
// `action`, which returns the exit code.
#pragma once

#include <functional>

#include "cli/common.hpp"

namespace venvoy::cli {

using Action = std::function<int()>;

void add_run_command(CLI::App& app, CommonOptions& common, Action& action);
void add_check_command(CLI::App& app, CommonOptions& common, Action& action);
void add_plugin_command(CLI::App& app, CommonOptions& common, Action& action);
void add_cache_command(CLI::App& app, CommonOptions& common, Action& action);
void add_expr_command(CLI::App& app, CommonOptions& common, Action& action);

// The whole command line of `venvoy COMMAND …`.
int run_commands(int argc, char** argv, std::uint64_t child_file_limit);

}  // namespace venvoy::cli
