"""What `modulePullPolicy` and `cache pull` do with branches, pins and environments that are in use (issue, design D4)."""

import functools
import http.server
import threading
import zipfile

import harness
from harness import FunctionalTest, greeting, wait_until

TWO_STEPS_AND_A_LOOP = """\
version: v0.2.0
input:
  root: Input
  objects:
    Input: {id: Input, properties: {}}
steps:
  first:
    plugin: {deployment_type: python, src: "@REFERENCE@"}
    step: hello
    input: {name: World}
  second:
    plugin: {deployment_type: python, src: "@REFERENCE@"}
    step: hello
    input: {name: !expr $.steps.first.outputs.success.message}
  loop:
    kind: foreach
    workflow: item.yaml
    items: [{name: a}, {name: b}, {name: c}]
    parallelism: 3
outputs:
  success:
    message: !expr $.steps.second.outputs.success.message
    items: !expr $.steps.loop.outputs.success.data
"""

ITEM = """\
version: v0.2.0
input:
  root: Item
  objects:
    Item:
      id: Item
      properties:
        name: {type: {type_id: string}}
steps:
  greet:
    plugin: {deployment_type: python, src: "@REFERENCE@"}
    step: hello
    input: {name: !expr $.input.name}
outputs:
  success:
    message: !expr $.steps.greet.outputs.success.message
"""

DATE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


class PackageIndex:
    """A package index on loopback with one package, `tiny-dependency`."""

    def __init__(self, folder):
        name = "tiny_dependency-1.0-py3-none-any.whl"
        package = folder / "tiny-dependency"
        package.mkdir(parents=True)
        with zipfile.ZipFile(package / name, "w") as wheel:
            info = "tiny_dependency-1.0.dist-info"
            wheel.writestr("tiny_dependency.py", "")
            wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-dependency\nVersion: 1.0\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
        (package / "index.html").write_text(f'<a href="{name}">{name}</a>')
        handler = functools.partial(QuietHandler, directory=str(folder))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class PullPolicyTest(FunctionalTest):
    def use(self, plugin, version=None, **settings):
        self.write_workflow(plugin.reference(version))
        self.write_config(**settings)

    def require_meaning(self, result, commit):
        """The log says what the movable version means, and since when."""
        self.assertRegex(result.err, rf"info: .* means commit {commit} since {DATE}", result)

    def test_a_movable_version_keeps_its_first_commit(self):
        for version in (None, "main"):
            with self.subTest(version=version):
                plugin = self.tiny(f"plugin-{version}")
                first = plugin.head()
                self.use(plugin, version)
                result = self.run_workflow()
                self.require_message(result, "Hello, World, from the first commit!")
                self.assertIn(first, result.err, "the log says which commit it is")
                second = plugin.change(text="the second commit")
                result = self.run_workflow()
                self.require_message(result, "Hello, World, from the first commit!")
                self.require_meaning(result, first)

                pulled = self.call("cache", "pull", plugin.reference(version))
                self.assertEqual(pulled.code, 0, pulled)
                result = self.run_workflow()
                self.require_message(result, "Hello, World, from the second commit!")
                self.require_meaning(result, second)

    def test_always_runs_what_the_branch_is_now(self):
        for version in (None, "main"):
            with self.subTest(version=version):
                plugin = self.tiny(f"plugin-{version}")
                self.use(plugin, version, modulePullPolicy="Always")
                self.require_message(self.run_workflow(), "Hello, World, from the first commit!")
                plugin.change(text="the second commit")
                self.require_message(self.run_workflow(), "Hello, World, from the second commit!")
                # And it is the second that stays.
                plugin.change(text="the third commit")
                self.use(plugin, version)
                self.require_message(self.run_workflow(), "Hello, World, from the second commit!")
                self.require_clean_store()

    def test_a_pinned_commit_stays_whatever_the_branch_does(self):
        plugin = self.tiny()
        self.use(plugin, plugin.head(), modulePullPolicy="Always")
        plugin.change(text="the second commit")
        for _ in range(2):
            self.require_message(self.run_workflow(), "Hello, World, from the first commit!")

    def start_waiting(self, plugin, version=None):
        """A run whose step runs until release() is called."""
        self.write_waiting_workflow(plugin.reference(version), file="waiting.yaml")
        running = self.start("--config", "present.yaml", "run", "waiting.yaml")
        wait_until((self.folder / "started").exists, "the step to run")
        return running

    def release(self):
        (self.folder / "release").touch()

    def test_a_moved_branch_removes_the_old_environment_after_its_last_user(self):
        plugin = self.tiny()
        self.write_config("present.yaml")
        self.use(plugin, modulePullPolicy="Always")
        running = self.start_waiting(plugin)
        (old,) = self.environments()
        plugin.change(text="the second commit")
        self.require_message(self.run_workflow(), "Hello, World, from the second commit!")
        self.assertTrue((old / "venv").is_dir(), "it is in use")
        self.assertIsNone(running.process.poll())
        self.release()
        self.require_message(running.finish(), "waited in the first commit")
        self.assertFalse(old.exists(), "its last user has left")
        (new,) = self.environments()
        self.assertNotEqual(old.parent, new.parent)

    def test_a_pinned_environment_in_use_gets_a_generation_beside_it(self):
        plugin = self.tiny()
        self.write_config("present.yaml")
        self.use(plugin, plugin.head(), modulePullPolicy="Always")
        running = self.start_waiting(plugin, plugin.head())
        (old,) = self.environments()
        self.require_message(self.run_workflow(), greeting(plugin))
        self.assertTrue((old / "venv").is_dir(), "it is in use")
        self.assertIsNone(running.process.poll())
        self.release()
        self.require_message(running.finish(), "waited in the first commit")
        self.assertFalse(old.exists(), "its last user has left")
        (new,) = self.environments()
        self.assertEqual(old.parent, new.parent)

    def test_cache_pull_while_a_step_runs(self):
        plugin = self.tiny()
        self.write_config("present.yaml")
        self.write_config()
        running = self.start_waiting(plugin)
        (old,) = self.environments()
        plugin.change(text="the second commit")
        pulled = self.call("cache", "pull", plugin.reference())
        self.assertEqual(pulled.code, 0, pulled)
        self.release()
        self.require_message(running.finish(), "waited in the first commit")
        self.assertFalse(old.exists(), "its last user has left")

    def test_always_rebuilds_once_per_process_and_reference(self):
        """TestPullPolicies: the environment changes on Always only."""
        plugin = self.tiny()
        reference = plugin.reference(plugin.head())
        self.write("workflow.yaml", TWO_STEPS_AND_A_LOOP.replace("@REFERENCE@", reference))
        self.write("item.yaml", ITEM.replace("@REFERENCE@", reference))
        self.write_config()
        generations = []
        for policy in ("IfNotPresent", "IfNotPresent", "Always", "Always", "IfNotPresent"):
            self.write_config(modulePullPolicy=policy)
            result = self.run_workflow()
            self.assertEqual(result.code, 0, result)
            self.assertEqual(len(result.output["output_data"]["items"]), 3)
            (environment,) = self.environments()
            generations.append(int(environment.name))
            self.require_clean_store()
        first = generations[0]
        self.assertEqual(generations, [first, first, first + 1, first + 2, first + 2])

    def test_always_without_the_server_fails_and_leaves_what_is_there(self):
        plugin = self.tiny()
        server = self.git_server()
        reference = plugin.reference(url=server.url("plain", "plugin/.git"))
        self.write_workflow(reference)
        self.write_config()
        self.require_message(self.run_workflow(), greeting(plugin))
        (environment,) = self.environments()
        server.stop()
        self.write_config(modulePullPolicy="Always")
        self.require_failure(self.run_workflow(), 1, reference, f"workflow.yaml:{self.line_of('src:')}")
        pulled = self.call("cache", "pull", reference)
        self.assertEqual(pulled.code, 1, pulled)
        self.assertEqual(self.environments(), [environment])
        self.write_config()
        self.require_message(self.run_workflow(), greeting(plugin))
        self.require_clean_store()

    def test_always_without_the_index_fails_and_leaves_what_is_there(self):
        index = PackageIndex(self.folder / "index")
        plugin = self.tiny(requires=["tiny-dependency"])
        places = {"installer": "pip", "indexUrl": index.url}
        self.use(plugin, plugin.head(), **places)
        # Neither the machine's own folders of packages nor pip's cache may help.
        alone = {"PIP_FIND_LINKS": "", "PIP_NO_CACHE_DIR": "1", "PIP_RETRIES": "0"}
        self.require_message(self.run_workflow(env=alone), greeting(plugin))
        (environment,) = self.environments()
        index.stop()
        self.use(plugin, plugin.head(), modulePullPolicy="Always", **places)
        self.require_failure(self.run_workflow(env=alone), 1, "error in pip installing", "connection refused")
        self.assertEqual(self.environments(), [environment])
        self.use(plugin, plugin.head(), **places)
        self.require_message(self.run_workflow(env=alone), greeting(plugin))
        self.require_clean_store()

    def test_always_and_offline(self):
        plugin = self.tiny()
        self.use(plugin)
        self.require_message(self.run_workflow(), greeting(plugin))
        plugin.change(text="the second commit")
        self.use(plugin, modulePullPolicy="Always")
        result = self.call("--offline", "run", "workflow.yaml")
        self.require_message(result, "Hello, World, from the first commit!")
        self.assertIn("warning: modulePullPolicy Always is not followed", result.err)


if __name__ == "__main__":
    harness.main()
