#include "api/configuration.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

#include <fmt/format.h>

#include "base/text.hpp"
#include "deployer/python_settings.hpp"
#include "governance/settings.hpp"
#include "schema/check.hpp"
#include "schema/locate.hpp"
#include "schema/yaml.hpp"

namespace venvoy::api {
namespace {

using schema::make_type;
using schema::Property;
using schema::TypePtr;
using schema::Value;

TypePtr words(std::initializer_list<const char*> list) {
  schema::EnumStringType type;
  for (const char* word : list) type.values.emplace_back(word, schema::Display{});
  return make_type(std::move(type));
}

TypePtr level() {
  return words({"debug", "error", "info", "warning"});
}

TypePtr non_empty_text() {
  schema::StringType type;
  type.min = 1;
  return make_type(std::move(type));
}

TypePtr output_id() {
  schema::StringType type;
  type.min = 1;
  type.max = 255;
  type.pattern = schema::Pattern("^[$@a-zA-Z0-9-_]+$");
  return make_type(std::move(type));
}

Property optional(TypePtr type, const char* description) {
  Property property;
  property.type = std::move(type);
  property.required = false;
  property.display = schema::Display{std::nullopt, description, std::nullopt};
  return property;
}

TypePtr object(std::string id, std::vector<std::pair<std::string, Property>> properties) {
  schema::ObjectType type;
  type.id = std::move(id);
  type.properties = std::move(properties);
  return make_type(std::move(type));
}

// The file, with these types for what says the deployers.
TypePtr file_type(TypePtr one_deployer_type, TypePtr deployers_type) {
  const TypePtr log = object(
      "LogConfig", {{"level", optional(level(), "What is logged in the Arcaflow engine's form. Default: info.")},
                    {"destination", optional(words({"stdout"}), "Understood for older files; without effect.")}});
  const TypePtr logged =
      object("StepOutputLogConfig", {{"level", optional(level(), "At which level it is logged. Default: info.")}});
  const TypePtr logged_outputs = make_type(schema::MapType{output_id(), logged, {}, {}});
  Property one_deployer =
      optional(std::move(one_deployer_type), "The older form of `deployers`: one deployer, named by its key `type`.");
  one_deployer.conflicts = {"deployers"};
  return object(
      "Config",
      {{"deployer", std::move(one_deployer)},
       {"deployers", optional(std::move(deployers_type),
                              "How plugins are run, by deployment type. Default: the Python deployer, and podman "
                              "for images.")},
       {"governance", optional(governance::settings_type(),
                               "Policies that decide about runs, steps and other actions (docs/governance.md).")},
       {"log", optional(log, "The log of the Arcaflow engine's command line; our own commands have --log-level.")},
       {"logged_outputs", optional(logged_outputs, "Ids of step outputs that are logged when a step ends with them.")},
       {"plugins",
        optional(make_type(schema::ListType{non_empty_text(), {}, {}}), "Understood for older files; without effect.")},
       {"secretNames", optional(make_type(schema::ListType{non_empty_text(), {}, {}}),
                                "Names of properties whose values are masked in what is written about a run, besides "
                                "the built-in ones.")}});
}

// For reading: what is in the deployers is held to their own types afterwards.
TypePtr open_file_type() {
  return file_type(schema::any_type(), make_type(schema::MapType{non_empty_text(), schema::any_type(), {}, {}}));
}

LogLevel level_of(const Value* level) {
  if (!level) return LogLevel::info;
  for (const LogLevel known : {LogLevel::debug, LogLevel::warning, LogLevel::error})
    if (level->as_text() == to_text(known)) return known;
  return LogLevel::info;
}

// modulePullPolicy -> VENVOY_MODULE_PULL_POLICY
std::string variable_name(std::string_view key) {
  std::string name = "VENVOY_";
  for (const char letter : key) {
    if (std::isupper(static_cast<unsigned char>(letter))) name += '_';
    name += static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  }
  return name;
}

class ConfigurationReader {
 public:
  ConfigurationReader(const deployer::Registry& registry, const os::Environment& environment, const std::string& file)
      : registry_(registry), environment_(environment), file_(file) {}

  void read(const schema::YamlNode& root) {
    root_ = &root;
    try {
      const Value data = schema::unserialize(*open_file_type(), schema::to_typed_value(root));
      read_sections(data);
    } catch (const schema::MismatchError& error) {
      report(error.mismatches(), {}, {});
    } catch (const Error& error) {
      result_.issues.push_back({Severity::error, error.position(), error.what(), error.hint()});
    }
  }

  // The deployers of a file without any, or of no file.
  void add_default_deployers() {
    add_deployer("image", schema::Map({{"deployer_name", "podman"}}), {});
    add_deployer("python", schema::Map({{"deployer_name", "python"}}), {});
  }

  ReadConfiguration take() { return std::move(result_); }

 private:
  void read_sections(const Value& data) {
    Configuration& configuration = result_.configuration;
    if (const Value* log = data.find("log")) configuration.log_level = level_of(log->find("level"));
    if (const Value* outputs = data.find("logged_outputs"))
      for (const auto& [id, logged] : outputs->as_map())
        configuration.logged_outputs.emplace(id.as_text(), level_of(logged.find("level")));
    if (const Value* names = data.find("secretNames"))
      for (const Value& name : names->as_list()) configuration.secret_names.push_back(name.as_text());
    if (const Value* governance = data.find("governance")) read_governance(*governance);
    if (const Value* deployer = data.find("deployer"))
      read_old_form(*deployer);
    else if (const Value* deployers = data.find("deployers"))
      for (const auto& [type, settings] : deployers->as_map())
        add_deployer(type.as_text(), settings, {"deployers", "[" + type.as_text() + "]"});
    else
      add_default_deployers();
  }

  // What its type cannot say is asked here too, so that it is told with its place.
  void read_governance(const Value& data) {
    try {
      static_cast<void>(governance::read_settings(data, {}, {}));
      result_.configuration.governance = data;
    } catch (const Error& error) {
      report({{{"governance"}, error.what(), {}}}, {}, {});
    }
  }

  // `deployer: {type: python, …}` (spec/workflow.md section 2, "Old form")
  void read_old_form(Value deployer) {
    const schema::Path path = {"deployer"};
    const Value* type = deployer.find("type");
    if (!type || type->kind() != schema::Kind::text)
      return report({{path, type ? "the 'type' of a deployer is a text" : "Missing discriminator field 'type'", {}}},
                    {}, {});
    const std::string name = type->as_text();
    schema::Map map = deployer.take_map();
    map.erase("type");
    map.set("deployer_name", name);
    add_deployer(name == "python" ? "python" : "image", std::move(map), path);
  }

  void add_deployer(const std::string& type, Value settings, const schema::Path& path) {
    const std::string frame = fmt::format("failed to load requested deployer type {} from workflow config", type);
    const TypePtr expected = registry_.configuration_type(type);
    if (!expected) {
      report({{path,
               fmt::format("there is no deployment type '{}'{}; known are {}", type,
                           did_you_mean(type, registry_.types()), quoted_list(registry_.types())),
               {}}},
             frame, {});
      // The key is what is wrong, not the settings below it.
      const schema::YamlNode* types = root_ ? root_->find("deployers") : nullptr;
      if (const schema::YamlNode* key = types ? types->find_key(type) : nullptr)
        result_.issues.back().at = key->position(file_);
      return;
    }
    if (type == "python") override_from_environment(settings);
    try {
      result_.configuration.deployers[type] = schema::unserialize(*expected, settings);
    } catch (const schema::MismatchError& error) {
      for (const schema::Mismatch& mismatch : error.mismatches()) {
        if (type == "python" && is_overridden(mismatch))
          report_variable(mismatch, frame);
        else
          report({mismatch}, frame, path);
      }
    }
  }

  bool is_overridden(const schema::Mismatch& mismatch) const {
    if (mismatch.path.empty()) return false;
    const auto keys = deployer::scalar_python_settings();
    const std::string& key = mismatch.path.front();
    return std::find(keys.begin(), keys.end(), key) != keys.end() &&
           os::get_variable(environment_, variable_name(key)).has_value();
  }

  // No place in the file: what stands there is not what is wrong.
  void report_variable(const schema::Mismatch& mismatch, const std::string& frame) {
    const std::string sentence = schema::Mismatch{mismatch.path, mismatch.text, {}}.sentence();
    const std::string variable = variable_name(mismatch.path.front());
    const std::string message = fmt::format("{} ({}; the value is that of the variable {})", frame, sentence, variable);
    result_.issues.push_back({Severity::error, {}, message, {}});
  }

  void override_from_environment(Value& settings) const {
    if (settings.kind() != schema::Kind::map) return;
    schema::Map map = settings.take_map();
    for (const std::string& key : deployer::scalar_python_settings())
      if (const auto value = os::get_variable(environment_, variable_name(key))) map.set(key, *value);
    settings = std::move(map);
  }

  void report(const std::vector<schema::Mismatch>& mismatches, const std::string& frame, const schema::Path& below) {
    for (const schema::Mismatch& mismatch : mismatches) {
      schema::Path path = below;
      path.insert(path.end(), mismatch.path.begin(), mismatch.path.end());
      const std::string sentence = schema::Mismatch{mismatch.path, mismatch.text, {}}.sentence();
      Issue issue{Severity::error, {}, frame.empty() ? sentence : fmt::format("{} ({})", frame, sentence), {}};
      if (root_) issue.at = place_of(path, mismatch.text);
      result_.issues.push_back(std::move(issue));
    }
  }

  // An unknown key is where it stands, not where the mapping begins that it stands in.
  Position place_of(const schema::Path& path, const std::string& text) const {
    const schema::YamlNode& node = schema::locate(*root_, path);
    for (const auto& [key, value] : node.entries)
      if (text.starts_with(fmt::format("Invalid parameter '{}'", key.text))) return key.position(file_);
    return node.position(file_);
  }

  const deployer::Registry& registry_;
  const os::Environment& environment_;
  const std::string& file_;
  const schema::YamlNode* root_ = nullptr;
  ReadConfiguration result_;
};

}  // namespace

TypePtr configuration_type(const deployer::Registry& registry) {
  schema::OneOfStringType one_deployer;
  one_deployer.discriminator = "type";
  std::vector<std::pair<std::string, Property>> deployers;
  for (const std::string& type : registry.types()) {
    const TypePtr settings = registry.configuration_type(type);
    for (const auto& member : settings->as<schema::OneOfStringType>()->types) one_deployer.types.push_back(member);
    deployers.emplace_back(type, optional(settings, type == "python" ? "Plugins that are Python code."
                                                                     : "Plugins that are container images; their "
                                                                       "settings are checked, but none can be run."));
  }
  return file_type(make_type(std::move(one_deployer)), object("Deployers", std::move(deployers)));
}

ReadConfiguration default_configuration(const deployer::Registry& registry, const os::Environment& environment) {
  const std::string no_file;
  ConfigurationReader reader(registry, environment, no_file);
  reader.add_default_deployers();
  return reader.take();
}

ReadConfiguration read_configuration(std::string_view text, const std::string& file, const deployer::Registry& registry,
                                     const os::Environment& environment) {
  try {
    const schema::YamlNode root = schema::read_yaml(text, file);
    ConfigurationReader reader(registry, environment, file);
    reader.read(root);
    return reader.take();
  } catch (const Error& error) {
    ReadConfiguration result;
    result.issues.push_back({Severity::error, error.position(), error.what(), error.hint()});
    return result;
  }
}

}  // namespace venvoy::api
