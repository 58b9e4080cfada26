#include "deployer/image_deployers.hpp"

#include <fmt/format.h>

#include "deployer/internal/settings_types.hpp"

namespace venvoy::deployer {
namespace {

using internal::object;
using internal::one_of_words;
using internal::Properties;
using schema::make_type;
using schema::TypePtr;
schema::Property optional(TypePtr type) {
  schema::Property property;
  property.type = std::move(type);
  property.required = false;
  return property;
}

TypePtr matching(const char* pattern) {
  schema::StringType type;
  type.pattern = schema::Pattern(pattern);
  return make_type(std::move(type));
}

// The keys of spec/workflow.md 8.9.
TypePtr podman_settings() {
  const TypePtr texts = make_type(schema::ListType{matching("^.+=.+$"), {}, {}});
  const TypePtr binds = make_type(schema::ListType{matching("^.+:.+$"), {}, {}});
  const TypePtr container = object("ContainerConfig", {{"Env", optional(texts)}});
  const TypePtr host = object("HostConfig", {{"Binds", optional(binds)},
                                             {"NetworkMode", optional(schema::string_type())},
                                             {"CgroupnsMode", optional(schema::string_type())},
                                             {"Privileged", optional(schema::bool_type())}});
  const TypePtr deployment =
      object("Deployment", {{"imagePullPolicy", optional(one_of_words({"Always", "IfNotPresent", "Never"}))},
                            {"imagePlatform", optional(matching("^.+/.+$"))},
                            {"container", optional(container)},
                            {"host", optional(host)}});
  const TypePtr podman = object("Podman", {{"path", optional(schema::string_type())},
                                           {"containerNamePrefix", optional(schema::string_type())},
                                           {"rngSeed", optional(schema::integer_type())},
                                           {"connectionName", optional(schema::string_type())}});
  return object("PodmanConfig", {{"podman", optional(podman)}, {"deployment", optional(deployment)}});
}

// Of these two only the top-level keys are known to us; what is in them is theirs.
TypePtr docker_settings() {
  return object("DockerConfig", {{"connection", optional(schema::any_type())},
                                 {"deployment", optional(schema::any_type())},
                                 {"timeouts", optional(schema::any_type())}});
}
TypePtr kubernetes_settings() {
  return object("KubernetesConfig", {{"connection", optional(schema::any_type())},
                                     {"deployment", optional(schema::any_type())},
                                     {"pod", optional(schema::any_type())},
                                     {"timeouts", optional(schema::any_type())}});
}

class ImageKind final : public DeployerKind {
 public:
  ImageKind(std::string name, TypePtr settings) : name_(std::move(name)), settings_(std::move(settings)) {}

  std::string deployment_type() const override { return "image"; }
  std::string name() const override { return name_; }
  TypePtr settings() const override { return settings_; }
  std::string refusal() const override {
    return fmt::format("plugins in images are not run here: there is no '{}' deployer, only the Python deployer",
                       name_);
  }
  std::shared_ptr<Deployer> create(const schema::Value&) override { throw Error(ErrorCode::environment, refusal()); }

 private:
  std::string name_;
  TypePtr settings_;
};

}  // namespace

void add_image_deployers(Registry& registry) {
  registry.add(std::make_shared<ImageKind>("podman", podman_settings()));
  registry.add(std::make_shared<ImageKind>("docker", docker_settings()));
  registry.add(std::make_shared<ImageKind>("kubernetes", kubernetes_settings()));
}

}  // namespace venvoy::deployer
