// venvoy package check|which|probe|install|rollback; render and drift have files of their own
#include <map>
#include <memory>
#include <string>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/package_common.hpp"
#include "rucio/install.hpp"
#include "rucio/which.hpp"
#include "schema/json.hpp"

namespace venvoy::cli {
namespace {

using nlohmann::json;

constexpr const char* reference_help =
    "The package: NAME@git+URL[@VERSION][#subdirectory=DIR], NAME==VERSION, a folder or a wheel";
constexpr const char* exit_codes =
    "Exit code: 0 fine, 1 not resolvable, 2 wrong usage, 3 contract mismatch, 4 contract not parsable, 5 does not "
    "import,\n6 could not be installed, 8 another rule of level error.\n\n";

rucio::OpenOptions open_options_of(const PackageOptions& options) {
  rucio::OpenOptions open;
  open.read_only = options.read_only;
  open.module = options.module;
  return open;
}

// --- check ---

int check(const PackageOptions& options, const CommonOptions& common) {
  PackageWork work(common);
  return work.run(options, [&](rucio::Workshop& workshop, const CancelToken&) {
    const rucio::CheckOptions check_options = check_options_of(options);
    const std::string reference = package_reference(options.references.front(), common.context);
    const rucio::Package package = rucio::open_package(workshop, reference, open_options_of(options));
    const rucio::CheckReport report = rucio::check_package(workshop, package, check_options);
    work.tell(report.findings);
    work.write_data(rucio::to_json(report, package, check_options));
    return rucio::exit_of(report);
  });
}

void add_check(CLI::App& package, CommonOptions& common, Action& action) {
  const auto options = std::make_shared<PackageOptions>();
  CLI::App* command = package.add_subcommand("check", "See whether a package is right for a version of Rucio");
  command->add_option("REF", options->references, reference_help)->required()->expected(1);
  add_host_option(*command, *options);
  add_vo_options(*command, *options);
  command->add_flag("--static", options->read_only, "Read the package's source; run nothing of it, nor build it");
  command
      ->add_option("--image-python", options->image_python, "Python of the image that it will run in; 3.9 if not given")
      ->type_name("VERSION");
  add_source_options(*command, *options);
  add_limit_options(*command, *options);
  command->footer(
      std::string(exit_codes) +
      "Example: venvoy package check my_policy@git+https://example.org/policy.git@v1.0 --host-version 41.5.1");
  command->callback([&common, &action, options] { action = [&common, options] { return check(*options, common); }; });
}

// --- which ---

struct WhichArguments {
  std::optional<std::string> file;
  rucio::WhichQuestion question;
};

int which(const WhichArguments& arguments, const CommonOptions& common) {
  PackageWork work(common);
  return work.run_alone([&] {
    const os::Environment environment = os::current_environment();
    const std::string name = arguments.file ? *arguments.file : rucio::find_rucio_config(environment);
    const auto file = work.files().read(name);
    const rucio::ConfigFile config = rucio::ConfigFile::parse(file.text, file.name);
    const rucio::ActivePackage active = rucio::active_package(config, environment, arguments.question);
    for (const std::string& hint : active.hints) work.talk().line("note: " + hint + "\n");
    work.write_data({{"package", active.package ? json(*active.package) : json()},
                     {"origin", active.origin},
                     {"key", active.key},
                     {"file", file.name},
                     {"line", active.line > 0 ? json(active.line) : json()},
                     {"hints", active.hints}});
    return PackageExit::ok;
  });
}

void add_which(CLI::App& package, CommonOptions& common, Action& action) {
  static const std::map<std::string, rucio::Component> components = {
      {"server", rucio::Component::server}, {"daemon", rucio::Component::daemon}, {"client", rucio::Component::client}};
  const auto arguments = std::make_shared<WhichArguments>();
  CLI::App* command = package.add_subcommand("which", "Say which package a host would load, and why");
  command->add_option("--rucio-cfg", arguments->file, "The host's configuration; where Rucio looks, if not given")
      ->type_name("FILE");
  command->add_option("--vo", arguments->question.vo, "The VO, on a multi-VO host")->type_name("VO");
  command->add_option("--component", arguments->question.component, "server, daemon or client; server if not given")
      ->transform(CLI::CheckedTransformer(components))
      ->option_text("NAME");
  command->footer(
      "Reads the configuration file and the variables of its own environment, as a host does.\n"
      "Exit code: 0 told, 1 a host would refuse it or misread it, 2 wrong usage.\n\n"
      "Example: venvoy package which --rucio-cfg rucio.cfg --vo vo1");
  command->callback(
      [&common, &action, arguments] { action = [&common, arguments] { return which(*arguments, common); }; });
}

// --- probe ---

struct ProbeArguments {
  PackageOptions package;
  std::string question;
  std::string issuer = "root";
  std::optional<std::string> action_name, kwargs, key, name, object, type, arguments;
  std::vector<std::string> config;
};

json json_of(const std::optional<std::string>& text, const char* option, json otherwise) {
  if (!text) return otherwise;
  json value = json::parse(*text, nullptr, false);
  if (value.is_discarded()) throw Error(ErrorCode::usage, fmt::format("{} '{}' is no JSON", option, *text));
  return value;
}

const std::string& required(const std::optional<std::string>& text, const char* option, const std::string& question) {
  if (!text) throw Error(ErrorCode::usage, fmt::format("the question '{}' needs {}", question, option));
  return *text;
}

void add_config(const std::vector<std::string>& entries, rucio::Question& question) {
  for (const std::string& entry : entries) {
    const auto dot = entry.find('.');
    const auto equals = entry.find('=', dot);
    if (dot == std::string::npos || equals == std::string::npos)
      throw Error(ErrorCode::usage, fmt::format("--set '{}': SECTION.OPTION=VALUE was expected", entry));
    question.config[entry.substr(0, dot)][entry.substr(dot + 1, equals - dot - 1)] = entry.substr(equals + 1);
  }
}

rucio::Question question_of(const ProbeArguments& arguments) {
  rucio::Question question;
  question.name = arguments.question;
  question.audience = audience_of(arguments.package);
  question.alias_surl = arguments.package.alias_surl;
  add_config(arguments.config, question);
  json& more = question.more;
  if (question.name == "permission") {
    more["issuer"] = arguments.issuer;
    more["action"] = required(arguments.action_name, "--action", question.name);
    more["kwargs"] = json_of(arguments.kwargs, "--kwargs", json::object());
  } else if (question.name == "schema") {
    if (arguments.key) more["key"] = *arguments.key;
    if (arguments.name) {
      more["name"] = *arguments.name;
      more["object"] = json_of(required(arguments.object, "--object", "schema with --name"), "--object", {});
    }
  } else if (question.name == "call") {
    more["type"] = required(arguments.type, "--type", question.name);
    more["name"] = arguments.name.value_or("");
    more["arguments"] = json_of(arguments.arguments, "--arguments", json::array());
    if (!more["arguments"].is_array()) throw Error(ErrorCode::usage, "--arguments must be a JSON list");
  }
  return question;
}

PackageExit exit_of_answer(const json& answer) {
  if (answer.contains("verdict") && answer["verdict"] == "mismatch") return PackageExit::contract_mismatch;
  if (answer.contains("verdict") && answer["verdict"] == "unparsable") return PackageExit::contract_unparsable;
  // An answer that a host gives in spite of an error is an answer.
  return answer.contains("error") && !answer.contains("answer") ? PackageExit::import_failed : PackageExit::ok;
}

// Why there is no good answer.
std::vector<rucio::Finding> faults_in(const json& answer, const std::string& module) {
  std::vector<rucio::Finding> faults;
  for (const json& each : answer.value("findings", json::array()))
    if (each.value("level", "") == "error")
      faults.push_back({each.value("rule", ""), "error", module, 0, each.value("text", "")});
  if (!answer.contains("error") || !answer["error"].is_object()) return faults;
  const json& error = answer["error"];
  const json& file = error.contains("file") ? error["file"] : json();
  const json& line = error.contains("line") ? error["line"] : json();
  faults.push_back({error.value("class", ""), "error", file.is_string() ? file.get<std::string>() : module,
                    line.is_number() ? line.get<int>() : 0, error.value("message", "")});
  return faults;
}

int probe(const ProbeArguments& arguments, const CommonOptions& common) {
  PackageWork work(common);
  return work.run(arguments.package, [&](rucio::Workshop& workshop, const CancelToken&) {
    const rucio::Question question = question_of(arguments);
    const auto version = host_version_of(arguments.package);
    const rucio::ProbeLimits limits = limits_of(arguments.package);
    const std::string reference = package_reference(arguments.package.references.front(), common.context);
    const rucio::Package package = rucio::open_package(workshop, reference, open_options_of(arguments.package));
    json answer;
    if (question.name == "contract") {
      answer = rucio::ask_with_host_if_needed(workshop, package, question, version, limits);
      if (version) answer = rucio::judge_declared(workshop, package, answer, *version);
    } else if (version) {
      const rucio::Host host = rucio::find_host(workshop, *version, rucio::HostUse::run, package.python);
      answer = rucio::ask_package(workshop, package, {package.root, &host, version}, question, limits);
    } else {
      if (question.name == "permission" || question.name == "schema")
        work.talk().line(
            "note: without --host-version there is no Rucio that could answer where the package does not\n");
      answer = rucio::ask_package(workshop, package, {package.root, nullptr, version}, question, limits);
    }
    answer["question"] = question.name;
    answer["module"] = package.module;
    const PackageExit exit = exit_of_answer(answer);
    if (exit != PackageExit::ok) work.tell(faults_in(answer, package.module));
    work.write_data(answer);
    return exit;
  });
}

void add_probe(CLI::App& package, CommonOptions& common, Action& action) {
  const auto arguments = std::make_shared<ProbeArguments>();
  CLI::App* command =
      package.add_subcommand("probe", "Ask a package one question, as a host would, in a process of its own");
  command->add_option("REF", arguments->package.references, reference_help)->required()->expected(1);
  command->add_option("--question", arguments->question, "contract, permission, schema, algorithms or call")
      ->required()
      ->check(CLI::IsMember({"contract", "permission", "schema", "algorithms", "call"}))
      ->option_text("NAME");
  add_host_option(*command, arguments->package);
  add_vo_options(*command, arguments->package);
  const auto text = [command](const char* name, auto& value, const char* help, const char* type) {
    command->add_option(name, value, help)->type_name(type);
  };
  text("--issuer", arguments->issuer, "permission: the account; root if not given", "ACCOUNT");
  text("--action", arguments->action_name, "permission: the action, such as add_rse", "NAME");
  text("--kwargs", arguments->kwargs, "permission: its arguments, a JSON object", "JSON");
  text("--key", arguments->key, "schema: one constant, such as SCOPE_LENGTH; all of them, if neither is given", "NAME");
  text("--object", arguments->object, "schema: what is to be validated against the schema --name", "JSON");
  text("--type", arguments->type, "call: the type of algorithm, such as lfn2pfn", "TYPE");
  text("--name", arguments->name, "call: the algorithm's name; schema: the name of a schema", "NAME");
  text("--arguments", arguments->arguments, "call: the arguments, a JSON list", "JSON");
  command->add_option("--set", arguments->config, "An option of the host's configuration; may be repeated")
      ->type_name("SECTION.OPTION=VALUE")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_flag("--alias-surl", arguments->package.alias_surl,
                    "Take algorithms of type surl for non_deterministic_pfn");
  add_source_options(*command, arguments->package);
  add_limit_options(*command, arguments->package);
  command->footer(
      "Exit code: 0 answered, 1 not resolvable, 2 wrong usage, 3 and 4 as `package check`, 5 no answer but an "
      "error.\n\nExample: venvoy package probe ./my_policy --question permission --action add_rse "
      "--host-version 41.5.1");
  command->callback(
      [&common, &action, arguments] { action = [&common, arguments] { return probe(*arguments, common); }; });
}

// --- install, rollback ---

struct InstallArguments {
  PackageOptions package;
  std::string target;
  bool force = false;
};

json shown_records(const rucio::InstallRecords& records) {
  json list = json::array();
  for (const auto& [module, record] : records)
    list.push_back({{"module", module},
                    {"version", record.version},
                    {"commit", record.commit},
                    {"reference", record.reference},
                    {"verdict", record.verdict},
                    {"host_version", record.host_version}});
  return list;
}

int install(const InstallArguments& arguments, const CommonOptions& common) {
  PackageWork work(common, PackageExit::install_failed);
  return work.run(arguments.package, [&](rucio::Workshop& workshop, const CancelToken& cancel) {
    rucio::InstallOptions options;
    options.target = std::filesystem::path(common.context) / arguments.target;
    options.check = check_options_of(arguments.package);
    options.open = open_options_of(arguments.package);
    options.force = arguments.force;
    options.now = rfc3339_utc(system_clock().wall());
    std::vector<std::string> references;
    for (const std::string& text : arguments.package.references)
      references.push_back(package_reference(text, common.context));
    const rucio::InstallOutcome outcome = rucio::install_packages(workshop, references, options, cancel);
    for (const auto& [package, report] : outcome.checked) work.tell(report.findings);
    if (outcome.exit != PackageExit::ok) {
      work.talk().line("nothing was installed; --force installs in spite of this\n");
      return outcome.exit;
    }
    work.write_data({{"target", options.target.string()},
                     {"result", outcome.unchanged ? "unchanged" : "installed"},
                     {"installed", outcome.installed},
                     {"packages", shown_records(outcome.records)}});
    return PackageExit::ok;
  });
}

void add_install(CLI::App& package, CommonOptions& common, Action& action) {
  const auto arguments = std::make_shared<InstallArguments>();
  CLI::App* command =
      package.add_subcommand("install", "Put packages into a folder of PYTHONPATH: checked, and in one step");
  command->add_option("REF", arguments->package.references, reference_help)->required();
  command->add_option("--target", arguments->target, "The folder; it is made if it is not there")
      ->required()
      ->type_name("DIR");
  add_host_option(*command, arguments->package);
  add_vo_options(*command, arguments->package);
  command->add_flag("--force", arguments->force, "Install although the contract or a rule says no");
  command
      ->add_option("--image-python", arguments->package.image_python,
                   "Python of the image that it will run in; 3.9 if not given")
      ->type_name("VERSION");
  add_source_options(*command, arguments->package);
  add_limit_options(*command, arguments->package);
  command->footer(
      std::string(exit_codes) +
      "Example: venvoy package install my_policy==1.4.0 --target /opt/policy_packages --host-version 41.5.1");
  command->callback(
      [&common, &action, arguments] { action = [&common, arguments] { return install(*arguments, common); }; });
}

int roll_back(const InstallArguments& arguments, const CommonOptions& common) {
  PackageWork work(common, PackageExit::install_failed);
  return work.run_alone([&] {
    const auto path = std::filesystem::path(common.context) / arguments.target;
    if (!std::filesystem::is_directory(path))
      throw Error(ErrorCode::unresolvable, fmt::format("there is no folder '{}'", path.string()));
    rucio::TargetDirectory target = rucio::TargetDirectory::open(path, CancelToken());
    target.roll_back();
    work.write_data(
        {{"target", path.string()}, {"result", "rolled back"}, {"packages", shown_records(target.records())}});
    return PackageExit::ok;
  });
}

void add_rollback(CLI::App& package, CommonOptions& common, Action& action) {
  const auto arguments = std::make_shared<InstallArguments>();
  CLI::App* command =
      package.add_subcommand("rollback", "Bring back what was in the folder before the last installation");
  command->add_option("--target", arguments->target, "The folder")->required()->type_name("DIR");
  command->footer(
      "Once more goes forward again. Exit code: 0 done, 1 there is nothing to go back to, 2 wrong usage, 6 failed.\n\n"
      "Example: venvoy package rollback --target /opt/policy_packages");
  command->callback(
      [&common, &action, arguments] { action = [&common, arguments] { return roll_back(*arguments, common); }; });
}

}  // namespace

void add_package_command(CLI::App& app, CommonOptions& common, Action& action) {
  CLI::App* package = app.add_subcommand("package", "Policy packages of Rucio: check, ask, install and deploy them");
  package->require_subcommand(1);
  package->footer("Example: venvoy package check my_policy==1.4.0 --host-version 41.5.1");
  add_check(*package, common, action);
  add_which(*package, common, action);
  add_probe(*package, common, action);
  add_install(*package, common, action);
  add_rollback(*package, common, action);
  add_package_render_command(*package, common, action);
  add_package_drift_command(*package, common, action);
}

}  // namespace venvoy::cli
