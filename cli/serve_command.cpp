// venvoy serve: the daemon.
#include <memory>
#include <optional>
#include <string>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include "base/exit_code.hpp"
#include "cli/commands.hpp"
#include "cli/interrupts.hpp"
#include "cli/version.hpp"
#include "os/files.hpp"
#include "server/daemon.hpp"

namespace venvoy::cli {
namespace {

namespace fs = std::filesystem;

struct ServeArguments {
  std::optional<std::string> listen;
  bool trust_loopback = false;
  std::optional<std::string> workflows;
  bool allow_local = false;
};

int serve(const ServeArguments& arguments, const CommonOptions& common) {
  const ContextFiles files(common.context);
  const Talk talk(common, &files);
  auto configuration = load_configuration(common, files, talk);
  if (!configuration) return exit_number(PlainExit::failed);
  api::RuntimeOptions options = runtime_options(common, talk);
  options.govern = api::RuntimeOptions::Govern::always;
  options.actor = "daemon";
  server::DaemonOptions daemon_options;
  if (!options.state_dir)
    throw Error(ErrorCode::environment, "there is no folder for what must last")
        .with_hint("name one with --state-dir or VENVOY_STATE_DIR");
  const fs::path state_dir = fs::absolute(*options.state_dir).lexically_normal();
  daemon_options.state_dir = state_dir;
  std::error_code ignored;
  fs::create_directories(state_dir.parent_path(), ignored);
  os::make_directory(state_dir, 0700);
  daemon_options.address =
      server::ListenAddress::parse(arguments.listen.value_or("unix:" + (state_dir / "venvoy.sock").string()));
  daemon_options.trust_loopback = arguments.trust_loopback;
  if (arguments.workflows) daemon_options.workflows = fs::absolute(fs::path(common.context) / *arguments.workflows);
  daemon_options.allow_local = arguments.allow_local;
  daemon_options.version = version_text;

  api::Runtime runtime(std::move(*configuration), std::move(options));
  server::Daemon daemon(runtime, std::move(daemon_options));
  const Interrupts interrupts(runtime.executor(), talk.logger(), [&daemon] { daemon.stop(); });
  if (arguments.trust_loopback)
    talk.issue(
        {Severity::warning, {}, "everybody on this machine may read and change everything (--trust-loopback)", {}});
  talk.line(fmt::format("listening on {}\n", daemon.address()));
  if (const std::string page = daemon.page_address(); !page.empty()) talk.line(page + "\n");
  runtime.wait_for(daemon.serve());
  return exit_number(PlainExit::ok);
}

}  // namespace

void add_serve_command(CLI::App& app, CommonOptions& common, Action& action) {
  CLI::App* command = app.add_subcommand("serve", "Serve policies, runs and a page about them over HTTP");
  const auto arguments = std::make_shared<ServeArguments>();
  command
      ->add_option("--listen", arguments->listen,
                   "ADDR:PORT or unix:PATH; default: a socket in the state folder that is its owner's alone")
      ->type_name("ADDRESS");
  command->add_flag("--trust-loopback", arguments->trust_loopback, "Ask nobody on this machine for the token");
  command->add_option("--workflows", arguments->workflows, "Folder of workflows that may be run by name")
      ->type_name("DIR");
  command->add_flag("--allow-local", arguments->allow_local,
                    "Submitted workflows may read files, variables and folders of this machine");
  command->footer(
      "SIGTERM ends it: requests under way are answered, runs are aborted.\n\n"
      "Example: venvoy --state-dir state serve --listen 127.0.0.1:8080 --workflows workflows");
  command->callback(
      [&common, &action, arguments] { action = [&common, arguments] { return serve(*arguments, common); }; });
}

}  // namespace venvoy::cli
