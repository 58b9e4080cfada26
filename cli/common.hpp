// What all of our own commands share: the common options and how things are told.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/configuration.hpp"
#include "api/runtime.hpp"
#include "cli/context_files.hpp"
#include "cli/result_output.hpp"
#include "cli/screen.hpp"
#include "report/diagnostics.hpp"
#include "report/masker.hpp"

namespace CLI {
class App;
}

namespace venvoy::cli {

// The options that mean the same for every command (spec/command.md section 1).
struct CommonOptions {
  std::optional<std::string> config;
  std::string context = ".";
  std::optional<std::string> workdir;
  std::optional<std::string> state_dir;
  bool offline = false;
  std::optional<std::string> python;
  std::vector<std::string> allow_incompatible;
  std::optional<std::string> log_level;
  std::string color = "auto";
  OutputForm output = OutputForm::yaml;
  bool quiet = false;
  int verbose = 0;
  std::uint64_t child_file_limit = 0;  // see api::RuntimeOptions
};

void add_common_options(CLI::App& app, CommonOptions& options);

// How one command talks to people, on standard error.
class Talk {
 public:
  // What is said goes through the masker, if there is one.
  Talk(const CommonOptions& options, const ContextFiles* files, std::shared_ptr<const report::Masker> masker = nullptr);

  const Logger& logger() const noexcept { return logger_; }
  bool quiet() const noexcept { return quiet_; }
  void issue(const Issue& issue) const;
  void error(const Error& error) const;
  void line(std::string_view text) const;  // not when quiet

  // Where all of it goes: for those who draw there too.
  const std::shared_ptr<Screen>& screen() const noexcept { return screen_; }
  bool color() const noexcept { return style_.color; }
  const std::shared_ptr<const report::Masker>& masker() const noexcept { return masker_; }

 private:
  std::string shown(std::string_view text) const;

  std::shared_ptr<Screen> screen_;
  std::shared_ptr<const report::Masker> masker_;
  report::DiagnosticStyle style_;
  Logger logger_;
  bool quiet_;
};

// The file of load_configuration, as it reads it; nothing if there is none. Of a file in the context the bare name.
std::optional<std::string> configuration_file(const CommonOptions& options);

// What load_configuration reads, with its issues. Throws an Error (io).
api::ReadConfiguration read_configuration(const CommonOptions& options, const ContextFiles& files);

// The configuration that applies (spec/command.md section 1): --config, else venvoy.yaml or config.yaml in the context,
// else the user's own, else the defaults. Nothing after its issues have been told.
std::optional<api::Configuration> load_configuration(const CommonOptions& options, const ContextFiles& files,
                                                     const Talk& talk);

// Who calls, for the log of decisions: "cli:alice".
std::string acting_user();

api::RuntimeOptions runtime_options(const CommonOptions& options, const Talk& talk);

// Writes to standard output and flushes.
void write_out(std::string_view text);

}  // namespace venvoy::cli
