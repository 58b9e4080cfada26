// From a command line to a plan and its result: what both faces do, told apart from how they tell it.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/configuration.hpp"
#include "api/runtime.hpp"
#include "base/issue.hpp"
#include "cli/context_files.hpp"
#include "cli/interrupts.hpp"
#include "report/masker.hpp"
#include "schema/yaml.hpp"
#include "workflow/engine.hpp"

namespace venvoy::cli {

// An input file, read but not yet compared with any workflow.
struct InputFile {
  workflow::WorkflowFiles::File file;
  schema::YamlNode root;
  schema::Value value;  // every scalar a text (spec/workflow.md 3.1)
};

// Without a file the input is the text `{}`. Throws an Error (document): "failed to YAML decode input (…)".
InputFile read_input(const std::optional<workflow::WorkflowFiles::File>& file);

// What does not fit, each at its place in the input file.
Issues input_issues(const workflow::Plan& plan, const InputFile& input);

// One engine at work for one command line.
class Session {
 public:
  // Throws an Error (start, environment).
  Session(api::Configuration configuration, api::RuntimeOptions options);
  ~Session();

  api::Runtime& runtime() noexcept { return runtime_; }
  // Cancelled by the first interrupt while something is prepared.
  CancelToken cancel_token() const;
  bool interrupted() const noexcept { return interrupts_.interrupted(); }

  enum class Purpose { look, check, run };
  // The observer, if any, outlives the call. Throws an Error (cancelled).
  workflow::Checked prepare(const workflow::WorkflowFiles::File& main, const ContextFiles& files,
                            workflow::RunObserver* observer, Purpose purpose);
  struct RunWishes {
    workflow::RunObserver* observer = nullptr;  // may be null; outlives the call
    std::optional<std::chrono::milliseconds> timeout;
    std::string run_id;                      // made if empty
    std::shared_ptr<report::Masker> masker;  // of data in log lines; may be null
  };
  workflow::RunResult run(std::shared_ptr<const workflow::Plan> plan, schema::Value input, RunWishes wishes);

 private:
  struct Stop;
  std::shared_ptr<Stop> stop_;
  api::Runtime runtime_;
  Interrupts interrupts_;
};

}  // namespace venvoy::cli
