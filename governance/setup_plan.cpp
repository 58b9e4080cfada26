#include "governance/setup_plan.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "os/files.hpp"
#include "schema/type.hpp"
#include "schema/yaml.hpp"

namespace venvoy::governance {

namespace fs = std::filesystem;

namespace {

using schema::Map;
using schema::Value;
using schema::YamlNode;

constexpr std::size_t max_manifest_bytes = std::size_t{16} << 20;
constexpr std::int64_t max_replicas = 50;

struct Group {
  const char* id;        // of its steps
  const char* name;      // of its manifests
  const char* replicas;  // the parameter that says how often a template with ${REPLICA} is written; may be null
};
// In the order in which they are applied.
constexpr Group groups[] = {{"db.registry", "registry-db", "REGISTRY_REPLICAS"},
                            {"services.registry", "registry-services", nullptr},
                            {"utilities", "utilities", nullptr},
                            {"db.metrics", "metrics-db", "METRICS_REPLICAS"},
                            {"services.metrics", "metrics-services", nullptr},
                            {"core", "core", nullptr}};

Error wrong_setup(std::string text) {
  return Error(ErrorCode::usage, std::move(text));
}

std::map<std::string, std::string> with_defaults(const std::map<std::string, std::string>& given) {
  std::map<std::string, std::string> parameters = {
      {"REGISTRY_REPLICAS", "3"}, {"REGISTRY_SIZE", "10Gi"}, {"METRICS_REPLICAS", "3"}, {"METRICS_SIZE", "10Gi"}};
  std::vector<std::string> names;
  for (const auto& [name, value] : parameters) names.push_back(name);
  for (const auto& [name, value] : given) {
    if (!parameters.contains(name))
      throw wrong_setup(fmt::format("there is no parameter '{}'{}", name, did_you_mean(name, names)));
    parameters[name] = value;
  }
  return parameters;
}

std::int64_t replica_count(const std::string& name, const std::string& text) {
  const bool digits = !text.empty() && text.size() <= 3 && std::all_of(text.begin(), text.end(), is_digit);
  const std::int64_t count = digits ? std::stoll(text) : 0;
  if (count < 1 || count > max_replicas)
    throw wrong_setup(fmt::format("{} is a number from 1 to {}, not '{}'", name, max_replicas, text));
  return count;
}

void check_quantity(const std::string& name, const std::string& text) {
  static const schema::Pattern quantity("^[0-9]+(\\.[0-9]+)?([KMGTPE]i|[kMGTPE]|[eE][0-9]+)?$");
  const bool positive = text.find_first_of("123456789") != text.npos;
  if (!quantity.found_in(text) || !positive)
    throw wrong_setup(fmt::format("{} is a quantity such as 10Gi, not '{}'", name, text));
}

// A node's name is one argument of a list, so nothing can come of it; but one that starts with '-' would be an option.
void check_node(const std::string& node) {
  if (node.empty() || node.front() == '-' || node.size() > 253)
    throw wrong_setup(fmt::format("'{}' is no name of a node", to_valid_utf8(node.substr(0, 80))));
}

std::string filled_in(std::string text, const std::map<std::string, std::string>& values) {
  for (const auto& [name, value] : values) {
    const std::string mark = "${" + name + "}";
    for (std::size_t at = 0; (at = text.find(mark, at)) != text.npos; at += value.size())
      text.replace(at, mark.size(), value);
  }
  return text;
}

struct ManifestDocument {
  std::string text;
  std::string file;
  int first_line = 1;
};

std::vector<ManifestDocument> documents_of(const fs::path& file) {
  std::vector<ManifestDocument> documents;
  ManifestDocument current{{}, file.string(), 1};
  int line_number = 0;
  const std::string text = os::read_file(file, max_manifest_bytes);
  const auto finish = [&](int next_line) {
    if (!trim(current.text).empty()) documents.push_back(current);
    current = {{}, file.string(), next_line};
  };
  for (const std::string_view line : split_lines(text)) {
    ++line_number;
    if (line == "---" || line.starts_with("--- "))
      finish(line_number + 1);
    else
      current.text.append(line).append("\n");
  }
  finish(line_number + 1);
  return documents;
}

std::vector<fs::path> files_of(const fs::path& manifests, const std::string& group) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const char* ending : {".yaml", ".yml"})
    if (fs::is_regular_file(manifests / (group + ending), error)) files.push_back(manifests / (group + ending));
  if (fs::is_directory(manifests / group, error))
    for (const fs::directory_entry& entry : fs::directory_iterator(manifests / group))
      if (entry.path().extension() == ".yaml" || entry.path().extension() == ".yml") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

std::string scalar_at(const YamlNode* node, std::string_view key) {
  const YamlNode* value = node ? node->find(key) : nullptr;
  return value && value->is_scalar() && !value->is_null() ? value->text : std::string();
}

class Planner {
 public:
  explicit Planner(const SetupRequest& request) : request_(request), parameters_(with_defaults(request.parameters)) {}

  SetupPlan plan() {
    check();
    preflight();
    labels();
    for (const Group& group : groups) apply(group);
    verify();
    return std::move(plan_);
  }

 private:
  void check() {
    const std::int64_t registry = replica_count("REGISTRY_REPLICAS", parameters_["REGISTRY_REPLICAS"]);
    const std::int64_t metrics = replica_count("METRICS_REPLICAS", parameters_["METRICS_REPLICAS"]);
    check_quantity("REGISTRY_SIZE", parameters_["REGISTRY_SIZE"]);
    check_quantity("METRICS_SIZE", parameters_["METRICS_SIZE"]);
    for (const std::string& node : request_.registry_nodes) check_node(node);
    for (const std::string& node : request_.metrics_nodes) check_node(node);
    plan_.parameters = Map({{"REGISTRY_REPLICAS", registry},
                            {"REGISTRY_SIZE", parameters_["REGISTRY_SIZE"]},
                            {"METRICS_REPLICAS", metrics},
                            {"METRICS_SIZE", parameters_["METRICS_SIZE"]}});
    warn_of_replicas("REGISTRY_REPLICAS", registry, request_.registry_nodes.size());
    warn_of_replicas("METRICS_REPLICAS", metrics, request_.metrics_nodes.size());
  }

  void warn_of_replicas(const char* name, std::int64_t count, std::size_t nodes) {
    if (count % 2 == 0)
      warn(fmt::format("{} is {}: an even number of replicas elects no better than one less", name, count));
    if (nodes > 0 && count > static_cast<std::int64_t>(nodes))
      warn(fmt::format("{} is {}, but only {} nodes are labelled", name, count, nodes));
  }

  void warn(std::string text) { plan_.findings.push_back({Severity::warning, {}, std::move(text), {}}); }
  void fault(Position at, std::string text) {
    plan_.findings.push_back({Severity::error, std::move(at), std::move(text), {}});
  }

  SetupStep& call(std::string id, std::vector<std::string> arguments, bool changes) {
    SetupStep step;
    step.id = std::move(id);
    step.argv = {"kubectl"};
    if (!request_.context.empty()) step.argv.push_back("--context=" + request_.context);
    for (std::string& argument : arguments) step.argv.push_back(std::move(argument));
    step.changes = changes;
    plan_.steps.push_back(std::move(step));
    return plan_.steps.back();
  }

  void preflight() {
    if (request_.offline) return;
    call("preflight.version", {"version", "-o", "json"}, false);
    call("preflight.nodes", {"get", "nodes", "-o", "name"}, false);
    call("preflight.rights", {"auth", "can-i", "create", "deployments", "--all-namespaces"}, false);
  }

  void labels() {
    const auto named = [](const std::vector<std::string>& nodes, const char* placeholder) {
      return nodes.empty() ? std::vector<std::string>{placeholder} : nodes;
    };
    for (const std::string& node : named(request_.registry_nodes, "<registry-node-name>"))
      call("label.registry." + node, {"label", "node", node, "registry=yes", "--overwrite"}, true);
    for (const std::string& node : named(request_.metrics_nodes, "<metrics-node-name>")) {
      call("label.metrics." + node, {"label", "node", node, "metrics=yes", "--overwrite"}, true);
      call("label.metrics-db." + node, {"label", "node", node, "metrics-db=yes", "--overwrite"}, true);
    }
    if (request_.registry_nodes.empty() || request_.metrics_nodes.empty())
      fault({}, "no nodes are named for the registry or the metrics databases");
  }

  void apply(const Group& group) {
    const std::string file = fmt::format("{}.yaml", group.name);
    const std::string path = (request_.rendered / file).string();
    const std::size_t index = plan_.steps.size();
    call(fmt::format("{}.apply", group.id), {"apply", "--server-side", "-f", path}, true);
    plan_.steps[index].manifest = file;
    if (!request_.manifests) return;
    const std::vector<fs::path> files = files_of(*request_.manifests, group.name);
    if (files.empty())
      return fault({}, fmt::format("there are no manifests of '{}' in '{}'", group.name, request_.manifests->string()));
    std::string text;
    for (const fs::path& each : files)
      for (const ManifestDocument& document : documents_of(each)) {
        const bool many = group.replicas && document.text.find("${REPLICA}") != std::string::npos;
        const std::int64_t copies = many ? std::stoll(parameters_[group.replicas]) : 1;
        for (std::int64_t copy = 0; copy < copies; ++copy) {
          std::map<std::string, std::string> values = parameters_;
          values["REPLICA"] = std::to_string(copy);
          const std::string filled = filled_in(document.text, values);
          text += "---\n" + filled;
          ++plan_.steps[index].objects;
          look_at(group, document, filled, copy == 0);
        }
      }
    plan_.steps[index].text = std::move(text);
  }

  // Adds the waiting for what the object starts, and reports what is wrong with it.
  void look_at(const Group& group, const ManifestDocument& document, const std::string& text, bool report) {
    const YamlNode root = schema::read_yaml(text, document.file);
    if (report) find_empty_images(root, document);
    const std::string kind = scalar_at(&root, "kind");
    const YamlNode* metadata = root.find("metadata");
    const std::string name = scalar_at(metadata, "name");
    const std::string space = scalar_at(metadata, "namespace");
    std::vector<std::string> arguments;
    if (kind == "Deployment" || kind == "StatefulSet" || kind == "DaemonSet")
      arguments = {"rollout", "status", lower_case(kind) + "/" + name};
    else if (kind == "Job")
      arguments = {"wait", "--for=condition=complete", "job/" + name};
    else
      return;
    if (!space.empty()) arguments.insert(arguments.end(), {"-n", space});
    arguments.push_back("--timeout=" + request_.wait_limit);
    call(fmt::format("{}.wait.{}", group.id, name), std::move(arguments), false);
  }

  static std::string lower_case(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char symbol) { return static_cast<char>(std::tolower(symbol)); });
    return text;
  }

  void find_empty_images(const YamlNode& node, const ManifestDocument& document) {
    for (const YamlNode& item : node.items) find_empty_images(item, document);
    for (const auto& [key, value] : node.entries) {
      if (key.text == "image" && value.is_scalar() && (value.is_null() || trim(value.text).empty()))
        fault({document.file, document.first_line + key.line - 1, key.column}, "the field 'image' is empty");
      find_empty_images(value, document);
    }
  }

  void verify() {
    call("verify.registry", {"get", "nodes", "-l", "registry=yes", "-o", "name"}, false);
    call("verify.metrics", {"get", "nodes", "-l", "metrics=yes,metrics-db=yes", "-o", "name"}, false);
    call("verify.replicas", {"get", "deployments", "--all-namespaces", "-o", "wide"}, false);
    call("verify.endpoints", {"get", "endpoints", "--all-namespaces"}, false);
  }

  const SetupRequest& request_;
  std::map<std::string, std::string> parameters_;
  SetupPlan plan_;
};

}  // namespace

Value SetupPlan::to_value() const {
  schema::List list;
  for (const SetupStep& step : steps) {
    Map entry({{"id", step.id}});
    schema::List argv;
    for (const std::string& argument : step.argv) argv.emplace_back(argument);
    entry.set("argv", std::move(argv));
    if (!step.manifest.empty()) {
      entry.set("manifest", "rendered/" + step.manifest);
      entry.set("objects", static_cast<std::int64_t>(step.objects));
    }
    entry.set("changes", step.changes);
    list.emplace_back(std::move(entry));
  }
  return Map({{"plan", std::move(list)}, {"parameters", parameters}});
}

SetupPlan plan_setup(const SetupRequest& request) {
  return Planner(request).plan();
}

}  // namespace venvoy::governance
