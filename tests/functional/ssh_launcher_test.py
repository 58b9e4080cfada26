"""Steps on other machines by ssh: a real sshd on loopback, under two names."""

import getpass

import harness
from harness import TOKEN, FunctionalTest
from remote_steps import RemoteSteps
from ssh_server import SshServer


class SshLauncherTest(RemoteSteps, FunctionalTest):
    launcher = "ssh"
    node = "127.0.0.1"

    def setUp(self):
        super().setUp()
        # What is started there carries the token of the test too.
        self.server = SshServer(self.folder / "ssh", [f"SetEnv {TOKEN}={self.token}"])
        self.addCleanup(self.server.stop)
        self.prepare_soil()

    def arguments(self):
        server = self.server
        return ["-F", f"{server.folder}/ssh_config", "-i", f"{server.folder}/user", "-p", str(server.port),
                "-l", getpass.getuser()]  # fmt: skip

    def settings(self, **more):
        return {"ssh": {"hosts": [self.node], "places": 4, "extraArguments": self.arguments(), **more}}

    def test_hosts_share_the_steps(self):
        known = self.server.folder / "known_hosts"
        known.write_text(known.read_text() + known.read_text().replace("[127.0.0.1]", "[localhost]"))
        self.write_config(**self.settings(hosts=["127.0.0.1", "localhost"], places=2))
        self.loop(["chances"] * 12, parallelism=4)
        for host in ("127.0.0.1", "localhost"):
            self.assertIn(f"node '{host}' is ready, with 2 places", self.last.err)

    def test_a_host_that_cannot_be_reached(self):
        self.write_config(**self.settings(hosts=["127.0.0.1"], extraArguments=[*self.arguments(), "-p", "1"]))
        self.server.stop()
        self.write_loop(["chances"])
        result = self.call("run", "workflow.yaml", "--launcher", "ssh")
        self.assertIn("the pilot on node '127.0.0.1' could not be started", result.out + result.err)
        self.assertIn("Connection refused", result.out + result.err)

    def test_a_keeper_that_is_not_there(self):
        self.write_config(**self.settings(keeper="/nowhere/venvoy-keeper"))
        self.write_loop(["chances"])
        result = self.call("run", "workflow.yaml", "--launcher", "ssh")
        self.assertIn("/nowhere/venvoy-keeper", result.out + result.err)

    def test_no_hosts(self):
        self.write_config()
        self.write_loop(["chances"])
        result = self.call("run", "workflow.yaml", "--launcher", "ssh")
        self.assertEqual(result.code, 1, result)
        self.assertIn("hosts", result.err)

    def test_doctor_asks_for_a_pilot(self):
        self.write_config(launcher="ssh", **self.settings())
        result = self.call("doctor", "--output", "json")
        rows = {row["check"]: row for row in result.output}
        self.assertEqual(rows["launcher"]["state"], "ok", result)
        self.assertIn("127.0.0.1", rows["launcher"]["text"])
        self.write_config(launcher="ssh", **self.settings(keeper="/nowhere/venvoy-keeper"))
        result = self.call("doctor", "--output", "json")
        rows = {row["check"]: row for row in result.output}
        self.assertEqual(rows["launcher"]["state"], "missing", result)


if __name__ == "__main__":
    harness.main()
