#include "plugin_project.hpp"

#include <fmt/format.h>

#include "support/temporary_dir.hpp"
#include "unit/source/git_fixture.hpp"

namespace venvoy::test {
namespace {

namespace fs = std::filesystem;
using source::test::run;
using source::test::write_file;

constexpr const char* python = "/usr/bin/python3";

constexpr std::string_view backend = R"(import base64, hashlib, os, zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
MARK = """@MARK@"""
if MARK:
    with open(MARK, "a") as mark:
        mark.write("ran\n")


def digest(data):
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    @WHILE_BUILDING@
    stem = "@STEM@"
    root = os.path.join(HERE, "files")
    files = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                files[os.path.relpath(path, root)] = file.read()
    info = stem + ".dist-info/"
    with open(os.path.join(HERE, "METADATA"), "rb") as file:
        files[info + "METADATA"] = file.read()
    files[info + "WHEEL"] = b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    for name in """@METADATA_FILES@""".split():
        files[info + name] = b""
    record = "".join(f"{path},{digest(data)},{len(data)}\n" for path, data in sorted(files.items()))
    files[info + "RECORD"] = (record + info + "RECORD,,\n").encode()
    name = stem + "-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as wheel:
        for path, data in sorted(files.items()):
            wheel.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), data)
    return name
)";

void replace(std::string& text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

std::string stem_of(const PluginProject& project) {
  std::string name = project.name;
  replace(name, "-", "_");
  return name + "-" + project.version;
}

std::string backend_of(const PluginProject& project) {
  std::string text(backend);
  std::string metadata_files;
  for (const std::string& file : project.metadata_files) metadata_files += file + " ";
  replace(text, "@MARK@", project.mark.string());
  replace(text, "@WHILE_BUILDING@", project.while_building);
  replace(text, "@STEM@", stem_of(project));
  replace(text, "@METADATA_FILES@", metadata_files);
  return text;
}

}  // namespace

void write_project(const fs::path& folder, const PluginProject& project) {
  write_file(folder / "pyproject.toml",
             fmt::format("[build-system]\nrequires = [{}]\nbuild-backend = \"backend\"\n"
                         "backend-path = [\".\"]\n[project]\nname = \"{}\"\nversion = \"{}\"\n",
                         project.build_requires, project.name, project.version));
  write_file(folder / "backend.py", backend_of(project));
  std::string metadata = fmt::format("Metadata-Version: 2.1\nName: {}\nVersion: {}\n", project.name, project.version);
  for (const std::string& line : project.metadata) metadata += line + "\n";
  write_file(folder / "METADATA", metadata);
  if (project.contract) write_file(folder / ".python_deployer_compat", "");
  for (const auto& [path, contents] : project.files) write_file(folder / "files" / path, contents);
  if (!project.files.empty()) return;
  write_file(folder / "files/test_plugin/__init__.py", "");
  write_file(folder / "files/test_plugin/__main__.py", "print('hello')\n");
}

void make_wheel(const fs::path& output, const PluginProject& project) {
  const TemporaryDir folder;
  write_project(folder.path(), project);
  fs::create_directories(output);
  run({python, "-c", "import sys, backend; backend.build_wheel(sys.argv[1])", output.string()}, folder.path());
}

void make_source_archive(const fs::path& output, const PluginProject& project) {
  const TemporaryDir folder;
  const std::string stem = stem_of(project);
  write_project(folder / stem, project);
  fs::copy(folder / stem / "METADATA", folder / stem / "PKG-INFO");
  fs::create_directories(output);
  run({python, "-c", "import sys, tarfile; tarfile.open(sys.argv[1], 'w:gz').add(sys.argv[2])",
       (output / (stem + ".tar.gz")).string(), stem},
      folder.path());
}

}  // namespace venvoy::test
