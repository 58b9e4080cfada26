// venvoy plan
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "base/exit_code.hpp"
#include "cli/commands.hpp"
#include "cli/findings.hpp"
#include "cli/session.hpp"
#include "deployer/python_deployer.hpp"
#include "workflow/document.hpp"
#include "workflow/step_order.hpp"

namespace venvoy::cli {
namespace {

namespace asio = boost::asio;

struct PlanArguments {
  std::string workflow = "workflow.yaml";
};

// A plugin that nobody has made ready. Without a schema the planner leaves its steps out.
class SeenPlugin final : public deployer::Plugin {
 public:
  explicit SeenPlugin(const deployer::PluginOutlook& outlook) : schema_(outlook.schema) {
    facts_.reference = outlook.environment.reference;
    facts_.source_kind = outlook.environment.source_kind;
    facts_.version = outlook.environment.version;
  }
  const std::shared_ptr<const schema::PluginSchema>& schema() const noexcept override { return schema_; }
  const deployer::PluginFacts& facts() const noexcept override { return facts_; }
  asio::awaitable<std::unique_ptr<deployer::PluginProcess>> start(Logger, ProgressSink*) override {
    throw Error(ErrorCode::internal, "a plan starts no plugin");
  }

 private:
  std::shared_ptr<const schema::PluginSchema> schema_;
  deployer::PluginFacts facts_;
};

// Looks where the real deployer would build.
class LookingDeployer final : public deployer::Deployer {
 public:
  explicit LookingDeployer(api::Runtime& runtime) : runtime_(runtime) {}

  asio::awaitable<std::shared_ptr<deployer::Plugin>> prepare(std::string source,
                                                             deployer::PrepareContext context) override {
    deployer::PythonDeployer& real = runtime_.python();
    deployer::PluginOutlook outlook = co_await real.look(source, std::move(context));
    std::shared_ptr<deployer::Plugin> plugin = std::make_shared<SeenPlugin>(outlook);
    outlooks_.insert_or_assign(source, std::move(outlook));
    co_return plugin;
  }

  // Null for a source that was not asked for.
  const deployer::PluginOutlook* outlook(const std::string& source) const {
    const auto place = outlooks_.find(source);
    return place == outlooks_.end() ? nullptr : &place->second;
  }

 private:
  api::Runtime& runtime_;
  std::map<std::string, deployer::PluginOutlook> outlooks_;
};

class LookingDeployers final : public workflow::Deployers {
 public:
  explicit LookingDeployers(api::Runtime& runtime) : runtime_(runtime), python_(runtime) {}

  const deployer::Registry& registry() const override { return runtime_.registry(); }
  deployer::Deployer& local(const std::string& deployment_type) override {
    // The real one says first what is wrong with its configuration; those of images refuse all that they are asked.
    deployer::Deployer& real = runtime_.local(deployment_type);
    return deployment_type == "python" ? python_ : real;
  }
  std::shared_ptr<deployer::Deployer> with_settings(const std::string& deployment_type,
                                                    const schema::Value& settings) override {
    return runtime_.with_settings(deployment_type, settings);
  }
  const LookingDeployer& python() const noexcept { return python_; }

 private:
  api::Runtime& runtime_;
  LookingDeployer python_;
};

const char* fate_text(venv::KnownEnv::Fate fate) {
  switch (fate) {
    case venv::KnownEnv::Fate::reuse:
      return "reuse";
    case venv::KnownEnv::Fate::build:
      return "build";
    case venv::KnownEnv::Fate::unknown:
      break;
  }
  return "unknown";
}

// What is not known is null.
schema::Value text_or_null(const std::string& text) {
  return text.empty() ? schema::Value() : schema::Value(text);
}

// The plan's document: the main workflow, and below it each sub-workflow once.
class PlanWriter {
 public:
  PlanWriter(const workflow::WorkflowFiles& files, const LookingDeployer& plugins) : files_(files), plugins_(plugins) {}

  schema::Map write(const workflow::WorkflowFiles::File& main) {
    schema::Map map = workflow_map(main);
    schema::Map children;
    // Grows while it is worked through.
    for (std::size_t index = 0; index < wanted_.size(); ++index) {
      const std::string name = wanted_[index];
      children.insert(name, workflow_map(files_.read_sub_workflow(name)));
    }
    if (!wanted_.empty()) map.set("sub_workflows", std::move(children));
    return map;
  }

 private:
  // The file has been read before without an error.
  schema::Map workflow_map(const workflow::WorkflowFiles::File& file) {
    const auto document = workflow::parse_document(file.text, file.name, {.check_version = false}).document;
    if (!document) throw Error(ErrorCode::document, "the file has changed since it was checked: " + file.name);
    const auto dependencies = workflow::step_dependencies(*document);
    schema::List steps;
    for (std::size_t index = 0; index < document->steps.size(); ++index) {
      schema::Map step = step_map(*document, document->steps[index]);
      step.set("depends_on", ids(*document, dependencies[index]));
      steps.push_back(std::move(step));
    }
    schema::List groups;
    for (const auto& group : workflow::parallel_groups(dependencies)) groups.push_back(ids(*document, group));
    schema::Map map;
    map.set("workflow", file.name);
    map.set("steps", std::move(steps));
    map.set("stages", std::move(groups));
    return map;
  }

  static schema::List ids(const workflow::Document& document, const workflow::StepList& steps) {
    schema::List list;
    for (const std::size_t step : steps) list.push_back(document.steps[step].id);
    return list;
  }

  schema::Map step_map(const workflow::Document& document, const workflow::DocStep& step) {
    schema::Map map;
    map.set("id", step.id);
    map.set("kind", step.kind);
    if (step.kind == "foreach") {
      const workflow::DocValue::Entry* entry = step.find("workflow");
      const std::string file = entry ? workflow::literal_text(*entry).value_or("") : std::string();
      map.set("workflow", file);
      if (std::find(wanted_.begin(), wanted_.end(), file) == wanted_.end()) wanted_.push_back(file);
      return map;
    }
    Issues ignored;
    const auto plugin = workflow::plugin_of(document, step, ignored);
    const deployer::PluginOutlook* outlook = plugin ? plugins_.outlook(plugin->source) : nullptr;
    if (outlook) add_plugin(map, step, *outlook);
    return map;
  }

  static void add_plugin(schema::Map& map, const workflow::DocStep& step, const deployer::PluginOutlook& outlook) {
    const venv::KnownEnv& known = outlook.environment;
    map.set("plugin", known.reference);
    map.set("source", known.source_kind);
    map.set(known.source_kind == "git" ? "commit" : "version", text_or_null(known.version));
    map.set("launcher", deployer::to_text(outlook.launcher));
    map.set("step", text_or_null(plugin_step(step, outlook)));
    map.set("schema", schema::Map{{"known", outlook.schema != nullptr}});
    schema::Map environment;
    environment.set("action", fate_text(known.fate));
    environment.set("why", known.why);
    environment.set("python", text_or_null(known.python_version));
    if (known.generation > 0) {
      environment.set("key", known.key);
      environment.set("path", known.path.string());
    }
    map.set("environment", std::move(environment));
  }

  // A plugin with one step need not have it named.
  static std::string plugin_step(const workflow::DocStep& step, const deployer::PluginOutlook& outlook) {
    const workflow::DocValue::Entry* entry = step.find("step");
    if (entry) return workflow::literal_text(*entry).value_or("");
    if (!outlook.schema || outlook.schema->steps.size() != 1) return {};
    return outlook.schema->step_ids().front();
  }

  const workflow::WorkflowFiles& files_;
  const LookingDeployer& plugins_;
  std::vector<std::string> wanted_;  // sub-workflows, in the order in which they are met
};

class PlanCommand {
 public:
  PlanCommand(const PlanArguments& arguments, const CommonOptions& common)
      : arguments_(arguments), common_(common), files_(common.context), talk_(common, &files_), findings_(talk_) {}

  int run() {
    schema::Map document;
    try {
      document = look();
    } catch (const Error& error) {
      if (error.code() == ErrorCode::usage) throw;
      findings_.add(error);
    }
    document.set("findings", findings_.take());
    write_out(data_document(document, common_.output));
    return exit_number(findings_.exit());
  }

 private:
  // Empty when nothing would run.
  schema::Map look() {
    auto configuration = load_configuration(common_, files_, talk_);
    if (!configuration) throw Error(ErrorCode::document, "nothing can be planned with this configuration");
    const auto main = files_.read(arguments_.workflow);
    Session session(std::move(*configuration), runtime_options(common_, talk_));
    LookingDeployers deployers(session.runtime());
    workflow::PrepareOptions options;
    options.logger = talk_.logger().with("source", "executor");
    options.cancel = session.cancel_token();
    const workflow::Checked checked =
        session.runtime().wait_for(workflow::prepare(main, files_, deployers, std::move(options)));
    for (const Issue& issue : checked.issues) findings_.add(issue);
    if (has_errors(checked.issues)) return {};
    return PlanWriter(files_, deployers.python()).write(main);
  }

  const PlanArguments& arguments_;
  const CommonOptions& common_;
  ContextFiles files_;
  Talk talk_;
  Findings findings_;
};

}  // namespace

void add_plan_command(CLI::App& app, CommonOptions& common, Action& action) {
  CLI::App* plan = app.add_subcommand("plan", "Say what a run would do, and change nothing");
  const auto arguments = std::make_shared<PlanArguments>();
  plan->add_option("WORKFLOW", arguments->workflow, "The workflow file")->capture_default_str();
  plan->footer(
      "Of each step: its plugin and commit, whether its environment would be reused or built and why, and what it\n"
      "depends on; then the order in which steps can run side by side. No server is asked, nothing is installed and "
      "no\n"
      "plugin is started: what cannot be known without that is null, or said to be unknown.\n"
      "Exit code: 0 nothing found, 1 findings, 2 wrong usage, 3 the store could not be reached.\n\n"
      "Example: venvoy plan workflow.yaml");
  plan->callback([&common, &action, arguments] {
    action = [&common, arguments] { return PlanCommand(*arguments, common).run(); };
  });
}

}  // namespace venvoy::cli
