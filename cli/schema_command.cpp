// venvoy schema workflow|config|http
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "base/exit_code.hpp"
#include "cli/commands.hpp"
#include "cli/prepare_plugin.hpp"
#include "cli/session.hpp"
#include "cli/version.hpp"
#include "report/workflow_schema.hpp"
#include "schema/json.hpp"
#include "server/openapi.hpp"
#include "workflow/document.hpp"

namespace venvoy::cli {
namespace {

// It is JSON whatever --output says: editors read nothing else.
void write_schema(const schema::Value& schema) {
  write_out(schema::write_json(schema) + "\n");
}

class WorkflowSchemaCommand {
 public:
  explicit WorkflowSchemaCommand(const CommonOptions& common)
      : common_(common), files_(common.context), talk_(common, &files_) {}

  int run(const std::optional<std::string>& workflow) {
    if (workflow) {
      // What else is wrong with the file is the matter of `check`: a schema is wanted while it is being written.
      const auto file = files_.read(*workflow);
      const auto parsed = workflow::parse_document(file.text, file.name, {});
      if (!parsed.document) {
        for (const Issue& issue : parsed.issues) talk_.issue(issue);
        return exit_number(PlainExit::failed);
      }
      if (!add_plugins(*parsed.document)) failed_ = true;
    }
    write_schema(report::workflow_json_schema(plugins_, {}));
    return exit_number(failed_ ? PlainExit::failed : PlainExit::ok);
  }

 private:
  bool add_plugins(const workflow::Document& document) {
    auto configuration = load_configuration(common_, files_, talk_);
    if (!configuration) return false;
    Session session(std::move(*configuration), runtime_options(common_, talk_));
    bool all = true;
    for (const workflow::DocStep& step : document.steps) {
      if (step.kind != "plugin") continue;
      Issues ignored;
      const auto plugin = workflow::plugin_of(document, step, ignored);
      if (plugin && plugin->deployment_type == "python" && !is_known(plugin->source)) all &= add(session, *plugin);
    }
    return all;
  }

  bool is_known(const std::string& source) const {
    return std::any_of(plugins_.begin(), plugins_.end(), [&](const auto& known) { return known.source == source; });
  }

  bool add(Session& session, const workflow::DocPlugin& plugin) {
    try {
      const auto prepared = prepare_plugin(session, plugin.source, talk_, talk_.logger());
      plugins_.push_back({plugin.source, prepared->schema()});
      return true;
    } catch (const Error& error) {
      if (error.code() == ErrorCode::cancelled) throw;
      talk_.error(error);
      return false;
    }
  }

  const CommonOptions& common_;
  ContextFiles files_;
  Talk talk_;
  std::vector<report::SchemaPlugin> plugins_;
  bool failed_ = false;
};

}  // namespace

void add_schema_command(CLI::App& app, CommonOptions& common, Action& action) {
  CLI::App* schema = app.add_subcommand("schema", "JSON Schema of our files, and of what is served");
  schema->require_subcommand(1);
  schema->footer("Example: venvoy schema config > config.schema.json");

  CLI::App* workflow = schema->add_subcommand("workflow", "JSON Schema of workflow files");
  const auto file = std::make_shared<std::optional<std::string>>();
  workflow->add_option("WORKFLOW", *file, "Fill in the steps and inputs of the plugins that this workflow uses");
  workflow->footer(
      "An editor with a YAML language server uses it for files that begin with the line\n"
      "`# yaml-language-server: $schema=workflow.schema.json`. Tell the server of the tags !expr, !oneof mapping,\n"
      "!ordisabled, !wait-optional and !soft-optional (`yaml.customTags`).\n\n"
      "Example: venvoy schema workflow workflow.yaml > workflow.schema.json");
  workflow->callback(
      [&common, &action, file] { action = [&common, file] { return WorkflowSchemaCommand(common).run(*file); }; });

  CLI::App* config = schema->add_subcommand("config", "JSON Schema of configuration files");
  config->footer("Example: venvoy schema config > config.schema.json");
  config->callback([&action] {
    action = [] {
      const auto registry = api::make_registry_for_reading();
      write_schema(report::configuration_json_schema(api::configuration_type(*registry), {}));
      return exit_number(PlainExit::ok);
    };
  });

  CLI::App* http = schema->add_subcommand("http", "OpenAPI document of `venvoy serve`");
  http->footer("Example: venvoy schema http > openapi.json");
  http->callback([&action] {
    action = [] {
      write_schema(server::openapi_document(version_text));
      return exit_number(PlainExit::ok);
    };
  });
}

}  // namespace venvoy::cli
