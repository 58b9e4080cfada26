// `package render`: the artefacts by which packages get to hosts (spec/policy-packages.md sections 5 and 6).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rucio/check.hpp"
#include "schema/value.hpp"

namespace venvoy::rucio {

// What is deployed: the charts, and images without one.
enum class Part { server, daemons, ui, webui, init, clients };
std::string_view to_text(Part part) noexcept;
std::optional<Part> part_from(std::string_view text) noexcept;

inline constexpr const char* default_mount_path = "/opt/policy_packages/";

struct RenderOptions {
  std::vector<Part> parts = {Part::server};
  std::optional<contract::HostVersion> host;
  // The VO of each package, for multi-VO hosts; empty: a single-VO host, with one package.
  std::vector<std::string> vos;
  std::string mount_path = default_mount_path;  // ends with '/'
  std::string registry;                         // of images, "registry.example.org/docker.io"; empty: the default one

  // values
  bool ephemeral = false;
  bool create_claim = false;
  bool prepend_release_name = false;
  std::string claim_name = "policy-package-volume";
  std::string storage = "100Mi";
  std::string storage_class;
  bool from_secret = false;   // the way of the Secret, in place of the init container
  bool entry_script = false;  // the way of an image with our entry script

  // secret, cronjob
  std::string secret_name;  // empty: <vo or module>-rucio-policy-package
  std::string name_space;
  bool flat = false;
  std::string schedule = "17 4 * * *";
  std::string renewer_image = "python:3.12";

  // docker-run
  std::string volume = "$PWD/policy_packages";  // as it stands between double quotes of a shell
  // build-arg
  std::string build_context;  // empty: the component's folder in a clone of Rucio's `containers` repository

  // rucio-cfg
  std::vector<std::pair<std::string, std::string>> policy_options;  // more of [policy]
};

// A package with the report of its check, if it was checked for a host.
struct RenderedPackage {
  const Package* package = nullptr;
  const CheckReport* report = nullptr;  // may be null
};
using RenderedPackages = std::vector<RenderedPackage>;

// All of these throw an Error: (usage) for options that do not go together, (denied) for a package that cannot be
// deployed this way, with the rule if one says so.

// One document, one key for each chart.
schema::Value chart_values(const RenderedPackages& packages, const RenderOptions& options, const Logger& logger);
std::string dockerfile(const RenderedPackages& packages, const RenderOptions& options);
// The argument, then the whole command.
std::string build_argument(const RenderedPackages& packages, const RenderOptions& options);
std::string docker_run(const RenderedPackages& packages, const RenderOptions& options);
// YAML documents: one Secret for each folder of each package.
std::string secrets(const RenderedPackages& packages, const RenderOptions& options);
// ServiceAccount, Role, RoleBinding and CronJob, which renew the Secret of one package; `script` is renew_secret.py.
std::string cron_job(const RenderedPackages& packages, const RenderOptions& options, const std::string& script);
// Sections of rucio.cfg, each with its options. Throws (usage) for several packages without a VO for each.
using ConfigSections = std::vector<std::pair<std::string, std::vector<std::pair<std::string, std::string>>>>;
ConfigSections config_sections(const RenderedPackages& packages, const RenderOptions& options);
std::string config_fragment(const ConfigSections& sections);
// A shell script that goes before the image's own entry point.
std::string entry_script(Part part);

// How a package is written in a chart's `requirement` and in POLICY_PACKAGE_REQUIREMENTS: pinned, without the signs
// that shells and lists would take apart. A branch becomes its commit.
std::string deployable_requirement(const Package& package);

}  // namespace venvoy::rucio
