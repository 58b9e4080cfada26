#include "rucio/drift.hpp"

#include <array>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "rucio/check.hpp"
#include "rucio/render.hpp"
#include "schema/json.hpp"
#include "schema/yaml.hpp"

namespace venvoy::rucio {
namespace {

using nlohmann::json;
using schema::Kind;
using schema::Value;

struct ListedPackage {
  std::string module;
  std::string requirement;
  std::string version;
  std::string trouble;  // what the values themselves have wrong
};

struct DeployedPart {
  std::string component;
  std::string file;
  std::string tag;
  std::optional<contract::HostVersion> host;
  bool enabled = false;
  std::vector<ListedPackage> packages;
  std::vector<std::string> configured;  // modules that `config` names
};

std::string text_at(const Value* value) {
  if (!value || value->is_null()) return {};
  if (value->kind() == Kind::text) return value->as_text();
  return schema::write_json(*value, {.indent = 0});
}

const Value* at(const Value* value, const char* key) {
  return value ? value->find(key) : nullptr;
}

ListedPackage read_listed(const Value& entry) {
  ListedPackage package{
      text_at(entry.find("moduleName")), text_at(entry.find("requirement")), text_at(entry.find("version")), {}};
  const Value* version = entry.find("version");
  if (version && version->kind() != Kind::text)
    package.trouble =
        fmt::format("the version {} is a number: it must be quoted, or it is never found installed", package.version);
  return package;
}

DeployedPart read_part(const Value& values, std::string component, const std::string& file) {
  DeployedPart part;
  part.component = std::move(component);
  part.file = file;
  part.tag = text_at(at(at(&values, "image"), "tag"));
  part.host = contract::parse_host_version(part.tag);
  const Value* policy = at(&values, "policyPackages");
  const Value* enabled = at(policy, "enabled");
  part.enabled = enabled && enabled->kind() == Kind::boolean && enabled->as_bool();
  if (const Value* list = at(policy, "packages"); list && list->kind() == Kind::list)
    for (const Value& entry : list->as_list()) part.packages.push_back(read_listed(entry));
  if (const Value* config = at(at(&values, "config"), "policy"); config && config->kind() == Kind::map)
    for (const auto& [key, value] : config->as_map())
      if (key.kind() == Kind::text && (key.as_text() == "package" || key.as_text().starts_with("package-")))
        part.configured.push_back(text_at(&value));
  return part;
}

std::string stem_of(const std::string& file) {
  std::string name = std::filesystem::path(file).stem().string();
  for (const std::string_view prefix : {"values-", "rucio-"})
    if (name.starts_with(prefix)) name = name.substr(prefix.size());
  if (name.ends_with("-values")) name = name.substr(0, name.size() - std::string_view("-values").size());
  return name;
}

std::vector<DeployedPart> read_file(const ValuesFile& file) {
  const schema::YamlNode node = schema::read_yaml(file.text, file.name);
  if (!node.is_mapping())
    throw Error(ErrorCode::document, "these are no values of a chart: a mapping was expected")
        .at(node.position(file.name));
  const Value values = schema::to_typed_value(node, file.name);
  std::vector<DeployedPart> parts;
  for (const auto& [key, value] : values.as_map())
    if (key.kind() == Kind::text && part_from(key.as_text()) && value.kind() == Kind::map &&
        (value.find("image") || value.find("policyPackages") || value.find("config")))
      parts.push_back(read_part(value, key.as_text(), file.name));
  if (parts.empty()) parts.push_back(read_part(values, stem_of(file.name), file.name));
  return parts;
}

// `git+https://…` as a reference of ours, with the name of its module.
std::string reference_of(const ListedPackage& package) {
  return package.requirement.starts_with("git+") ? package.module + "@" + package.requirement : package.requirement;
}

// The verdict by text, for one component; every package is opened once.
class Verdicts {
 public:
  explicit Verdicts(Workshop& workshop) : workshop_(workshop) {}

  json of(const ListedPackage& package, const DeployedPart& part, std::vector<std::string>& drift) {
    json shown = {{"module", package.module}, {"requirement", package.requirement}, {"version", package.version}};
    if (!package.trouble.empty())
      drift.push_back(fmt::format("{}: {}: {}", part.component, package.module, package.trouble));
    try {
      const Package& opened = open(reference_of(package));
      if (!opened.version.empty() && opened.version != package.version)
        drift.push_back(fmt::format("{}: '{}' gives version {}, and the values say {}: it is installed at each start",
                                    part.component, package.requirement, opened.version, package.version));
      CheckOptions options;
      options.host = part.host;
      const CheckReport report = check_package(workshop_, opened, options);
      shown["verdict"] = contract::to_text(report.verdict);
      json findings = json::array();
      for (const Finding& each : report.findings)
        if (each.level == "error") findings.push_back(each.rule + ": " + each.text);
      shown["findings"] = findings;
      if (report.verdict != contract::HostVerdict::accepted && part.host)
        drift.push_back(fmt::format("{}: {} {} is no package for Rucio {}: {}", part.component, package.module,
                                    package.version, part.host->text, contract::to_text(report.verdict)));
    } catch (const Error& error) {
      if (error.code() == ErrorCode::cancelled) throw;
      shown["verdict"] = "unknown";
      shown["findings"] = json::array({error.message()});
      drift.push_back(
          fmt::format("{}: nothing is known of '{}': {}", part.component, package.requirement, error.message()));
    }
    return shown;
  }

 private:
  const Package& open(const std::string& reference) {
    const auto known = opened_.find(reference);
    if (known != opened_.end()) return known->second;
    OpenOptions options;
    options.read_only = true;
    return opened_.emplace(reference, open_package(workshop_, reference, options)).first->second;
  }

  Workshop& workshop_;
  std::map<std::string, Package> opened_;
};

std::string joined(const std::map<std::string, std::vector<std::string>>& groups) {
  std::string text;
  for (const auto& [value, components] : groups)
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", value, fmt::join(components, ", "));
  return text;
}

void compare(const std::vector<DeployedPart>& parts, std::vector<std::string>& drift) {
  std::map<std::string, std::vector<std::string>> majors;
  std::map<std::string, std::map<std::string, std::vector<std::string>>> versions;
  std::map<std::string, std::set<std::string>> holders;
  for (const DeployedPart& part : parts) {
    if (part.host) majors[part.host->major].push_back(part.component);
    if (!part.host && !part.tag.empty())
      drift.push_back(fmt::format("{}: the image's tag '{}' holds no version of Rucio", part.component, part.tag));
    for (const ListedPackage& package : part.packages) {
      if (!part.enabled)
        drift.push_back(
            fmt::format("{}: {} is listed, but policyPackages.enabled is not true", part.component, package.module));
      versions[package.module][package.version].push_back(part.component);
      holders[package.module].insert(part.component);
    }
  }
  if (majors.size() > 1) drift.push_back("the hosts are of several major versions: " + joined(majors));
  for (const auto& [module, found] : versions)
    if (found.size() > 1) drift.push_back(fmt::format("{} has several versions: {}", module, joined(found)));
  for (const auto& [module, components] : holders)
    for (const DeployedPart& part : parts)
      if (!components.contains(part.component))
        drift.push_back(fmt::format("{} lacks {}, which {} has", part.component, module, *components.begin()));
  for (const DeployedPart& part : parts)
    for (const std::string& module : part.configured)
      if (part.enabled && (!holders.contains(module) || !holders.at(module).contains(part.component)))
        drift.push_back(
            fmt::format("{}: the configuration names {}, which is not installed there", part.component, module));
}

}  // namespace

json find_drift(Workshop& workshop, const std::vector<ValuesFile>& files) {
  std::vector<DeployedPart> parts;
  for (const ValuesFile& file : files)
    for (DeployedPart& part : read_file(file)) parts.push_back(std::move(part));
  std::vector<std::string> drift;
  compare(parts, drift);
  Verdicts verdicts(workshop);
  json components = json::array();
  for (const DeployedPart& part : parts) {
    json packages = json::array();
    for (const ListedPackage& package : part.packages) packages.push_back(verdicts.of(package, part, drift));
    components.push_back({{"component", part.component},
                          {"file", part.file},
                          {"host_version", part.host ? json(part.host->text) : json()},
                          {"host_major", part.host ? json(part.host->major) : json()},
                          {"packages", packages},
                          {"configured", part.configured}});
  }
  return {{"components", components}, {"drift", drift}};
}

}  // namespace venvoy::rucio
