"""venvoy cache: what the store holds, what is damaged, and making room without touching what is in use."""

import json
import os
import pathlib
import subprocess
import time

import harness
from harness import FunctionalTest, greeting, wait_until


class CacheTest(FunctionalTest):
    def setUp(self):
        super().setUp()
        self.write_config()
        self.plugin = self.tiny()
        self.write_workflow(self.plugin.reference())

    def cache(self, *arguments):
        result = self.call("cache", *arguments, "--output", "json")
        return result, json.loads(result.out) if result.out else None

    def install(self):
        self.require_message(self.run_workflow(), greeting(self.plugin))

    def entries(self, bucket):
        return [entry for entry in self.cache("ls")[1] if entry["bucket"] == bucket]

    def flip_a_byte(self, path):
        os.chmod(path, 0o644)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 0x20
        path.write_bytes(data)

    def test_show_and_du(self):
        self.install()
        (environment,) = self.entries("env")
        for key in (environment["name"], environment["name"][:8], self.plugin.reference()):
            result, shown = self.cache("show", key)
            self.assertEqual(result.code, 0, result)
            entry = next(entry for entry in shown if entry["bucket"] == "env")
            self.assertEqual(entry["manifest"]["version"], self.plugin.head())
            self.assertEqual(entry["manifest"]["reference"], self.plugin.reference())
            self.assertIn("distributions", entry["manifest"])
            self.assertEqual(entry["users"], [])
            self.assertTrue(entry["inputs"])
        result, bill = self.cache("show", environment["name"], "--sbom")
        self.assertEqual(bill["bomFormat"], "CycloneDX", result)
        self.assertIn("tiny-plugin", [component["name"] for component in bill["components"]])
        _, usage = self.cache("du")
        self.assertEqual(usage["buckets"]["env"]["bytes"], environment["bytes"])
        self.assertEqual(usage["total"]["bytes"], sum(bucket["bytes"] for bucket in usage["buckets"].values()))
        result, _ = self.cache("show", "nothing")
        self.require_failure(result, 1, "the store holds no 'nothing'", "venvoy cache ls")

    def test_the_pip_of_the_store(self):
        self.write_config(installer="pip")
        self.install()
        other = self.tiny("other")
        self.write_workflow(other.reference(other.head()))
        self.require_message(self.run_workflow(), greeting(other))
        _, entries = self.cache("ls")
        (tool,) = [entry for entry in entries if entry["bucket"] == "tool"]
        self.assertRegex(tool["tool"], r"^pip \d")
        _, (shown,) = self.cache("show", tool["name"])
        self.assertEqual(shown["manifest"]["python"], os.path.realpath(harness.PYTHON))
        self.assertEqual(shown["inputs"]["tool"], "pip")
        self.flip_a_byte(pathlib.Path(tool["path"]) / "pip/__init__.py")
        result, report = self.cache("verify")
        self.assertEqual([entry["bucket"] for entry in report["damaged"]], ["tool"], result)
        other.change(text="the second commit")
        self.write_workflow(other.reference(other.head()))
        self.require_message(self.run_workflow(), greeting(other))
        result, report = self.cache("verify")
        self.assertEqual(report, {"damaged": []}, result)
        result, report = self.cache("prune", "--max-size", "1B")
        self.assertIn("tool", [entry["bucket"] for entry in report["removed"]], result)
        self.require_clean_store()

    def test_the_pip_that_ensurepip_carries(self):
        """For Pythons that have no pip installed, as that of an environment made without."""
        environment = self.folder / "environment"
        subprocess.run([harness.PYTHON, "-m", "venv", "--without-pip", environment], check=True)
        helpers = pathlib.Path(self.program).resolve().parent / "libexec" / "venvoy"

        def ask(script, *arguments):
            command = [environment / "bin" / "python", "-I", helpers / script, *arguments]
            return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout

        found = json.loads(ask("own_pip.py"))
        self.assertRegex(found["place"], r"/pip-[^/]*\.whl$")
        ask("own_pip.py", found["place"], found["state"], self.folder / "tool")
        self.assertTrue(list(self.folder.glob("tool/pip/__pycache__/__main__.*.pyc")))
        self.assertEqual(os.listdir(self.folder / "tool"), ["pip"])
        self.assertRegex(ask("run_pip.py", self.folder / "tool", "--version"), f"^pip {found['version']} from {self.folder}")

    def test_verify_finds_a_changed_byte(self):
        self.install()
        result, report = self.cache("verify")
        self.assertEqual((result.code, report), (0, {"damaged": []}), result)
        places = {
            "env": next(path for path in self.environments()[0].rglob("tiny_plugin/__init__.py")),
            "wheel": self.in_store("wheel-v1/*/*.whl")[0],
            "git": self.in_store("git-v1/*.git/objects/pack/*.pack")[0],
        }
        for path in places.values():
            self.flip_a_byte(path)
        result, report = self.cache("verify")
        self.assertEqual(result.code, 1, result)
        self.assertEqual({entry["bucket"] for entry in report["damaged"]}, set(places), result)
        self.assertIn("tiny_plugin/__init__.py", result.err)
        # What is damaged is not used again.
        self.install()
        self.assertEqual(self.cache("verify")[0].code, 0)

    def test_prune_by_age_and_size(self):
        self.install()
        result, report = self.cache("prune", "--max-age", "1h")
        self.assertEqual((result.code, report["removed"]), (0, []), result)
        result, report = self.cache("prune", "--max-size", "0B", "--dry-run")
        self.assertIn("env", [entry["bucket"] for entry in report["removed"]], result)
        self.assertIn("would remove env", result.err)
        self.assertEqual(len(self.environments()), 1)
        result, report = self.cache("prune", "--max-size", "0B")
        self.assertEqual(self.environments(), [], result)
        self.assertGreater(report["bytes_freed"], 0)
        self.install()
        old = time.time() - 100 * 86400
        for path in self.in_store("env-v1/*/*/*/lease"):
            os.utime(path, (old, old))
        result, report = self.cache("prune", "--max-age", "60d")
        self.assertEqual(self.environments(), [], result)

    def test_what_is_in_use_stays(self):
        self.write_waiting_workflow(self.plugin.reference())
        running = self.start("run", "workflow.yaml")
        wait_until((self.folder / "started").exists, "the step")
        (environment,) = self.entries("env")
        self.assertTrue(environment["in_use"])
        result, report = self.cache("prune", "--max-size", "0B", "--max-age", "0s")
        self.assertIn("env", [entry["bucket"] for entry in report["in_use"]], result)
        result, report = self.cache("clear")
        self.assertIn("env", [entry["bucket"] for entry in report["in_use"]], result)
        self.assertIn("in use: env", result.err)
        self.assertEqual(len(self.environments()), 1)
        (self.folder / "release").touch()
        self.assertEqual(running.finish().code, 0)
        result, report = self.cache("clear")
        self.assertEqual((result.code, report["in_use"]), (0, []), result)
        self.assertEqual(self.environments(), [])

    def make_due(self):
        """The last pruning by itself was long ago."""
        (root,) = self.in_store("")
        (root / "pruned").touch()
        os.utime(root / "pruned", (time.time() - 86400,) * 2)

    def finish_pruning(self):
        """Runs that end before they have removed all that is due leave the rest to the next one."""
        (root,) = self.in_store("")
        for _ in range(20):
            self.install()
            if time.time() - (root / "pruned").stat().st_mtime < 3600:
                return
        self.fail("20 runs have not ended the pruning")

    def make_old(self, environment, days):
        os.utime(environment / "lease", (time.time() - days * 86400,) * 2)

    def test_pruning_by_itself(self):
        self.write_workflow(self.plugin.reference(self.plugin.head()))
        self.install()
        (first,) = self.environments()
        self.plugin.change(text="the second commit")
        self.write_workflow(self.plugin.reference(self.plugin.head()))
        self.make_old(first, 100)
        # Not due: somebody has looked a short time ago.
        self.install()
        self.assertTrue(first.exists())
        self.make_due()
        self.make_old(first, 50)
        self.install()
        self.assertTrue(first.exists(), "50 days are not 60")
        self.make_due()
        self.make_old(first, 100)
        result = self.run_workflow()
        self.assertFalse(first.exists(), result)
        self.assertIn("made room in the store", result.err)
        self.assertIn("1 environment", result.err)
        self.finish_pruning()
        self.assertNotIn("made room", self.run_workflow().err)
        # By size: all that this run does not use.
        self.write_config(cacheMaxSize="1kB")
        self.make_due()
        result = self.run_workflow()
        self.require_message(result, greeting(self.plugin))
        self.assertEqual(len(self.environments()), 1, result)
        self.finish_pruning()
        self.assertNotIn("made room", self.run_workflow().err)

    def test_pruning_by_itself_keeps_what_is_in_use(self):
        other = self.tiny("other")
        self.write_waiting_workflow(other.reference(other.head()), file="waiting.yaml")
        running = self.start("run", "waiting.yaml")
        wait_until((self.folder / "started").exists, "the step")
        self.install()
        self.write_config(cacheMaxSize="1B", cacheMaxAge="1s")
        for environment in self.environments():
            self.make_old(environment, 100)
        self.make_due()
        self.require_message(self.run_workflow(), greeting(self.plugin))
        self.assertEqual(len(self.environments()), 2)
        (self.folder / "release").touch()
        self.assertEqual(running.finish().code, 0)

    def test_wrong_limits(self):
        for arguments, words in (
            (("--max-age", "soon"), ("--max-age", "60d")),
            (("--max-size", "huge"), ("--max-size", "20GB")),
        ):
            result = self.call("cache", "prune", *arguments)
            self.require_failure(result, 2, *words)


if __name__ == "__main__":
    harness.main()
