"""venvoy doctor: what is here and what is missing, and its exit codes (spec/command.md sections 2, 3 and 8)."""

import json
import os

import harness
from harness import PYTHON, FunctionalTest, greeting, wait_until

# A namespace of one's own, for whoever is not root too.
UNSHARE = ["unshare", *([] if os.geteuid() == 0 else ["--map-root-user"])]
STATES = {"ok", "warning", "missing"}


class DoctorTest(FunctionalTest):
    def setUp(self):
        super().setUp()
        self.write_config()

    def doctor(self, *arguments, **options):
        result = self.call("doctor", "--output", "json", *arguments, **options)
        rows = json.loads(result.out)
        for row in rows:
            self.assertEqual(set(row), {"check", "state", "text", "hint"}, result)
            self.assertIn(row["state"], STATES, result)
            if row["state"] == "missing":
                self.assertNotEqual(row["hint"], "", result)
        self.assertEqual(result.code, 1 if "missing" in [row["state"] for row in rows] else 0, result)
        return result, rows

    def row(self, rows, check):
        return next(row for row in rows if row["check"] == check)

    def folder_of_programs(self, *names):
        """A folder for PATH with links to these programs and nothing else."""
        folder = self.folder / "bin"
        folder.mkdir()
        for name in names:
            (folder / name).symlink_to(f"/usr/bin/{name}")
        return folder

    def test_all_is_well(self):
        result, rows = self.doctor()
        self.assertEqual(result.code, 0, result)
        self.assertIn("config.yaml", self.row(rows, "configuration")["text"])
        self.assertIn(str(self.store), self.row(rows, "store")["text"])
        self.assertIn(PYTHON, self.row(rows, "python")["text"])
        self.assertIn("venv and pip work", self.row(rows, "python")["text"])
        for check in ("file system", "locks", "space", "contents", "in use", "rubbish", "damage", "helpers", "uv", "pip",
                      "git http", "git ssh", "git program", "launcher", "limits", "memory limits"):
            self.row(rows, check)
        # The same for people.
        for row in rows:
            self.assertIn(row["text"], result.err)
        self.assertEqual(self.call("-q", "doctor").err, "")
        # YAML is the default.
        self.assertEqual([row["check"] for row in self.call("doctor").output], [row["check"] for row in rows])

    def test_limits(self):
        _, rows = self.doctor()
        self.assertIn("memory no limit, processor time no limit, time no limit", self.row(rows, "limits")["text"])
        self.write_config(limits={"memory": "256MB", "cpuTime": "90s", "wallTime": "1500ms", "openFiles": 77})
        _, rows = self.doctor()
        for words in ("77 for a plugin", "memory 256.0 MB, processor time 90 s, time 1.5 s"):
            self.assertIn(words, self.row(rows, "limits")["text"])
        # Which of the two depends on the machine.
        self.assertRegex(self.row(rows, "memory limits")["text"], "^kept by (the kernel|looking at each step)")

    def test_without_a_configuration(self):
        os.remove(self.folder / "config.yaml")
        _, rows = self.doctor("--workdir", "store", env={"XDG_CONFIG_HOME": str(self.folder / "nowhere")})
        self.assertIn("defaults", self.row(rows, "configuration")["text"])

    def test_a_wrong_configuration(self):
        self.write("config.yaml", "deployers: {python: {deployer_name: python, pythonPaht: x}}\n")
        result, rows = self.doctor("--workdir", "store")
        self.assertEqual(self.row(rows, "configuration")["state"], "missing")
        self.assertIn("pythonPaht", result.err)
        _, rows = self.doctor("--config", "absent.yaml", "--workdir", "store")
        self.assertEqual(self.row(rows, "configuration")["state"], "missing")

    def test_no_python(self):
        self.write_config(pythonPath="/nowhere/python3")
        result, rows = self.doctor()
        self.assertEqual(self.row(rows, "python")["state"], "missing", result)
        self.assertIn("/nowhere/python3", self.row(rows, "python")["text"])
        self.write_config(pythonPath=str(self.write("no-python", "#!/bin/sh\nexit 3\n")))
        os.chmod(self.folder / "no-python", 0o755)
        _, rows = self.doctor()
        self.assertIn("exit code 3", self.row(rows, "python")["text"])

    def test_a_python_without_venv(self):
        # As on a Debian without python3-venv and python3-pip.
        fake = self.write("python3", f"#!{PYTHON} -I\n" + FAKE)
        os.chmod(fake, 0o755)
        self.write_config(pythonPath=str(fake), installer="pip")
        result, rows = self.doctor()
        self.assertEqual(self.row(rows, "pip")["state"], "missing", result)
        self.assertIn("python3-venv", self.row(rows, "pip")["hint"])
        # uv makes environments without it.
        self.write_config(pythonPath=str(fake))
        result, rows = self.doctor()
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.row(rows, "pip")["state"], "warning")

    def test_installers(self):
        _, rows = self.doctor()
        self.assertIn("is version", self.row(rows, "uv")["text"])
        self.write_config(installer="pip")
        _, rows = self.doctor()
        self.assertIn("not used", self.row(rows, "uv")["text"])
        self.write_config(installer="uv")
        result, rows = self.doctor(env={"VENVOY_UV": "/nowhere/uv"})
        self.assertEqual(self.row(rows, "uv")["state"], "missing", result)
        self.write_config()
        result, rows = self.doctor(env={"VENVOY_UV": "/nowhere/uv"})
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.row(rows, "uv")["state"], "warning")

    def test_without_ssh_and_git(self):
        result, rows = self.doctor(env={"PATH": str(self.folder_of_programs("python3"))})
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.row(rows, "git ssh")["state"], "warning")
        self.assertEqual(self.row(rows, "git program")["state"], "warning")

    def test_the_store_cannot_be_used(self):
        self.store.write_text("a file")
        result, rows = self.doctor()
        self.assertEqual(self.row(rows, "store")["state"], "missing", result)
        # The rest is looked at all the same, and nothing is left of that.
        self.assertEqual(self.row(rows, "python")["state"], "ok", result)
        self.store.unlink()
        self.store.mkdir()
        root = self.store / f"venvoy-{os.geteuid()}"
        root.mkdir()
        root.chmod(0o777)
        result, rows = self.doctor()
        self.assertIn("other users can write", self.row(rows, "store")["text"])
        self.require_failure_is_told(result, "other users can write")
        root.rmdir()
        root.symlink_to(self.folder)
        result, rows = self.doctor()
        self.assertIn("is a symbolic link", self.row(rows, "store")["text"])
        root.unlink()
        if os.geteuid() == 0:
            root.mkdir(mode=0o700)
            os.chown(root, 12345, 12345)
            result, rows = self.doctor()
            self.assertIn("belongs to another user (uid 12345)", self.row(rows, "store")["text"])

    def require_failure_is_told(self, result, words):
        quiet = self.call("-q", "doctor")
        self.assertEqual(quiet.code, result.code)
        self.assertIn(words, quiet.err)

    def test_the_helpers_are_gone(self):
        result, rows = self.doctor(env={"VENVOY_KEEPER": "/nowhere/venvoy-keeper"})
        self.assertEqual(self.row(rows, "helpers")["state"], "missing", result)
        self.assertEqual(self.row(rows, "store")["state"], "ok", result)

    def test_rubbish_and_damage(self):
        plugin = self.tiny()
        self.write_workflow(plugin.reference())
        self.require_message(self.run_workflow(), greeting(plugin))
        _, rows = self.doctor()
        self.assertIn("environments: 1", self.row(rows, "contents")["text"])
        (environment,) = self.environments()
        lease = environment / "lease"
        os.utime(lease, (1_000_000_000, 1_000_000_000))
        victim = next(environment.rglob("tiny_plugin/__init__.py"))
        kept = victim.read_bytes()
        victim.unlink()
        rubbish = environment.parent / "7"
        rubbish.mkdir()
        (rubbish / "half").write_text("made")
        result, rows = self.doctor()
        self.assertEqual(result.code, 0, result)
        self.assertIn("tiny_plugin/__init__.py", self.row(rows, "damage")["text"])
        self.assertEqual([self.row(rows, name)["state"] for name in ("damage", "rubbish")], ["warning", "warning"])
        # It has only looked: nothing is marked, and no use is noted.
        self.assertTrue((environment / "ready.json").exists())
        self.assertEqual(lease.stat().st_mtime, 1_000_000_000)
        victim.write_bytes(kept)
        self.call("cache", "prune")
        _, rows = self.doctor()
        self.assertEqual([self.row(rows, name)["state"] for name in ("damage", "rubbish")], ["ok", "ok"])

    def test_what_killed_engines_have_left(self):
        plugin = self.tiny()
        self.write_waiting_workflow(plugin.reference())
        running = self.start("run", "workflow.yaml")
        wait_until((self.folder / "started").exists, "the step")
        _, rows = self.doctor()
        self.assertEqual(self.row(rows, "in use")["state"], "ok")
        self.assertIn(str(running.process.pid), self.row(rows, "in use")["text"])
        self.assertEqual(self.row(rows, "rubbish")["state"], "ok")
        running.process.kill()
        running.finish()
        self.require_no_process()
        _, rows = self.doctor()
        self.assertEqual(self.row(rows, "in use")["text"], "nothing")
        self.assertIn("work folders: 1", self.row(rows, "rubbish")["text"])
        self.call("cache", "prune")
        _, rows = self.doctor()
        self.assertEqual(self.row(rows, "rubbish")["state"], "ok")

    def test_a_lock_whose_holder_cannot_be_seen(self):
        plugin = self.tiny()
        self.write_waiting_workflow(plugin.reference())
        running = self.start("run", "workflow.yaml")
        wait_until((self.folder / "started").exists, "the step")
        # As from another container: the same files, other processes.
        result, rows = self.doctor(wrapper=[*UNSHARE, "--pid", "--fork", "--mount-proc"])
        self.assertEqual(self.row(rows, "in use")["state"], "warning", result)
        self.assertIn("cannot be seen", self.row(rows, "in use")["text"])
        self.assertIn("dead", self.row(rows, "in use")["hint"])
        (self.folder / "release").touch()
        self.assertEqual(running.finish().code, 0)

    def test_a_file_system_that_is_refused(self):
        self.store.mkdir()
        mounting = [*UNSHARE, "--mount", "sh", "-c", 'mount -t bpf bpf "$0" && exec "$@"', str(self.store)]
        for settings in ({}, {"sharedStore": True}):
            self.write_config(**settings)
            result, rows = self.doctor(wrapper=mounting)
            self.assertEqual(self.row(rows, "store")["state"], "missing", result)
            self.assertIn("bpf", self.row(rows, "store")["text"])
            self.assertIn("local disk", self.row(rows, "store")["hint"])

    def test_a_full_disk(self):
        self.store.mkdir()
        filling = 'mount -t tmpfs -o size=1m tmpfs "$0" && { head -c 2m /dev/zero >"$0/filler"; exec "$@"; }'
        result, rows = self.doctor(wrapper=[*UNSHARE, "--mount", "sh", "-c", filling, str(self.store)])
        checks = {row["check"]: row for row in rows}
        full = checks.get("space") or checks["store"]
        self.assertEqual(full["state"], "missing", result)
        self.assertRegex(full["text"] + full["hint"], "room|space", result)

    def test_usage(self):
        self.assertEqual(self.call("doctor", "--frobnicate").code, 2)
        self.assertEqual(self.call("doctor", "surplus").code, 2)


# An interpreter that says the same as the one that runs it, but has neither pip nor ensurepip.
FAKE = """
import sys
arguments = sys.argv[1:]
while arguments and arguments[0] == "-I":
    arguments.pop(0)
sys.modules["ensurepip"] = sys.modules["pip"] = None
sys._base_executable = sys.executable = __file__
if arguments and arguments[0] == "-c":
    sys.argv = ["-c", *arguments[2:]]
    exec(compile(arguments[1], "<string>", "exec"), {"__name__": "__main__"})
else:
    sys.argv = arguments
    exec(compile(open(arguments[0]).read(), arguments[0], "exec"), {"__name__": "__main__"})
"""

if __name__ == "__main__":
    harness.main()
