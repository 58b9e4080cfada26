#include "cli/commands.hpp"

#include <iostream>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "base/exit_code.hpp"
#include "cli/version.hpp"

namespace venvoy::cli {

int run_commands(int argc, char** argv, std::uint64_t child_file_limit) {
  CLI::App app(
      "venvoy runs Python code by reference, inside typed workflows.\n\n"
      "Called as `arcaflow`, or with flags of the Arcaflow engine alone, it answers as that engine does.",
      "venvoy");
  CommonOptions common;
  common.child_file_limit = child_file_limit;
  Action action;
  app.set_version_flag("--version", std::string("venvoy ") + version_text, "Show the version");
  app.require_subcommand(1);
  app.fallthrough();
  app.footer("Example: venvoy run workflow.yaml -i input.yaml");
  add_common_options(app, common);
  add_run_command(app, common, action);
  add_check_command(app, common, action);
  add_plan_command(app, common, action);
  add_graph_command(app, common, action);
  add_plugin_command(app, common, action);
  add_schema_command(app, common, action);
  add_cache_command(app, common, action);
  add_runs_command(app, common, action);
  add_expr_command(app, common, action);
  add_package_command(app, common, action);
  add_governance_command(app, common, action);
  add_serve_command(app, common, action);
  add_init_command(app, common, action);
  add_doctor_command(app, common, action);
  add_completion_command(app, common, action);
  if (const auto answered = answer_completion(app, common, argc, argv)) return *answered;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help and version are such errors too, with code 0 and their text on standard output.
    return app.exit(error) == 0 ? exit_number(PlainExit::ok) : usage_exit;
  }
  try {
    return action();
  } catch (const Error& error) {
    Talk(common, nullptr).error(error);
    return error.code() == ErrorCode::usage ? usage_exit : exit_number(PlainExit::failed);
  }
}

}  // namespace venvoy::cli
