"""The fork server of one plugin: a process that has imported what the plugin needs, and forks for each of its steps
(design D8). Where the plugin's opening is harmless (plugin_opening.py), the server has run that too. Imported by
plugin_starter.py only; nothing of it is left where the plugin could find it.

The engine speaks over descriptor 3, a SOCK_SEQPACKET socket. A datagram is a list of texts with NUL between them:

  engine → server
    load CHECKED OPENING NAME…         first of all: the modules to import. CHECKED is 1 for a list that has been found
                                       harmless before; OPENING is 1 for an opening that has, 0 for one that is not, and
                                       ? if nobody has looked yet
    fork ID FOLDER [ENVIRONMENT…]      run the module in that folder; with the three standard descriptors (SCM_RIGHTS).
                                       Without an environment it is that of the server
    signal ID NUMBER                   to the process group of that step; nothing happens if it has ended
  server → engine
    ready HARM NAME…                   steps can be forked; these modules could not be imported. HARM is why the
                                       opening is run in each step; empty if it is not, `known` for OPENING 0
    bad NAME                           what this module does on import must not be done before a fork. The last word
    started ID PID
    failed ID ERRNO                    the step could not be started. The last word about it
    ended ID STATUS USER SYSTEM KIB    status of wait(2), microseconds, largest size; all that it has left behind is dead

Steps are children of the server, in sessions of their own, and sub-reapers: what an ended step leaves behind becomes a
child of the server that the server has not forked, and is killed at once. The keeper does the same for the server.
"""

import errno
import gc
import importlib
import importlib.machinery
import os
import select
import signal
import socket
import sys
import threading
import time
import weakref

import plugin_input

SOCKET = 3
MAX_DATAGRAM = 256 << 10
PATIENCE_WITH_LEFTOVERS = 2.0  # seconds; what does not die then hangs in the kernel
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


# --- what may be imported beforehand -----------------------------------------------------------------------------------


class Surroundings:
    """What a step finds around it, and what no import before the fork may change. Without signals it is what no opening
    may change: it is the plugin's own, and may ignore some."""

    def __init__(self, signals=True):
        wanted = ("Umask:", "Threads:", "SigBlk:") + (("SigIgn:", "SigCgt:") if signals else ())
        with open("/proc/self/status") as file:
            self.status = [line for line in file if line.startswith(wanted)]
        with open("/proc/self/limits") as file:
            self.limits = file.read()
        self.descriptors = sorted(os.listdir("/proc/self/fd"))
        self.folder = os.getcwd()
        self.environment = dict(os.environ)
        self.handlers = [signal.getsignal(number) for number in signal.valid_signals()] if signals else []
        self.children = children()
        # What is to be done at the end, such as removing a folder: a fork would do it in the name of all.
        self.finalizers = len(getattr(weakref.finalize, "_registry", ()))

    def __eq__(self, other):
        return vars(self) == vars(other)


def load(names, checked):
    """Imports the modules. Returns those that cannot be imported, and the first that changes the surroundings."""
    before, missing = Surroundings(), []
    for name in names:
        known = len(sys.modules)
        try:
            importlib.import_module(name)
        except BaseException:  # whatever it is, the plugin will meet it itself
            missing.append(name)
        if not checked and len(sys.modules) != known and Surroundings() != before:
            return missing, name
    if Surroundings() != before:
        return missing, names[-1]
    return missing, None


def set_arguments(module):
    """sys.argv as the plugin will find it: there are modules that read it when they are imported."""
    spec = importlib.machinery.PathFinder.find_spec(module)
    if spec is not None and spec.submodule_search_locations is not None:
        spec = importlib.machinery.PathFinder.find_spec(module + ".__main__", spec.submodule_search_locations)
    if spec is not None and spec.origin:
        sys.argv[0] = spec.origin


# --- the life of a step ------------------------------------------------------------------------------------------------


def children():
    """The pids of the children of this process."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as file:
            return [int(pid) for pid in file.read().split()]
    except OSError:
        return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if parent_of(pid) == os.getpid()]


def parent_of(pid):
    try:
        with open(f"/proc/{pid}/stat", errors="replace") as file:
            return int(file.read().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return 0


def kill_leftovers(pids):
    """Kills and buries the children that are not among these."""
    end = time.monotonic() + PATIENCE_WITH_LEFTOVERS
    while True:
        left = [pid for pid in children() if pid not in pids]
        if not left:
            return
        for pid in left:
            os.kill(pid, signal.SIGKILL)  # not buried, so nobody else has the number
        for pid in left:
            while os.waitpid(pid, os.WNOHANG)[0] == 0 and time.monotonic() < end:
                time.sleep(0.001)
        if time.monotonic() >= end:
            return


class Step:
    def __init__(self, name, pid):
        self.name = name
        self.pid = pid
        self.handle = os.pidfd_open(pid)


class Server:
    def __init__(self, module, openings, remember):
        import ctypes

        self.module = module
        self.openings = openings
        self.remember = remember
        self.socket = socket.socket(fileno=SOCKET)
        self.socket.set_inheritable(False)
        self.poll = select.poll()
        self.poll.register(SOCKET, select.POLLIN)
        self.missing = []
        self.opening = None
        self.steps = {}  # by pidfd
        self.by_name = {}
        self.pid = os.getpid()
        self.folder = os.getcwd()
        self.environment = dict(os.environ)
        self.prctl = ctypes.CDLL(None).prctl
        self.prctl.argtypes = [ctypes.c_int] + 4 * [ctypes.c_ulong]

    def send(self, *texts):
        try:
            self.socket.send("\0".join(map(str, texts)).encode())
        except OSError:
            self.end()  # the engine has gone

    def receive(self):
        """The texts of a datagram, and the descriptors that came with it. Nothing when the engine has gone."""
        space = socket.CMSG_SPACE(3 * 4)
        data, extra, _, _ = self.socket.recvmsg(MAX_DATAGRAM, space, socket.MSG_CMSG_CLOEXEC)
        descriptors = []
        for _, _, numbers in extra:
            for place in range(0, len(numbers) - 3, 4):
                descriptors.append(int.from_bytes(numbers[place : place + 4], sys.byteorder))
        return os.fsdecode(data).split("\0") if data else None, descriptors

    def prepare(self):
        """What the engine knows of the opening; nothing when this process cannot serve."""
        message, _ = self.receive()
        if message is None:
            return None
        set_arguments(self.module)
        plugin_input.replace_input()
        self.missing, bad = load(message[3:], message[1] == "1")
        if bad:
            self.send("bad", bad)
            return None
        return message[2]

    def open(self):
        """The plugin waits for work. Returns in the forks, which have said hello."""
        if threading.active_count() != 1:
            os._exit(1)  # not as the scout has seen it
        hello = self.opening.hello()
        self.opening.end()
        self.serve(harm="")
        self.openings.say_hello(hello)

    def serve(self, harm):
        """Returns in the forks."""
        find_generators()
        self.remember()
        gc.collect()
        gc.freeze()  # a collection in a fork would touch, and so copy, all of it
        self.send("ready", harm, *self.missing)
        self.serve_until_fork()
        forget_the_past()

    def serve_until_fork(self):
        while True:
            for number, _ in self.poll.poll():
                if number != SOCKET:
                    self.bury(self.steps[number])
                    continue
                message, descriptors = self.receive()
                if message is None:
                    self.end()
                if message[0] == "signal":
                    self.signal(message[1], int(message[2]))
                elif message[0] == "fork":
                    if self.fork(message[1], message[2], message[3:], descriptors):
                        return

    def fork(self, name, folder, environment, descriptors):
        """True in the fork."""
        pid = -1
        try:
            if len(descriptors) != 3:
                raise OSError(errno.EMFILE, "descriptors have been lost on the way")
            pid = os.fork()
        except OSError as error:
            self.send("failed", name, error.errno)
        if pid == 0:
            self.become_step(name, folder, environment, descriptors)
            return True
        for number in descriptors:
            os.close(number)
        if pid > 0:
            step = Step(name, pid)
            self.steps[step.handle] = step
            self.by_name[name] = step
            self.poll.register(step.handle, select.POLLIN)
            self.send("started", name, pid)
        return False

    def become_step(self, name, folder, environment, descriptors):
        try:
            os.setsid()
            self.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
            self.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
            if os.getppid() != self.pid:
                os._exit(127)
            os.chdir(folder)
            # With -m the working directory is one of those where modules are looked for.
            sys.path[:] = [os.getcwd() if each == self.folder else each for each in sys.path]
            for target, source in enumerate(descriptors):
                os.dup2(source, target)
        except OSError as error:
            self.send("failed", name, error.errno)
            os._exit(127)
        last = max(descriptors + list(self.steps), default=SOCKET)
        self.socket.detach()
        os.closerange(SOCKET, max(last, SOCKET) + 1)
        if environment:
            os.environ.clear()
            os.environ.update(text.partition("=")[::2] for text in environment)

    def signal(self, name, number):
        step = self.by_name.get(name)
        if step is None:
            return
        try:
            os.killpg(step.pid, number)
        except ProcessLookupError:
            os.kill(step.pid, number)  # it has no group of its own yet

    def bury(self, step):
        try:
            os.killpg(step.pid, signal.SIGKILL)  # not buried yet, so the number is still its own
        except (ProcessLookupError, PermissionError):
            pass
        _, status, usage = os.wait4(step.pid, 0)
        self.poll.unregister(step.handle)
        os.close(step.handle)
        del self.steps[step.handle], self.by_name[step.name]
        kill_leftovers({other.pid for other in self.steps.values()})
        microseconds = [int(seconds * 1_000_000) for seconds in (usage.ru_utime, usage.ru_stime)]
        self.send("ended", step.name, status, *microseconds, usage.ru_maxrss)

    def end(self):
        for step in self.steps.values():
            try:
                os.killpg(step.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
        os._exit(0)


def forget_the_past():
    """What a process that has just been started has of its own, and a fork would share with its siblings."""
    for generator in generators:
        generator.seed()
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()
    tempfile = sys.modules.get("tempfile")
    if tempfile is not None:
        tempfile.tempdir = None
        tempfile._name_sequence = None
    logging = sys.modules.get("logging")
    if logging is not None:
        start = getattr(logging, "_startTime", None)
        if start is not None:
            logging._startTime = time.time_ns() if isinstance(start, int) else time.time()


generators = []


def find_generators():
    """The generators of random numbers that modules have made for themselves."""
    if "random" not in sys.modules:
        return
    import random

    generators.extend(thing for thing in gc.get_objects() if issubclass(type(thing), random.Random))


def serve(module, openings, remember):
    """Returns where the plugin's module is to be run: in the forks, or in a server that runs its opening, and its scout.
    `openings` is plugin_opening.py; `remember` is called before the forks, when all that they share is there."""
    if not hasattr(os, "pidfd_open"):
        sys.exit("a fork server needs Python 3.9 or newer")
    server = Server(module, openings, remember)
    known = server.prepare()
    if known is None:
        os._exit(0)
    harm = {"1": "", "0": "known"}.get(known)
    if harm is None:
        harm = openings.send_scout(lambda: Surroundings(signals=False), server.socket)
    if harm:
        server.serve(harm)
    elif harm is not None:
        server.opening = openings.Opening(server.open)
