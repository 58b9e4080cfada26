"""Repositories that want a login: netrc, a credential helper, a token in a variable, an ssh agent. One that fails asks
nobody, ends at once, and shows no secret."""

import getpass
import os
import socket
import subprocess

import harness
from harness import FunctionalTest, greeting, wait_until
from ssh_server import SshServer

SECRET = "s3cret"


class AuthenticationTest(FunctionalTest):
    def setUp(self):
        super().setUp()
        self.write_config(installer="uv")
        self.plugin = self.tiny()
        self.home = self.folder / "home"
        self.home.mkdir()

    def run_with(self, reference, **variables):
        self.write_workflow(reference)
        # Nobody may be asked: where one would be, this program leaves a mark.
        asked = self.folder / "asked"
        helper = self.write("askpass", f'#!/bin/sh\ntouch "{asked}"\necho {SECRET}\n')
        helper.chmod(0o755)
        environment = {
            "HOME": str(self.home),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_ASKPASS": str(helper),
            "SSH_ASKPASS": str(helper),
            "DISPLAY": ":0",
            **variables,
        }
        result = self.run_workflow("--log-level", "debug", env=environment)
        self.assertFalse(asked.exists(), "somebody was asked")
        self.assertNotIn(SECRET, result.err)
        self.assertNotIn(SECRET, result.out)
        return result

    def require_no_secret_in_store(self):
        files = [path for path in self.store.rglob("*") if path.is_file()]
        self.assertTrue(files)
        self.assertEqual([str(path) for path in files if SECRET.encode() in path.read_bytes()], [])

    # --- http ---

    def http_reference(self):
        server = self.git_server()
        return self.plugin.reference(url=server.url("auth", "plugin/.git"))

    def test_netrc(self):
        reference = self.http_reference()
        (self.home / ".netrc").write_text(f"machine 127.0.0.1 login user password {SECRET}\n")
        self.require_message(self.run_with(reference), greeting(self.plugin))
        self.require_no_secret_in_store()

    def test_a_credential_helper(self):
        reference = self.http_reference()
        helper = self.write("helper", f'#!/bin/sh\n[ "$1" = get ] && printf "username=user\\npassword={SECRET}\\n"\n')
        helper.chmod(0o755)
        (self.home / ".gitconfig").write_text(f"[credential]\n\thelper = {helper}\n")
        self.require_message(self.run_with(reference), greeting(self.plugin))
        self.require_no_secret_in_store()

    def test_a_token_in_a_variable(self):
        # As CI systems do it: a helper of git's configuration, both in variables.
        reference = self.http_reference()
        helper = '!f() { test "$1" = get && echo username=user && echo "password=$FORGE_TOKEN"; }; f'
        result = self.run_with(
            reference,
            FORGE_TOKEN=SECRET,
            GIT_CONFIG_COUNT="1",
            GIT_CONFIG_KEY_0="credential.helper",
            GIT_CONFIG_VALUE_0=helper,
        )
        self.require_message(result, greeting(self.plugin))
        self.require_no_secret_in_store()

    def test_a_login_in_the_address(self):
        reference = self.http_reference().replace("://", f"://user:{SECRET}@")
        result = self.run_with(reference)
        # The workflow's own line is shown where something is wrong; here nothing is.
        self.require_message(result, greeting(self.plugin))
        self.require_no_secret_in_store()

    def test_failing_logins(self):
        reference = self.http_reference()
        result = self.run_with(reference)
        self.require_failure(result, 1, "wants a login")
        (self.home / ".netrc").write_text("machine 127.0.0.1 login user password wrong-pa55word\n")
        result = self.run_with(reference)
        self.require_failure(result, 1, "cannot fetch", "login")
        self.assertNotIn("wrong-pa55word", result.err)
        (self.home / ".netrc").unlink()
        helper = self.write("helper", '#!/bin/sh\n[ "$1" = get ] && printf "username=user\\npassword=wrong-pa55word\\n"\n')
        helper.chmod(0o755)
        (self.home / ".gitconfig").write_text(f"[credential]\n\thelper = {helper}\n")
        result = self.run_with(reference)
        self.require_failure(result, 1, "the server refused the login")
        self.assertNotIn("wrong-pa55word", result.err)
        self.assertEqual(self.environments(), [])

    # --- ssh ---

    def ssh_server(self):
        server = SshServer(self.folder / "sshd")
        self.addCleanup(server.stop)
        return server

    def agent(self, key):
        """A real ssh-agent with a key; returns its socket."""
        address = self.folder / f"agent-{key.name}"
        agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(address)], stdout=subprocess.DEVNULL)
        self.addCleanup(agent.wait)
        self.addCleanup(agent.terminate)
        wait_until(address.exists, "the agent")
        environment = {**os.environ, "SSH_AUTH_SOCK": str(address)}
        subprocess.run(["ssh-add", "-q", str(key)], env=environment, check=True, capture_output=True)
        return str(address)

    def test_an_ssh_agent(self):
        server = self.ssh_server()
        agent = self.agent(server.folder / "user")
        reference = self.plugin.reference(url=server.url(self.plugin))
        result = self.run_with(reference, GIT_SSH=str(server.program), SSH_AUTH_SOCK=agent)
        self.require_message(result, greeting(self.plugin))
        # What is there runs without the server.
        server.process.terminate()
        server.process.wait()
        result = self.run_with(reference, GIT_SSH=str(server.program))
        self.require_message(result, greeting(self.plugin))

    def test_a_branch_and_a_commit_by_ssh(self):
        server = self.ssh_server()
        agent = self.agent(server.folder / "user")
        for version in (self.plugin.head(), "main"):
            reference = self.plugin.reference(version, url=server.url(self.plugin))
            result = self.run_with(reference, GIT_SSH=str(server.program), SSH_AUTH_SOCK=agent)
            self.require_message(result, greeting(self.plugin))

    def test_ssh_without_the_right_key(self):
        server = self.ssh_server()
        reference = self.plugin.reference(url=server.url(self.plugin))
        for agent in ("", self.agent(server.folder / "stranger")):
            result = self.run_with(reference, GIT_SSH=str(server.program), SSH_AUTH_SOCK=agent)
            self.require_failure(result, 1, "Permission denied (publickey)")
        # A host that nobody knows is not talked to, nor is anybody asked whether it may be.
        (server.folder / "known_hosts").write_text("")
        result = self.run_with(reference, GIT_SSH=str(server.program), SSH_AUTH_SOCK=agent)
        self.require_failure(result, 1, "Host key verification failed")
        self.assertEqual(self.environments(), [])


if __name__ == "__main__":
    harness.main()
