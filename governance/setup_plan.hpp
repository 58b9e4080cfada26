// Setting up a management cluster by an ordered list of kubectl calls (spec/governance.md 8.12). The manifests are the
// user's: this checks, orders, fills in and reports.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/issue.hpp"
#include "schema/value.hpp"

namespace venvoy::governance {

struct SetupRequest {
  // REGISTRY_REPLICAS, REGISTRY_SIZE, METRICS_REPLICAS, METRICS_SIZE; those that are missing have their defaults.
  std::map<std::string, std::string> parameters;
  std::vector<std::string> registry_nodes;
  std::vector<std::string> metrics_nodes;
  // With a folder, or a file `.yaml`, for each group: registry-db, registry-services, utilities, metrics-db,
  // metrics-services, core. Without it the plan names the groups only.
  std::optional<std::filesystem::path> manifests;
  std::filesystem::path rendered;  // folder for the filled-in manifests
  std::string context;             // of kubectl; empty: its current one
  bool offline = false;            // no call that asks the cluster before something is changed
  std::string wait_limit = "300s";
};

struct SetupStep {
  std::string id;
  std::vector<std::string> argv;  // empty for a step that calls nothing
  bool changes = false;
  std::string manifest;  // file name below `rendered`; with its text
  std::string text;
  std::size_t objects = 0;
};

struct SetupPlan {
  std::vector<SetupStep> steps;
  schema::Value parameters;
  // Errors: the plan cannot be carried out (an empty image, a missing group). Warnings: replica counts.
  Issues findings;

  // {"plan":[…],"parameters":{…}}
  schema::Value to_value() const;
};

// Reads the manifests; calls nothing. Throws an Error (usage) for a parameter or a node's name that makes no sense,
// (io, document) for manifests that cannot be read.
SetupPlan plan_setup(const SetupRequest& request);

}  // namespace venvoy::governance
