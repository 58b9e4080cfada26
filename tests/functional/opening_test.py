"""Which openings of plugins a fork server may run for all its forks (deployer/scripts/plugin_opening.py): a server is
started as the engine does it, with the plugin's module in an environment of its own."""

import os
import pathlib
import socket
import subprocess
import tempfile
import unittest

import harness

SCRIPTS = harness.HERE.parents[1] / "deployer" / "scripts"
START, HELLO = b"\xf6", b"hello"

# Says hello when it has got the start; answers with what it is asked to evaluate.
REST = """
import sys
def run():
    if sys.stdin.buffer.read(1) != b"\\xf6":
        sys.exit(9)
    sys.stdout.buffer.write(b"hello")
    sys.stdout.buffer.flush()
    print(eval(sys.stdin.buffer.read()), end="")
if __name__ == "__main__":
    run()
"""

HARMLESS = {
    "nothing": "",
    "definitions": "import dataclasses, enum, re\n@dataclasses.dataclass\nclass A:\n    a: int = 1\npattern = re.compile('a+b')",
    "other modules of its own": "import opened_other",
    "modules that the server knows": "import http.client, xml.dom.minidom, concurrent.futures, decimal, sqlite3",
    "a file of its environment": "text = open(__file__).read()",
    "a logger": "import logging\nlog = logging.getLogger('a')",
    "options": "import argparse\nargparse.ArgumentParser().add_argument('--a', help='b')",
    "signals that it ignores": "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)",
    "what is done at the end": "import atexit\natexit.register(lambda: None)",
    "a fixed time": "import datetime\nday = datetime.datetime(2020, 1, 1)",
}

# Some of them look at the clock when they are imported.
KNOWN = ("http.client", "xml.dom.minidom", "concurrent.futures", "decimal", "sqlite3", "logging", "asyncio",
         "random", "secrets", "tempfile", "uuid")  # fmt: skip

# With what is said of it.
HARM = {
    "import time; t = time.time()": "calls time",
    "import time; t = time.perf_counter()": "calls perf_counter",
    "from datetime import datetime; t = datetime.now()": "calls datetime.now",
    "import datetime; t = datetime.date.today()": "calls ",
    "import os; p = os.getpid()": "calls getpid",
    "import os; p = os.getcwd()": "calls getcwd",
    "import pathlib; p = pathlib.Path('a').absolute()": "calls getcwd",
    "import os.path; p = os.path.abspath('a')": "calls getcwd",
    "import random; r = random.random()": "calls Random.random",
    "import random; r = random.Random(42)": "calls Random.seed",
    "import uuid; u = uuid.uuid4()": "calls urandom",
    "import secrets; u = secrets.token_hex()": "calls urandom",
    "import os; h = os.environ['HOME']": "variables of the environment",
    "import os; h = os.getenv('ANYTHING')": "variables of the environment",
    "import os; h = dict(os.environ)": "variables of the environment",
    "import os; h = 'A' in os.environ": "variables of the environment",
    "import os; os.environ['A'] = 'b'": "changes the surroundings",
    "import os; os.chdir('/')": "does os.chdir",
    "import os; os.umask(0o77)": "changes the surroundings",
    "t = open('/etc/hostname').read()": "opens '/etc/hostname'",
    "open('MARK', 'w')": "opens 'MARK'",
    "import os; os.open('MARK', os.O_CREAT)": "calls open",
    "import os; os.mkdir('MARK')": "does os.mkdir",
    "import os; e = os.path.exists('MARK')": "calls stat",
    "import pathlib; e = pathlib.Path('/').is_dir()": "calls stat",
    "import os; e = os.listdir('/')": "reads the folder '/'",
    "import tempfile; t = tempfile.mkdtemp()": "variables of the environment",
    "import tempfile; t = tempfile.TemporaryFile(dir='.')": "opens '.'",
    "import subprocess; subprocess.run(['true'])": "does subprocess.Popen",
    "import os; os.system('true')": "does os.system",
    "import os; os.fork()": "calls fork",
    "import socket; s = socket.socket()": "does socket.__new__",
    "import socket; s = socket.gethostname()": "calls gethostname",
    "import threading; threading.Thread(target=print).start()": "calls start_new_thread",
    "import asyncio; l = asyncio.new_event_loop()": "calls ",
    "import signal; signal.alarm(10)": "calls alarm",
    "import sqlite3; c = sqlite3.connect(':memory:')": "does sqlite3.connect",
    "import ctypes; c = ctypes.CDLL(None)": "does ctypes.dlopen",
    "import mmap; m = mmap.mmap(-1, 100)": "does mmap.__new__",
    "import sys; print('a word', file=sys.stderr)": "writes to standard error",
    "import sys; sys.exit(0)": "it ",
    "raise ValueError": "it ",
    "import os; os._exit(0)": "does not wait for work",
    "import sys; sys.stdin.buffer.read(2)": "waits before it has said hello",
    "import os; os.read(0, 1)": "calls read",
}


class Server:
    def __init__(self, python, module, folder, known="?", modules=()):
        self.ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.ours.settimeout(60)
        hand_over = "import os, sys; os.dup2(int(sys.argv[1]), 3); os.execv(sys.argv[2], sys.argv[2:])"
        starter = [python, str(SCRIPTS / "plugin_starter.py"), "--serve", module, "--atp"]
        command = [python, "-I", "-S", "-c", hand_over, str(theirs.fileno()), *starter]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.process = subprocess.Popen(command, cwd=folder, pass_fds=[theirs.fileno()], **pipes)
        theirs.close()
        self.send("load", "1", known, *modules)
        self.ready = self.receive()

    def send(self, *words, descriptors=()):
        socket.send_fds(self.ours, ["\0".join(words).encode()], list(descriptors))

    def receive(self):
        try:
            return self.ours.recv(1 << 16).decode().split("\0")
        except ConnectionResetError:
            raise AssertionError(self.process.communicate()[1].decode())

    def step(self, name, folder, question):
        """What a fork writes, what it writes to standard error, and how it ends."""
        folder.mkdir()
        pipes = [os.pipe() for _ in range(3)]
        self.send("fork", name, str(folder), descriptors=[pipes[0][0], pipes[1][1], pipes[2][1]])
        for number in (pipes[0][0], pipes[1][1], pipes[2][1]):
            os.close(number)
        with open(pipes[0][1], "wb") as stream:
            stream.write(START + question.encode())
        with open(pipes[1][0], "rb") as output, open(pipes[2][0], "rb") as errors:
            said = output.read(), errors.read().decode()
        started, ended = self.receive(), self.receive()
        assert started[:2] == ["started", name] and ended[:2] == ["ended", name], (started, ended, said)
        return *said, int(ended[2])

    def end(self):
        self.ours.close()
        self.process.communicate(timeout=60)


class OpeningTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.space = tempfile.TemporaryDirectory(prefix="venvoy-opening-")
        cls.root = pathlib.Path(cls.space.name)
        cls.addClassCleanup(cls.space.cleanup)
        subprocess.run([harness.PYTHON, "-m", "venv", "--without-pip", cls.root / "venv"], check=True)
        cls.python = str(cls.root / "venv" / "bin" / "python")
        (cls.packages,) = cls.root.glob("venv/lib/python3*/site-packages")
        (cls.packages / "opened_other.py").write_text("value = 7\n")

    def serve(self, opening, **options):
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.root))
        (self.packages / "opened.py").write_text(opening + "\n" + REST)
        server = Server(self.python, "opened", folder, **options)
        self.addCleanup(server.end)
        self.assertEqual(server.ready[0], "ready", server.ready)
        return server, folder

    def test_what_is_harmless(self):
        for name, opening in HARMLESS.items():
            with self.subTest(name):
                server, folder = self.serve(opening, modules=KNOWN)
                self.assertEqual(server.ready, ["ready", ""])
                self.assertEqual(server.step("1", folder / "1", "6 * 7"), (b"hello42", "", 0))

    def test_what_is_not(self):
        for opening, harm in HARM.items():
            with self.subTest(opening):
                server, folder = self.serve(opening, modules=KNOWN)
                self.assertIn(harm, server.ready[1])
                self.assertEqual(os.listdir(folder), [], "the scout has done it")

    def test_harm_in_a_module_of_its_own(self):
        (self.packages / "opened_late.py").write_text("import time\nstart = time.time()\n")
        server, _ = self.serve("import opened_late")
        self.assertIn("calls time", server.ready[1])

    def test_each_fork_runs_its_own(self):
        server, folder = self.serve("import os\nwho = os.getpid()")
        said = [server.step(name, folder / name, "who == __import__('os').getpid()") for name in "abc"]
        self.assertEqual(said, [(b"helloTrue", "", 0)] * 3)

    def test_forks_share_what_was_opened_and_nothing_else(self):
        server, folder = self.serve("import random\nkept = []\n")
        self.assertEqual(server.step("1", folder / "1", "kept.append(1) or len(kept)"), (b"hello1", "", 0))
        self.assertEqual(server.step("2", folder / "2", "kept.append(1) or len(kept)"), (b"hello1", "", 0))
        question = "[__import__('os').getcwd(), sys.path[0], __name__, sys.argv[1:], random.random()]"
        seen = [eval(server.step(name, folder / name, question)[0].removeprefix(HELLO)) for name in "ab"]
        for name, (where, path, *rest, _) in zip("ab", seen):
            self.assertEqual([where, path, *rest], [str(folder / name), str(folder / name), "__main__", ["--atp"]])
        self.assertNotEqual(seen[0][-1], seen[1][-1])

    def test_input_is_read_as_in_a_plain_start(self):
        (self.packages / "opened_text.py").write_text(
            "import sys\nsys.stdin.buffer.read(1)\nprint('hello', end='', flush=True)\n"
            "print(repr(sys.stdin.read()), sys.stdin.name, sys.stdin.mode, sys.stdin.fileno(), end='')\n"
        )
        plain = subprocess.run([self.python, "-m", "opened_text"], input=START + b"a\r\nb\rc", capture_output=True)
        server = Server(self.python, "opened_text", self.root)
        self.addCleanup(server.end)
        self.assertEqual(server.ready, ["ready", ""])
        self.assertEqual(server.step("1", self.root / "text", "a\r\nb\rc"), (plain.stdout, "", 0))

    def test_ends(self):
        server, folder = self.serve("")
        self.assertEqual(server.step("1", folder / "1", "sys.exit(3)"), (HELLO, "", 3 << 8))
        said, errors, status = server.step("2", folder / "2", "1 / 0")
        self.assertEqual((said, status), (HELLO, 1 << 8))
        self.assertTrue(errors.startswith("Traceback (most recent call last):\n"), errors)
        self.assertTrue(errors.endswith("ZeroDivisionError: division by zero\n"), errors)
        for name in ("plugin_server", "plugin_opening"):
            self.assertNotIn(name, errors, "what belongs to the server is seen")

    def test_what_is_known_is_not_looked_at(self):
        server, folder = self.serve("import time\nstart = time.time()", known="1")
        self.assertEqual(server.ready, ["ready", ""])
        same = {server.step(name, folder / name, "start")[0] for name in "ab"}
        self.assertEqual(len(same), 1)
        server, _ = self.serve("", known="0")
        self.assertNotEqual(server.ready[1], "")

    def test_an_opening_that_ends_its_server(self):
        (self.packages / "opened.py").write_text("raise SystemExit(4)\n")
        server = Server(self.python, "opened", self.root, known="1")
        self.addCleanup(server.end)
        self.assertEqual(server.ready, [""])
        self.assertEqual(server.process.wait(60), 4)


if __name__ == "__main__":
    unittest.main()
