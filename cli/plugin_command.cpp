// venvoy plugin show|schema|run|check
#include <map>
#include <memory>
#include <string>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include "base/exit_code.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/plugin_check.hpp"
#include "cli/prepare_plugin.hpp"
#include "cli/run_step.hpp"
#include "cli/session.hpp"
#include "report/schema_json.hpp"
#include "report/schema_markdown.hpp"
#include "schema/check.hpp"
#include "schema/json.hpp"
#include "schema/locate.hpp"
#include "schema/plugin_schema.hpp"

namespace venvoy::cli {
namespace {

namespace asio = boost::asio;

enum class SchemaFormat { yaml, json, jsonschema, markdown };

struct PluginArguments {
  std::string reference;
  std::string step;
  std::optional<std::string> input;
  std::optional<SchemaFormat> format;
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
    write_out(schema_document(*plugin));
    return exit_number(PlainExit::ok);
  }

  int run_step() {
    std::optional<workflow::WorkflowFiles::File> input_file;
    // In this order: a plugin is given back to the threads of the session that has made it.
    std::unique_ptr<Session> session;
    std::shared_ptr<deployer::Plugin> plugin;
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
  std::shared_ptr<deployer::Plugin> prepare(Session& session) const {
    return prepare_plugin(session, arguments_.reference, talk_, talk_.logger());
  }

  std::string schema_document(const deployer::Plugin& plugin) const {
    const schema::PluginSchema& schema = *plugin.schema();
    const SchemaFormat as_output = common_.output == OutputForm::json ? SchemaFormat::json : SchemaFormat::yaml;
    switch (arguments_.format.value_or(as_output)) {
      case SchemaFormat::yaml:
        return data_document(schema::write_plugin_schema(schema), OutputForm::yaml);
      case SchemaFormat::json:
        return data_document(schema::write_plugin_schema(schema), OutputForm::json);
      case SchemaFormat::jsonschema:
        return schema::write_json(report::json_schema(schema, {})) + "\n";
      case SchemaFormat::markdown:
        break;
    }
    return report::schema_markdown(schema, "Plugin " + plugin.facts().reference);
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
      if (workflow::ActionGate* gate = session.runtime().action_gate()) {
        workflow::StepQuestion question{"", plugin.facts().reference, step.id, step.id, data};
        workflow::GateDecision decision = session.runtime().wait_for(gate->may_run_step(std::move(question)));
        if (!decision.allowed) throw Error(ErrorCode::denied, "a policy has denied the step: " + decision.reason);
        if (decision.input) data = schema::unserialize(*step.input, *decision.input, {.fill_defaults = false});
      }
      deployer::StepAnswer answer = session.runtime().wait_for(cli::run_step(
          session.runtime().executor(), plugin, step, std::move(data), talk_.logger(), session.cancel_token()));
      const schema::StepOutputSchema* output = step.find_output(answer.output_id);
      workflow::RunResult result{std::nullopt, answer.output_id, std::move(answer.data), output && output->error};
      write_out(result_document(result, common_.output));
      return exit_number(result.error_output ? RunExit::error_output : RunExit::output);
    } catch (const Error& error) {
      talk_.error(error);
      return exit_number(RunExit::run_failed);
    }
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

  CLI::App* show = plugin->add_subcommand("show", "Who the plugin is: version, contract, environment, packages, steps");
  show->add_option("REF", arguments->reference, "The plugin: NAME@git+URL[@VERSION] or NAME==VERSION")->required();
  show->footer("Example: venvoy plugin show my-plugin@git+https://example.org/my-plugin.git@v1.0");
  show->callback([&common, &action, arguments] {
    action = [&common, arguments] { return show_plugin(arguments->reference, common); };
  });

  CLI::App* schema = plugin->add_subcommand("schema", "Print the plugin's schema");
  schema->add_option("REF", arguments->reference, "The plugin: NAME@git+URL[@VERSION] or NAME==VERSION")->required();
  static const std::map<std::string, SchemaFormat> formats = {{"yaml", SchemaFormat::yaml},
                                                              {"json", SchemaFormat::json},
                                                              {"jsonschema", SchemaFormat::jsonschema},
                                                              {"markdown", SchemaFormat::markdown}};
  schema
      ->add_option("--format", arguments->format,
                   "yaml or json: as the plugin says it; jsonschema: JSON Schema of the steps' inputs; markdown: a "
                   "reference text")
      ->option_text("FORMAT")
      ->transform(CLI::CheckedTransformer(formats));
  schema->footer(
      "Example: venvoy plugin schema my-plugin@git+https://example.org/my-plugin.git@v1.0 --format markdown");
  schema->callback([&common, &action, arguments] {
    action = [&common, arguments] { return PluginCommand(*arguments, common).print_schema(); };
  });

  CLI::App* check = plugin->add_subcommand("check", "See whether the plugin keeps its contract, installs and starts");
  check->add_option("REF", arguments->reference, "The plugin: NAME@git+URL[@VERSION] or NAME==VERSION")->required();
  check->footer("Example: venvoy plugin check my-plugin@git+https://example.org/my-plugin.git@v1.0");
  check->callback([&common, &action, arguments] {
    action = [&common, arguments] { return check_plugin(arguments->reference, common); };
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
