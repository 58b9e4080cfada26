"""What is installed, and what people do with it: the program, the library and the Debian packages."""

import pathlib
import re
import subprocess

import harness
from harness import PROJECT, FunctionalTest

BUILD = pathlib.Path(harness.venvoy_program()).parent

HOST_PROJECT = """\
cmake_minimum_required(VERSION 3.25)
project(example LANGUAGES CXX)
find_package(venvoy REQUIRED)
add_executable(example main.cpp)
target_link_libraries(example PRIVATE venvoy::venvoy)
"""


def output_of(*command, **options):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if result.returncode != 0:
        raise AssertionError(f"{command}: exit code {result.returncode}\n{result.stdout[-3000:]}\n{result.stderr[-3000:]}")
    return result.stdout


def files_below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


class InstallTest(FunctionalTest):
    @classmethod
    def setUpClass(cls):
        cls.prefix = cls.class_folder() / "prefix"
        output_of("cmake", "--install", BUILD, "--prefix", cls.prefix)

    def start(self, *arguments, **options):
        # The installed program stands in for the one in the build folder.
        self.program = str(self.prefix / "bin" / "venvoy")
        return super().start(*arguments, **options)

    def build_host(self, source):
        """Configures and builds a program from outside against what is installed."""
        build = self.folder / "build-host"
        output_of("cmake", "-S", source, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={self.prefix}",
                  "-DCMAKE_BUILD_TYPE=Debug")
        output_of("cmake", "--build", build)
        return build

    def write_hello(self):
        """A workflow that takes a name, beside a configuration with the test's own store."""
        plugin = self.tiny()
        text = harness.WORKFLOW.replace("@REFERENCE@", plugin.reference(plugin.head()))
        text = text.replace("properties: {}", "properties: {name: {type: {type_id: string}}}")
        self.write("workflow.yaml", text.replace('"@NAME@"', "!expr $.input.name"))
        self.write_config()
        return harness.greeting(plugin)

    def test_only_the_public_headers(self):
        headers = sorted(path.name for path in (PROJECT / "api" / "venvoy").glob("*.hpp"))
        self.assertIn("engine.hpp", headers)
        self.assertEqual(files_below(self.prefix / "include"), [f"venvoy/{name}" for name in headers])

    def test_the_library_shows_only_names_of_its_own(self):
        library = next(self.prefix.glob("lib*/**/libvenvoy.so"))
        self.assertRegex(output_of("readelf", "-d", library), r"SONAME.*\[libvenvoy\.so\.\d+\.\d+\]")
        names = [line.split(" ", 2)[2] for line in output_of("nm", "-D", "-C", "--defined-only", library).splitlines()]
        self.assertIn("venvoy::Engine::~Engine()", names)
        public = re.compile(r"(typeinfo for |typeinfo name for |vtable for )?venvoy::(?!internal|\w+::State\b)")
        self.assertEqual([name for name in names if not public.match(name)], [])
        # And nothing of the folders behind the headers.
        inner = "|".join(path.name for path in PROJECT.iterdir() if (path / "CMakeLists.txt").is_file())
        self.assertEqual([name for name in names if re.match(rf"(\w+ )*venvoy::({inner})::", name)], [])

    def test_the_program_and_its_other_name(self):
        greeting = self.write_hello()
        self.write("input.yaml", "name: World\n")
        self.require_message(self.run_workflow("-i", "input.yaml"), greeting)
        self.assertEqual((self.prefix / "bin" / "arcaflow").resolve(), self.prefix / "bin" / "venvoy")
        result = self.call("-config", "config.yaml", "-input", "input.yaml", name="arcaflow")
        self.require_message(result, greeting)

    def test_what_lies_beside_it(self):
        page = (self.prefix / "share/man/man1/venvoy.1").read_text()
        commands = re.findall(r"^  (\w+) ", self.call("--help").out.partition("Subcommands:")[2], re.MULTILINE)
        self.assertIn("run", commands)
        for command in commands:
            self.assertIn(f".SS venvoy {command}\n", page)
        self.assertIn("\\fB\\-i,\\-\\-input FILE\\fR", page)
        completion = self.prefix / "share/bash-completion/completions/venvoy"
        self.assertEqual(subprocess.run(["bash", "-n", completion], check=False).returncode, 0)
        for name in ("bash-completion/completions/venvoy", "zsh/vendor-completions/_venvoy", "fish/vendor_completions.d/venvoy.fish"):
            text = (self.prefix / "share" / name).read_text()
            self.assertIn("__complete", text)
            self.assertNotIn(str(BUILD), text)
        rules = (self.prefix / "lib/tmpfiles.d/venvoy.conf").read_text().splitlines()
        self.assertIn("x /tmp/venvoy-*", rules)
        support = files_below(self.prefix / "libexec/venvoy")
        self.assertEqual(support, [name for name in files_below(BUILD / "libexec/venvoy") if name != "uv"])

    def test_a_host_is_built_from_outside(self):
        greeting = self.write_hello()
        self.write("input.yaml", "name: World\n")
        build = self.build_host(PROJECT / "samples" / "host")
        output = output_of(build / "venvoy-host", "workflow.yaml", "input.yaml", cwd=self.folder)
        self.assertEqual(output, f"output success:\nmessage: {greeting}\n")

    def test_the_example_of_the_readme(self):
        readme = (PROJECT / "README.md").read_text()
        example = re.search(r"^```cpp\n(.*?)^```", readme, re.MULTILINE | re.DOTALL).group(1)
        greeting = self.write_hello()
        self.write("example/main.cpp", example)
        self.write("example/CMakeLists.txt", HOST_PROJECT)
        build = self.build_host(self.folder / "example")
        self.assertEqual(output_of(build / "example", cwd=self.folder), f"message: {greeting}\n")

    def test_debian_packages(self):
        output_of("cpack", "--config", BUILD / "CPackConfig.cmake", "-B", self.folder / "packages")
        packages = {path.name.split("_")[0]: path for path in (self.folder / "packages").glob("*.deb")}
        self.assertEqual(sorted(packages), ["libvenvoy-dev", "venvoy"])
        depends = output_of("dpkg-deb", "-f", packages["venvoy"], "Depends")
        for name in ("libgit2-", "libcurl4", "libstdc++6", "python3-venv"):
            self.assertIn(name, depends)
        self.assertIn("venvoy (= ", output_of("dpkg-deb", "-f", packages["libvenvoy-dev"], "Depends"))
        output_of("dpkg-deb", "-x", packages["venvoy"], self.folder / "root")
        for name in ("bin/arcaflow", "libexec/venvoy/venvoy-keeper", "share/man/man1/venvoy.1", "lib/tmpfiles.d/venvoy.conf"):
            self.assertTrue((self.folder / "root/usr" / name).exists(), name)
        self.assertFalse((self.folder / "root/usr/include").exists())
        headers = output_of("dpkg-deb", "-c", packages["libvenvoy-dev"])
        self.assertIn("./usr/include/venvoy/engine.hpp", headers)
        self.assertNotIn("venvoy-keeper", headers)


if __name__ == "__main__":
    harness.main()
