"""A real sshd for tests."""

import getpass
import os
import shutil
import socket
import subprocess

from harness import wait_until


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class SshServer:
    """A real sshd on loopback that lets in whoever has the key, with its own configuration, keys and port."""

    def __init__(self, folder, settings=()):
        """`settings`: further lines of its configuration."""
        self.folder = folder
        folder.mkdir()
        for name in ("host", "user", "stranger"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
        shutil.copy(folder / "user.pub", folder / "authorized_keys")
        self.port = free_port()
        lines = [
            f"Port {self.port}",
            "ListenAddress 127.0.0.1",
            f"HostKey {folder}/host",
            f"AuthorizedKeysFile {folder}/authorized_keys",
            "PidFile none",
            "UsePAM no",
            "StrictModes no",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PermitRootLogin prohibit-password",
            *settings,
        ]
        (folder / "sshd_config").write_text("\n".join(lines) + "\n")
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        command = ["/usr/sbin/sshd", "-D", "-e", "-f", str(folder / "sshd_config")]
        self.log = open(folder / "sshd.log", "w")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        wait_until(self.listens, "sshd")
        host_key = (folder / "host.pub").read_text().split()
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {host_key[0]} {host_key[1]}\n")
        (folder / "ssh_config").write_text(
            f"UserKnownHostsFile {folder}/known_hosts\nGlobalKnownHostsFile /dev/null\nIdentityFile none\n"
        )
        # ssh looks for its files in the home folder that the user database names, so they are named here.
        self.program = folder / "ssh"
        self.program.write_text(f'#!/bin/sh\nexec ssh -F "{folder}/ssh_config" "$@"\n')
        self.program.chmod(0o755)

    def listens(self):
        assert self.process.poll() is None, (self.folder / "sshd.log").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def url(self, repository):
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}{repository.folder}"

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()
