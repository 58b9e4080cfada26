#include "deployer/registry.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "base/text.hpp"

namespace venvoy::deployer {
namespace {

constexpr std::string_view discriminator = "deployer_name";

}  // namespace

void Registry::add(std::shared_ptr<DeployerKind> kind) {
  for (const auto& known : kinds_)
    if (known->deployment_type() == kind->deployment_type() && known->name() == kind->name())
      throw std::invalid_argument(
          fmt::format("a deployer '{}' of type '{}' is there already", kind->name(), kind->deployment_type()));
  kinds_.push_back(std::move(kind));
}

bool Registry::has_type(std::string_view deployment_type) const noexcept {
  return std::any_of(kinds_.begin(), kinds_.end(),
                     [&](const auto& kind) { return kind->deployment_type() == deployment_type; });
}

std::vector<std::string> Registry::types() const {
  std::vector<std::string> types;
  for (const auto& kind : kinds_) types.push_back(kind->deployment_type());
  std::sort(types.begin(), types.end());
  types.erase(std::unique(types.begin(), types.end()), types.end());
  return types;
}

schema::TypePtr Registry::configuration_type(std::string_view deployment_type) const {
  schema::OneOfStringType one_of;
  one_of.discriminator = discriminator;
  for (const auto& kind : kinds_)
    if (kind->deployment_type() == deployment_type) one_of.types.emplace_back(kind->name(), kind->settings());
  if (one_of.types.empty()) return nullptr;
  return schema::make_type(std::move(one_of));
}

const std::shared_ptr<DeployerKind>& Registry::kind_of(std::string_view deployment_type,
                                                       const schema::Value& configuration) const {
  const schema::Value* name = configuration.find(discriminator);
  std::vector<std::string> names;
  for (const auto& kind : kinds_) {
    if (kind->deployment_type() != deployment_type) continue;
    if (name && name->kind() == schema::Kind::text && name->as_text() == kind->name()) return kind;
    names.push_back(kind->name());
  }
  throw Error(ErrorCode::document,
              fmt::format("no deployer {} for the deployment type '{}'; known are {}",
                          name ? schema::describe(*name) : "is named", deployment_type, quoted_list(names)));
}

std::shared_ptr<Deployer> Registry::create(std::string_view deployment_type, const schema::Value& configuration) const {
  const auto& kind = kind_of(deployment_type, configuration);
  if (const std::string refusal = kind->refusal(); !refusal.empty()) throw Error(ErrorCode::environment, refusal);
  schema::Value settings = configuration;
  schema::Map map = settings.take_map();
  map.erase(std::string(discriminator));
  return kind->create(std::move(map));
}

}  // namespace venvoy::deployer
