// venvoy init: a first workflow, or a plugin project, that runs as it is.
#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include "base/exit_code.hpp"
#include "cli/commands.hpp"
#include "cli/governed.hpp"
#include "os/fd.hpp"
#include "report/workflow_schema.hpp"
#include "schema/json.hpp"

namespace venvoy::cli {
namespace {

namespace fs = std::filesystem;

// In the texts @NAME@ is the name of the plugin's distribution, @MODULE@ that of its package.

constexpr std::string_view workflow_text = R"(# yaml-language-server: $schema=workflow.schema.json
# Once the plugins are there, their inputs can be filled in: venvoy schema workflow workflow.yaml > workflow.schema.json
version: v0.2.0
input:
  root: Input
  objects:
    Input:
      id: Input
      properties:
        name:
          display: {name: Name, description: Who is greeted.}
          type: {type_id: string, min: 1}
          default: '"World"'
steps:
  greet:
    # The folder `plugin`. A plugin in a repository: NAME@git+https://HOST/PATH.git@COMMIT
    plugin: {deployment_type: python, src: ./plugin}
    step: hello
    input:
      name: !expr $.input.name
outputs:
  success:
    message: !expr $.steps.greet.outputs.success.message
)";

constexpr std::string_view input_text = R"(name: World
)";

constexpr std::string_view config_text = R"(log:
  level: info
deployers:
  python:
    deployer_name: python
    # The folder in which the store of environments lies.
    workdir: /tmp
    # Always: look at the repository, and install, anew for each run.
    modulePullPolicy: IfNotPresent
)";

constexpr std::string_view pyproject_text = R"([build-system]
requires = ["setuptools>=61"]
build-backend = "setuptools.build_meta"

[project]
name = "@NAME@"
version = "0.1.0"
description = "A plugin that greets"
requires-python = ">=3.9"
dependencies = ["arcaflow-plugin-sdk>=0.14,<0.15"]

[tool.setuptools]
packages = ["@MODULE@"]
)";

constexpr std::string_view package_text = R"("""A plugin that greets."""
)";

constexpr std::string_view main_text = R"("""The steps of the plugin. Run as `python -m @MODULE@ --atp` by an engine."""

import sys
import typing
from dataclasses import dataclass

from arcaflow_plugin_sdk import plugin


@dataclass
class HelloInput:
    name: str


@dataclass
class HelloOutput:
    message: str


@dataclass
class HelloError:
    error: str


@plugin.step(
    id="hello",
    name="Hello",
    description="Greets somebody.",
    outputs={"success": HelloOutput, "error": HelloError},
)
def hello(params: HelloInput) -> typing.Tuple[str, typing.Union[HelloOutput, HelloError]]:
    if not params.name:
        return "error", HelloError("nobody to greet")
    return "success", HelloOutput(f"Hello, {params.name}!")


if __name__ == "__main__":
    sys.exit(plugin.run(plugin.build_schema(hello)))
)";

constexpr std::string_view readme_text = R"(# @NAME@

A plugin for venvoy and for the Arcaflow engine's Python deployer. Its steps are in `@MODULE@/__main__.py`; the empty file
`.python_deployer_compat` says that the Python deployer can run it, so it must be committed too.

```sh
venvoy plugin check .                                  # does it install, start and make sense
venvoy plugin schema . --format markdown               # what its steps take and give
echo 'name: World' > input.yaml
venvoy plugin run . hello -i input.yaml                # one step, without a workflow
```

In a workflow it is `./PATH/TO/THIS/FOLDER` or, once it is pushed, `@NAME@@git+https://HOST/PATH.git@COMMIT`:

```yaml
steps:
  greet:
    plugin: {deployment_type: python, src: "@NAME@@git+https://HOST/PATH.git@COMMIT"}
    step: hello
    input: {name: World}
```
)";

struct NewFile {
  fs::path path;  // relative to the folder
  std::string text;
};

std::string filled_in(std::string_view text, const std::string& name, const std::string& module) {
  std::string result(text);
  const auto replace = [&](std::string_view mark, const std::string& by) {
    for (auto place = result.find(mark); place != std::string::npos; place = result.find(mark, place + by.size()))
      result.replace(place, mark.size(), by);
  };
  replace("@NAME@", name);
  replace("@MODULE@", module);
  return result;
}

// A name for a distribution that is like the folder's. It has the word "plugin", so that its module is neither a
// keyword nor one that Python has itself.
std::string plugin_name(const fs::path& folder) {
  std::string name;
  for (const char symbol : folder.filename().string()) {
    const bool upper = symbol >= 'A' && symbol <= 'Z';
    const bool word = upper || (symbol >= 'a' && symbol <= 'z') || (symbol >= '0' && symbol <= '9');
    if (word)
      name += static_cast<char>(upper ? symbol - 'A' + 'a' : symbol);
    else if (!name.empty() && name.back() != '-')
      name += '-';
  }
  while (!name.empty() && name.back() == '-') name.pop_back();
  if (name.empty() || (name.front() >= '0' && name.front() <= '9'))
    return name.empty() ? "my-plugin" : "plugin-" + name;
  return name.find("plugin") == std::string::npos ? name + "-plugin" : name;
}

std::vector<NewFile> plugin_files(const fs::path& folder, const std::string& name) {
  std::string module = name;
  std::replace(module.begin(), module.end(), '-', '_');
  return {{folder / ".python_deployer_compat", ""},
          {folder / "pyproject.toml", filled_in(pyproject_text, name, module)},
          {folder / module / "__init__.py", filled_in(package_text, name, module)},
          {folder / module / "__main__.py", filled_in(main_text, name, module)}};
}

std::vector<NewFile> workflow_project() {
  std::vector<NewFile> files = {
      {"workflow.yaml", std::string(workflow_text)},
      {"workflow.schema.json", schema::write_json(report::workflow_json_schema({}, {})) + "\n"},
      {"input.yaml", std::string(input_text)},
      {"config.yaml", std::string(config_text)}};
  for (NewFile& file : plugin_files("plugin", "hello-plugin")) files.push_back(std::move(file));
  return files;
}

std::vector<NewFile> plugin_project(const std::string& name) {
  std::vector<NewFile> files = plugin_files("", name);
  std::string module = name;
  std::replace(module.begin(), module.end(), '-', '_');
  files.push_back({"README.md", filled_in(readme_text, name, module)});
  return files;
}

Error exists_already(const fs::path& path) {
  return Error(ErrorCode::io, fmt::format("'{}' is there already, and nothing was written over", path.string()))
      .with_hint("give another folder: venvoy init DIR");
}

// Never in the place of anything, also not of what has come to be since it was looked for.
void write_new(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  // By the user's umask, as for every file that belongs to him.
  const os::Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!file && errno == EEXIST) throw exists_already(path);
  if (!file) throw system_error(errno, fmt::format("cannot write '{}'", path.string()));
  for (std::string_view rest = text; !rest.empty();) {
    const ssize_t written = ::write(file.get(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw system_error(errno, fmt::format("cannot write '{}'", path.string()));
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

void write_all(const fs::path& folder, const std::vector<NewFile>& files) {
  // All are looked for before the first is written: nothing is half there because of one.
  for (const NewFile& file : files) {
    struct stat status;
    if (::lstat((folder / file.path).c_str(), &status) == 0) throw exists_already(folder / file.path);
  }
  try {
    for (const NewFile& file : files) write_new(folder / file.path, file.text);
  } catch (const fs::filesystem_error& error) {
    throw system_error(error.code().value(), fmt::format("cannot make '{}'", error.path1().string()));
  }
}

// One word of a command line that a person may copy.
std::string as_shell_word(const std::string& text) {
  const auto plain = [](char symbol) {
    return (symbol >= 'a' && symbol <= 'z') || (symbol >= 'A' && symbol <= 'Z') || (symbol >= '0' && symbol <= '9') ||
           std::string_view("/._-+,:@").find(symbol) != std::string_view::npos;
  };
  if (!text.empty() && std::all_of(text.begin(), text.end(), plain)) return text;
  std::string word = "'";
  for (const char symbol : text) word += symbol == '\'' ? std::string("'\\''") : std::string(1, symbol);
  return word + "'";
}

int init(const std::string& directory, bool plugin, const CommonOptions& common) {
  const Talk talk(common, nullptr);
  const fs::path folder = (fs::path(common.context) / directory).lexically_normal();
  fs::path absolute = fs::absolute(folder).lexically_normal();
  if (!absolute.has_filename()) absolute = absolute.parent_path();
  const std::string name = plugin_name(absolute);
  const std::vector<NewFile> files = plugin ? plugin_project(name) : workflow_project();
  if (!plugin)
    ask_policies(common, "engine.write_config",
                 schema::Map({{"path", "config.yaml"}, {"keys", schema::List{"log", "deployers"}}}));
  write_all(folder, files);
  for (const NewFile& file : files) talk.line(fmt::format("wrote {}\n", (folder / file.path).string()));
  std::string next = "Next:\n";
  if (folder != "." && folder != "./") next += fmt::format("  cd {}\n", as_shell_word(folder.string()));
  if (plugin)
    next +=
        "  venvoy plugin check .                     # does it install, start and make sense\n"
        "  git init && git add -A && git commit      # with .python_deployer_compat: without it nobody runs the "
        "plugin\n";
  else
    next +=
        "  venvoy run                                # or: venvoy run -i input.yaml --set name=Everybody\n"
        "  venvoy plugin schema ./plugin             # what its step takes and gives\n";
  talk.line(next);
  return exit_number(PlainExit::ok);
}

}  // namespace

void add_init_command(CLI::App& app, CommonOptions& common, Action& action) {
  CLI::App* command = app.add_subcommand("init", "Write a first workflow, or a plugin project, that runs as it is");
  const auto directory = std::make_shared<std::string>(".");
  const auto plugin = std::make_shared<bool>(false);
  command->add_option("DIR", *directory, "Where; it is made if it is not there")->capture_default_str();
  command->add_flag("--plugin", *plugin, "A Python plugin: package, compatibility file, README");
  command->footer(
      "No file that is there is written over.\n\nExample: venvoy init my-workflow && cd my-workflow && venvoy run");
  command->callback([&common, &action, directory, plugin] {
    action = [&common, directory, plugin] { return init(*directory, *plugin, common); };
  });
}

}  // namespace venvoy::cli
