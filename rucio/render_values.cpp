#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "rucio/internal/names.hpp"
#include "rucio/internal/render_parts.hpp"

namespace venvoy::rucio {
namespace {

using schema::List;
using schema::Map;

bool has_chart(Part part) {
  return part != Part::init && part != Part::clients;
}

// With the name that the check of the init container asks for, if it can find it.
std::string chart_module_name(const Package& package) {
  if (normalised_name(package.distribution) != normalised_name(package.module))
    refuse_package(
        package,
        fmt::format(
            "L-15: the distribution is called '{}' and the module '{}', so the check of the charts' init container "
            "never finds it installed, and an upgrade leaves the old code",
            package.distribution, package.module),
        fmt::format("rename the distribution in pyproject.toml to '{}', or use the Secret (render secret)",
                    package.module));
  std::string name = normalised_name(package.distribution);
  std::ranges::replace(name, '-', '_');
  return name;
}

Map config_of(const RenderedPackages& packages, const RenderOptions& options) {
  Map config;
  if (packages.size() > 1 && options.vos.size() != packages.size()) return config;
  for (const auto& [section, pairs] : config_sections(packages, options)) {
    Map values;
    for (const auto& [name, value] : pairs) values.set(name, value);
    config.set(section, std::move(values));
  }
  return config;
}

Map claim_of(Part part, const RenderOptions& options) {
  // The first chart makes the claim, the others use it; with the release in its name each makes its own.
  const bool makes = options.create_claim && (options.prepend_release_name || part == options.parts.front());
  return Map{{"createPvc", makes}, {"name", options.claim_name}, {"prependReleaseName", options.prepend_release_name}};
}

Map init_container_values(const RenderedPackages& packages, Part part, const RenderOptions& options,
                          const Logger& logger) {
  if (options.ephemeral && part != Part::server && part != Part::daemons)
    refuse_options(fmt::format(
        "the chart of {} has no ephemeralVolume: use a claim (--create-pvc, or one that is there)", to_text(part)));
  if (!options.ephemeral && (part == Part::ui || part == Part::webui))
    logger.warning(
        "the chart of {} knows only claims that many pods write to (ReadWriteMany): without such storage its pods wait "
        "for "
        "ever; render secret is the other way",
        to_text(part));
  List list;
  for (const RenderedPackage& each : packages) {
    if (!each.package->branch.empty())
      logger.warning("L-20: {} names a branch; the values name the commit {} that it means now", each.package->shown,
                     each.package->commit);
    std::string requirement = deployable_requirement(*each.package);
    list.push_back(Map{{"moduleName", chart_module_name(*each.package)},
                       {"requirement", std::move(requirement)},
                       {"version", each.package->version}});
  }
  Map values{{"enabled", true}, {"mountPath", import_folder(options) + "/"}, {"packages", std::move(list)}};
  if (options.ephemeral) {
    values.set("ephemeralVolume", true);
    return values;
  }
  values.set("pvc", claim_of(part, options));
  values.set("resources", Map{{"requests", Map{{"storage", options.storage}}}});
  if (!options.storage_class.empty()) values.set("storageClass", Map{{"name", options.storage_class}});
  return values;
}

void add_secret_values(const RenderedPackages& packages, const RenderOptions& options, Map& values) {
  List mounts, variables;
  variables.push_back(Map{{"name", "PYTHONPATH"}, {"value", import_folder(options) + "/"}});
  for (std::size_t index = 0; index < packages.size(); ++index) {
    const Package& package = *packages[index].package;
    const std::string base = secret_name_of(package, index, options);
    const auto folders = secret_folders(package, options);
    for (const SecretFolder& folder : folders) {
      const std::string name = secret_name_for(base, folder.folder);
      const std::string inside = folder.folder.empty() ? "" : folder.folder + "/";
      mounts.push_back(Map{{"volumeName", name},
                           {"secretFullName", name},
                           {"mountPath", fmt::format("{}/{}/{}", import_folder(options), package.module, inside)}});
    }
    // A changed Secret does not restart Python, a changed variable does.
    std::string variable = "POLICY_PACKAGE_SHA256_" + package.module;
    for (char& symbol : variable)
      if (symbol >= 'a' && symbol <= 'z') symbol = static_cast<char>(symbol - 'a' + 'A');
    variables.push_back(Map{{"name", variable}, {"value", content_of_folders(folders)}});
  }
  values.set("secretMounts", std::move(mounts));
  values.set("additionalEnvs", std::move(variables));
}

}  // namespace

schema::Value chart_values(const RenderedPackages& packages, const RenderOptions& options, const Logger& logger) {
  if (options.from_secret && (options.ephemeral || options.create_claim))
    refuse_options("packages from Secrets need no volume: leave --ephemeral and --create-pvc out");
  if (options.ephemeral && options.create_claim)
    refuse_options("an ephemeral volume needs no claim: leave --ephemeral or --create-pvc out");
  Map document;
  for (const Part part : options.parts) {
    if (!has_chart(part)) refuse_options(fmt::format("there is no chart of '{}' with policy packages", to_text(part)));
    Map values;
    if (options.entry_script) {
      values.set("optional_config", Map{{"policy_pkg_path", import_folder(options) + "/"}});
      logger.warning(
          "optional_config.policy_pkg_path: no stock image reads it, only one with the script of `render entrypoint`");
    } else if (options.from_secret) {
      add_secret_values(packages, options, values);
    } else {
      values.set("policyPackages", init_container_values(packages, part, options, logger));
    }
    if (!options.registry.empty()) values.set("imageRegistry", options.registry);
    if (Map config = config_of(packages, options); !config.empty()) values.set("config", std::move(config));
    document.set(to_text(part), std::move(values));
  }
  return document;
}

}  // namespace venvoy::rucio
