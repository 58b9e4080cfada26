"""What tests with a package index of their own share: support/package_index.py, and installs by both installers."""

import contextlib
import json
import pathlib
import urllib.request

import harness
from harness import TINY, FunctionalTest

INSTALLERS = ("uv", "pip")
KEYWORD = "arcaflow-python-deployer-runnable"


def tiny_release(version, **more):
    """A release of the plugin in plugins/tiny, as an index has it."""
    modules = {f"tiny_plugin/{path.name}": path.read_text() for path in sorted((TINY / "tiny_plugin").glob("*.py"))}
    settings = {"text": f"release {version}", "marks": None, "start_seconds": 0, "stubborn": False}
    modules["tiny_plugin/settings.json"] = json.dumps(settings)
    return {"name": "tiny-plugin", "version": version, "modules": modules, "keywords": KEYWORD, **more}


class PackageIndex(harness.PackageIndex):
    def address(self, manner="simple", login=""):
        return f"http://{login}127.0.0.1:{self.port}/{manner}"

    def hash_of(self, name, version):
        with urllib.request.urlopen(f"{self.address()}/{name}/") as page:
            files = json.load(page)["files"]
        return next(each["hashes"]["sha256"] for each in files if f"-{version}-" in each["filename"])

    def requests(self):
        return self.log.read_text().splitlines() if self.log.exists() else []


class IndexTest(FunctionalTest):
    """Each installer works in a store of its own."""

    releases = []

    def setUp(self):
        super().setUp()
        self.index = PackageIndex(self.folder, self.releases)
        self.addCleanup(self.index.stop)
        self.installer = INSTALLERS[0]

    @contextlib.contextmanager
    def by(self, installer, **more):
        with self.subTest(installer=installer, **more):
            self.installer = installer
            self.store = self.folder / f"store-{installer}"
            yield

    def run_plugin(self, reference, url=None, env={}, arguments=(), **settings):
        """A run with the test's index and the installer of now; `reference` may be a plugin."""
        reference = reference if isinstance(reference, str) else reference.reference()
        index = {} if url == "" else {"indexUrl": url or self.index.address()}
        self.write_config(installer=self.installer, **{**index, **settings})
        self.write_workflow(reference)
        variables = {"PIP_FIND_LINKS": "", "UV_CACHE_DIR": str(self.folder / "uv-cache"), **env}
        # pip takes its time on a busy machine.
        return self.run_workflow(*arguments, env=variables, patience=300)

    def manifest(self, reference):
        reference = reference if isinstance(reference, str) else reference.reference()
        shown = json.loads(self.call("cache", "show", reference, "--output", "json").out)
        return next(entry["manifest"] for entry in shown if entry["bucket"] == "env" and entry["state"] == "ready")

    def same_manifest(self, reference):
        """That of uv's store; the one of pip's differs in nothing but the installer and times."""
        manifests = []
        for installer in INSTALLERS:
            self.store = self.folder / f"store-{installer}"
            self.write_config(installer=installer, indexUrl=self.index.address())
            manifest = self.manifest(reference)
            self.assertEqual(manifest["installer"]["name"], installer)
            self.assertTrue(manifest["installer"]["version"])
            for name in ("installer", "built"):
                del manifest[name]
            manifests.append(manifest)
        self.assertEqual(*manifests)
        return manifests[0]

    def versions(self, manifest):
        return {each["name"]: each["version"] for each in manifest["distributions"]}

    def require_nothing_made(self):
        self.assertEqual(self.environments(), [])
        self.require_clean_store()


def read(path):
    return pathlib.Path(path).read_text()
