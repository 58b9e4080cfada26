// Asking for permission before a plugin is deployed (spec/governance.md 8.8, `engine.deploy_plugin`).
#pragma once

#include <string>

#include <boost/asio/awaitable.hpp>

namespace venvoy::deployer {

struct DeployQuestion {
  std::string reference;    // as written, without secrets
  std::string source_kind;  // "git", "index" or "path"
  std::string pull_policy;  // "IfNotPresent" or "Always"
  bool override_compatibility = false;
};

struct GateAnswer {
  bool allowed = true;
  std::string reason;  // of a denial
};

// Asked for every environment that a run prepares, cached or not, before anything is fetched or installed.
class DeployGate {
 public:
  virtual ~DeployGate() = default;
  virtual boost::asio::awaitable<GateAnswer> may_deploy(DeployQuestion question) = 0;
};

}  // namespace venvoy::deployer
