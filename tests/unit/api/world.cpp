#include "world.hpp"

#include <thread>

#include <fmt/format.h>

#include "unit/source/git_fixture.hpp"

namespace venvoy::test {

namespace {

constexpr std::string_view settings =
    R"({"text": "the first commit", "marks": null, "requires": [], "requires_python": null, "build_seconds": 0,)"
    R"( "build_failure": null, "start_seconds": 0, "megabytes": 0, "stubborn": false, "unruly": false})";

}  // namespace

World::World() {
  const fs::path plugin = folder_ / "tiny-plugin";
  fs::copy(VENVOY_SOURCE_DIR "/tests/functional/plugins/tiny", plugin, fs::copy_options::recursive);
  fs::remove_all(plugin / "tiny_plugin/__pycache__");
  fs::remove_all(plugin / "__pycache__");
  source::test::write_file(plugin / "settings.json", settings);
  source::test::TestRepository repository(plugin);
  commit = repository.commit_all("a plugin");
  reference = fmt::format("tiny-plugin@git+{}@{}", repository.url(), commit);
}

const World& World::shared() {
  static const World world;
  return world;
}

EngineOptions World::options() const {
  EngineOptions options;
  options.workdir = folder_.path() / "work";
  options.python = "/usr/bin/python3";
  return options;
}

std::string hello_workflow(const std::string& reference) {
  return fmt::format(R"(version: v0.2.0
input:
  root: Input
  objects:
    Input:
      id: Input
      properties:
        name:
          type: {{type_id: string, min: 1}}
steps:
  only:
    plugin: {{deployment_type: python, src: "{}"}}
    step: hello
    input:
      name: !expr $.input.name
outputs:
  success:
    message: !expr $.steps.only.outputs.success.message
  error:
    reason: !expr $.steps.only.outputs.error.reason
outputSchema:
  success:
    error: false
    schema:
      root: Output
      objects: {{Output: {{id: Output, properties: {{message: {{type: {{type_id: string}}}}}}}}}}
  error:
    error: true
    schema:
      root: Output
      objects: {{Output: {{id: Output, properties: {{reason: {{type: {{type_id: string}}}}}}}}}}
)",
                     reference);
}

std::string wait_workflow(const std::string& reference, const std::string& plugin_step) {
  return fmt::format(R"(version: v0.2.0
input:
  root: Input
  objects:
    Input:
      id: Input
      properties:
        started: {{type: {{type_id: string}}}}
        release: {{type: {{type_id: string}}}}
steps:
  only:
    plugin: {{deployment_type: python, src: "{}"}}
    step: {}
    input:
      started: !expr $.input.started
      release: !expr $.input.release
outputs:
  success:
    message: !expr $.steps.only.outputs.success.message
)",
                     reference, plugin_step);
}

void Recorder::on_event(const Event& event) {
  const std::lock_guard lock(mutex_);
  events_.push_back(event);
}

std::vector<Event> Recorder::events() const {
  const std::lock_guard lock(mutex_);
  return events_;
}

std::string Recorder::story() const {
  std::string text;
  for (const Event& event : events()) {
    if (event.type == Event::Type::fetch_progress) continue;
    if (!text.empty()) text += ' ';
    text += to_text(event.type);
    if (!event.step.empty()) text += "(" + event.step + ")";
  }
  return text;
}

bool appears(const fs::path& file) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < until) {
    if (fs::exists(file)) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

EngineError error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const EngineError& error) {
    return error;
  }
  return EngineError(Failure{FailureCode::internal, "nothing was thrown", {}, {}});
}

}  // namespace venvoy::test
