#include "schema/plugin_findings.hpp"

#include <utility>

#include <fmt/format.h>

#include "schema/json.hpp"

namespace venvoy::schema {
namespace {

class Finder {
 public:
  explicit Finder(const PluginSchema& plugin) : plugin_(plugin) {}

  std::vector<PluginFinding> find() {
    const Scoped steps(path_, "steps");
    if (plugin_.steps.empty()) add(true, "the plugin has no steps");
    for (const auto& [id, step] : plugin_.steps) {
      const Scoped here(path_, "[" + id + "]");
      if (step.outputs.empty()) add(true, "the step has no outputs, so it can never end");
      look("input", step.input);
      for (const auto& [output_id, output] : step.outputs) look_in("outputs", output_id, "schema", output.data);
      for (const auto& [signal_id, signal] : step.signal_handlers)
        look_in("signal_handlers", signal_id, "data_schema", signal.data);
      for (const auto& [signal_id, signal] : step.signal_emitters)
        look_in("signal_emitters", signal_id, "data_schema", signal.data);
    }
    return std::move(findings_);
  }

 private:
  // One segment of the path for as long as it lives.
  class Scoped {
   public:
    Scoped(Path& path, std::string segment) : path_(path) { path_.push_back(std::move(segment)); }
    ~Scoped() { path_.pop_back(); }
    Scoped(const Scoped&) = delete;
    Scoped& operator=(const Scoped&) = delete;

   private:
    Path& path_;
  };

  void add(bool wrong, std::string text) { findings_.push_back({wrong, {path_, std::move(text), {}}}); }

  void look_in(const char* group, const std::string& id, const char* name, const TypePtr& scope) {
    const Scoped group_segment(path_, group);
    const Scoped id_segment(path_, "[" + id + "]");
    look(name, scope);
  }

  void look(const char* name, const TypePtr& scope) {
    const Scoped segment(path_, name);
    for (const UnlinkedReference& reference : unlinked_references(*scope)) {
      Path path = path_;
      path.insert(path.end(), reference.path.begin(), reference.path.end());
      findings_.push_back({true,
                           {std::move(path),
                            fmt::format("the object '{}' is of the namespace '{}', which nothing fills", reference.id,
                                        reference.name_space),
                            {}}});
    }
    look_at(*scope);
  }

  void look_at(const Type& type) {
    std::visit([&](const auto& form) { look_at(form); }, type.form);
  }

  template <class Leaf>
  void look_at(const Leaf&) {}
  void look_at(const StringType& type) {
    if (type.pattern && !type.pattern->compiles())
      add(false, fmt::format("the pattern '{}' is checked by the plugin only ({})", type.pattern->source(),
                             type.pattern->problem()));
  }
  void look_at(const ListType& type) {
    const Scoped segment(path_, "items");
    look_at(*type.items);
  }
  void look_at(const MapType& type) {
    {
      const Scoped segment(path_, "keys");
      look_at(*type.keys);
    }
    const Scoped segment(path_, "values");
    look_at(*type.values);
  }
  void look_at(const ObjectType& object) {
    const Scoped properties(path_, "properties");
    for (const auto& [name, property] : object.properties) {
      const Scoped segment(path_, "[" + name + "]");
      look_at_property(property);
    }
  }
  void look_at(const ScopeType& scope) {
    const Scoped objects(path_, "objects");
    for (const auto& [id, object] : scope.objects) {
      const Scoped segment(path_, "[" + id + "]");
      look_at(*object);
    }
  }
  void look_at(const OneOfStringType& type) { look_at_members(type); }
  void look_at(const OneOfIntType& type) { look_at_members(type); }
  void look_at_members(const OneOfMembers& type) {
    const Scoped types(path_, "types");
    if (type.types.empty()) add(false, "a union without types accepts nothing");
    for (const auto& [key, member] : type.types) {
      const Scoped segment(path_, "[" + (key.kind() == Kind::text ? key.as_text() : describe(key)) + "]");
      look_at(*member);
    }
  }

  void look_at_property(const Property& property) {
    {
      const Scoped segment(path_, "type");
      look_at(*property.type);
    }
    if (property.default_value) check_default(property);
    const Scoped segment(path_, "examples");
    for (const std::string& example : property.examples) {
      try {
        read_json(example);
      } catch (const Error&) {
        add(false, fmt::format("the example {} is no JSON", describe(Value(example))));
      }
    }
  }

  void check_default(const Property& property) {
    const Scoped segment(path_, "default");
    try {
      unserialize(*property.type, *property.default_value);
    } catch (const Error& error) {
      add(true,
          fmt::format("the default does not fit its own type, so the field must always be given: {}", error.message()));
    }
  }

  const PluginSchema& plugin_;
  Path path_;
  std::vector<PluginFinding> findings_;
};

}  // namespace

std::vector<PluginFinding> plugin_findings(const PluginSchema& plugin) {
  return Finder(plugin).find();
}

}  // namespace venvoy::schema
