// From files to a plan: the first half of engine.hpp.
#include <algorithm>
#include <map>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.hpp"
#include "workflow/engine.hpp"
#include "workflow/internal/background.hpp"
#include "workflow/internal/change.hpp"
#include "workflow/internal/issue_order.hpp"
#include "workflow/lint.hpp"

namespace venvoy::workflow {

namespace asio = boost::asio;

namespace {

void append(Issues& issues, Issues more) {
  std::move(more.begin(), more.end(), std::back_inserter(issues));
}

// The documents of a workflow: the main one and all sub-workflows.
class Documents {
 public:
  explicit Documents(const WorkflowFiles& files) : files_(files) {}

  void load(const WorkflowFiles::File& main, Issues& issues) {
    ParsedDocument parsed = parse_document(main.text, main.name);
    append(issues, std::move(parsed.issues));
    main_ = std::move(parsed.document);
    if (main_) load_children(*main_, {}, issues);
  }

  const std::shared_ptr<const Document>& main() const noexcept { return main_; }
  // Sub-workflows by the name under which they are used; null for one that could not be read.
  const std::map<std::string, std::shared_ptr<const Document>>& children() const noexcept { return children_; }

 private:
  void load_children(const Document& document, const std::vector<std::string>& way, Issues& issues) {
    for (const DocStep& step : document.steps) {
      if (step.kind != "foreach") continue;
      const DocValue::Entry* entry = step.find("workflow");
      const auto name = entry ? literal_text(*entry) : std::nullopt;
      if (!name || name->empty()) continue;  // the planner reports it
      load_child(*name, document.position(*entry->value.node), way, issues);
    }
  }

  void load_child(const std::string& name, const Position& at, std::vector<std::string> way, Issues& issues) {
    const bool cycle = std::find(way.begin(), way.end(), name) != way.end();
    way.push_back(name);
    if (cycle) {
      issues.push_back({Severity::error,
                        at,
                        fmt::format("sub-workflow cycle: {}: a workflow cannot contain itself", fmt::join(way, " -> ")),
                        {}});
      return;
    }
    if (children_.count(name)) return;
    try {
      const WorkflowFiles::File file = files_.read_sub_workflow(name);
      ParsedDocument parsed = parse_document(file.text, file.name, {.check_version = false});
      append(issues, std::move(parsed.issues));
      children_[name] = parsed.document;
      if (parsed.document) load_children(*parsed.document, way, issues);
    } catch (const Error& error) {
      issues.push_back({Severity::error, at, error.what(), error.hint(), error.code()});
      children_[name] = nullptr;
    }
  }

  const WorkflowFiles& files_;
  std::shared_ptr<const Document> main_;
  std::map<std::string, std::shared_ptr<const Document>> children_;
};

// A plugin that steps of the documents use, with the place of each use.
struct Wanted {
  DocPlugin plugin;
  struct Use {
    std::string step;
    Position at;
  };
  std::vector<Use> uses;
  KnownPlugin known;
  std::optional<Error> failure;
};

class Preparation final : public PlanContext {
 public:
  Preparation(const Documents& documents, Deployers& deployers, const PrepareOptions& options)
      : documents_(documents), deployers_(deployers), options_(options) {}

  // Lists every distinct plugin once, in the order of the files.
  void collect() {
    collect_from(*documents_.main());
    for (const auto& [name, document] : documents_.children())
      if (document) collect_from(*document);
  }

  asio::awaitable<void> make_ready() {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const std::size_t count = std::min(std::max<std::size_t>(1, options_.max_concurrent_deployments), wanted_.size());
    internal::Change change(executor);
    std::vector<std::unique_ptr<internal::Background<bool>>> workers;
    const auto on_done = [&change] { change.notify(); };
    for (std::size_t index = 0; index < count; ++index)
      workers.push_back(std::make_unique<internal::Background<bool>>(executor, work(), on_done));
    const auto done = [](const auto& worker) { return worker->done(); };
    while (!std::all_of(workers.begin(), workers.end(), done)) co_await change.wait();
    for (const auto& worker : workers) worker->take();
  }

  void report_failures(Issues& issues) const {
    for (const auto& wanted : wanted_) {
      if (!wanted->failure) continue;
      for (const Wanted::Use& use : wanted->uses)
        issues.push_back({Severity::error, use.at,
                          fmt::format("failed to load schema for step {} ({})", use.step, wanted->failure->what()),
                          wanted->failure->hint(), wanted->failure->code()});
    }
  }

  // Only worth the time when somebody asks for everything.
  void warn(Issues& issues) const {
    append(issues, surprising_expressions(*documents_.main()));
    for (const auto& [name, document] : documents_.children())
      if (document) append(issues, surprising_expressions(*document));
    for (const auto& plan : plans_) append(issues, optional_in_required(*plan));
  }

  // Plans everything, sub-workflows first.
  std::shared_ptr<const Plan> plan_all(Issues& issues) {
    issues_ = &issues;
    return plan_document(documents_.main());
  }

  const KnownPlugin* plugin(const DocPlugin& plugin) const override {
    const Wanted* wanted = find(plugin);
    return wanted && wanted->known.schema ? &wanted->known : nullptr;
  }
  schema::TypePtr deploy_type(const std::string& deployment_type) const override {
    return deployers_.registry().configuration_type(deployment_type);
  }
  std::shared_ptr<const Plan> body(const std::string& file) const override {
    const auto place = bodies_.find(file);
    return place == bodies_.end() ? nullptr : place->second;
  }

 private:
  void collect_from(const Document& document) {
    for (const DocStep& step : document.steps) {
      if (step.kind != "plugin") continue;
      Issues ignored;  // the planner reports them
      const auto plugin = plugin_of(document, step, ignored);
      if (!plugin) continue;
      Wanted* wanted = find(*plugin);
      if (!wanted) {
        wanted_.push_back(std::make_unique<Wanted>());
        wanted = wanted_.back().get();
        wanted->plugin = *plugin;
      }
      const bool known = deployers_.registry().has_type(plugin->deployment_type);
      wanted->uses.push_back({step.id, document.position(known ? *plugin->source_node : *plugin->type_node)});
    }
  }

  Wanted* find(const DocPlugin& plugin) const {
    const auto same = [&](const auto& wanted) {
      return wanted->plugin.source == plugin.source && wanted->plugin.deployment_type == plugin.deployment_type;
    };
    const auto place = std::find_if(wanted_.begin(), wanted_.end(), same);
    return place == wanted_.end() ? nullptr : place->get();
  }

  asio::awaitable<bool> work() {
    while (next_ < wanted_.size()) {
      Wanted& wanted = *wanted_[next_++];
      co_await make_one_ready(wanted);
    }
    co_return true;
  }

  asio::awaitable<void> make_one_ready(Wanted& wanted) {
    deployer::PrepareContext context{options_.logger, options_.observer, options_.cancel, options_.about_to_run};
    try {
      deployer::Deployer& deployer = deployers_.local(wanted.plugin.deployment_type);
      wanted.known.plugin = co_await deployer.prepare(wanted.plugin.source, std::move(context));
      wanted.known.schema = wanted.known.plugin->schema();
    } catch (const Error& error) {
      wanted.failure = error;
    }
    if (wanted.failure)
      wanted.failure->add_frame(fmt::format("failed to deploy plugin of deployment type '{}' with source '{}'",
                                            wanted.plugin.deployment_type, wanted.plugin.source));
  }

  std::shared_ptr<const Plan> plan_document(const std::shared_ptr<const Document>& document) {
    for (const DocStep& step : document->steps) {
      const DocValue::Entry* entry = step.kind == "foreach" ? step.find("workflow") : nullptr;
      const auto name = entry ? literal_text(*entry) : std::nullopt;
      if (!name || bodies_.count(*name)) continue;
      const auto child = documents_.children().find(*name);
      if (child == documents_.children().end() || !child->second) continue;
      bodies_[*name] = nullptr;  // also ends a cycle, which has been reported
      bodies_[*name] = plan_document(child->second);
    }
    Checked checked = make_plan(document, *this);
    append(*issues_, std::move(checked.issues));
    if (checked.plan) plans_.push_back(checked.plan);
    return checked.plan;
  }

  const Documents& documents_;
  Deployers& deployers_;
  const PrepareOptions& options_;
  std::vector<std::unique_ptr<Wanted>> wanted_;
  std::size_t next_ = 0;
  std::map<std::string, std::shared_ptr<const Plan>> bodies_;
  std::vector<std::shared_ptr<const Plan>> plans_;
  Issues* issues_ = nullptr;
};

}  // namespace

asio::awaitable<Checked> prepare(WorkflowFiles::File main, const WorkflowFiles& files, Deployers& deployers,
                                 PrepareOptions options) {
  Checked result;
  Documents documents(files);
  documents.load(main, result.issues);
  if (!documents.main() || (has_errors(result.issues) && !options.find_everything)) co_return result;

  Preparation preparation(documents, deployers, options);
  preparation.collect();
  co_await preparation.make_ready();
  options.cancel.check();
  preparation.report_failures(result.issues);
  result.plan = preparation.plan_all(result.issues);
  if (options.find_everything) preparation.warn(result.issues);
  internal::sort_by_place(result.issues, main.name);
  if (has_errors(result.issues)) result.plan.reset();
  co_return result;
}

}  // namespace venvoy::workflow
