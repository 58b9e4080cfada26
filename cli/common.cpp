#include "cli/common.hpp"

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <pwd.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "api/state_dir.hpp"
#include "cli/log_output.hpp"
#include "os/environment.hpp"
#include "os/files.hpp"

namespace venvoy::cli {

namespace {

namespace fs = std::filesystem;

LogLevel log_level_of(const CommonOptions& options) {
  for (const LogLevel level : {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error})
    if (options.log_level == to_text(level)) return level;
  if (options.quiet) return LogLevel::error;
  if (options.verbose >= 2) return LogLevel::debug;
  return options.verbose == 1 ? LogLevel::info : LogLevel::warning;
}

bool use_color(const CommonOptions& options) {
  if (options.color != "auto") return options.color == "always";
  const char* no_color = std::getenv("NO_COLOR");
  return (!no_color || !*no_color) && ::isatty(STDERR_FILENO) == 1;
}

// The file in the user's configuration folder, if it is there.
std::optional<fs::path> user_configuration() {
  const char* folder = std::getenv("XDG_CONFIG_HOME");
  const char* home = std::getenv("HOME");
  fs::path path;
  if (folder && *folder)
    path = folder;
  else if (home && *home)
    path = fs::path(home) / ".config";
  else
    return std::nullopt;
  path /= "venvoy/config.yaml";
  std::error_code ignored;
  return fs::exists(path, ignored) ? std::optional(path) : std::nullopt;
}

}  // namespace

void add_common_options(CLI::App& app, CommonOptions& options) {
  const auto group = [](CLI::Option* option) { return option->group("Common options"); };
  static const std::map<std::string, OutputForm> forms = {{"yaml", OutputForm::yaml}, {"json", OutputForm::json}};
  group(app.add_option("--config", options.config, "Configuration file")->type_name("FILE"));
  group(app.add_option("--context", options.context, "Folder that relative paths start from")->type_name("DIR"));
  group(
      app.add_option("--workdir", options.workdir, "Folder of the store, over the configuration's")->type_name("DIR"));
  group(app.add_option("--state-dir", options.state_dir, "Folder of what must last: rules, history, logs")
            ->type_name("DIR"));
  group(app.add_flag("--offline", options.offline, "Use what is there; open no connection"));
  group(app.add_option("--python", options.python, "Python interpreter for plugins")->type_name("PATH"));
  group(app.add_option("--allow-incompatible", options.allow_incompatible,
                       "Run this plugin although it lacks the compatibility file; may be repeated")
            ->type_name("REF")
            ->expected(1)
            ->allow_extra_args(false)
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll));
  group(app.add_option("--log-level", options.log_level, "What is logged: debug, info, warning or error")
            ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
            ->option_text("LEVEL"));
  group(app.add_option("--color", options.color, "Colours: auto, always or never")
            ->check(CLI::IsMember({"auto", "always", "never"}))
            ->option_text("WHEN"));
  group(app.add_option("--output", options.output, "Form of data on standard output: yaml or json")
            ->transform(CLI::CheckedTransformer(forms))
            ->option_text("FORM"));
  group(app.add_flag("-q,--quiet", options.quiet, "Say nothing but errors"));
  group(app.add_flag("-v,--verbose", options.verbose, "Say more; twice: everything"));
}

Talk::Talk(const CommonOptions& options, const ContextFiles* files, std::shared_ptr<const report::Masker> masker)
    : screen_(std::make_shared<Screen>(STDERR_FILENO)), masker_(std::move(masker)), quiet_(options.quiet) {
  style_.color = use_color(options);
  if (files) style_.source = [files](const std::string& name) { return files->text_of(name); };
  logger_ =
      Logger(masked_sink(make_log_sink({LogForm::people, log_level_of(options), style_.color, screen_}), masker_));
}

std::string Talk::shown(std::string_view text) const {
  return masker_ ? masker_->masked_text(text) : std::string(text);
}

void Talk::issue(const Issue& issue) const {
  screen_->write(shown(report::render(issue, style_)));
}
void Talk::error(const Error& error) const {
  screen_->write(shown(report::render(error, style_)));
}
void Talk::line(std::string_view text) const {
  if (!quiet_) screen_->write(shown(text));
}

std::optional<std::string> configuration_file(const CommonOptions& options) {
  if (options.config) return options.config;
  std::error_code ignored;
  for (const char* name : {"venvoy.yaml", "config.yaml"})
    if (fs::exists(fs::path(options.context) / name, ignored)) return name;
  const auto own = user_configuration();
  return own ? std::optional(own->string()) : std::nullopt;
}

api::ReadConfiguration read_configuration(const CommonOptions& options, const ContextFiles& files) {
  const auto registry = api::make_registry_for_reading();
  const os::Environment environment = os::current_environment();
  const auto name = configuration_file(options);
  if (!name) return api::default_configuration(*registry, environment);
  const auto file = files.read(*name);
  return api::read_configuration(file.text, file.name, *registry, environment);
}

std::optional<api::Configuration> load_configuration(const CommonOptions& options, const ContextFiles& files,
                                                     const Talk& talk) {
  api::ReadConfiguration read = read_configuration(options, files);
  for (const Issue& issue : read.issues) talk.issue(issue);
  if (has_errors(read.issues)) return std::nullopt;
  return std::move(read.configuration);
}

std::string acting_user() {
  const passwd* user = ::getpwuid(::geteuid());
  return "cli:" + (user ? std::string(user->pw_name) : std::to_string(::geteuid()));
}

api::RuntimeOptions runtime_options(const CommonOptions& options, const Talk& talk) {
  api::RuntimeOptions result;
  result.context = options.context;
  result.logger = talk.logger();
  if (options.workdir) result.workdir = *options.workdir;
  if (options.state_dir)
    result.state_dir = *options.state_dir;
  else
    result.state_dir = api::default_state_dir(os::current_environment(), ::geteuid() == 0);
  if (const auto& masker = talk.masker())
    result.mask = [masker](std::string_view text) { return masker->masked_text(text); };
  result.python = options.python;
  result.offline = options.offline;
  result.govern = api::RuntimeOptions::Govern::as_configured;
  result.actor = acting_user();
  // As ContextFiles reads it: a relative name starts in the context.
  if (const auto file = configuration_file(options))
    result.configuration_dir = fs::absolute(fs::path(options.context) / *file).parent_path();
  result.allow_incompatible = options.allow_incompatible;
  result.child_file_limit = options.child_file_limit;
  return result;
}

void write_out(std::string_view text) {
  std::cout << text << std::flush;
}

}  // namespace venvoy::cli
