"""What the tests of `venvoy package` share: small packages, wheels of them, and the real Rucio to compare with.

The hosts are environments that the program itself makes in a store which all tests of a file share.
"""

import atexit
import base64
import concurrent.futures
import hashlib
import io
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest
import zipfile

import yaml

import harness
from harness import PYTHON, FunctionalTest, git

HOST = "41.5.1"
HOST_38 = "38.6.4"
HOST_37 = "37.7.1"
HOST_35 = "35.8.0"

PERMISSION = "def has_permission(issuer, action, kwargs, session=None):\n    return {answer}\n"
SCHEMA = "SCOPE_LENGTH = 50\nSCOPE_NAME_REGEXP = '/([^/]*)/([^/]*)'\n"


def wheel(folder, module, version, files, requires=(), distribution=None, extra_metadata=()):
    """A wheel's file: `files` are those of the module, by their paths in it."""
    name = (distribution or module).replace("-", "_")
    info = f"{name}-{version}.dist-info"
    metadata = ["Metadata-Version: 2.1", f"Name: {distribution or module}", f"Version: {version}"]
    metadata += [f"Requires-Dist: {requirement}" for requirement in requires] + list(extra_metadata)
    contents = {f"{module}/{path}": text for path, text in files.items()}
    contents[f"{info}/METADATA"] = "\n".join(metadata) + "\n"
    contents[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = ""
    for path, text in contents.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(text.encode())}\n"
    contents[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in contents.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    path.write_bytes(buffer.getvalue())
    return path


def pyproject(distribution, version, requires=(), more=""):
    return (
        '[build-system]\nrequires = ["setuptools>=61"]\nbuild-backend = "setuptools.build_meta"\n\n'
        f'[project]\nname = "{distribution}"\nversion = "{version}"\ndependencies = {json.dumps(list(requires))}\n{more}\n'
        '[tool.setuptools.packages.find]\nwhere = ["src"]\n'
    )


# What is run in a host's Python: `answer` is printed, exceptions as their class and code.
ORACLE = """\
import json, sys
answer = None
try:
{body}
except BaseException as error:
    answer = {{"error": type(error).__name__, "code": getattr(error, "error_code", None), "text": str(error)}}
json.dump(answer, sys.stdout)
"""


# The store of all tests of this process: the environments of hosts are large.
SHARED = pathlib.Path(tempfile.mkdtemp(prefix="venvoy-packages-"))
atexit.register(shutil.rmtree, SHARED, ignore_errors=True)


class PackageTest(FunctionalTest):
    """Tests that share a store."""

    def setUp(self):
        super().setUp()
        self.store = SHARED
        self.write_config()

    # --- packages ---

    def module(self, name="vo1_policy", **files):
        """The folder of a module: `init`, `permission`, `schema` and others are the texts of its files."""
        folder = self.folder / name
        folder.mkdir()
        for stem, text in files.items():
            path = folder / ("__init__.py" if stem == "init" else f"{stem}.py")
            path.write_text(text)
        return folder

    def contract(self, value, name="vo1_policy"):
        """A module whose contract is this expression."""
        shutil.rmtree(self.folder / name, ignore_errors=True)
        return self.module(name, init=f"SUPPORTED_VERSION = {value}\n", permission=PERMISSION.format(answer="None"))

    def repository(self, name, version, files, module="vo1_policy", distribution=None, **options):
        """A git repository of a project, committed; its folder."""
        folder = self.folder / name
        new = not folder.exists()
        for path, text in {f"src/{module}/{path}": text for path, text in files.items()}.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        (folder / "pyproject.toml").write_text(pyproject(distribution or module, version, **options))
        if new:
            git("init", "-q", "-b", "main", folder=folder)
        git("add", "-A", folder=folder)
        git("commit", "-q", "-m", "A change", folder=folder)
        git("tag", "-f", f"v{version}", folder=folder)
        return folder

    # --- the program ---

    def package(self, *arguments, **options):
        # Environments of hosts are large, and machines of tests are busy.
        return self.call("package", *map(str, arguments), **{"patience": 600, **options})

    def data(self, *arguments, code=0, **options):
        """What the command prints, as JSON, after it has ended with this code."""
        result = self.package(*arguments, "--output", "json", **options)
        self.assertEqual(result.code, code, result)
        return json.loads(result.out)

    def check(self, package, host=HOST, *arguments, code=0):
        return self.data("check", package, "--host-version", host, *self.patient(arguments), code=code)

    @staticmethod
    def patient(arguments):
        """With time for a busy machine."""
        return arguments if "--timeout" in arguments else ("--timeout", "300s", *arguments)

    def rules(self, report, level=None):
        return sorted({each["rule"] for each in report["findings"] if level in (None, each["level"])})

    def finding(self, report, rule):
        found = [each for each in report["findings"] if each["rule"] == rule]
        self.assertTrue(found, f"no {rule} in {json.dumps(report, indent=1)}")
        return found[0]

    def probe(self, package, question, *arguments, host=None, code=0):
        version = ["--host-version", host] if host else []
        return self.data("probe", package, "--question", question, *version, *self.patient(arguments), code=code)

    def rendered(self, artefact, *arguments):
        result = self.package("render", artefact, *arguments)
        self.assertEqual(result.code, 0, result)
        return result.out

    def values(self, *arguments):
        return yaml.safe_load(self.rendered("values", *arguments))

    def pip_python(self):
        """A Python with pip."""
        python = self.folder / "pip" / "bin" / "python"
        if not python.exists():
            subprocess.run([PYTHON, "-m", "venv", str(python.parents[1])], check=True)
        return str(python)

    # --- the real Rucio ---

    def host_python(self, version):
        """The interpreter of an environment with this Rucio and what it needs to load packages, made by the program."""
        found = self.host_environments(version)
        if not found:
            folder = self.folder / "nothing_policy"
            folder.mkdir(exist_ok=True)
            (folder / "__init__.py").write_text("")
            (folder / "schema.py").write_text(SCHEMA)  # hosts up to 35 do not load a package without it
            self.probe(folder, "schema", "--key", "SCOPE_LENGTH", host=version)
            found = self.host_environments(version)
        self.assertTrue(found, f"there is no environment with Rucio {version}")
        return found[0] / "bin" / "python"

    def host_environments(self, version):
        return self.virtual_environments(f"rucio-{version}.dist-info", "sqlalchemy")

    def virtual_environments(self, *names):
        """Those that are ready and have all of this among their packages. Tests run side by side: others may be half-made."""
        folders = [environment / "venv" for environment in self.environments()]
        return [folder for folder in folders if all(any(folder.glob(f"lib/python*/site-packages/{name}")) for name in names)]

    def rucio(self, version, body, module=None, config=None, environment=None, files=None):
        """What the real Rucio answers: `body` sets `answer`. `module` is the folder of the active package."""
        work = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        sections = {"common": {}, "database": {"default": f"sqlite:///{work}/rucio.db"}}
        if module is not None:
            sections["policy"] = {"package": module.name}
        for section, options in (config or {}).items():
            sections[section] = None if options is None else {**sections.get(section, {}), **options}
        text = "".join(
            f"[{section}]\n" + "".join(f"{name} = {value}\n" for name, value in options.items())
            for section, options in sections.items()
            if options is not None
        )
        (work / "rucio.cfg").write_text(text)
        if sections["common"].get("multi_vo") and sections["database"]:
            self.write_vos(work / "rucio.db", sections.get("policy") or {})
        code = ORACLE.format(body="".join(f"    {line}\n" for line in body.splitlines()))
        path = str(module.parent if module is not None else self.folder)
        variables = {"RUCIO_CONFIG": str(work / "rucio.cfg"), "PYTHONPATH": path, "PATH": os.environ["PATH"]}
        result = subprocess.run(
            [str(self.host_python(version)), "-c", code],
            env={**variables, "HOME": str(work), **(environment or {})},
            cwd=work,
            capture_output=True,
            text=True,
            timeout=120,
        )
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)

    @staticmethod
    def write_vos(path, policy):
        """The table that multi-VO servers ask for VOs."""
        database = sqlite3.connect(path)
        with database:
            database.execute("CREATE TABLE vos (vo, description, email, created_at, updated_at)")
            for name in policy:
                if name.startswith("package-"):
                    database.execute("INSERT INTO vos (vo) VALUES (?)", (name[len("package-") :],))
        database.close()

    def host_verdict(self, version, module):
        """"ok", or the exception by which the real host refuses the contract of a module."""
        return self.host_verdicts(version, [module])[0]

    def host_verdicts(self, version, modules):
        """Of modules that lie side by side, and differ in their names."""
        if version.startswith(("32", "35")):
            lines = ["from rucio.common.utils import check_policy_package_version as check"]
        else:
            lines = [
                "import importlib",
                "from rucio.common.plugins import check_policy_module_version",
                "check = lambda name: check_policy_module_version(importlib.import_module(name))",
            ]
        lines += [
            "answer = []",
            f"for name in {[module.name for module in modules]!r}:",
            "    try:",
            "        check(name)",
            "        answer.append('ok')",
            "    except Exception as error:",
            "        answer.append(type(error).__name__)",
        ]
        return self.rucio(version, "\n".join(lines), modules[0], config={"policy": None})

    def host_permission(self, version, module, action="add_rse", **options):
        return self.rucio(
            version,
            "from rucio.core.permission import has_permission\nfrom rucio.common.types import InternalAccount\n"
            f"vo = {options.pop('vo', 'def')!r}\n"
            f"result = has_permission(InternalAccount('root', vo=vo), {action!r}, {{}}, session=object())\n"
            "answer = {'allowed': bool(result), 'message': getattr(result, 'message', None)}",
            module,
            **options,
        )


def run_one(test):
    result, begin = unittest.TestResult(), time.monotonic()
    test.run(result)
    return test, result, time.monotonic() - begin


def all_tests(suite):
    return [test for each in suite for test in (all_tests(each) if isinstance(each, unittest.TestSuite) else [each])]


def main(at_once=2):
    """Runs the tests of the program's file side by side: each has a folder of its own, and its time is spent in others'
    processes. With names of tests on the command line, just those, one after the other."""
    if len(sys.argv) > 1:
        return harness.main()
    harness.venvoy_program()
    tests = all_tests(unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"]))
    good = len(tests) > 0
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        for done in concurrent.futures.as_completed([pool.submit(run_one, test) for test in tests]):
            test, result, seconds = done.result()
            print(f"{test.id()}: {'ok' if result.wasSuccessful() else 'FAILED'}, {seconds:.1f} s", flush=True)
            for _, trace in result.failures + result.errors:
                print(trace, flush=True)
            good = good and result.wasSuccessful() and not result.skipped
    print(f"{len(tests)} tests: {'ok' if good else 'FAILED'}")
    sys.exit(0 if good else 1)
