// What the engine itself costs for an item of a foreach loop: loop-bench [ITEMS…]
//
// The plugin of the loop's body exists in memory only and answers at once, so that all time is the engine's. Each count
// runs in a process of its own, of which the processor time and the peak of the memory are told.
#include <cstdlib>
#include <memory>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include "deployer/deployer.hpp"
#include "deployer/registry.hpp"
#include "schema/plugin_schema.hpp"
#include "schema/type.hpp"
#include "workflow/engine.hpp"

namespace {

namespace asio = boost::asio;
using namespace venvoy;

constexpr const char* main_workflow = R"(version: v0.2.0
input:
  root: Input
  objects:
    Input:
      id: Input
      properties:
        items:
          type: {type_id: list, items: {type_id: ref, id: Item}}
    Item: {id: Item, properties: {name: {type: {type_id: string}}}}
steps:
  loop:
    kind: foreach
    items: !expr $.input.items
    workflow: body.yaml
    parallelism: 8
outputs:
  success: {data: !expr $.steps.loop.outputs.success.data}
)";

constexpr const char* loop_body = R"(version: v0.2.0
input:
  root: Item
  objects:
    Item: {id: Item, properties: {name: {type: {type_id: string}}}}
steps:
  echo:
    plugin: {deployment_type: builtin, src: echo}
    input: {name: !expr $.input.name}
outputs:
  success: {name: !expr $.steps.echo.outputs.success.name}
)";

schema::TypePtr scope(const std::string& id) {
  schema::Property name;
  name.type = schema::string_type();
  name.required = true;
  auto object = std::make_shared<schema::ObjectType>();
  object->id = id;
  object->properties.emplace_back("name", std::move(name));
  schema::ScopeType scope;
  scope.root = id;
  scope.objects.emplace_back(id, std::move(object));
  return schema::make_type(std::move(scope));
}

// Answers with its input.
class EchoProcess final : public deployer::PluginProcess {
 public:
  asio::awaitable<deployer::StepAnswer> run(std::string, std::string, schema::Value input) override {
    deployer::StepAnswer answer{"success", std::move(input)};
    co_return answer;
  }
  asio::awaitable<void> signal(std::string, std::string, schema::Value) override { co_return; }
  asio::awaitable<void> close() override { co_return; }
  void kill() noexcept override {}
};

class EchoPlugin final : public deployer::Plugin {
 public:
  EchoPlugin() {
    schema::StepSchema step;
    step.id = "echo";
    step.input = scope("EchoInput");
    schema::StepOutputSchema output;
    output.data = scope("EchoOutput");
    step.outputs.emplace_back("success", std::move(output));
    auto plugin = std::make_shared<schema::PluginSchema>();
    plugin->steps.emplace_back("echo", std::move(step));
    schema_ = std::move(plugin);
  }
  const std::shared_ptr<const schema::PluginSchema>& schema() const noexcept override { return schema_; }
  const deployer::PluginFacts& facts() const noexcept override { return facts_; }
  asio::awaitable<std::unique_ptr<deployer::PluginProcess>> start(Logger, ProgressSink*) override {
    co_return std::make_unique<EchoProcess>();
  }

 private:
  std::shared_ptr<const schema::PluginSchema> schema_;
  deployer::PluginFacts facts_;
};

class EchoDeployer final : public deployer::Deployer {
 public:
  asio::awaitable<std::shared_ptr<deployer::Plugin>> prepare(std::string, deployer::PrepareContext) override {
    co_return std::make_shared<EchoPlugin>();
  }
};

class EchoKind final : public deployer::DeployerKind {
 public:
  std::string deployment_type() const override { return "builtin"; }
  std::string name() const override { return "echo"; }
  schema::TypePtr settings() const override {
    schema::ScopeType scope;
    scope.root = "EchoSettings";
    auto object = std::make_shared<schema::ObjectType>();
    object->id = scope.root;
    scope.objects.emplace_back(scope.root, std::move(object));
    return schema::make_type(std::move(scope));
  }
  std::shared_ptr<deployer::Deployer> create(const schema::Value&) override { return std::make_shared<EchoDeployer>(); }
};

class EchoDeployers final : public workflow::Deployers {
 public:
  EchoDeployers() { registry_.add(std::make_shared<EchoKind>()); }
  const deployer::Registry& registry() const override { return registry_; }
  deployer::Deployer& local(const std::string&) override { return *deployer_; }
  std::shared_ptr<deployer::Deployer> with_settings(const std::string&, const schema::Value&) override {
    return deployer_;
  }

 private:
  deployer::Registry registry_;
  std::shared_ptr<EchoDeployer> deployer_ = std::make_shared<EchoDeployer>();
};

class LoopBody final : public workflow::WorkflowFiles {
 public:
  File read_sub_workflow(const std::string& name) const override { return {loop_body, name}; }
};

schema::Value items(std::size_t count) {
  schema::List list;
  for (std::size_t index = 0; index < count; ++index)
    list.push_back(schema::Map({{"name", fmt::format("item {}", index)}}));
  return schema::Map({{"items", std::move(list)}});
}

asio::awaitable<std::size_t> run_loop(EchoDeployers& deployers, const LoopBody& files, std::size_t count) {
  workflow::WorkflowFiles::File file{main_workflow, "workflow.yaml"};
  workflow::PrepareOptions prepare_options;
  workflow::Checked checked = co_await workflow::prepare(std::move(file), files, deployers, std::move(prepare_options));
  for (const Issue& issue : checked.issues) fmt::print(stderr, "{}\n", issue.text);
  if (!checked.plan) co_return 0;
  schema::Value input = items(count);
  workflow::RunOptions options;
  options.run_id = "bench";
  auto control = std::make_shared<workflow::RunControl>();
  workflow::RunResult result =
      co_await workflow::run(checked.plan, std::move(input), deployers, std::move(options), std::move(control));
  if (result.failure) fmt::print(stderr, "{}\n", result.failure->what());
  const schema::Value* data = result.output_data.find("data");
  co_return data ? data->as_list().size() : 0;
}

// Whether every item came back.
bool measure(std::size_t count) {
  asio::io_context loop(1);
  EchoDeployers deployers;
  const LoopBody files;
  std::size_t done = 0;
  asio::co_spawn(loop, run_loop(deployers, files, count), [&](const std::exception_ptr& failure, std::size_t items) {
    if (failure) std::rethrow_exception(failure);
    done = items;
  });
  try {
    loop.run();
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
  }
  return done == count;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

struct Cost {
  double seconds = 0;
  double mebibytes = 0;
  int status = -1;  // of the process, as wait(2) gives it
};

Cost cost_of(std::size_t count) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(measure(count) ? 0 : 1);
  int status = 0;
  rusage usage = {};
  if (child < 0 || ::wait4(child, &status, 0, &usage) != child) return {};
  return {seconds(usage.ru_utime) + seconds(usage.ru_stime), static_cast<double>(usage.ru_maxrss) / 1024, status};
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::size_t> counts;
  for (int index = 1; index < argc; ++index) counts.push_back(std::strtoull(argv[index], nullptr, 10));
  if (counts.empty()) counts = {1'000, 3'000, 10'000, 30'000, 100'000};
  const Cost nothing = cost_of(0);
  fmt::print("| items | seconds | µs an item | peak memory, MiB | bytes an item |\n|---:|---:|---:|---:|---:|\n");
  for (const std::size_t count : counts) {
    const Cost cost = cost_of(count);
    if (cost.status != 0) {
      fmt::print(stderr, "the loop over {} items did not come to its end (status {:#x})\n", count, cost.status);
      return 1;
    }
    const auto each = static_cast<double>(count);
    fmt::print("| {} | {:.2f} | {:.1f} | {:.1f} | {:.0f} |\n", count, cost.seconds,
               (cost.seconds - nothing.seconds) / each * 1e6, cost.mebibytes,
               (cost.mebibytes - nothing.mebibytes) * (1 << 20) / each);
  }
}
