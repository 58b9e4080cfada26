// A program with an engine inside: runs a workflow, tells of each step that has ended, and prints the result.
//
//   venvoy-host WORKFLOW [INPUT]
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <venvoy/engine.hpp>

namespace {

namespace fs = std::filesystem;

class StepPrinter final : public venvoy::Observer {
 public:
  void on_event(const venvoy::Event& event) override {
    if (event.type == venvoy::Event::Type::environment_ready)
      std::cerr << event.reference << " is ready (" << event.text << ")\n";
    if (event.type != venvoy::Event::Type::step_finished) return;
    std::cerr << "step " << event.step << " " << event.outcome << ": " << event.stage << "." << event.output << '\n';
  }
};

std::string text_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw std::runtime_error("cannot read " + file.string());
  return {std::istreambuf_iterator<char>(stream), {}};
}

// The configuration lies beside the workflow, if there is one.
venvoy::EngineOptions options_for(const fs::path& folder) {
  venvoy::EngineOptions options;
  for (const char* name : {"venvoy.yaml", "config.yaml"})
    if (options.configuration_file.empty() && fs::exists(folder / name)) options.configuration_file = folder / name;
  options.log = [](const venvoy::LogLine& line) {
    if (line.level == "warning" || line.level == "error") std::cerr << line.level << ": " << line.text << '\n';
  };
  return options;
}

int run(const fs::path& file, const char* input_file) {
  const auto observer = std::make_shared<StepPrinter>();
  venvoy::Engine engine(options_for(file.parent_path()));

  venvoy::PrepareOptions prepare;
  prepare.context = file.parent_path();
  prepare.observer = observer;
  const venvoy::Workflow workflow = engine.prepare(file.filename().string(), prepare);
  for (const venvoy::Diagnostic& diagnostic : workflow.diagnostics()) std::cerr << diagnostic.rendered();
  if (!workflow.ready()) return 1;

  venvoy::Value input = venvoy::Value::Map();
  if (input_file) input = venvoy::Value::input_from_yaml(text_of(input_file), input_file);
  venvoy::RunOptions options;
  options.observer = observer;
  const venvoy::Result result = workflow.run(input, options);
  for (const venvoy::StepFailure& failure : result.step_failures)
    std::cerr << "step " << failure.step << " failed: " << failure.text << '\n';
  if (result.failure) {
    std::cerr << "error: " << result.failure->text << '\n' << result.failure->hint;
    return 3;
  }
  std::cout << "output " << result.output_id << ":\n" << result.output.to_yaml();
  return result.error_output ? 2 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::cerr << "usage: venvoy-host WORKFLOW [INPUT]\n";
    return 2;
  }
  try {
    return run(argv[1], argc == 3 ? argv[2] : nullptr);
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 1;
  }
}
