"""`kill -9` at any moment, several engines at once, and missing files: the next run succeeds (issue, design D4, D15)."""

import concurrent.futures
import pathlib
import random
import shutil
import signal
import time
import uuid

import harness
from harness import FunctionalTest, greeting, wait_until

ROUNDS = 50
WORKERS = 2


class Worker:
    """Kills engines, one after the other, in a store and with a plugin of its own."""

    def __init__(self, test, number):
        self.test = test
        self.number = number
        self.random = random.Random(number)
        self.token = uuid.uuid4().hex
        self.plugin = test.tiny(f"plugin-{number}", megabytes=2)
        self.store = test.folder / f"store-{number}"
        test.write_config(f"config-{number}.yaml", workdir=str(self.store))
        test.write_workflow(self.plugin.reference("main"), file=f"workflow-{number}.yaml")
        self.command = ["--config", f"config-{number}.yaml", "run", f"workflow-{number}.yaml"]

    def start(self):
        return self.test.start(*self.command, env={harness.TOKEN: self.token})

    def run_whole(self):
        result = self.start().finish()
        self.test.require_message(result, greeting(self.plugin))
        return result.seconds

    def fresh(self, round_number):
        """What comes is a first installation: of a commit that the store does not know, or in no store at all."""
        if round_number % 3 == 0:
            shutil.rmtree(self.store, ignore_errors=True)
        else:
            shutil.rmtree(next(self.store.glob("venvoy-*")) / "refs-v1", ignore_errors=True)
        self.plugin.change(text=f"the commit of round {round_number}")

    def round(self, round_number, usual_seconds):
        self.fresh(round_number)
        moment = self.random.uniform(0, usual_seconds)
        running = self.start()
        time.sleep(moment)
        running.process.kill()
        result = running.finish()
        where = f"worker {self.number}, round {round_number}, killed after {moment:.3f} of {usual_seconds:.3f} s"
        try:
            self.test.require_no_process(self.token)
            self.run_whole()
        except AssertionError as error:
            raise AssertionError(f"{where}\n{error}") from None
        return result.code == -signal.SIGKILL

    def work(self):
        """How many engines were killed before they had ended."""
        killed = 0
        usual = self.run_whole()
        for round_number in range(ROUNDS // WORKERS):
            if self.round(round_number, usual):
                killed += 1
            else:
                usual *= 0.8  # the machine has become faster
        self.test.require_no_process(self.token)
        return killed


class KillTest(FunctionalTest):
    def setUp(self):
        super().setUp()
        self.write_config()

    def test_killed_at_random_moments_of_a_first_installation(self):
        workers = [Worker(self, number) for number in range(WORKERS)]
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            killed = sum(pool.map(Worker.work, workers))
        self.assertGreater(killed, ROUNDS // 2, "most engines were killed on the way, or the test tests nothing")
        for worker in workers:
            self.store = worker.store
            self.require_clean_store()

    def test_killed_while_a_step_runs(self):
        plugin = self.tiny()
        self.write_waiting_workflow(plugin.reference(), children=True)
        running = self.start("run", "workflow.yaml")
        wait_until((self.folder / "started").exists, "the step to run")
        # The engine, its keeper, the plugin and its three children.
        wait_until(lambda: len(self.processes()) >= 6, "the processes of the plugin")
        running.process.kill()
        running.finish()
        self.require_no_process()
        (self.folder / "release").touch()
        self.require_message(self.run_workflow(), "waited in the first commit")
        self.require_clean_store()

    def test_the_keeper_is_killed(self):
        plugin = self.tiny()
        self.write_waiting_workflow(plugin.reference(), children=False)
        running = self.start("run", "workflow.yaml")
        wait_until((self.folder / "started").exists, "the step to run")
        keepers = [pid for pid, command in self.processes().items() if "venvoy-keeper" in command]
        self.assertEqual(len(keepers), 1, self.processes())
        harness.os.kill(keepers[0], signal.SIGKILL)
        self.assertEqual(running.finish().code, 3)

    def test_six_engines_build_one_environment(self):
        plugin = self.tiny(build_seconds=1)
        self.write_workflow(plugin.reference())
        running = [self.start("run", "workflow.yaml") for _ in range(6)]
        results = [each.finish() for each in running]
        for result in results:
            self.require_message(result, greeting(plugin))
        self.assertEqual(plugin.take_marks().count("build"), 1)
        self.assertEqual(len(self.environments()), 1)
        self.assertEqual(sum(": ready in " in result.err for result in results), 1)
        self.assertEqual(sum(": ready (from the store)" in result.err for result in results), 5)
        self.require_clean_store()

    def test_four_engines_with_two_plugins_and_ten_steps_of_each(self):
        """TestDeployConcurrent_ConnectorsAndPluginsWithDifferentModules: everything at once on an empty store."""
        plugins = {"one": self.tiny("one", text="the one"), "other": self.tiny("other", text="the other")}
        # The one by its commit, the other by its default branch.
        references = {"one": plugins["one"].reference(plugins["one"].head()), "other": plugins["other"].reference()}
        head, _, _ = harness.WORKFLOW.partition("steps:")
        steps, outputs = "", ""
        for name, reference in references.items():
            for number in range(10):
                step = f"{name}{number}"
                steps += f'  {step}:\n    plugin: {{deployment_type: python, src: "{reference}"}}\n    step: hello\n'
                steps += "    input: {name: World}\n"
                outputs += f"    {step}: !expr $.steps.{step}.outputs.success.message\n"
        self.write("workflow.yaml", f"{head}steps:\n{steps}outputs:\n  success:\n{outputs}")
        running = [self.start("run", "workflow.yaml") for _ in range(4)]
        expected = {f"{name}{number}": greeting(plugins[name]) for name in plugins for number in range(10)}
        for each in running:
            result = each.finish()
            self.assertEqual(result.code, 0, result)
            self.assertEqual(result.output, {"output_id": "success", "output_data": expected}, result)
        for plugin in plugins.values():
            self.assertEqual(plugin.take_marks().count("build"), 1)
        self.assertEqual(len(self.environments()), 2)
        self.require_clean_store()

    def test_the_builder_among_several_is_killed(self):
        plugin = self.tiny(build_seconds=2)
        self.write_workflow(plugin.reference())
        builder = self.start("run", "workflow.yaml")
        wait_until(lambda: plugin.marks.exists() and "build" in plugin.marks.read_text(), "the build")
        others = [self.start("run", "workflow.yaml") for _ in range(3)]
        time.sleep(0.5)
        builder.process.kill()
        builder.finish()
        for other in others:
            self.require_message(other.finish(), greeting(plugin))
        self.assertEqual(len(self.environments()), 1)
        self.require_clean_store()

    def test_a_file_is_missing_from_a_ready_environment(self):
        plugin = self.tiny()
        self.write_workflow(plugin.reference())
        self.require_message(self.run_workflow(), greeting(plugin))
        bites = {
            "tiny_plugin/__main__.py": pathlib.Path.unlink,
            "tiny_plugin/settings.json": lambda path: path.write_text("{"),
            "tiny_plugin-1.0.dist-info": shutil.rmtree,
            "bin/python": pathlib.Path.unlink,
            "pyvenv.cfg": pathlib.Path.unlink,
            "ready.json": lambda path: path.write_bytes(path.read_bytes()[:100]),
            "lease": pathlib.Path.unlink,
        }
        for name, bite in bites.items():
            with self.subTest(name=name):
                (environment,) = self.environments()
                paths = sorted(environment.rglob(name))
                self.assertTrue(paths, f"no {name} in {environment}")
                bite(paths[0])
                self.require_message(self.run_workflow(), greeting(plugin))
                self.require_message(self.run_workflow(), greeting(plugin))
                self.require_clean_store()

    def test_other_parts_of_the_store_are_missing(self):
        plugin = self.tiny()
        self.write_workflow(plugin.reference())
        self.require_message(self.run_workflow(), greeting(plugin))
        for part in ("git-v1", "refs-v1", "verdict-v1", "tool-v1", "wheel-v1", "schema-v1", "python-v1", "lock-v1", "work-v1"):
            with self.subTest(part=part):
                (folder,) = self.in_store(part)
                shutil.rmtree(folder)
                self.require_message(self.run_workflow(), greeting(plugin))
        # All at once, but for the environment; then a new commit has to be built.
        for folder in self.in_store("*"):
            if folder.name == "env-v1":
                continue
            if folder.is_dir():
                shutil.rmtree(folder)
            else:
                folder.unlink()
        plugin.change(text="the second commit")
        self.require_message(self.run_workflow(), greeting(plugin))
        self.require_clean_store()


if __name__ == "__main__":
    harness.main()
