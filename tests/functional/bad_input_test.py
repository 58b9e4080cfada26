"""Wrong references, plugins, machines: one sentence with place, reference and advice; nothing half-made stays (issue)."""

import os
import shutil
import socket
import subprocess

import harness
from harness import FunctionalTest, greeting

ABSENT_COMMIT = "0123456789abcdef0123456789abcdef01234567"


def closed_port():
    """A port of the loopback interface on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class BadInputTest(FunctionalTest):
    def setUp(self):
        super().setUp()
        self.write_config()
        self.plugin = self.tiny()

    def require_error(self, reference, *words, arguments=(), env=None):
        """The workflow with this reference fails before it runs, and says all that is wanted. Returns the talk."""
        self.write_workflow(reference)
        result = self.call(*arguments, "run", "workflow.yaml", env=env)
        self.require_failure(result, 1, reference, *words)
        lines = result.err.splitlines()
        # One error, though installers may have more in their output.
        self.assertEqual(("\n" + result.err).count("\nerror: failed to load schema for step greet ("), 1, result)
        # File and line of the step, where editors look for them.
        places = [line.strip() for line in lines if line.startswith("  --> ")]
        self.assertEqual(len(places), 1, result)
        self.assertTrue(places[0].startswith(f"--> workflow.yaml:{self.line_of('src:')}:"), result)
        # What to do.
        self.assertTrue(any(line.startswith("   = help: ") and len(line) > 20 for line in lines), result)
        self.require_no_process()
        self.assertEqual(self.environments(), [])
        self.require_clean_store()
        return result.err

    def require_good_run(self):
        """After the failure, in the same store."""
        self.write_workflow(self.plugin.reference())
        self.require_message(self.run_workflow(), greeting(self.plugin))
        self.require_clean_store()

    # --- references ---

    def test_wrong_references(self):
        for reference in (
            "nonsense@@x",
            "tiny-plugin@git+ftp://example.org/x.git",
            "tiny-plugin@git+http://",
            "-tiny@git+https://example.org/x.git",
            "tiny plugin@git+https://example.org/x.git",
            "tiny-plugin@https://example.org/x.git",
            "tiny-plugin@git+https://example.org/x.git@",
            "tiny-plugin@git+https://example.org/x.git#subdirectory=../..",
        ):
            with self.subTest(reference=reference):
                self.require_error(
                    reference, "has wrong module name format, please use <module-name>@git+<repo_url>[@<commit_sha>]"
                )
        self.assertEqual(self.plugin.take_marks(), [])

    def test_unknown_host(self):
        self.require_error("tiny-plugin@git+https://nowhere.invalid/x.git", "unknown host nowhere.invalid")
        self.require_good_run()

    def test_nobody_answers(self):
        port = closed_port()
        self.require_error(f"tiny-plugin@git+http://127.0.0.1:{port}/x.git", f"127.0.0.1:{port}", "refused")
        self.require_good_run()

    def test_a_repository_that_is_not_there(self):
        self.require_error(f"tiny-plugin@git+file://{self.folder}/nowhere", "not found")
        server = self.git_server()
        self.require_error(self.plugin.reference(url=server.url("plain", "nowhere.git")), "nowhere.git")
        self.require_good_run()

    def test_commits_and_branches_that_are_not_there(self):
        for version in (ABSENT_COMMIT, ABSENT_COMMIT[:10], "no-such-branch", "v1.0.0"):
            with self.subTest(version=version):
                self.require_error(self.plugin.reference(version), version)
        self.assertEqual(self.plugin.take_marks(), [])
        self.require_good_run()

    def test_the_nearest_branch_is_named(self):
        talk = self.require_error(self.plugin.reference("mian"), "mian")
        self.assertRegex(talk, r"'?main'?\b")

    def test_a_subdirectory_that_is_not_there(self):
        self.require_error(self.plugin.reference() + "#subdirectory=nowhere", "nowhere")
        self.require_good_run()

    # --- plugins ---

    def test_the_contract_is_missing(self):
        plugin = self.tiny("incompatible", contract=False)
        self.require_error(plugin.reference(), "marked as incompatible", harness.MARKER)
        self.assertEqual(plugin.take_marks(), [])
        self.require_good_run()

    def test_no_such_module_in_the_package(self):
        reference = self.plugin.reference().replace("tiny-plugin@", "tini-plugin@")
        self.require_error(reference, "tini_plugin", "'tiny_plugin'")
        self.require_good_run()

    def test_the_build_fails(self):
        last_words = "this is why the build has failed"
        for installer in ("uv", "pip"):
            with self.subTest(installer=installer):
                plugin = self.tiny(f"broken-{installer}", build_failure=last_words)
                self.write_config(installer=installer)
                talk = self.require_error(plugin.reference(), "error in pip installing", last_words)
                self.assertLess(len(talk), 20_000, "the tail of the output, not all of it")
        self.require_good_run()

    def test_a_long_output_is_cut(self):
        words = "x" * 70 + "\n"
        plugin = self.tiny("broken", build_failure="the first line\n" + words * 10_000 + "the last line")
        talk = self.require_error(plugin.reference(), "the last line")
        self.assertNotIn("the first line", talk)
        self.assertLess(len(talk), 20_000)

    def test_a_dependency_that_is_not_there(self):
        plugin = self.tiny("needy", requires=["venvoy-tests-no-such-package==1.0"])
        for installer in ("uv", "pip"):
            with self.subTest(installer=installer):
                self.write_config(installer=installer)
                self.require_error(plugin.reference(), "error in pip installing", "venvoy-tests-no-such-package")
        plugin.change(requires=[])
        self.write_config(modulePullPolicy="Always")
        self.write_workflow(plugin.reference())
        self.require_message(self.run_workflow(), greeting(plugin))

    def test_the_plugin_needs_another_python(self):
        plugin = self.tiny("modern", requires_python=">=3.99")
        for installer in ("uv", "pip"):
            with self.subTest(installer=installer):
                self.write_config(installer=installer)
                self.require_error(plugin.reference(), "3.99", "pythonPath")
        self.require_good_run()

    def test_no_project_in_the_repository(self):
        plugin = self.tiny("empty")
        harness.git("rm", "-q", "-r", "pyproject.toml", "build_backend.py", folder=plugin.folder)
        plugin.commit()
        self.require_error(plugin.reference(), "pyproject.toml", "subdirectory")

    # --- the machine ---

    def test_no_such_python(self):
        for python in ("/nowhere/python3", "no-such-python", "/bin/true", str(self.write("not-executable", ""))):
            with self.subTest(python=python):
                self.write_config(pythonPath=python)
                self.require_error(self.plugin.reference(), python)
        self.assertEqual(self.plugin.take_marks(), [])
        self.write_config()
        self.require_good_run()

    def test_a_full_disk(self):
        # Small enough for no environment, and big enough for the mirror; root only, as mounting is.
        self.store.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m,mode=700", "tmpfs", str(self.store)], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", str(self.store)], check=True)
        plugin = self.tiny("big", megabytes=4)
        for installer in ("uv", "pip"):
            with self.subTest(installer=installer):
                self.write_config(installer=installer)
                talk = self.require_error(plugin.reference(), "No space left on device", str(self.store))
                self.assertIn("workdir", talk)
        subprocess.run(["mount", "-o", "remount,size=100m", str(self.store)], check=True)
        self.write_workflow(plugin.reference())
        self.require_message(self.run_workflow(), greeting(plugin))
        self.require_clean_store()

    def test_a_full_disk_before_anything(self):
        self.store.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k,mode=700", "tmpfs", str(self.store)], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", str(self.store)], check=True)
        self.write_workflow(self.plugin.reference())
        result = self.run_workflow()
        self.require_failure(result, 1, str(self.store))
        self.assertIn("no space left", result.err.lower())
        subprocess.run(["mount", "-o", "remount,size=100m", str(self.store)], check=True)
        self.require_good_run()

    def test_a_work_directory_that_cannot_be_written(self):
        # Root may write everywhere, so somebody else is needed who may not.
        closed = self.folder / "closed"
        closed.mkdir()
        self.folder.chmod(0o755)
        self.write_config(workdir=str(closed))
        self.write_workflow(self.plugin.reference())
        as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
        if not as_nobody:
            closed.chmod(0o500)
        result = self.call("run", "workflow.yaml", wrapper=as_nobody, env={"HOME": str(self.folder)})
        self.require_failure(result, 1, str(closed), "workdir")
        self.assertIn("Permission denied", result.err)
        self.assertEqual(list(closed.iterdir()), [])

    def test_a_work_directory_on_a_read_only_file_system(self):
        closed = self.folder / "closed"
        closed.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(closed)], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", str(closed)], check=True)
        self.write_config(workdir=str(closed))
        self.write_workflow(self.plugin.reference())
        self.require_failure(self.run_workflow(), 1, str(closed), "Read-only file system", "workdir")

    def test_a_work_directory_that_is_a_file(self):
        file = self.write("a-file", "")
        self.write_config(workdir=str(file))
        self.write_workflow(self.plugin.reference())
        self.require_failure(self.run_workflow(), 1, str(file), "workdir")

    def test_a_store_that_belongs_to_somebody_else(self):
        store = self.store / f"venvoy-{os.geteuid()}"
        store.mkdir(parents=True, mode=0o700)
        os.chown(store, 65534, 65534)
        self.write_workflow(self.plugin.reference())
        self.require_failure(self.run_workflow(), 1, str(store), "workdir", "65534")
        self.assertEqual(list(store.iterdir()), [])
        self.assertEqual(self.plugin.take_marks(), [])

    def test_a_store_that_others_can_write(self):
        store = self.store / f"venvoy-{os.geteuid()}"
        store.mkdir(parents=True)
        store.chmod(0o777)
        self.write_workflow(self.plugin.reference())
        result = self.run_workflow()
        if result.code == 0:
            self.assertEqual(store.stat().st_mode & 0o777, 0o700, "either refused or repaired")
        else:
            self.require_failure(result, 1, str(store))

    def test_a_store_that_is_a_link(self):
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir(mode=0o700)
        self.store.mkdir()
        (self.store / f"venvoy-{os.geteuid()}").symlink_to(elsewhere)
        self.write_workflow(self.plugin.reference())
        self.require_failure(self.run_workflow(), 1, str(self.store))
        self.assertEqual(list(elsewhere.iterdir()), [])

    def test_both_forms_name_the_place_in_the_go_face(self):
        self.write_workflow(self.plugin.reference(ABSENT_COMMIT))
        result = self.call("-config", "config.yaml", name="arcaflow")
        self.require_failure(result, 1, "Invalid workflow (", f"workflow.yaml:{self.line_of('src:')}", ABSENT_COMMIT)


if __name__ == "__main__":
    harness.main()
