#include "rucio/check.hpp"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "base/error.hpp"

namespace venvoy::rucio {
namespace {

using nlohmann::json;

json texts_of(const std::vector<std::filesystem::path>& paths) {
  json list = json::array();
  for (const auto& path : paths) list.push_back(path.string());
  return list;
}

json lint_request(const Package& package, const CheckOptions& options, const Host& host) {
  json request = {{"root", package.root.string()},
                  {"folder", package.folder},
                  {"module", package.module},
                  {"distribution", package.distribution},
                  {"version", package.version},
                  {"requires", package.requires_dist},
                  {"requires_python", package.requires_python},
                  {"metadata_file", package.metadata_file},
                  {"host", host_facts(options.host)},
                  {"host_roots", texts_of(host.roots)},
                  {"environment_roots", texts_of(package.dependency_roots)},
                  {"vo", options.audience.vo},
                  {"multi_vo", options.audience.multi_vo},
                  {"image_python", options.image_python},
                  {"branch", package.branch},
                  {"commit", package.commit},
                  {"deployed", nullptr},
                  {"contract", nullptr},
                  {"algorithms", nullptr},
                  {"packaging", ""}};
  if (options.deployed)
    request["deployed"] = {{"commit", options.deployed->commit}, {"version", options.deployed->version}};
  return request;
}

bool lacks_rucio(const json& answer) {
  const json error = answer.value("error", json());
  return error.is_object() && error.value("missing", "").starts_with("rucio");
}

// The questions whose answers the rules take; what could not be asked for want of Rucio is left out.
void ask_questions(Workshop& workshop, const Package& package, const CheckOptions& options, json& request) {
  for (const char* name : {"contract", "algorithms"}) {
    Question question;
    question.name = name;
    question.audience = options.audience;
    const json answer = ask_with_host_if_needed(workshop, package, question, options.host, options.limits);
    if (options.host || !lacks_rucio(answer)) {
      request[name] = answer;
      continue;
    }
    workshop.logger().warning("{} needs Rucio to be imported: give --host-version, so that it can be asked",
                              package.module);
  }
}

json lint(Workshop& workshop, json request) {
  json answer = ask_script(workshop, "policy_lint.py", request);
  if (answer.value("need", "") != "packaging") return answer;
  // This Python comes without pip.
  const venv::ReadyEnvPtr held =
      workshop.environment(source::parse_module_ref("packaging"), std::vector<std::string>(), {});
  const auto lib = held->python.parent_path().parent_path() / "lib";
  for (const auto& entry : std::filesystem::directory_iterator(lib))
    request["packaging"] = (entry.path() / "site-packages").string();
  return ask_script(workshop, "policy_lint.py", request);
}

CheckReport to_report(const json& answer) {
  CheckReport report;
  report.verdict = contract::host_verdict_from(answer.value("verdict", "none"));
  report.declared = answer.value("declared", json());
  report.import_failed = answer.value("import_failed", false);
  for (const json& each : answer.value("findings", json::array()))
    report.findings.push_back({each.value("rule", ""), each.value("level", "error"), each.value("file", ""),
                               each.value("line", 1), each.value("text", "")});
  for (const json& name : answer.value("host_names", json::array()))
    if (name.is_string()) report.host_distributions.push_back(name.get<std::string>());
  return report;
}

bool has_rule(const CheckReport& report, std::string_view rule) {
  return std::ranges::any_of(report.findings, [&](const Finding& each) { return each.rule == rule; });
}

}  // namespace

bool CheckReport::has_errors() const noexcept {
  return std::ranges::any_of(findings, [](const Finding& each) { return each.level == "error"; });
}

CheckReport check_package(Workshop& workshop, const Package& package, const CheckOptions& options) {
  const Host host = options.host ? find_host_to_read(workshop, *options.host) : Host();
  json request = lint_request(package, options, host);
  if (package.can_run()) ask_questions(workshop, package, options, request);
  return to_report(lint(workshop, std::move(request)));
}

json judge_declared(Workshop& workshop, const Package& package, const json& answer,
                    const contract::HostVersion& version) {
  CheckOptions options;
  options.host = version;
  json request = lint_request(package, options, Host());
  request["contract"] = answer;
  const CheckReport report = to_report(lint(workshop, std::move(request)));
  json result = {{"declared", answer.value("declared", json())},
                 {"rule", version.rule == contract::HostVersion::Rule::list ? "list" : "specifier"},
                 {"host_major", version.major},
                 {"verdict", report.verdict == contract::HostVerdict::accepted ? "ok" : to_text(report.verdict)}};
  if (answer.contains("error")) {
    result["error"] = answer["error"];
    result["verdict"] = nullptr;
  } else if (result["declared"].is_null()) {
    result["verdict"] = "absent";
  }
  json findings = json::array();
  for (const Finding& each : report.findings)
    if (each.rule <= "L-06") findings.push_back({{"rule", each.rule}, {"level", each.level}, {"text", each.text}});
  result["findings"] = findings;
  return result;
}

PackageExit exit_of(const CheckReport& report) {
  const bool unparsable = report.verdict == contract::HostVerdict::unparsable;
  if (unparsable || has_rule(report, "L-01") || has_rule(report, "L-06")) return PackageExit::contract_unparsable;
  const bool mismatch = report.verdict == contract::HostVerdict::mismatch;
  if (mismatch || has_rule(report, "L-02") || has_rule(report, "L-05")) return PackageExit::contract_mismatch;
  if (report.import_failed) return PackageExit::import_failed;
  return report.has_errors() ? PackageExit::lint_error : PackageExit::ok;
}

json to_json(const CheckReport& report, const Package& package, const CheckOptions& options) {
  json findings = json::array();
  for (const Finding& each : report.findings)
    findings.push_back(
        {{"rule", each.rule}, {"level", each.level}, {"file", each.file}, {"line", each.line}, {"text", each.text}});
  const auto text_or_null = [](const std::string& text) { return text.empty() ? json() : json(text); };
  return {{"reference", package.shown},
          {"commit", text_or_null(package.commit)},
          {"module", package.module},
          {"distribution", text_or_null(package.distribution)},
          {"version", text_or_null(package.version)},
          {"host_version", options.host ? json(options.host->text) : json()},
          {"host_major", options.host ? json(options.host->major) : json()},
          {"verdict", contract::to_text(report.verdict)},
          {"findings", findings}};
}

}  // namespace venvoy::rucio
