#include "cli/face.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include <fmt/format.h>

namespace venvoy::cli {
namespace {

struct FlagDescription {
  std::string_view name;
  bool boolean;
  std::string_view help;
  std::string_view default_text;
  bool common_option;  // also one of ours, with the same meaning
};

// Alphabetical, as Go prints them.
constexpr std::array<FlagDescription, 7> go_flags = {{
    {"config", false, "The path to the Arcaflow configuration file to load, if any.", "", true},
    {"context", false, "The path to the workflow directory to run from.", ".", true},
    {"debug", true, "Enables the debug log level, overriding the configuration file.", "", false},
    {"get-namespaces", true, "Show the namespaces available to the workflow.", "", false},
    {"input", false, "The path to the workflow input file to load, if any.", "", false},
    {"version", true, "Show Arcaflow Engine version information.", "", false},
    {"workflow", false, "The path to the workflow file to load.", "workflow.yaml", false},
}};

const FlagDescription* find_flag(std::string_view name) {
  const auto place =
      std::find_if(go_flags.begin(), go_flags.end(), [&](const auto& flag) { return flag.name == name; });
  return place == go_flags.end() ? nullptr : &*place;
}

std::optional<bool> parse_go_bool(std::string_view text) {
  constexpr std::array<std::string_view, 6> yes = {"1", "t", "T", "TRUE", "true", "True"};
  constexpr std::array<std::string_view, 6> no = {"0", "f", "F", "FALSE", "false", "False"};
  if (std::find(yes.begin(), yes.end(), text) != yes.end()) return true;
  if (std::find(no.begin(), no.end(), text) != no.end()) return false;
  return std::nullopt;
}

void set_text(GoFlags& result, std::string_view name, std::string value) {
  if (name == "config")
    result.config = std::move(value);
  else if (name == "context")
    result.context = std::move(value);
  else if (name == "input")
    result.input = std::move(value);
  else
    result.workflow = std::move(value);
}

void set_bool(GoFlags& result, std::string_view name, bool value) {
  if (name == "debug")
    result.debug = value;
  else if (name == "get-namespaces")
    result.get_namespaces = value;
  else
    result.version = value;
}

// One argument as Go sees it: a flag with or without a value of its own, or none of that.
struct FlagArgument {
  std::string name;
  std::optional<std::string> value;
};
std::optional<FlagArgument> as_flag(const std::string& argument) {
  if (argument.size() < 2 || argument.front() != '-') return std::nullopt;
  std::string name = argument.substr(argument[1] == '-' ? 2 : 1);
  const std::size_t equals = name.find('=', 1);
  if (equals == std::string::npos) return FlagArgument{std::move(name), std::nullopt};
  return FlagArgument{name.substr(0, equals), name.substr(equals + 1)};
}

}  // namespace

std::variant<GoFlags, GoFlagError> parse_go_flags(const std::vector<std::string>& arguments) {
  GoFlags result;
  std::size_t index = 0;
  for (; index < arguments.size(); ++index) {
    const std::string& argument = arguments[index];
    if (argument == "--") {
      ++index;
      break;
    }
    const auto flag = as_flag(argument);
    if (!flag) break;
    if (flag->name.empty() || flag->name.front() == '-' || flag->name.front() == '=')
      return GoFlagError{fmt::format("bad flag syntax: {}", argument)};
    const FlagDescription* known = find_flag(flag->name);
    if (!known && (flag->name == "h" || flag->name == "help")) {
      result.help = true;
      result.positional.assign(arguments.begin() + static_cast<std::ptrdiff_t>(index) + 1, arguments.end());
      return result;
    }
    if (!known) return GoFlagError{fmt::format("flag provided but not defined: -{}", flag->name)};
    result.given.push_back(flag->name);
    if (known->boolean) {
      const auto value = parse_go_bool(flag->value.value_or("true"));
      if (!value)
        return GoFlagError{fmt::format("invalid boolean value \"{}\" for -{}: parse error", *flag->value, flag->name)};
      set_bool(result, known->name, *value);
    } else if (flag->value) {
      set_text(result, known->name, *flag->value);
    } else if (index + 1 < arguments.size()) {
      set_text(result, known->name, arguments[++index]);
    } else {
      return GoFlagError{fmt::format("flag needs an argument: -{}", flag->name)};
    }
  }
  result.positional.assign(arguments.begin() + static_cast<std::ptrdiff_t>(index), arguments.end());
  return result;
}

std::string go_usage(const std::string& program) {
  std::string text = fmt::format(
      "Usage: {} [OPTIONS]\n\n"
      "The Arcaflow Engine will read the current directory and use it as a context for "
      "executing the workflow.\n\nOptions:\n\n",
      program);
  for (const FlagDescription& flag : go_flags) {
    text += fmt::format("  -{}{}\n    \t{}", flag.name, flag.boolean ? "" : " string", flag.help);
    if (!flag.default_text.empty()) text += fmt::format(" (default \"{}\")", flag.default_text);
    text += '\n';
  }
  return text;
}

Face choose_face(const std::string& program, const std::vector<std::string>& arguments) {
  if (std::filesystem::path(program).filename() == "arcaflow") return Face::go;
  if (arguments.empty() || arguments.front().empty() || arguments.front().front() != '-') return Face::commands;
  if (arguments.size() == 1 && (arguments[0] == "-h" || arguments[0] == "--help" || arguments[0] == "--version"))
    return Face::commands;
  const auto parsed = parse_go_flags(arguments);
  const auto* go = std::get_if<GoFlags>(&parsed);
  if (!go) return Face::commands;
  const auto is_word = [](const std::string& argument) { return argument.empty() || argument.front() != '-'; };
  // The Go engine reads no further than a wish for help; a command after it is ours.
  if (go->help && std::none_of(go->positional.begin(), go->positional.end(), is_word)) return Face::go;
  if (go->help) return Face::commands;
  if (go->positional.empty()) return Face::go;
  // A flag of the Go engine that is no common option says that the Go engine was meant; it would ignore the rest.
  const auto is_common = [](const std::string& name) { return find_flag(name)->common_option; };
  if (!std::all_of(go->given.begin(), go->given.end(), is_common)) return Face::misplaced_flag;
  return Face::commands;
}

}  // namespace venvoy::cli
