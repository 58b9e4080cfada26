#include "rucio/which.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace venvoy::rucio {
namespace {

namespace fs = std::filesystem;

std::string changed_case(std::string_view text, char first, char last, char to) {
  std::string result(text);
  for (char& symbol : result)
    if (symbol >= first && symbol <= last) symbol = static_cast<char>(symbol - first + to);
  return result;
}
std::string upper(std::string_view text) {
  return changed_case(text, 'a', 'z', 'A');
}
std::string lower(std::string_view text) {
  return changed_case(text, 'A', 'Z', 'a');
}

[[noreturn]] void refuse_line(const ConfigFile& config, const ConfigFile::Option& option, std::string text,
                              std::string hint = {}) {
  throw Error(ErrorCode::document, std::move(text)).at({config.file(), option.line, 0}).with_hint(std::move(hint));
}

// What is wrong with a value that is taken for a module's name as it stands.
std::string fault_of(std::string_view value) {
  if (value.empty()) return "it is empty";
  if (value.find_first_of("\"'") != std::string_view::npos) return "the quotes would be part of the module's name";
  if (value.find_first_of("#;") != std::string_view::npos) return "the comment would be part of the module's name";
  if (value.find('%') != std::string_view::npos) return "a '%' ends with InterpolationSyntaxError";
  if (value.find('\n') != std::string_view::npos)
    return "the indented line below it would be part of the module's name";
  if (value.find('-') != std::string_view::npos) return "names of modules have '_' where distributions have '-'";
  return is_module_name(value) ? "" : "it is no name of a module";
}

bool is_multi_vo(const ConfigFile& config) {
  const ConfigFile::Option* option = config.find("common", "multi_vo");
  if (!option) return false;
  const auto value = config_bool(option->value);
  if (!value)
    refuse_line(config, *option, fmt::format("multi_vo = {} is no boolean: hosts end with a ValueError", option->value),
                "write true or false");
  return *value;
}

// What would have been meant, but is read by nobody.
void add_hints(const ConfigFile& config, const os::Environment& environment, const WhichQuestion& question, bool multi,
               ActivePackage& answer) {
  const auto hint = [&](std::string text) { answer.hints.push_back(std::move(text)); };
  for (const std::string& variable : environment) {
    const std::string name = variable.substr(0, variable.find('='));
    constexpr std::string_view merged = "RUCIO_CFG_POLICY_PACKAGE_", own = "RUCIO_POLICY_PACKAGE_";
    if (name.starts_with(merged))
      hint(fmt::format(
          "{} is not read by Rucio: the merge tool makes '{}' of it, and the option of a VO has a dash; use "
          "{}{} or a configuration file",
          name, "package_" + lower(name.substr(merged.size())), own, name.substr(merged.size())));
    else if (name.starts_with(own) && name != own && upper(name) != name)
      hint(fmt::format("{} is not read by Rucio: the VO in it must be in upper case", name));
  }
  if (const auto value = os::get_variable(environment, "RUCIO_CFG_POLICY_PACKAGE"))
    hint(
        fmt::format("RUCIO_CFG_POLICY_PACKAGE={}: the images' entry scripts write it into [policy] package, unless the "
                    "whole rucio.cfg is mounted",
                    *value));
  const bool unsuffixed = os::get_variable(environment, "RUCIO_POLICY_PACKAGE").has_value();
  if (multi && unsuffixed) hint("RUCIO_POLICY_PACKAGE does not apply to VOs: this host is a multi-VO one");
  if (multi && config.find("policy", "package"))
    hint("[policy] package does not apply to VOs: this host is a multi-VO one, its options are package-<VO>");
  if (const auto* option = config.find("policy", "package_" + lower(question.vo)); option && !question.vo.empty())
    hint(fmt::format("line {}: 'package_{}' is never read, the option of a VO has a dash", option->line,
                     lower(question.vo)));
  if (!multi && !question.vo.empty())
    hint(fmt::format("this host is a single-VO one, so the VO '{}' plays no part", question.vo));
  if (answer.origin == "environment" && !config.has_section("policy"))
    hint("hosts up to 38.0 ignore the variable as long as the file has no section [policy]");
}

void add_default(const ConfigFile& config, const os::Environment& environment, bool multi, ActivePackage& answer) {
  answer.origin = "default";
  if (multi) {
    answer.key = "generic_multi_vo";
    answer.hints.push_back("Rucio's own generic_multi_vo decides, for schema and permission");
    return;
  }
  std::string policy = "def", from;
  if (const auto* option = config.find("permission", "policy")) policy = option->value, from = "[permission] policy";
  if (const auto* option = config.find("policy", "permission")) policy = option->value, from = "[policy] permission";
  if (const auto value = os::get_variable(environment, "POLICY")) policy = *value, from = "POLICY";
  answer.key = policy == "def" ? "generic" : lower(policy);
  answer.hints.push_back(fmt::format("Rucio's own schema 'generic' and permission '{}' decide{}", answer.key,
                                     from.empty() ? "" : ", the latter by " + from));
  if (answer.key != "generic")
    answer.hints.push_back(
        fmt::format("where Rucio has no module rucio.core.permission.{} any more, hosts end with "
                    "PolicyPackageNotFound",
                    answer.key));
}

}  // namespace

bool is_module_name(std::string_view text) noexcept {
  bool begins = true;
  for (const char symbol : text) {
    const bool letter = (symbol >= 'a' && symbol <= 'z') || (symbol >= 'A' && symbol <= 'Z') || symbol == '_';
    if (begins ? !letter : !(letter || is_digit(symbol) || symbol == '.')) return false;
    begins = symbol == '.';
  }
  return !begins;
}

std::string find_rucio_config(const os::Environment& environment) {
  if (const auto named = os::get_variable(environment, "RUCIO_CONFIG"); named && !named->empty()) return *named;
  std::vector<std::string> places;
  for (const char* variable : {"RUCIO_HOME", "VIRTUAL_ENV", "CONDA_PREFIX"})
    if (const auto folder = os::get_variable(environment, variable); folder && !folder->empty())
      places.push_back(*folder + "/etc/rucio.cfg");
  places.emplace_back("/opt/rucio/etc/rucio.cfg");
  std::error_code ignored;
  for (const std::string& place : places)
    if (fs::exists(place, ignored)) return place;
  throw Error(ErrorCode::unresolvable,
              fmt::format("there is no rucio.cfg in {}: hosts end with ConfigNotFound, also where a variable names the "
                          "package",
                          quoted_list(places)))
      .with_hint("name one with --rucio-cfg");
}

ActivePackage active_package(const ConfigFile& config, const os::Environment& environment,
                             const WhichQuestion& question) {
  const bool multi = is_multi_vo(config);
  const std::string vo = multi ? (question.vo.empty() ? "def" : question.vo) : "";
  const std::string variable = "RUCIO_POLICY_PACKAGE" + (vo.empty() ? "" : "_" + upper(vo));
  const std::string option_name = "package" + (vo.empty() ? "" : "-" + lower(vo));
  ActivePackage answer;
  const ConfigFile::Option* option = config.find("policy", option_name);
  if (const auto value = os::get_variable(environment, variable)) {
    if (const std::string fault = fault_of(*value); !fault.empty())
      throw Error(ErrorCode::document, fmt::format("the variable {} is '{}': {}", variable, *value, fault))
          .with_hint(value->empty() ? "hosts end with 'ValueError: Empty module name'; unset it, or name a module"
                                    : "");
    answer.package = *value;
    answer.origin = "environment";
    answer.key = variable;
    if (option)
      answer.hints.push_back(fmt::format("line {}: {} = {} is not used, the variable goes first", option->line,
                                         option_name, option->value));
  } else if (option) {
    if (const std::string fault = fault_of(option->value); !fault.empty())
      refuse_line(config, *option, fmt::format("{} = {}: {}", option_name, option->value, fault));
    answer.package = option->value;
    answer.origin = "file";
    answer.key = "[policy] " + option_name;
    answer.line = option->line;
  } else {
    add_default(config, environment, multi, answer);
  }
  if (multi && question.vo.empty()) answer.hints.push_back("no VO was named: this is about the VO 'def'");
  if (question.component == Component::client && answer.package)
    answer.hints.push_back("a client that does not have this package warns and uses Rucio's generic schema");
  if (question.component != Component::client && !answer.package)
    answer.hints.push_back(
        "a package that is named in the database alone gives algorithms, and on multi-VO hosts permission, but no "
        "schema");
  add_hints(config, environment, question, multi, answer);
  return answer;
}

}  // namespace venvoy::rucio
