"""`venvoy package install` and `rollback`: what is in the target folder, whatever happens (A09, A35 … A42)."""

import json
import os
import signal
import subprocess

import policy_packages
from harness import PYTHON
from policy_packages import HOST, PERMISSION, PackageTest, wheel

# A library that is loaded before the program and kills it at the n-th change of a name in a folder.
KILLER = """\
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static void count(const char *path) {
  const char *folder = getenv("KILL_IN"), *number = getenv("KILL_AT");
  static int calls = 0;
  if (!folder || !number || !path || strncmp(path, folder, strlen(folder)) != 0) return;
  FILE *log = fopen(getenv("KILL_LOG"), "a");
  fprintf(log, "%s\\n", path);
  fclose(log);
  if (++calls == atoi(number)) kill(getpid(), SIGKILL);
}
#define NEXT(name) ((int (*)())dlsym(RTLD_NEXT, name))
int rename(const char *from, const char *to) { count(to); return NEXT("rename")(from, to); }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
  count(to);
  return NEXT("renameat2")(a, from, b, to, flags);
}
int mkdir(const char *path, unsigned mode) { count(path); return NEXT("mkdir")(path, mode); }
int unlinkat(int folder, const char *path, int flags) {
  char link[64], whole[4096] = "";
  snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
  ssize_t length = readlink(link, whole, sizeof whole - 1);
  if (length > 0) whole[length] = 0;
  count(whole);
  return NEXT("unlinkat")(folder, path, flags);
}
"""


class InstallTest(PackageTest):
    def setUp(self):
        super().setUp()
        self.target = self.folder / "target"

    def files(self, marker, **more):
        return {"__init__.py": f"SUPPORTED_VERSION = '>=38'\nMARKER = {marker!r}\n", "permission.py": PERMISSION.format(answer="None"), **more}

    def wheel(self, version, marker, module="vo1_policy", **options):
        return wheel(self.folder / "wheels", module, version, self.files(marker), **options)

    def install(self, *references, host=HOST, code=0, options=()):
        version = ["--host-version", host] if host else []
        return self.data("install", *references, "--target", self.target, *version, *options, code=code)

    def rollback(self, code=0):
        return self.data("rollback", "--target", self.target, code=code)

    def imported(self, code, module="vo1_policy"):
        """What a host's Python, with the target in its path, says."""
        result = subprocess.run([PYTHON, "-B", "-c", code], env={"PYTHONPATH": str(self.target)}, capture_output=True, text=True)
        return result.stdout.strip() if result.returncode == 0 else result.stderr

    def marker(self):
        return self.imported("import vo1_policy; print(vo1_policy.MARKER)")

    def version(self, name="vo1_policy"):
        return self.imported(f"from importlib.metadata import version; print(version({name!r}))")

    def infos(self):
        return sorted(path.name for path in self.target.glob("*.dist-info"))

    def left_over(self):
        return sorted(path.name for path in self.target.glob(".stage-*"))

    def times(self):
        return {str(path): path.lstat().st_mtime_ns for path in sorted(self.target.rglob("*"))}

    def test_A09_a_mismatch_writes_nothing(self):
        package = wheel(self.folder / "wheels", "vo1_policy", "1.0", {"__init__.py": "SUPPORTED_VERSION = '>=42'\n"})
        result = self.package("install", package, "--target", self.target, "--host-version", HOST)
        self.require_failure(result, 3, "L-02", "nothing was installed")
        self.assertFalse(self.target.exists())
        self.install(package, options=["--force"])
        self.assertEqual(json.loads((self.target / ".venvoy.json").read_text())["packages"]["vo1_policy"]["verdict"], "mismatch")

    def test_A35_the_check_of_the_charts(self):
        """Their script asks the metadata for the version; with the same it says "already installed" and does no more."""
        folder = self.repository("project", "1.4.0", self.files("one"))
        self.install(f"vo1_policy@git+file://{folder}@v1.4.0")
        script = (
            "export PYTHONPATH={target}/:$PYTHONPATH\n"
            "if {python} -c \"from importlib.metadata import version; assert version('vo1_policy') == '1.4.0'\"; then\n"
            "  echo already installed\nelse\n  echo would install\nfi\n"
        ).format(target=self.target, python=PYTHON)
        result = subprocess.run(["bash", "-e", "-c", script], env={"PATH": os.environ["PATH"]}, capture_output=True, text=True)
        self.assertEqual(result.stdout, "already installed\n", result.stderr)
        record = json.loads((self.target / ".venvoy.json").read_text())["packages"]["vo1_policy"]
        self.assertEqual(len(record["commit"]), 40)
        self.assertEqual((record["version"], record["host_version"], record["verdict"]), ("1.4.0", HOST, "accepted"))

    def test_A36_there_and_back(self):
        one, two = self.wheel("1.0.0", "one"), self.wheel("2.0.0", "two")
        for act, marker, version in (
            (lambda: self.install(one), "one", "1.0.0"),
            (lambda: self.install(two), "two", "2.0.0"),
            (self.rollback, "one", "1.0.0"),
            (self.rollback, "two", "2.0.0"),
        ):
            act()
            self.assertEqual((self.marker(), self.version()), (marker, version))
            self.assertEqual(self.infos(), [f"vo1_policy-{version}.dist-info"])
            self.assertEqual(self.left_over(), [])

    def test_nothing_to_go_back_to(self):
        self.install(self.wheel("1.0.0", "one"))
        self.require_failure(self.package("rollback", "--target", self.target), 1, "nothing to go back to")
        self.require_failure(self.package("rollback", "--target", self.folder / "nowhere"), 1, "nowhere")
        self.assertEqual(self.marker(), "one")

    def test_A37_another_name_than_the_module(self):
        one = self.wheel("1.0.0", "one", distribution="other-name")
        two = self.wheel("2.0.0", "two", distribution="other-name")
        self.install(one)
        self.install(two)
        self.assertEqual((self.marker(), self.infos()), ("two", ["other_name-2.0.0.dist-info"]))
        result = self.package("render", "values", "other-name==2.0.0", "--find-links", two.parent)
        self.require_failure(result, 8, "L-15")

    def test_A38_twice_the_same(self):
        package = self.wheel("1.0.0", "one")
        self.assertEqual(self.install(package)["result"], "installed")
        before = self.times()
        self.assertEqual(self.install(package)["result"], "unchanged")
        self.assertEqual(self.times(), before)
        # What somebody has changed by hand is mended.
        (self.target / "vo1_policy" / "__init__.py").write_text("MARKER = 'by hand'\n")
        self.assertEqual(self.install(package)["result"], "installed")
        self.assertEqual(self.marker(), "one")

    def test_what_pip_has_left_is_taken_over(self):
        for version, marker in (("0.9", "old"), ("0.8", "older")):
            package = wheel(self.folder / "old", "vo1_policy", version, self.files(marker), distribution="vo1-policy")
            command = [self.pip_python(), "-m", "pip", "install", "-q", "--no-deps", "--no-index", str(package), "--target", str(self.target)]
            subprocess.run(command, check=True, capture_output=True)
        self.assertEqual(len(self.infos()), 2, "pip leaves the metadata of both")
        self.install(self.wheel("1.0.0", "one"))
        self.assertEqual((self.marker(), self.version(), self.infos()), ("one", "1.0.0", ["vo1_policy-1.0.0.dist-info"]))
        self.rollback()
        self.assertEqual((self.marker(), len(self.infos())), ("old", 2))

    def killer(self):
        source, library = self.write("killer.c", KILLER), self.folder / "killer.so"
        if not library.exists():
            subprocess.run(["gcc", "-w", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
        return library

    def killed(self, number, *command):
        """A command that dies at its n-th change in the target. Whether it got that far."""
        log = self.folder / "changes.log"
        variables = {"LD_PRELOAD": str(self.killer()), "KILL_IN": str(self.target), "KILL_AT": str(number), "KILL_LOG": str(log)}
        result = self.package(*command, "--target", self.target, env=variables)
        self.assertIn(result.code, (0, -signal.SIGKILL), result)
        self.require_no_process()
        return result.code != 0

    def killed_install(self, package, number):
        return self.killed(number, "install", package, "--host-version", HOST)

    def require_whole(self):
        self.assertIn((self.marker(), self.version()), (("one", "1.0.0"), ("two", "2.0.0")))
        self.assertEqual((len(self.infos()), self.left_over()), (1, []))

    def test_A39_killed_at_any_step(self):
        one, two = self.wheel("1.0.0", "one"), self.wheel("2.0.0", "two")
        for package in (one, two):
            self.install(package)
            self.rollback() if package is two else None
        seen, number = set(), 1
        while True:
            self.assertEqual(self.marker(), "one")
            died = self.killed_install(two, number)
            seen.add(self.marker())
            self.assertIn(self.marker(), ("one", "two"), f"after change {number} nothing can be imported")
            self.assertIn(self.version(), ("1.0.0", "2.0.0"))
            if not died:
                break
            # Whoever comes next finds it whole, and a way back.
            self.install(two)
            self.assertEqual((self.marker(), self.version(), self.infos()), ("two", "2.0.0", ["vo1_policy-2.0.0.dist-info"]))
            self.assertEqual(self.left_over(), [])
            self.rollback()
            self.assertEqual((self.marker(), self.version(), self.infos()), ("one", "1.0.0", ["vo1_policy-1.0.0.dist-info"]))
            number += 1
        self.assertGreater(number, 8, "the installation was killed at too few steps")
        self.assertEqual(seen, {"one", "two"})

    def test_a_rollback_after_a_kill(self):
        one, two = self.wheel("1.0.0", "one"), self.wheel("2.0.0", "two")
        number = 1
        while True:
            subprocess.run(["rm", "-rf", str(self.target)], check=True)
            self.install(one)
            self.install(two)
            self.rollback()
            died = self.killed_install(two, number)
            self.rollback()
            # Before the swap had begun, this goes forward to the second; after it, back to the first.
            self.require_whole()
            if not died:
                break
            number += 3

    def test_a_rollback_that_is_killed(self):
        for package in (self.wheel("1.0.0", "one"), self.wheel("2.0.0", "two")):
            self.install(package)
        seen, number = set(), 1
        while True:
            before = self.marker()
            died = self.killed(number, "rollback")
            self.assertIn(self.marker(), ("one", "two"), f"after change {number} nothing can be imported")
            self.assertIn(self.version(), ("1.0.0", "2.0.0"))
            seen.add(self.marker() == before)
            self.rollback()
            self.require_whole()
            if not died:
                break
            number += 1
        self.assertGreater(number, 5, "the rollback was killed at too few steps")
        self.assertEqual(seen, {True, False})

    def test_A40_two_at_once(self):
        packages = [self.wheel("1.0.0", "one"), self.wheel("2.0.0", "two")]
        for package in packages:
            self.data("check", package, "--host-version", HOST)
        running = [
            self.start("package", "install", str(package), "--target", str(self.target), "--host-version", HOST)
            for package in packages * 2
        ]
        self.assertEqual([each.finish().code for each in running], [0] * 4)
        self.require_whole()

    def test_A41_offline(self):
        self.write_config(workdir=str(self.folder / "empty-store"))
        proxy = {"http_proxy": "http://127.0.0.1:1", "https_proxy": "http://127.0.0.1:1", "UV_CACHE_DIR": str(self.folder / "uv")}
        result = self.package("install", "vo1_policy==1.0.0", "--target", self.target, "--offline", env=proxy)
        self.require_failure(result, 1, "vo1_policy==1.0.0")
        self.assertFalse((self.target / "vo1_policy").exists())
        package = self.wheel("1.0.0", "one")
        for reference, options in ((package, []), ("vo1_policy==1.0.0", ["--find-links", package.parent])):
            subprocess.run(["rm", "-rf", str(self.target)], check=True)
            result = self.package("install", reference, "--target", self.target, "--offline", *options, env=proxy)
            self.assertEqual(result.code, 0, result)
            self.assertEqual(self.marker(), "one")

    def test_A42_rucio_is_never_installed(self):
        package = self.wheel("1.0.0", "one", requires=["rucio>=38"])
        result = self.package("install", package, "--target", self.target, "--host-version", HOST)
        self.require_failure(result, 8, "L-14")
        self.assertFalse((self.target / "vo1_policy").exists())
        self.install(package, options=["--force"])
        self.assertEqual(self.marker(), "one")
        self.assertFalse((self.target / "rucio").exists())

    def test_dependencies(self):
        """Those of the host stay the host's; the others come along."""
        wheel(self.folder / "wheels", "vo1_helper", "3.0", {"__init__.py": "HELP = True\n"}, requires=["six"])
        files = {"__init__.py": "import vo1_helper\nSUPPORTED_VERSION = '>=38'\nMARKER = 'one'\n"}
        package = wheel(self.folder / "wheels", "vo1_policy", "1.0.0", files, requires=["vo1_helper", "python-dateutil"])
        self.install(package, options=["--find-links", package.parent])
        self.assertEqual(self.marker(), "one")
        names = {path.name for path in self.target.iterdir() if not path.name.startswith(".")}
        self.assertTrue({"vo1_helper", "vo1_helper-3.0.dist-info", "six.py"} <= names, names)
        self.assertFalse({"dateutil"} & names, names)
        self.install(self.wheel("2.0.0", "two"))
        self.assertEqual({path.name for path in self.target.iterdir() if not path.name.startswith(".")}, {"vo1_policy", "vo1_policy-2.0.0.dist-info"})
        self.rollback()
        self.assertEqual(self.marker(), "one")

    def test_several_packages_side_by_side(self):
        other = wheel(self.folder / "wheels", "vo2_policy", "5.0", self.files("other"))
        self.install(self.wheel("1.0.0", "one"), other)
        self.assertEqual(self.imported("import vo2_policy; print(vo2_policy.MARKER)"), "other")
        self.install(self.wheel("2.0.0", "two"))
        self.assertEqual((self.marker(), self.version("vo2_policy")), ("two", "5.0"))
        self.rollback()
        self.assertEqual((self.marker(), self.version("vo2_policy")), ("one", "5.0"))

    def test_a_package_that_cannot_be_imported(self):
        package = wheel(self.folder / "wheels", "vo1_policy", "1.0.0", {"__init__.py": "import nobody_has_this\n"})
        self.require_failure(self.package("install", package, "--target", self.target, "--host-version", HOST), 5, "nobody_has_this")
        self.assertFalse((self.target / "vo1_policy").exists())

    def test_a_target_that_cannot_be_written(self):
        self.write("file", "")
        result = self.package("install", self.wheel("1.0.0", "one"), "--target", self.folder / "file" / "x")
        self.require_failure(result, 6, "file")

    def test_permissions_for_hosts(self):
        """Pods read the files as other users, whatever the umask of whoever installs."""
        self.package("install", self.wheel("1.0.0", "one"), "--target", self.target, wrapper=["sh", "-c", 'umask 077; exec "$0" "$@"'])
        for path in (self.target / "vo1_policy").rglob("*"):
            self.assertEqual(path.stat().st_mode & 0o044, 0o044, path)


if __name__ == "__main__":
    policy_packages.main()
