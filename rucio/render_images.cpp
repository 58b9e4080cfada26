// Artefacts for images: a derived Dockerfile, the build argument of the stock ones, a command that starts one.
#include <algorithm>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/sha256.hpp"
#include "base/shell_text.hpp"
#include "base/text.hpp"
#include "os/files.hpp"
#include "rucio/install.hpp"
#include "rucio/internal/render_parts.hpp"

namespace venvoy::rucio {
namespace {

constexpr std::size_t max_module_file = 16u << 20;

Part only_part(const RenderOptions& options) {
  if (options.parts.size() != 1) refuse_options("an image is that of one component: give --component once");
  return options.parts.front();
}

// Over what the import system will find, file by file, as the line in the Dockerfile counts it.
std::string module_hash(const Package& package) {
  std::string all;
  std::vector<std::string> names;
  for (const std::string& path : package.module_files) names.push_back(path.substr(package.folder.size() + 1));
  std::ranges::sort(names);
  for (const std::string& name : names)
    all +=
        fmt::format("{} {}\n", sha256_hex(os::read_file(package.root / package.folder / name, max_module_file)), name);
  return sha256_hex(all);
}

// One RUN that imports the module and compares what it is made of.
std::string probe_line(const Package& package) {
  const std::string program = fmt::format(
      "import hashlib, pathlib, sys, {0} as m; r = pathlib.Path(m.__file__).parent; "
      "f = sorted((p.relative_to(r).as_posix(), hashlib.sha256(p.read_bytes()).hexdigest()) for p in r.rglob(\"*\") "
      "if p.is_file() and \"__pycache__\" not in p.parts); "
      "h = \"sha256:\" + hashlib.sha256(\"\".join(d + \" \" + n + \"\\n\" for n, d in f).encode()).hexdigest(); "
      "sys.exit(None if h == \"sha256:{1}\" else \"{0} is not what was checked: \" + h)",
      package.module, module_hash(package));
  return "RUN python3 -c " + shell_quoted(program) + "\n";
}

std::string install_lines(const RenderedPackage& each) {
  const std::string pip = "RUN python3 -m pip install --no-cache-dir --no-deps ";
  std::string lines = fmt::format("# {}\n", each.package->shown);
  if (each.report)
    for (const InstalledFiles* dependency : dependencies_to_bring(*each.package, *each.report))
      lines += pip + shell_quoted(dependency->name + "==" + dependency->version) + "\n";
  std::string requirement = deployable_requirement(*each.package);
  // A tag can be moved, a commit cannot.
  if (const source::GitRef* git = each.package->reference.git(); git && !each.package->commit.empty()) {
    requirement = fmt::format("git+{}@{}", git->url, each.package->commit);
    if (!git->subdirectory.empty()) requirement += "#subdirectory=" + git->subdirectory;
  }
  return lines + pip + shell_quoted(requirement) + "\n" + probe_line(*each.package);
}

bool needs_git(const RenderedPackages& packages) {
  return std::ranges::any_of(packages, [](const RenderedPackage& each) { return each.package->reference.git(); });
}

std::vector<std::string> variables_for(const RenderedPackages& packages, const RenderOptions& options) {
  std::vector<std::string> variables;
  if (options.vos.empty() && packages.size() == 1) {
    // Through the configuration, which so gets the section [policy] that older hosts insist on.
    variables.push_back("RUCIO_CFG_POLICY_PACKAGE=" + packages.front().package->module);
    return variables;
  }
  for (const auto& [section, values] : config_sections(packages, options))
    if (section == "common") variables.push_back("RUCIO_CFG_COMMON_MULTI_VO=True");
  for (std::size_t index = 0; index < packages.size(); ++index) {
    std::string vo = options.vos[index];
    for (char& symbol : vo)
      if (symbol >= 'a' && symbol <= 'z') symbol = static_cast<char>(symbol - 'a' + 'A');
    variables.push_back(fmt::format("RUCIO_POLICY_PACKAGE_{}={}", vo, packages[index].package->module));
  }
  return variables;
}

}  // namespace

std::string dockerfile(const RenderedPackages& packages, const RenderOptions& options) {
  const Part part = only_part(options);
  std::string text = fmt::format("FROM {}\nARG USER=root\nUSER root\n", image_of(part, options));
  if (needs_git(packages)) text += "RUN dnf install --assumeyes git && dnf clean all\n";
  for (const RenderedPackage& each : packages) text += install_lines(each);
  if (needs_git(packages)) text += "RUN dnf remove --assumeyes git && dnf clean all\n";
  return text + "USER $USER\n";
}

std::string build_argument(const RenderedPackages& packages, const RenderOptions& options) {
  const Part part = only_part(options);
  if (part == Part::webui) refuse_options("the image of webui has no argument POLICY_PACKAGE_REQUIREMENTS");
  if (!options.host) refuse_options("the images need their argument TAG: give --host-version");
  std::string items;
  for (const RenderedPackage& each : packages) {
    if (!each.package->branch.empty())
      refuse_package(*each.package, "it names a branch, and cached layers of the image would hide what it means later",
                     "name a tag or a commit");
    items += (items.empty() ? "" : ",") + deployable_requirement(*each.package);
  }
  const std::string argument = "POLICY_PACKAGE_REQUIREMENTS=" + items;
  const std::string context =
      options.build_context.empty() ? fmt::format("containers/{}", to_text(part)) : options.build_context;
  std::string registry = options.registry;
  while (registry.ends_with('/')) registry.pop_back();
  if (!registry.empty()) registry += '/';
  return fmt::format("{}\ndocker build --build-arg TAG={} --build-arg {} --tag {}rucio-{}-policy:{} {}\n", argument,
                     options.host->text, shell_quoted(argument), registry, to_text(part), options.host->text,
                     shell_quoted(context));
}

std::string docker_run(const RenderedPackages& packages, const RenderOptions& options) {
  const Part part = only_part(options);
  if (options.volume.find_first_of("\"`:\\") != std::string::npos)
    refuse_options(fmt::format("the volume '{}' must be a path without quotes and colons", options.volume));
  const std::string folder = import_folder(options);
  std::string command = fmt::format("docker run --rm \\\n  --volume \"{}:{}:ro\" \\\n  --env POLICY_PKG_PATH={}/ \\\n",
                                    options.volume, folder, folder);
  for (const std::string& variable : variables_for(packages, options))
    command += fmt::format("  --env {} \\\n", variable);
  return command + fmt::format("  --entrypoint /bin/sh \\\n  {} \\\n  -c {} policy-entrypoint {}\n",
                               image_of(part, options), shell_quoted(path_script() + "exec \"$@\""),
                               entry_point_of(part));
}

std::string entry_script(Part part) {
  return "#!/bin/sh\n"
         "# Puts $POLICY_PKG_PATH before what Python imports from, once, and starts what the image starts by "
         "itself.\n" +
         path_script() + fmt::format("exec {} \"$@\"\n", entry_point_of(part));
}

ConfigSections config_sections(const RenderedPackages& packages, const RenderOptions& options) {
  ConfigSections sections;
  std::vector<std::pair<std::string, std::string>> policy;
  if (options.vos.empty()) {
    if (packages.size() != 1) refuse_options("several packages need a VO each: give --vo for each, in their order");
    policy.emplace_back("package", packages.front().package->module);
  } else {
    if (packages.size() != options.vos.size())
      refuse_options(fmt::format("there are {} packages and {} VOs: give --vo for each, in their order",
                                 packages.size(), options.vos.size()));
    sections.push_back({"common", {{"multi_vo", "True"}}});
    for (std::size_t index = 0; index < packages.size(); ++index)
      policy.emplace_back("package-" + options.vos[index], packages[index].package->module);
  }
  policy.insert(policy.end(), options.policy_options.begin(), options.policy_options.end());
  sections.push_back({"policy", std::move(policy)});
  return sections;
}

std::string config_fragment(const ConfigSections& sections) {
  std::string text;
  for (const auto& [section, values] : sections) {
    text += fmt::format("{}[{}]\n", text.empty() ? "" : "\n", section);
    for (const auto& [name, value] : values) text += fmt::format("{} = {}\n", name, value);
  }
  return text;
}

}  // namespace venvoy::rucio
