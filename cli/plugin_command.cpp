// venvoy plugin schema|run
#include <memory>
#include <string>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include "base/exit_code.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/session.hpp"
#include "report/plain_progress.hpp"
#include "schema/check.hpp"
#include "schema/locate.hpp"
#include "schema/plugin_schema.hpp"

namespace venvoy::cli {
namespace {

namespace asio = boost::asio;

struct PluginArguments {
  std::string reference;
  std::string step;
  std::optional<std::string> input;
};

// One plugin of the configuration's Python deployer.
class PluginCommand {
 public:
  PluginCommand(const PluginArguments& arguments, const CommonOptions& common)
      : arguments_(arguments), common_(common), files_(common.context), talk_(common, &files_) {}

  int print_schema() {
    auto configuration = load_configuration(common_, files_, talk_);
    if (!configuration) return exit_number(PlainExit::failed);
    Session session(std::move(*configuration), runtime_options(common_, talk_));
    const auto plugin = prepare(session);
    write_out(data_document(schema::write_plugin_schema(*plugin->schema()), common_.output));
    return exit_number(PlainExit::ok);
  }

  int run_step() {
    std::optional<workflow::WorkflowFiles::File> input_file;
    std::shared_ptr<deployer::Plugin> plugin;
    std::unique_ptr<Session> session;
    try {
      auto configuration = load_configuration(common_, files_, talk_);
      if (!configuration) return exit_number(RunExit::prepare_failed);
      if (arguments_.input) input_file = files_.read(*arguments_.input);
      session = std::make_unique<Session>(std::move(*configuration), runtime_options(common_, talk_));
      plugin = prepare(*session);
    } catch (const Error& error) {
      talk_.error(error);
      return exit_number(RunExit::prepare_failed);
    }
    const schema::StepSchema* step = plugin->schema()->find(arguments_.step);
    if (!step) {
      const auto ids = plugin->schema()->step_ids();
      talk_.error(
          Error(ErrorCode::document,
                fmt::format("the step '{}' does not exist in the '{}' plugin{}; its steps are {}", arguments_.step,
                            arguments_.reference, did_you_mean(arguments_.step, ids), quoted_list(ids))));
      return exit_number(RunExit::prepare_failed);
    }
    return run_prepared(*session, *plugin, *step, input_file);
  }

 private:
  std::shared_ptr<deployer::Plugin> prepare(Session& session) {
    report::PlainProgress progress([this](std::string_view text) { talk_.line(text); }, system_clock());
    deployer::PrepareContext context{talk_.logger(), &progress, session.cancel_token()};
    const auto work = [](api::Runtime& runtime, std::string reference,
                         deployer::PrepareContext given) -> asio::awaitable<std::shared_ptr<deployer::Plugin>> {
      co_return co_await runtime.local("python").prepare(std::move(reference), std::move(given));
    };
    return session.runtime().wait_for(work(session.runtime(), arguments_.reference, std::move(context)));
  }

  int run_prepared(Session& session, deployer::Plugin& plugin, const schema::StepSchema& step,
                   const std::optional<workflow::WorkflowFiles::File>& input_file) {
    try {
      InputFile input = read_input(input_file);
      schema::Value data;
      try {
        data = schema::unserialize(*step.input, input.value, {.fill_defaults = false});
      } catch (const schema::MismatchError& error) {
        for (const schema::Mismatch& mismatch : error.mismatches())
          talk_.issue({Severity::error,
                       schema::locate(input.root, mismatch.path).position(input.file.name),
                       fmt::format("invalid step input ({})", mismatch.sentence()),
                       {}});
        return exit_number(RunExit::run_failed);
      }
      deployer::StepAnswer answer =
          session.runtime().wait_for(run_once(plugin, step.id, std::move(data), talk_.logger()));
      const schema::StepOutputSchema* output = step.find_output(answer.output_id);
      workflow::RunResult result{std::nullopt, answer.output_id, std::move(answer.data), output && output->error};
      write_out(result_document(result, common_.output));
      return exit_number(result.error_output ? RunExit::error_output : RunExit::output);
    } catch (const Error& error) {
      talk_.error(error);
      return exit_number(RunExit::run_failed);
    }
  }

  static asio::awaitable<deployer::StepAnswer> run_once(deployer::Plugin& plugin, std::string step, schema::Value input,
                                                        Logger logger) {
    std::unique_ptr<deployer::PluginProcess> process = co_await plugin.start(std::move(logger));
    deployer::StepAnswer answer;
    std::optional<Error> failure;
    try {
      std::string run_id = step;
      answer = co_await process->run(std::move(run_id), std::move(step), std::move(input));
    } catch (const Error& error) {
      failure = error;
    }
    co_await process->close();
    if (failure) throw *failure;
    co_return answer;
  }

  const PluginArguments& arguments_;
  const CommonOptions& common_;
  ContextFiles files_;
  Talk talk_;
};

}  // namespace

void add_plugin_command(CLI::App& app, CommonOptions& common, Action& action) {
  CLI::App* plugin = app.add_subcommand("plugin", "Look at one plugin, or run one of its steps");
  plugin->require_subcommand(1);
  plugin->footer("Example: venvoy plugin schema my-plugin@git+https://example.org/my-plugin.git@v1.0");
  const auto arguments = std::make_shared<PluginArguments>();

  CLI::App* schema = plugin->add_subcommand("schema", "Print the plugin's schema");
  schema->add_option("REF", arguments->reference, "The plugin: NAME@git+URL[@VERSION] or NAME==VERSION")->required();
  schema->footer("Example: venvoy plugin schema my-plugin@git+https://example.org/my-plugin.git@v1.0 --output json");
  schema->callback([&common, &action, arguments] {
    action = [&common, arguments] { return PluginCommand(*arguments, common).print_schema(); };
  });

  CLI::App* run = plugin->add_subcommand("run", "Run one step of a plugin without a workflow");
  run->add_option("REF", arguments->reference, "The plugin: NAME@git+URL[@VERSION] or NAME==VERSION")->required();
  run->add_option("STEP", arguments->step, "The step")->required();
  run->add_option("-i,--input", arguments->input, "The step's input")->type_name("FILE");
  run->footer("Example: venvoy plugin run my-plugin@git+https://example.org/my-plugin.git@v1.0 hello -i input.yaml");
  run->callback([&common, &action, arguments] {
    action = [&common, arguments] { return PluginCommand(*arguments, common).run_step(); };
  });
}

}  // namespace venvoy::cli
