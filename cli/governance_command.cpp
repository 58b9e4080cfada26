// venvoy governance: the rules, decisions and modes of pre-check policies (spec/governance.md 8.7 to 8.12).
#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include "api/run_id.hpp"
#include "base/exit_code.hpp"
#include "base/sha256.hpp"
#include "base/shell_text.hpp"
#include "cli/commands.hpp"
#include "governance/archive.hpp"
#include "governance/execution_mode.hpp"
#include "governance/replies.hpp"
#include "governance/setup_plan.hpp"
#include "os/files.hpp"
#include "os/run_program.hpp"
#include "schema/json.hpp"

namespace venvoy::cli {
namespace {

namespace fs = std::filesystem;
using governance::Reply;
using schema::Map;
using schema::Value;

constexpr std::size_t max_governance_input = std::size_t{8} << 20;
constexpr std::size_t max_kubectl_output = std::size_t{32} << 20;
constexpr std::chrono::minutes kubectl_timeout{15};

struct GovernanceArguments {
  std::string cluster;
  std::vector<std::string> settings;
  std::vector<std::string> more_settings;
  std::string file;
  bool no_verify = false;
  std::optional<std::int64_t> if_revision;
  std::string action;
  std::string rule;
  std::size_t lines = 20;
  std::string outcome;
  std::string mode;
  std::string executor_id;
  bool kubectl = false;
  bool apply = false;
  // Of `add`.
  std::string code;
  std::string reference;
  std::string module;
  std::string parameters;
  bool replace = false;
  // Of `setup`.
  bool plan = false;
  std::string from;
  std::vector<std::string> registry_nodes;
  std::vector<std::string> metrics_nodes;
  std::string manifests;
  std::string kube_context;
};

class GovernanceCommand {
 public:
  GovernanceCommand(const GovernanceArguments& arguments, const CommonOptions& common)
      : arguments_(arguments), common_(common), files_(common.context), talk_(common, &files_) {}

  int get() {
    return plain([&] {
      start();
      write_out(
          data_document(governance::map_reply(*governor().rules().read(), arguments_.cluster).body, common_.output));
      return exit_number(PlainExit::ok);
    });
  }

  int set() {
    return told([&] {
      Map body;
      for (const std::string& setting : arguments_.settings) {
        const std::size_t equals = setting.find('=');
        if (equals == 0 || equals == std::string::npos)
          throw Error(ErrorCode::usage,
                      fmt::format("set takes ACTION=RULE-ID, or ACTION= to remove, not '{}'", setting));
        if (!body.insert(setting.substr(0, equals), setting.substr(equals + 1)))
          throw Error(ErrorCode::usage, fmt::format("'{}' is given twice", setting.substr(0, equals)));
      }
      return change(std::move(body));
    });
  }

  int update() {
    return told([&] { return change(read_json_file(arguments_.file)); });
  }

  int check() {
    return told([&] {
      start();
      governance::ActionQuestion question;
      question.action = arguments_.action;
      question.cluster_id = arguments_.cluster;
      question.input = read_json_file(arguments_.file);
      question.actor = governor().actor();
      question.request_id = api::new_run_id();
      question.dry_run = true;
      return governance::decision_reply(runtime_->wait_for(governor().decide(std::move(question), {})));
    });
  }

  int manage() {
    return told([&] {
      start();
      governance::PolicyQuestion question;
      question.id = governance::RuleId::parse(arguments_.rule);
      question.management = arguments_.action;
      question.input = arguments_.file.empty() ? Value(Map()) : read_json_file(arguments_.file);
      Reply reply = governance::executor_reply(runtime_->wait_for(governor().evaluate(std::move(question), {})));
      Map body = reply.body.take_map();
      body.set("stateful", false);
      reply.body = std::move(body);
      if (reply.status == 504) reply.status = 503;
      return reply;
    });
  }

  int log() {
    return plain([&] {
      start();
      const auto suits = [&](const Value& record) {
        const auto is = [&record](const char* key, const std::string& wanted) {
          const Value* value = record.find(key);
          return wanted.empty() || (value && value->kind() == schema::Kind::text && value->as_text() == wanted);
        };
        return is("action", arguments_.action) && is("outcome", arguments_.outcome);
      };
      schema::List list;
      for (Value& record : governor().log().read(arguments_.lines, suits)) list.push_back(std::move(record));
      write_out(data_document(list, common_.output));
      return exit_number(PlainExit::ok);
    });
  }

  int accept() {
    return told([&] {
      start();
      const auto id = governance::RuleId::parse(arguments_.rule);
      const auto record = governor().registry().find(id, {});
      const std::string sha256 = governor().code().accept(record, {});
      return Reply{200, Map({{"success", true}, {"rule", id.text()}, {"sha256", sha256}})};
    });
  }

  int add() {
    return told([&] {
      start();
      const auto id = governance::RuleId::parse(arguments_.rule);
      const auto& file = governor().settings().registry_file;
      if (!file) throw Error(ErrorCode::usage, "the configuration names no registry file to add to");
      if (arguments_.code.empty() == arguments_.reference.empty())
        throw Error(ErrorCode::usage, "a policy is added with either --code or --reference");
      Map entry({{"name", id.name}, {"version", id.version}, {"release_tag", id.release_tag}});
      if (!arguments_.reference.empty()) {
        entry.set("reference", arguments_.reference);
        entry.set("module", arguments_.module);
      } else {
        add_archive(entry, id, file->parent_path());
      }
      if (!arguments_.parameters.empty()) entry.set("policy_parameters", read_json_file(arguments_.parameters));
      governance::Registry::add_to_file(*file, Value(entry), arguments_.replace);
      return Reply{200, Map({{"success", true}, {"policy", std::move(entry)}})};
    });
  }

  int mode() {
    return told([&]() -> std::optional<Reply> {
      auto configuration = configured();
      governance::Settings settings =
          governance::read_settings(configuration.governance.value_or(Map()), state_dir(), configuration_dir());
      governance::apply_environment(settings, os::current_environment());
      if (arguments_.mode.empty() && arguments_.kubectl)
        throw Error(ErrorCode::usage, "--kubectl needs to know the mode: local or remote");
      if (arguments_.mode.empty()) return mode_reply(governance::mode_in_force(settings), {});
      governance::StoredMode wanted{governance::mode_from(arguments_.mode, "the command line"), arguments_.executor_id};
      if (wanted.mode == governance::Mode::remote && wanted.executor_id.empty())
        wanted.executor_id = settings.remote.executor_id;
      if (wanted.mode == governance::Mode::remote && wanted.executor_id.empty())
        throw Error(ErrorCode::usage, "the remote mode needs --executor-id");
      if (arguments_.kubectl) return patch_gateway(wanted);
      if (wanted.mode == governance::Mode::remote && settings.remote.host.empty())
        throw Error(ErrorCode::usage, "the remote mode needs a host")
            .with_hint("set 'host' below 'governance: remote:' of the configuration, or POLICY_EXECUTOR_HOST_URL");
      std::error_code ignored;
      fs::create_directories(settings.rules_file.parent_path(), ignored);
      governance::write_stored_mode(settings, wanted);
      std::string warning;
      if (settings.environment_mode)
        warning = "POLICY_EXECUTION_MODE fixes the mode: the switch has no effect while it is set";
      if (!warning.empty()) talk_.issue({Severity::warning, {}, warning, {}});
      return mode_reply(governance::mode_in_force(settings), warning);
    });
  }

  int setup() {
    return told([&]() -> Reply {
      governance::SetupRequest request;
      std::vector<std::string> settings = arguments_.settings;
      settings.insert(settings.end(), arguments_.more_settings.begin(), arguments_.more_settings.end());
      for (const std::string& setting : settings) {
        const std::size_t equals = setting.find('=');
        if (equals == std::string::npos)
          throw Error(ErrorCode::usage, fmt::format("a parameter is NAME=VALUE, not '{}'", setting));
        request.parameters[setting.substr(0, equals)] = setting.substr(equals + 1);
      }
      request.registry_nodes = arguments_.registry_nodes;
      request.metrics_nodes = arguments_.metrics_nodes;
      if (!arguments_.manifests.empty()) request.manifests = fs::path(common_.context) / arguments_.manifests;
      request.rendered = state_dir() / "governance/setup/rendered";
      request.context = arguments_.kube_context;
      request.offline = common_.offline;
      const governance::SetupPlan plan = governance::plan_setup(request);
      for (const Issue& issue : plan.findings)
        if (arguments_.apply || issue.severity == Severity::warning || issue.at.known()) talk_.issue(issue);
      if (!arguments_.apply) {
        if (!request.offline) run_steps(plan, "preflight.", {});
        return {200, plan.to_value()};
      }
      if (!request.manifests) throw Error(ErrorCode::usage, "--apply needs --manifests");
      if (has_errors(plan.findings)) throw Error(ErrorCode::document, "the set-up cannot be applied as it is");
      return apply_setup(plan, request);
    });
  }

 private:
  // Reads are like every command, writes and checks have codes of their own (spec/command.md section 3).
  template <class Work>
  int plain(const Work& work) {
    try {
      return work();
    } catch (const Error& error) {
      talk_.error(error);
      return error.code() == ErrorCode::usage ? usage_exit : exit_number(PlainExit::failed);
    }
  }

  // Work gives a Reply, or nothing when it has written its data itself.
  template <class Work>
  int told(const Work& work) {
    Reply reply;
    try {
      std::optional<Reply> given = work();
      if (!given) return exit_number(PlainExit::ok);
      reply = std::move(*given);
      write_out(data_document(reply.body, common_.output));
      if (governance::exit_code_of(reply) != 0) talk_.error(Error(ErrorCode::denied, why(reply.body)));
    } catch (const Error& error) {
      talk_.error(error);
      reply = governance::error_reply(error);
      // A damaged file is nothing that the command line could do better.
      if (error.code() == ErrorCode::document && starting_) reply.status = 503;
      if (common_.output == OutputForm::json) write_out(data_document(reply.body, common_.output));
    }
    return governance::exit_code_of(reply);
  }

  // The sentence of a reply that is no success.
  static std::string why(const Value& body) {
    const Value* reason = body.find("reason");
    if (reason)
      return "denied: " +
             (reason->kind() == schema::Kind::text ? reason->as_text() : schema::write_json(*reason, {.indent = 0}));
    const Value* error = body.find("error");
    const Value* message = error ? error->find("message") : body.find("message");
    return message && message->kind() == schema::Kind::text ? message->as_text() : "it failed";
  }

  api::Configuration configured() {
    auto configuration = load_configuration(common_, files_, talk_);
    if (!configuration) throw Error(ErrorCode::usage, "the configuration cannot be used");
    return std::move(*configuration);
  }

  fs::path state_dir() const {
    const auto folder = runtime_options(common_, talk_).state_dir;
    if (!folder)
      throw Error(ErrorCode::environment, "there is no folder for the rules of policies")
          .with_hint("name one with --state-dir or VENVOY_STATE_DIR");
    return fs::absolute(*folder).lexically_normal();
  }
  fs::path configuration_dir() const { return runtime_options(common_, talk_).configuration_dir; }

  void start() {
    api::Configuration configuration = configured();
    api::RuntimeOptions options = runtime_options(common_, talk_);
    options.govern = api::RuntimeOptions::Govern::always;
    starting_ = true;
    runtime_ = std::make_unique<api::Runtime>(std::move(configuration), std::move(options));
    starting_ = false;
  }

  governance::Governor& governor() { return *runtime_->governor(); }

  Value read_json_file(const std::string& name) {
    const auto file = files_.read(name);
    return schema::read_json(file.text, file.name, {.max_bytes = max_governance_input});
  }

  Reply change(Value body) {
    start();
    governance::Governor::UpdateRequest request;
    request.cluster_id = arguments_.cluster;
    request.body = std::move(body);
    request.verify = !arguments_.no_verify;
    request.expected_revision = arguments_.if_revision;
    request.actor = governor().actor();
    return governance::update_reply(governor().update(request, {}), arguments_.cluster);
  }

  void add_archive(Map& entry, const governance::RuleId& id, const fs::path& folder) {
    const auto file = files_.read(arguments_.code);
    const fs::path trial = fs::temp_directory_path() / ("venvoy-archive-" + os::random_name());
    os::make_directory(trial, 0700);
    try {
      governance::extract_policy_archive(file.text, trial);
    } catch (...) {
      os::remove_tree(trial);
      throw;
    }
    os::remove_tree(trial);
    const std::string sha256 = sha256_hex(file.text);
    const std::string name =
        fmt::format("archives/{}-{}-{}-{}", id.name, id.version, id.release_tag, sha256.substr(0, 12));
    fs::create_directories(folder / "archives");
    os::write_file_atomically(folder / name, file.text, 0644);
    entry.set("code", name);
    entry.set("sha256", sha256);
  }

  static Reply mode_reply(const governance::ModeInForce& mode, const std::string& warning) {
    Map body({{"success", true}, {"mode", to_text(mode.mode)}, {"decided_by", mode.decided_by}});
    if (mode.mode == governance::Mode::remote) {
      body.set("executor_id", mode.executor_id);
      body.set("host", mode.host);
    }
    if (!warning.empty()) body.set("warning", warning);
    return {200, std::move(body)};
  }

  // Nothing when the change was only printed.
  std::optional<Reply> patch_gateway(const governance::StoredMode& mode) {
    const std::string patch = governance::gateway_patch(mode);
    if (!arguments_.apply) {
      if (common_.output == OutputForm::json)
        write_out(patch + "\n");
      else
        write_out("kubectl patch deployment cluster-controller-gateway -n services --type strategic -p " +
                  shell_quoted(patch) + "\n");
      return std::nullopt;
    }
    start();
    const auto get =
        std::vector<std::string>{"-n", "services", "get", "deployment", "cluster-controller-gateway", "-o", "json"};
    const Map before = gateway_variables(kubectl(get));
    kubectl(
        {"-n", "services", "patch", "deployment", "cluster-controller-gateway", "--type", "strategic", "-p", patch});
    const Map after = gateway_variables(kubectl(get));
    for (const auto& [name, value] : before)
      if (name.as_text() != "POLICY_EXECUTION_MODE" && name.as_text() != "POLICY_SYSTEM_EXECUTOR_ID" &&
          !(after.find(name) && *after.find(name) == value))
        throw Error(ErrorCode::internal,
                    fmt::format("after the patch the variable {} is not what it was", name.as_text()));
    const Value* now = after.find("POLICY_EXECUTION_MODE");
    if (!now || now->kind() != schema::Kind::text || now->as_text() != to_text(mode.mode))
      throw Error(ErrorCode::internal, "after the patch the gateway's mode is not what was asked for");
    return Reply{
        200,
        Map({{"success", true}, {"mode", to_text(mode.mode)}, {"variables", static_cast<std::int64_t>(after.size())}})};
  }

  static Map gateway_variables(const std::string& text) {
    const Value root = schema::read_json(text, "kubectl");
    const Value* node = &root;
    for (const char* key : {"spec", "template", "spec", "containers"}) node = node ? node->find(key) : nullptr;
    Map result;
    if (node && node->kind() == schema::Kind::list)
      for (const Value& container : node->as_list()) {
        const Value* name = container.find("name");
        const Value* env = container.find("env");
        if (!name || !(*name == Value("cluster-controller-gateway")) || !env || env->kind() != schema::Kind::list)
          continue;
        for (const Value& variable : env->as_list())
          if (const Value* key = variable.find("name"))
            result.set(*key, variable.find("value") ? *variable.find("value") : variable);
      }
    return result;
  }

  std::string kubectl(std::vector<std::string> arguments) {
    const os::Environment environment = os::current_environment();
    const auto program = os::find_program("kubectl", environment);
    if (!program) throw Error(ErrorCode::environment, "there is no kubectl in PATH");
    os::ProgramSpec spec{*program, std::move(arguments), environment, fs::current_path(), {}};
    os::ProgramLimits limits;
    limits.timeout = kubectl_timeout;
    limits.max_output = max_kubectl_output;
    const std::string shown = spec.arguments.empty() ? "kubectl" : "kubectl " + spec.arguments.front();
    const os::ProgramResult result =
        runtime_->wait_for(os::run_program(runtime_->keeper(), std::move(spec), limits, {},
                                           [this](std::string_view line) { talk_.line(fmt::format("  {}\n", line)); }));
    if (!result.exit.ok())
      throw Error(ErrorCode::internal,
                  fmt::format("'{}' has failed with {}: {}", shown, result.exit.text(), result.error_tail));
    return result.output;
  }

  // Steps whose id starts with `prefix`, from the one named `from` on; nothing after the first failure.
  void run_steps(const governance::SetupPlan& plan, std::string_view prefix, const std::string& from) {
    if (!runtime_) start();
    bool reached = from.empty();
    for (const governance::SetupStep& step : plan.steps) {
      reached = reached || step.id == from;
      if (!reached || !step.id.starts_with(prefix)) continue;
      talk_.line(fmt::format("{}\n", step.id));
      try {
        kubectl({step.argv.begin() + 1, step.argv.end()});
      } catch (Error& error) {
        throw error.add_frame(fmt::format("step {}", step.id))
            .with_hint(fmt::format("when that is mended, go on with --from {}", step.id));
      }
    }
  }

  Reply apply_setup(const governance::SetupPlan& plan, const governance::SetupRequest& request) {
    if (!arguments_.from.empty() && std::none_of(plan.steps.begin(), plan.steps.end(),
                                                 [&](const auto& step) { return step.id == arguments_.from; }))
      throw Error(ErrorCode::usage, fmt::format("the plan has no step '{}'", arguments_.from));
    start();
    governance::ActionQuestion question;
    question.action = "cluster_mgmt";
    question.input = Map({{"cluster_data", Map({{"id", request.context.empty() ? "current" : request.context}})},
                          {"input", plan.to_value()}});
    question.actor = governor().actor();
    question.request_id = api::new_run_id();
    const auto decision = runtime_->wait_for(governor().decide(std::move(question), {}));
    if (decision.outcome != governance::Outcome::allow) return governance::decision_reply(decision);
    std::error_code ignored;
    fs::create_directories(request.rendered, ignored);
    for (const governance::SetupStep& step : plan.steps)
      if (!step.manifest.empty()) os::write_file_atomically(request.rendered / step.manifest, step.text);
    run_steps(plan, "", arguments_.from);
    Map body({{"success", true}});
    body.set("steps", static_cast<std::int64_t>(plan.steps.size()));
    return {200, std::move(body)};
  }

  const GovernanceArguments& arguments_;
  const CommonOptions& common_;
  ContextFiles files_;
  Talk talk_;
  std::unique_ptr<api::Runtime> runtime_;
  bool starting_ = false;
};

}  // namespace

void add_governance_command(CLI::App& app, CommonOptions& common, Action& action) {
  CLI::App* group = app.add_subcommand("governance", "Rules, decisions and modes of pre-check policies");
  group->require_subcommand(1);
  group->footer("Example: venvoy governance set add_node=acme.add-node:v0.0.12-stable");
  const auto arguments = std::make_shared<GovernanceArguments>();
  const auto add = [&](const char* name, const char* text, const char* example, int (GovernanceCommand::*work)()) {
    CLI::App* command = group->add_subcommand(name, text);
    command->footer(std::string("Example: venvoy governance ") + example);
    command->callback([&common, &action, arguments, work] {
      action = [&common, arguments, work] { return (GovernanceCommand(*arguments, common).*work)(); };
    });
    return command;
  };
  const auto cluster = [&](CLI::App* command) {
    command->add_option("--cluster", arguments->cluster, "The rules of this cluster, in place of the network's")
        ->type_name("ID");
  };
  const auto writes = [&](CLI::App* command) {
    cluster(command);
    command->add_flag("--no-verify", arguments->no_verify, "Take rule ids that the registry does not know");
    command->add_option("--if-revision", arguments->if_revision, "Only if the rules have this revision")
        ->type_name("N");
  };

  cluster(add("get", "Print the rules", "get", &GovernanceCommand::get));
  CLI::App* set = add("set", "Set or remove rules",
                      "set add_node=acme.add-node:v0.0.12-stable remove_cluster=", &GovernanceCommand::set);
  set->add_option("RULE", arguments->settings, "ACTION=RULE-ID; nothing after '=' removes the rule")->required();
  writes(set);
  CLI::App* update =
      add("update", "Merge a file of rules into the rules", "update -f map.json", &GovernanceCommand::update);
  update->add_option("-f,--file", arguments->file, "JSON object of actions and rules")->type_name("FILE")->required();
  writes(update);
  CLI::App* check = add("check", "Decide about an action without doing anything", "check add_node -f input.json",
                        &GovernanceCommand::check);
  check->add_option("ACTION", arguments->action, "The action")->required();
  check->add_option("-f,--file", arguments->file, "JSON object: the action's input")->type_name("FILE")->required();
  cluster(check);
  CLI::App* log = add("log", "Print the newest decisions", "log -n 50 --outcome deny", &GovernanceCommand::log);
  log->add_option("-n,--lines", arguments->lines, "How many")->type_name("N");
  log->add_option("--action", arguments->action, "Only those of this action")->type_name("ACTION");
  log->add_option("--outcome", arguments->outcome, "Only allow, deny, error or allowed_on_error")->type_name("WORD");
  CLI::App* mode = add("mode", "Show or switch where policies are evaluated", "mode remote --executor-id executor-7",
                       &GovernanceCommand::mode);
  mode->add_option("MODE", arguments->mode, "local or remote; nothing: show it");
  mode->add_option("--executor-id", arguments->executor_id, "The executor of the remote mode")->type_name("ID");
  mode->add_flag("--kubectl", arguments->kubectl, "Print the change of an AIOS gateway; nothing is switched here");
  mode->add_flag("--apply", arguments->apply, "With --kubectl: make the change, read it back and compare");
  CLI::App* accept = add("accept", "Take an archive that has changed for what its rule id means",
                         "accept acme.add-node:v0.0.12-stable", &GovernanceCommand::accept);
  accept->add_option("RULE-ID", arguments->rule, "The policy")->required();
  CLI::App* onboard = add("add", "Add a policy to the registry's file",
                          "add acme.add-node:v0.0.13-stable --code add-node.tar.xz", &GovernanceCommand::add);
  onboard->add_option("RULE-ID", arguments->rule, "The policy")->required();
  onboard->add_option("--code", arguments->code, "Archive with code/function.py")->type_name("FILE");
  onboard->add_option("--reference", arguments->reference, "Reference of a plugin with the policy")->type_name("REF");
  onboard->add_option("--module", arguments->module, "Of a reference: the module with the policy")->type_name("NAME");
  onboard->add_option("--parameters", arguments->parameters, "JSON object: the policy's parameters")->type_name("FILE");
  onboard->add_flag("--replace", arguments->replace, "Replace the policy of the same id");
  CLI::App* manage = add("manage", "Give a policy a management command", "manage acme.add-node:v0.0.12-stable status",
                         &GovernanceCommand::manage);
  manage->add_option("RULE-ID", arguments->rule, "The policy")->required();
  manage->add_option("COMMAND", arguments->action, "The command's name")->required();
  manage->add_option("-f,--file", arguments->file, "JSON object: the command's data")->type_name("FILE");
  CLI::App* setup = add("setup", "Plan or carry out the set-up of a management cluster",
                        "setup --plan --offline --registry-node n1 --metrics-node n2 --manifests k8s/installer",
                        &GovernanceCommand::setup);
  setup->add_option("PARAMETER", arguments->settings,
                    "NAME=VALUE of REGISTRY_REPLICAS, REGISTRY_SIZE, METRICS_REPLICAS, METRICS_SIZE");
  setup->add_option("--set", arguments->more_settings, "The same; may be repeated")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  setup->add_flag("--plan", arguments->plan, "Print the plan; the default");
  setup->add_flag("--apply", arguments->apply, "Carry it out")->excludes("--plan");
  setup->add_option("--from", arguments->from, "With --apply: begin at this step")->type_name("STEP");
  setup->add_option("--registry-node", arguments->registry_nodes, "Node of registry databases; may be repeated")
      ->type_name("NODE")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  setup->add_option("--metrics-node", arguments->metrics_nodes, "Node of metrics databases; may be repeated")
      ->type_name("NODE")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  setup->add_option("--manifests", arguments->manifests, "Folder with the manifests of the six groups")
      ->type_name("DIR");
  setup->add_option("--kube-context", arguments->kube_context, "Context of kubectl")->type_name("NAME");
}

}  // namespace venvoy::cli
