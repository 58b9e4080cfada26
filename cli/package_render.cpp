// venvoy package render …, venvoy package drift
#include <memory>
#include <string>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include "base/error.hpp"
#include "cli/package_common.hpp"
#include "os/files.hpp"
#include "rucio/config_file.hpp"
#include "rucio/drift.hpp"
#include "rucio/render.hpp"
#include "rucio/which.hpp"
#include "schema/yaml_writer.hpp"

namespace venvoy::cli {
namespace {

constexpr std::size_t max_script = 1u << 20;
constexpr std::size_t max_config = 16u << 20;

struct RenderArguments {
  PackageOptions package;
  std::vector<std::string> components;
  rucio::RenderOptions options;
  std::optional<std::string> out;
  std::optional<std::string> edit;
  std::vector<std::string> policy_options;
};

// What one artefact is made by.
using Render = std::function<std::string(const rucio::RenderedPackages&, const rucio::RenderOptions&, const Talk&)>;

rucio::RenderOptions options_of(const RenderArguments& arguments) {
  rucio::RenderOptions options = arguments.options;
  options.host = host_version_of(arguments.package);
  options.vos = arguments.package.single_vo ? std::vector<std::string>() : arguments.package.vos;
  if (!arguments.components.empty()) options.parts.clear();
  for (const std::string& name : arguments.components) {
    const auto part = rucio::part_from(name);
    if (!part) throw Error(ErrorCode::usage, fmt::format("there is no component '{}'", name));
    if (std::ranges::find(options.parts, *part) == options.parts.end()) options.parts.push_back(*part);
  }
  for (const std::string& entry : arguments.policy_options) {
    const auto equals = entry.find('=');
    if (equals == std::string::npos || equals == 0)
      throw Error(ErrorCode::usage, fmt::format("--set '{}': OPTION=VALUE was expected", entry));
    options.policy_options.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return options;
}

void put_out(const RenderArguments& arguments, const CommonOptions& common, const std::string& text) {
  if (!arguments.out || *arguments.out == "-") return write_out(text);
  os::write_file_atomically(std::filesystem::path(common.context) / *arguments.out, text, 0644);
}

int render(const RenderArguments& arguments, const CommonOptions& common, const Render& make) {
  PackageWork work(common);
  return work.run(arguments.package, [&](rucio::Workshop& workshop, const CancelToken&) {
    const rucio::RenderOptions options = options_of(arguments);
    std::vector<std::pair<rucio::Package, std::optional<rucio::CheckReport>>> opened;
    for (const std::string& text : arguments.package.references) {
      rucio::OpenOptions open;
      open.module = arguments.package.module;
      rucio::Package package = rucio::open_package(workshop, package_reference(text, common.context), open);
      std::optional<rucio::CheckReport> report;
      if (options.host) {
        rucio::CheckOptions check;
        check.host = options.host;
        report = rucio::check_package(workshop, package, check);
        if (report->verdict != contract::HostVerdict::accepted) work.tell(report->findings);
      }
      opened.emplace_back(std::move(package), std::move(report));
    }
    rucio::RenderedPackages packages;
    for (const auto& [package, report] : opened) packages.push_back({&package, report ? &*report : nullptr});
    put_out(arguments, common, make(packages, options, work.talk()));
    return PackageExit::ok;
  });
}

std::string read_support_file(const char* name) {
  return os::read_file(os::find_support_file(name), max_script);
}

// --edit: the file itself is brought to what the fragment says.
std::string edit_file(const RenderArguments& arguments, const rucio::ConfigSections& sections) {
  const std::string& name = *arguments.edit;
  std::string text = os::read_file_if_there(name, max_config).value_or("");
  const std::string before = text;
  for (const auto& [section, values] : sections) text = rucio::ConfigFile::parse(text, name).edited(section, values);
  if (text == before) return "unchanged\n";
  std::error_code ignored;
  const auto status = std::filesystem::status(name, ignored);
  const unsigned mode = std::filesystem::exists(status) ? static_cast<unsigned>(status.permissions()) & 07777u : 0644u;
  os::write_file_atomically(std::filesystem::exists(status) ? std::filesystem::canonical(name).string() : name, text,
                            mode);
  return "changed\n";
}

struct Artefact {
  const char* name;
  const char* help;
  bool needs_references;
  const char* example;
};

std::shared_ptr<RenderArguments> add_artefact(CLI::App& render_command, const Artefact& artefact, CLI::App*& command) {
  auto arguments = std::make_shared<RenderArguments>();
  command = render_command.add_subcommand(artefact.name, artefact.help);
  auto* reference = command->add_option("REF", arguments->package.references, "The packages");
  if (artefact.needs_references) reference->required();
  command
      ->add_option("--component", arguments->components, "server, daemons, ui, webui, init or clients; may be repeated")
      ->type_name("NAME")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->check(CLI::IsMember({"server", "daemons", "ui", "webui", "init", "clients"}));
  command->add_option("-o,--out", arguments->out, "File to write; standard output if not given")->type_name("FILE");
  add_host_option(*command, arguments->package);
  add_vo_options(*command, arguments->package);
  add_source_options(*command, arguments->package);
  command->add_option("--mount-path", arguments->options.mount_path, "Where the packages are in the image")
      ->type_name("DIR")
      ->capture_default_str();
  command->add_option("--registry", arguments->options.registry, "Registry of the images")->type_name("HOST");
  command->footer(std::string("Example: ") + artefact.example);
  return arguments;
}

void add_values(CLI::App& parent, CommonOptions& common, Action& action) {
  CLI::App* command = nullptr;
  const auto arguments = add_artefact(
      parent,
      {"values", "Values of the charts, one key for each chart", true,
       "venvoy package render values my_policy==1.4.0 --component server --component daemons --create-pvc"},
      command);
  rucio::RenderOptions& options = arguments->options;
  command->add_flag("--ephemeral", options.ephemeral, "A volume of each pod; server and daemons only");
  command->add_flag("--create-pvc", options.create_claim, "Let the first chart make the claim that all of them use");
  command->add_flag("--prepend-release-name", options.prepend_release_name, "A claim for each release, with its name");
  command->add_option("--pvc-name", options.claim_name, "Name of the claim")->type_name("NAME")->capture_default_str();
  command->add_option("--storage", options.storage, "Size of the claim")->type_name("SIZE")->capture_default_str();
  command->add_option("--storage-class", options.storage_class, "Class of the claim")->type_name("NAME");
  command->add_flag("--secret", options.from_secret, "Mount the Secrets of `render secret`; no init container");
  command->add_option("--secret-name", options.secret_name, "Name of the Secret")->type_name("NAME");
  command->add_flag("--entry-script", options.entry_script, "For an image with the script of `render entrypoint`");
  command->callback([&common, &action, arguments] {
    action = [&common, arguments] {
      return render(*arguments, common, [](const auto& packages, const auto& chosen, const Talk& talk) {
        return schema::write_yaml(rucio::chart_values(packages, chosen, talk.logger()),
                                  {.sort_keys = false, .indent = 2});
      });
    };
  });
}

using TextOf = std::string (*)(const rucio::RenderedPackages&, const rucio::RenderOptions&);

void set_action(CLI::App& command, CommonOptions& common, Action& action, std::shared_ptr<RenderArguments> arguments,
                TextOf text_of) {
  command.callback([&common, &action, arguments, text_of] {
    action = [&common, arguments, text_of] {
      return render(*arguments, common, [text_of](const auto& packages, const auto& chosen, const Talk&) {
        return text_of(packages, chosen);
      });
    };
  });
}

void add_images(CLI::App& parent, CommonOptions& common, Action& action) {
  CLI::App* command = nullptr;
  auto arguments =
      add_artefact(parent,
                   {"dockerfile", "A Dockerfile on top of a stock image, which fails where the stock one goes on", true,
                    "venvoy package render dockerfile my_policy==1.4.0 --host-version 41.5.1 -o Dockerfile"},
                   command);
  set_action(*command, common, action, arguments, &rucio::dockerfile);

  arguments = add_artefact(parent,
                           {"build-arg", "The build argument of the stock images, and the command that uses it", true,
                            "venvoy package render build-arg my_policy==1.4.0 --host-version 41.5.1"},
                           command);
  command
      ->add_option("--context-dir", arguments->options.build_context,
                   "The image's folder in a clone of Rucio's repository `containers`")
      ->type_name("DIR");
  set_action(*command, common, action, arguments, &rucio::build_argument);

  arguments =
      add_artefact(parent,
                   {"docker-run", "A command that starts a stock image with the packages of a folder", true,
                    "venvoy package render docker-run my_policy==1.4.0 --host-version 41.5.1 --volume /srv/policy"},
                   command);
  command->add_option("--volume", arguments->options.volume, "The folder, as `package install --target` has filled it")
      ->type_name("DIR")
      ->capture_default_str();
  set_action(*command, common, action, arguments, &rucio::docker_run);
}

void add_secrets(CLI::App& parent, CommonOptions& common, Action& action) {
  CLI::App* command = nullptr;
  auto arguments = add_artefact(parent,
                                {"secret", "Kubernetes Secrets with the files of the packages, one for each folder",
                                 true, "venvoy package render secret ./my_policy --vo vo1 | kubectl apply -f -"},
                                command);
  command->add_option("--secret-name", arguments->options.secret_name, "Name of the Secret")->type_name("NAME");
  command->add_option("--namespace", arguments->options.name_space, "Namespace of the Secret")->type_name("NAME");
  command->add_flag("--flat", arguments->options.flat, "Refuse a package with folders in it");
  set_action(*command, common, action, arguments, &rucio::secrets);

  arguments =
      add_artefact(parent,
                   {"cronjob", "A job that keeps the Secret of a package up to date, with its rights", true,
                    "venvoy package render cronjob my_policy@git+https://example.org/policy.git --namespace rucio"},
                   command);
  command->add_option("--secret-name", arguments->options.secret_name, "Name of the Secret")->type_name("NAME");
  command->add_option("--namespace", arguments->options.name_space, "Namespace of Secret and job")->type_name("NAME");
  command->add_option("--schedule", arguments->options.schedule, "When, as cron writes it")
      ->type_name("CRON")
      ->capture_default_str();
  command->add_option("--image", arguments->options.renewer_image, "An image with python3, pip and git")
      ->type_name("IMAGE")
      ->capture_default_str();
  command->callback([&common, &action, arguments] {
    action = [&common, arguments] {
      return render(*arguments, common, [](const auto& packages, const auto& chosen, const Talk&) {
        return rucio::cron_job(packages, chosen, read_support_file("renew_secret.py"));
      });
    };
  });
}

void add_configuration(CLI::App& parent, CommonOptions& common, Action& action) {
  CLI::App* command = nullptr;
  const auto arguments = add_artefact(parent,
                                      {"rucio-cfg", "The part of rucio.cfg that names the packages", true,
                                       "venvoy package render rucio-cfg my_policy==1.4.0 --edit etc/rucio.cfg"},
                                      command);
  command->add_option("--edit", arguments->edit, "Bring this file to it; its other lines stay as they are")
      ->type_name("FILE");
  command->add_option("--set", arguments->policy_options, "One more option of [policy]; may be repeated")
      ->type_name("OPTION=VALUE")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->callback([&common, &action, arguments] {
    action = [&common, arguments] {
      return render(*arguments, common, [arguments](const auto& packages, const auto& chosen, const Talk&) {
        const rucio::ConfigSections sections = rucio::config_sections(packages, chosen);
        return arguments->edit ? edit_file(*arguments, sections) : rucio::config_fragment(sections);
      });
    };
  });
}

void add_entry_point(CLI::App& parent, CommonOptions& common, Action& action) {
  CLI::App* command = nullptr;
  const auto arguments =
      add_artefact(parent,
                   {"entrypoint", "A script that puts $POLICY_PKG_PATH into PYTHONPATH and starts the image's own",
                    false, "venvoy package render entrypoint --component daemons -o entrypoint.sh"},
                   command);
  command->callback([&common, &action, arguments] {
    action = [&common, arguments] {
      PackageWork work(common);
      return work.run_alone([&] {
        const rucio::RenderOptions options = options_of(*arguments);
        if (options.parts.size() != 1)
          throw Error(ErrorCode::usage, "a script is for one component: give --component once");
        put_out(*arguments, common, rucio::entry_script(options.parts.front()));
        return PackageExit::ok;
      });
    };
  });
}

}  // namespace

void add_package_render_command(CLI::App& package, CommonOptions& common, Action& action) {
  CLI::App* command =
      package.add_subcommand("render", "Write what brings packages to hosts: values, images, Secrets, files");
  command->require_subcommand(1);
  command->footer(
      "Exit code: 0 written, 1 not resolvable, 2 wrong usage, 6 could not be installed, 8 not deployable this way.\n\n"
      "Example: venvoy package render values my_policy==1.4.0 --component server");
  add_values(*command, common, action);
  add_images(*command, common, action);
  add_secrets(*command, common, action);
  add_configuration(*command, common, action);
  add_entry_point(*command, common, action);
}

void add_package_drift_command(CLI::App& package, CommonOptions& common, Action& action) {
  const auto names = std::make_shared<std::vector<std::string>>();
  const auto options = std::make_shared<PackageOptions>();
  CLI::App* command = package.add_subcommand("drift", "Compare hosts and packages over the values of several charts");
  command->add_option("VALUES", *names, "Values files: of a chart each, or as `render values` writes them")->required();
  add_source_options(*command, *options);
  command->footer(
      "Exit code: 0 all agree, 1 a file cannot be read, 2 wrong usage, 7 they do not.\n\n"
      "Example: venvoy package drift server-values.yaml daemons-values.yaml");
  command->callback([&common, &action, names, options] {
    action = [&common, names, options] {
      PackageWork work(common);
      return work.run(*options, [&](rucio::Workshop& workshop, const CancelToken&) {
        std::vector<rucio::ValuesFile> files;
        for (const std::string& name : *names) {
          const auto file = work.files().read(name);
          files.push_back({file.name, file.text});
        }
        const nlohmann::json found = rucio::find_drift(workshop, files);
        for (const auto& sentence : found["drift"]) work.talk().line("drift: " + sentence.get<std::string>() + "\n");
        work.write_data(found);
        return found["drift"].empty() ? PackageExit::ok : PackageExit::drift;
      });
    };
  });
}

}  // namespace venvoy::cli
