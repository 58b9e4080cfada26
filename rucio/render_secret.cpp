// Secrets with the files of a package, and the job that renews one.
#include <algorithm>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "rucio/internal/names.hpp"
#include "rucio/internal/render_parts.hpp"
#include "schema/json.hpp"
#include "schema/yaml.hpp"
#include "schema/yaml_writer.hpp"

namespace venvoy::rucio {
namespace {

using schema::List;
using schema::Map;
using schema::Value;

constexpr schema::YamlWriteOptions in_order{.sort_keys = true, .indent = 2};

std::string base64(std::string_view text) {
  const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
  const std::string quoted = schema::write_json(schema::Bytes(bytes, bytes + text.size()), {.indent = 0});
  return quoted.substr(1, quoted.size() - 2);
}

// Whether YAML gives the text back byte for byte; other parsers than ours know fewer signs.
bool is_plain_text(const std::string& contents) {
  if (!is_valid_utf8(contents) || contents.find('\0') != std::string::npos) return false;
  for (const char symbol : contents)
    if ((static_cast<unsigned char>(symbol) < 0x20 && symbol != '\n' && symbol != '\t') || symbol == 0x7f) return false;
  const std::string text = schema::write_yaml(Map{{"x", contents}}, in_order);
  const schema::YamlNode read = schema::read_yaml(text, "secret");
  const schema::YamlNode* back = read.find("x");
  return back && back->text == contents;
}

// Everything of a Secret in one form: a reader need not look for files in two places.
void add_data(const SecretFolder& folder, Map& secret) {
  bool plain = true;
  for (const auto& [name, contents] : folder.files) plain = plain && is_plain_text(contents);
  Map data;
  for (const auto& [name, contents] : folder.files) data.set(name, plain ? Value(contents) : Value(base64(contents)));
  secret.set(plain ? "stringData" : "data", std::move(data));
}

void add_namespace(const RenderOptions& options, Map& metadata) {
  if (!options.name_space.empty()) metadata.set("namespace", options.name_space);
}

// Those in the image already are no reason to refuse.
void refuse_dependencies(const RenderedPackage& each) {
  if (!each.package->own_files) return;
  std::vector<std::string> missing;
  for (const std::string& name : each.package->own_files->needs) {
    const bool in_image = each.report && std::ranges::find(each.report->host_distributions, name) !=
                                             each.report->host_distributions.end();
    if (!in_image) missing.push_back(name);
  }
  if (!missing.empty())
    refuse_package(*each.package, fmt::format("it depends on {}, which a Secret does not bring", quoted_list(missing)),
                   each.report ? "install them into the image (render dockerfile)"
                               : "with --host-version what Rucio brings itself is left out of account");
}

Map labels() {
  return Map{{"app.kubernetes.io/managed-by", "venvoy"}};
}

Map annotations_of(const Package& package, const std::string& hash) {
  Map annotations{{"venvoy/content-sha256", hash}};
  // A path on this machine says nothing elsewhere.
  if (!package.reference.local()) annotations.set("venvoy/reference", package.shown);
  if (!package.commit.empty()) annotations.set("venvoy/commit", package.commit);
  if (!package.version.empty()) annotations.set("venvoy/version", package.version);
  return annotations;
}

std::string document(const Map& object) {
  return "---\n" + schema::write_yaml(object, in_order);
}

Map with_metadata(const char* version, const char* kind, const std::string& name, const RenderOptions& options) {
  Map metadata{{"name", name}, {"labels", labels()}};
  add_namespace(options, metadata);
  return Map{{"apiVersion", version}, {"kind", kind}, {"metadata", std::move(metadata)}};
}

Map variable(const char* name, const std::string& value) {
  return Map{{"name", name}, {"value", value}};
}

}  // namespace

std::string secrets(const RenderedPackages& packages, const RenderOptions& options) {
  std::string text;
  for (std::size_t index = 0; index < packages.size(); ++index) {
    const Package& package = *packages[index].package;
    refuse_dependencies(packages[index]);
    const std::string base = secret_name_of(package, index, options);
    const auto folders = secret_folders(package, options);
    const std::string hash = content_of_folders(folders);
    for (const SecretFolder& folder : folders) {
      Map metadata{{"name", secret_name_for(base, folder.folder)},
                   {"labels", labels()},
                   {"annotations", annotations_of(package, hash)}};
      add_namespace(options, metadata);
      Map secret{{"apiVersion", "v1"}, {"kind", "Secret"}, {"type", "Opaque"}, {"metadata", std::move(metadata)}};
      add_data(folder, secret);
      text += document(secret);
    }
  }
  return text;
}

std::string cron_job(const RenderedPackages& packages, const RenderOptions& options, const std::string& script) {
  if (packages.size() != 1) refuse_options("a cron job renews the Secret of one package");
  const Package& package = *packages.front().package;
  refuse_dependencies(packages.front());
  const auto folders = secret_folders(package, options);
  if (folders.size() != 1 || !folders.front().folder.empty())
    refuse_package(package, "it has folders in it, and the job renews one Secret",
                   "apply render secret where it changes");
  const std::string secret = secret_name_of(package, 0, options);
  const std::string name = object_name("renew-" + secret);
  const std::string name_space = options.name_space.empty() ? "default" : options.name_space;

  Map role = with_metadata("rbac.authorization.k8s.io/v1", "Role", name, options);
  role.set("rules", List{Map{{"apiGroups", List{""}},
                             {"resources", List{"secrets"}},
                             {"resourceNames", List{secret}},
                             {"verbs", List{"get", "patch"}}}});
  Map binding = with_metadata("rbac.authorization.k8s.io/v1", "RoleBinding", name, options);
  binding.set("roleRef", Map{{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "Role"}, {"name", name}});
  binding.set("subjects", List{Map{{"kind", "ServiceAccount"}, {"name", name}, {"namespace", name_space}}});

  // What a branch means is looked up at each run: that is what the job is for.
  std::string requirement = deployable_requirement(package);
  if (const source::GitRef* git = package.reference.git(); git && !package.branch.empty()) {
    requirement = "git+" + git->url + (git->version.empty() ? "" : "@" + git->version);
    if (!git->subdirectory.empty()) requirement += "#subdirectory=" + git->subdirectory;
  }
  Map container{{"name", "renew"},
                {"image", options.renewer_image},
                {"command", List{"python3", "-c", script}},
                {"env", List{variable("REQUIREMENT", requirement), variable("MODULE", package.module),
                             variable("SECRET", secret), variable("NAMESPACE", name_space)}}};
  Map pod{{"serviceAccountName", name}, {"restartPolicy", "Never"}, {"containers", List{std::move(container)}}};
  Map job = with_metadata("batch/v1", "CronJob", name, options);
  job.set("spec",
          Map{{"schedule", options.schedule},
              {"concurrencyPolicy", "Forbid"},
              {"jobTemplate", Map{{"spec", Map{{"backoffLimit", 1}, {"template", Map{{"spec", std::move(pod)}}}}}}}});
  return document(with_metadata("v1", "ServiceAccount", name, options)) + document(role) + document(binding) +
         document(job);
}

}  // namespace venvoy::rucio
