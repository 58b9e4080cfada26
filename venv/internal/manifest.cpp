#include "venv/internal/manifest.hpp"

namespace venvoy::venv::internal {
namespace {

using nlohmann::json;

const json& part(const json& object, const char* name) {
  static const json nothing;
  const auto place = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && place != object.end() ? *place : nothing;
}

json list_of(const json& distributions) {
  json list = json::array();
  for (const json& each : distributions)
    list.push_back(
        {{"name", text_in(each, "name")}, {"version", text_in(each, "version")}, {"hash", text_in(each, "hash")}});
  return list;
}

}  // namespace

json make_manifest(const Job& job, const Origin& origin, const Choice& chosen, const Interpreter& python,
                   const MadeBy& installer, const BuiltPackage& package, const json& distributions, const json& wheel) {
  json manifest = {
      {"reference", job.shown},
      {"kind", origin.kind},
      {"version", origin.version},
      {"origin", origin.facts},
      {"resolution", {{"mode", chosen.mode()}, {"input", origin.resolution.input_of(chosen)}}},
      {"python",
       {{"path", python.real_path.string()},
        {"version", python.version},
        {"implementation", python.implementation},
        {"abi", python.abi},
        {"platform", python.platform}}},
      {"installer", {{"name", installer.name}, {"version", installer.version}}},
      {"package", {{"name", package.name}, {"version", package.version}}},
      {"distributions", list_of(distributions)},
      {"built", time_text(job.services.clock->wall())},
  };
  if (!wheel.is_null()) manifest["wheel"] = wheel;
  return manifest;
}

void read_manifest(const json& manifest, ReadyEnv& environment) {
  environment.python_version = text_in(part(manifest, "python"), "version");
  environment.installer = text_in(part(manifest, "installer"), "name");
  for (const json& each : part(manifest, "distributions"))
    environment.distributions.push_back({text_in(each, "name"), text_in(each, "version")});
}

std::string package_name(const json& manifest) {
  return text_in(part(manifest, "package"), "name");
}

}  // namespace venvoy::venv::internal
