// Which deployers there are, and what their configuration may hold (spec/workflow.md 8.10).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "deployer/deployer.hpp"
#include "schema/type.hpp"
#include "schema/value.hpp"

namespace venvoy::deployer {

// A kind of deployer that configurations can name.
class DeployerKind {
 public:
  virtual ~DeployerKind() = default;
  virtual std::string deployment_type() const = 0;  // "python", "image"
  virtual std::string name() const = 0;             // value of `deployer_name`
  // An object type for the keys beside `deployer_name`.
  virtual schema::TypePtr settings() const = 0;
  // Why no plugin can be run by this kind although its settings are understood; empty if it can.
  virtual std::string refusal() const { return {}; }
  // Takes settings that fit the type. Throws an Error (environment) when the machine lacks what they ask for.
  virtual std::shared_ptr<Deployer> create(const schema::Value& settings) = 0;
};

class Registry {
 public:
  // Throws std::invalid_argument when type and name are taken.
  void add(std::shared_ptr<DeployerKind> kind);

  bool has_type(std::string_view deployment_type) const noexcept;
  // Sorted.
  std::vector<std::string> types() const;
  // The type of a deployer's configuration: a one-of with the discriminator `deployer_name`. Null for an unknown
  // deployment type.
  schema::TypePtr configuration_type(std::string_view deployment_type) const;
  // The kind that a configuration of that type names. Throws an Error (document).
  const std::shared_ptr<DeployerKind>& kind_of(std::string_view deployment_type,
                                               const schema::Value& configuration) const;
  // A new deployer. `configuration` has been unserialized by configuration_type.
  std::shared_ptr<Deployer> create(std::string_view deployment_type, const schema::Value& configuration) const;

 private:
  std::vector<std::shared_ptr<DeployerKind>> kinds_;
};

}  // namespace venvoy::deployer
