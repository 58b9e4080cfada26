"""A Slurm cluster of one's own on loopback: munged, slurmctld and slurmd with their own configuration, ports and
folders, started and ended by a test. Nothing of a cluster that the machine may have is used or touched.

    with slurm_cluster.Cluster(folder) as cluster:
        cluster.environment      # variables for commands that are to talk to it

All daemons run in the foreground as children of the test, and are ended by their process ids.
"""

import ctypes
import getpass
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

PROGRAMS = ("munged", "slurmctld", "slurmd", "srun", "salloc", "scancel", "scontrol", "sinfo", "squeue")
PR_SET_PDEATHSIG = 1
PRCTL = ctypes.CDLL(None).prctl
# As a limit for a hung daemon; what is waited for comes within seconds.
PATIENCE = 120


def find(program):
    path = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin:/usr/local/sbin"
    return shutil.which(program, path=path)


def missing():
    """The programs that are not there."""
    return [program for program in PROGRAMS if find(program) is None]


def end_with_parent():
    """A test that is killed leaves no daemons."""
    os.setsid()
    PRCTL(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def quoted_lines(**settings):
    return "".join(f"{name}={value}\n" for name, value in settings.items())


class Cluster:
    def __init__(self, folder, cpus=4, settings=None, nodes=1):
        """`nodes` are machines for Slurm, with a slurmd each, and all of them this one."""
        self.folder = pathlib.Path(folder).resolve()
        self.cpus = cpus
        self.settings = settings or {}
        self.daemons = {}
        self.host = socket.gethostname().split(".")[0]
        self.nodes = [f"loop{number + 1}" for number in range(nodes)]
        self.node = self.nodes[0]
        self.variables = {"SLURM_CONF": str(self.folder / "slurm.conf")}
        foreign = ("SLURM_", "SALLOC_", "SBATCH_")
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        self.environment.update(self.variables)

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    # --- the daemons ---

    def start(self):
        for name in ("munge", "state", "spool"):
            (self.folder / name).mkdir(parents=True)
            (self.folder / name).chmod(0o711 if name == "munge" else 0o755)
        key = self.folder / "munge" / "key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        self.start_munge()
        self.write_configuration()
        self.start_daemon("slurmctld", [find("slurmctld"), "-D", "-i", "-f", self.environment["SLURM_CONF"]])
        for node in self.nodes:
            self.start_slurmd(node)
        self.wait_for("idle nodes", lambda: self.idle_nodes() == self.nodes)

    def start_munge(self):
        folder = self.folder / "munge"
        arguments = [f"--key-file={folder}/key", f"--socket={folder}/socket", f"--pid-file={folder}/pid"]
        arguments += [f"--log-file={folder}/log", f"--seed-file={folder}/seed", "--num-threads=2", "--force"]
        self.start_daemon("munged", [find("munged"), "--foreground", *arguments])
        self.wait_for("munge's socket", (folder / "socket").exists)

    def start_slurmd(self, node="loop1"):
        self.start_daemon(f"slurmd-{node}", [find("slurmd"), "-D", "-N", node, "-f", self.environment["SLURM_CONF"]])

    def kill_slurmd(self, node="loop1"):
        self.end_daemon(f"slurmd-{node}", signal.SIGKILL)

    def write_configuration(self):
        controller, *daemons = free_ports(1 + len(self.nodes))
        user = getpass.getuser()
        settings = dict(
            ClusterName="venvoytest",
            SlurmctldHost=f"{self.host}(127.0.0.1)",
            SlurmctldPort=controller,
            SlurmUser=user,
            SlurmdUser=user,
            AuthType="auth/munge",
            AuthInfo=f"socket={self.folder}/munge/socket",
            CryptoType="crypto/munge",
            StateSaveLocation=self.folder / "state",
            SlurmdSpoolDir=self.folder / "spool" / "%n",
            SlurmctldPidFile=self.folder / "slurmctld.pid",
            SlurmdPidFile=self.folder / "slurmd-%n.pid",
            SlurmctldLogFile=self.folder / "slurmctld.log",
            SlurmdLogFile=self.folder / "slurmd-%n.log",
            ProctrackType="proctrack/linuxproc",
            TaskPlugin="task/none",
            MpiDefault="none",
            ReturnToService=2,
            SelectType="select/cons_tres",
            SelectTypeParameters="CR_CPU",
            SchedulerType="sched/backfill",
            SchedulerParameters="bf_interval=1,sched_interval=1",
            SlurmdParameters="config_overrides",
            AccountingStorageType="accounting_storage/none",
            JobAcctGatherType="jobacct_gather/none",
            SlurmctldTimeout=30,
            SlurmdTimeout=10,
            KillWait=2,
            InactiveLimit=0,
        )
        settings.update(self.settings)
        text = quoted_lines(**settings)
        for node, port in zip(self.nodes, daemons):
            text += f"NodeName={node} NodeHostname={self.host} NodeAddr=127.0.0.1 Port={port} CPUs={self.cpus} State=UNKNOWN\n"
        for name, default in (("loop", "YES"), ("other", "NO")):
            text += f"PartitionName={name} Nodes={','.join(self.nodes)} Default={default} MaxTime=INFINITE State=UP\n"
        (self.folder / "slurm.conf").write_text(text)

    def start_daemon(self, name, arguments):
        with open(self.folder / f"{name}.out", "ab") as output:
            self.daemons[name] = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=self.environment,
                preexec_fn=end_with_parent,
            )

    def end_daemon(self, name, number=signal.SIGTERM):
        daemon = self.daemons.pop(name, None)
        if daemon is None:
            return
        if daemon.poll() is None:
            daemon.send_signal(number)
        try:
            daemon.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()

    def stop(self):
        if "slurmctld" in self.daemons and self.daemons["slurmctld"].poll() is None:
            for job in self.ask("squeue", "-h", "-o", "%i").split():
                self.ask("scancel", "--signal=KILL", "--full", job)
                self.ask("scancel", job)
        for name in ("slurmctld", *[f"slurmd-{node}" for node in self.nodes], "munged"):
            self.end_daemon(name)
        for pid in self.step_daemons():
            os.kill(pid, signal.SIGKILL)

    # --- what tests ask ---

    def ask(self, program, *arguments):
        """What the program prints; nothing if it fails."""
        ended = subprocess.run(
            [find(program), *arguments], env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=PATIENCE,
        )
        return ended.stdout if ended.returncode == 0 else ""

    def idle_nodes(self):
        rows = [line.split() for line in self.ask("sinfo", "-h", "-N", "-p", "loop", "-o", "%N %t").splitlines()]
        return [node for node, state in rows if state == "idle"]

    def next_job(self):
        """Runs a job, and says which number it has."""
        return int(self.ask("srun", "--quiet", "sh", "-c", "echo $SLURM_JOB_ID"))

    def jobs(self):
        return self.ask("squeue", "-h", "-o", "%i %T").split("\n")[:-1]

    def step_daemons(self):
        """What slurmd leaves behind if it is killed: a slurmstepd for each step."""
        mark = f"SLURM_CONF={self.variables['SLURM_CONF']}".encode()
        found = []
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if (folder / "comm").read_text().startswith("slurmstepd") and mark in (folder / "environ").read_bytes():
                    found.append(int(folder.name))
            except OSError:
                continue
        return found

    def wait_for(self, what, holds):
        end = time.monotonic() + PATIENCE
        while not holds():
            for name, daemon in self.daemons.items():
                if daemon.poll() is not None:
                    raise RuntimeError(f"{name} has ended:\n{self.words_of(name)}")
            if time.monotonic() > end:
                raise RuntimeError(f"{what}: not in {PATIENCE} s\n" + "\n".join(map(self.words_of, self.daemons)))
            time.sleep(0.05)

    def words_of(self, name):
        texts = [path.read_text(errors="replace") for path in self.folder.glob(f"{name}*.*") if path.is_file()]
        return "\n".join(texts)[-4000:]
