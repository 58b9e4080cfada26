"""The opening of a plugin: what its module does from its first line on until it waits for work, its hello included. It is
the same in each start of most plugins, and takes most of the time of a short step. A fork server whose plugin has a
harmless opening runs it once, and forks where the plugin waits. Imported by plugin_server.py only.

Harmless is what no step could tell from an opening of its own. A scout, which is a fork that is thrown away, runs it
under watch until the first harm, which is not done: it may import and compute, and read files of its environment.
Whatever depends on the process or on the moment (the pid, the working directory, the time, chance, variables of the
environment, other files) or does something to the world (files, processes, threads, sockets, words on standard error)
is not harmless, and such an opening is run in each fork. What the scout may meet is listed; all that is unknown counts
as harm. What C code does within one call is not seen, but for what Python audits.
"""

import importlib
import os
import select
import signal
import sys

from plugin_input import Input

# With which the engine begins (spec/protocol-and-schema.md section 3); the plugin waits for it first.
START = b"\xf6"
MAX_HELLO = 64 << 20
SCOUT_SECONDS = 10
HARMLESS = "harmless"
MAX_VERDICT = 300


class Opening:
    """Gives the plugin standard streams that only look like its own. `on_wait` is called where it waits for work, and
    returns in the forks."""

    def __init__(self, on_wait):
        read_end, write_end = os.pipe()
        os.write(write_end, START)
        os.close(write_end)  # who goes round sys.stdin meets its end
        os.dup2(read_end, 0)
        os.close(read_end)
        self.output = os.memfd_create("hello")
        os.dup2(self.output, 1)
        Input.on_wait = on_wait

    def hello(self):
        size = os.fstat(self.output).st_size
        return os.pread(self.output, size, 0) if size <= MAX_HELLO else b""

    def end(self):
        os.close(self.output)


def say_hello(hello):
    """In a fork, which has its own streams by now."""
    if os.read(0, 1) not in (START, b""):
        os._exit(127)
    left = memoryview(hello)
    while left:
        left = left[os.write(1, left) :]


# --- the scout -------------------------------------------------------------------------------------------------------

HARMLESS_EVENTS = frozenset(
    """builtins.id code.__new__ compile exec function.__new__ gc.get_objects import marshal.load marshal.loads
    object.__delattr__ object.__getattr__ object.__setattr__ os.putenv os.unsetenv pickle.find_class sys._getframe
    sys._getframemodulename sys.excepthook sys.unraisablehook""".split()
)
READING_EVENTS = frozenset(("open", "os.listdir", "os.scandir"))

# What tells processes and moments apart, by module.
TELLING = {
    "time": "",
    "posix": """access fstat fork forkpty get_terminal_size getcwd getcwdb getpgid getpgrp getpid getppid getrandom getsid lstat
        open pidfd_open pipe pipe2 read readlink readv pread sched_yield stat statvfs times urandom wait wait3 wait4 waitpid""",
    "_random": "",
    "_signal": "alarm getitimer pause pthread_kill raise_signal set_wakeup_fd setitimer sigwait",
    "_thread": "start_new_thread get_native_id",
    "_uuid": "",
    "resource": "getrusage",
    "select": "",
    "_socket": "",
    "_ssl": "RAND_bytes",
}
DATETIME_METHODS = frozenset(("now", "utcnow", "today"))

# Python's own search for modules, and what parsers of options do for the sake of help texts; and whom these call.
EXCUSED = frozenset(
    ("importlib._bootstrap", "importlib._bootstrap_external", "zipimport", "argparse", "optparse", "gettext", "locale")
    + (__name__,)
)
HELPERS = frozenset(("collections.abc", "genericpath", "os", "posixpath", "shutil"))


def telling_functions():
    found = set()
    for module_name, names in TELLING.items():
        try:
            module = importlib.import_module(module_name)  # it may come later
        except ImportError:
            continue
        for name in names.split() or dir(module):
            thing = getattr(module, name, None)
            if callable(thing) and not isinstance(thing, type):
                found.add(thing)
    return found


def is_within(path, folders):
    if not isinstance(path, (str, bytes, os.PathLike)):
        return isinstance(path, int)  # an open descriptor
    return os.path.abspath(os.fsdecode(path)).startswith(folders)


class Watch:
    """Stops at the first harm, before it is done. There is no way back: hooks cannot be removed."""

    def __init__(self, stop):
        self.stop = stop  # is told the harm
        self.active = False
        self.folders = tuple({os.path.join(each, "") for each in (sys.prefix, sys.base_prefix, sys.exec_prefix)})
        self.own_folder = os.getcwd()  # empty; finders of modules look into it
        self.telling = telling_functions()
        self.random = importlib.import_module("_random").Random
        environ = type(os.environ)
        methods = (environ.__getitem__, environ.__iter__, environ.__len__, environ.copy)
        self.of_environment = {method.__code__ for method in methods}
        sys.addaudithook(self.on_event)
        sys.setprofile(self.on_call)
        self.active = True

    def note(self, harm):
        self.end()
        self.stop(harm)

    def end(self):
        self.active = False
        sys.setprofile(None)

    def on_event(self, event, arguments):
        if not self.active or event in HARMLESS_EVENTS:
            return
        self.active = False  # for what is done here
        if event not in READING_EVENTS:
            self.note(f"it does {event}")
        elif event == "open" and (writes(arguments) or not is_within(arguments[0], self.folders)):
            self.note(f"it opens {arguments[0]!r}")
        elif event != "open" and arguments[0] != self.own_folder and not is_within(arguments[0], self.folders):
            self.note(f"it reads the folder {arguments[0]!r}")
        self.active = True

    def on_call(self, frame, event, argument):
        if not self.active:
            return
        if event == "c_call":
            if self.tells(argument) and not is_excused(frame):
                self.note(f"it calls {argument.__qualname__}")
        elif event == "call" and frame.f_code in self.of_environment and not is_excused(frame):
            self.note("it reads variables of the environment")

    def tells(self, function):
        owner = getattr(function, "__self__", None)
        if isinstance(owner, self.random):
            return True
        if isinstance(owner, type) and function.__name__ in DATETIME_METHODS and owner.__module__ == "datetime":
            return True
        try:
            return function in self.telling
        except TypeError:
            return False  # a method of something without a hash


def writes(arguments):
    _, mode, flags = (*arguments, None, None, None)[:3]
    if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND):
        return True
    return isinstance(mode, str) and bool(set(mode) & set("wax+"))


def is_excused(frame):
    while frame is not None:
        name = frame.f_globals.get("__name__")
        if name not in HELPERS:
            return name in EXCUSED
        frame = frame.f_back
    return False


def send_scout(surroundings, socket):
    """What is wrong with the opening, or an empty text. None in the scout, which must go on to run it, and has nothing to
    say to the socket. `surroundings` tells what may not be changed. Takes as long as the opening and some milliseconds."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read_end)
        os.setsid()
        socket.close()
        be_scout(surroundings, write_end)
        return None
    os.close(write_end)
    poll = select.poll()
    poll.register(read_end, select.POLLIN)
    verdict = os.read(read_end, MAX_VERDICT) if poll.poll(SCOUT_SECONDS * 1000) else b"it takes too long"
    os.close(read_end)
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    verdict = " ".join(verdict.decode(errors="replace").replace("\0", " ").split())
    return "" if verdict == HARMLESS else verdict or "it does not wait for work"


def be_scout(surroundings, report):
    errors = os.memfd_create("errors")
    os.dup2(errors, 2)
    sys.dont_write_bytecode = True

    def tell(harm):
        os.write(report, (harm or HARMLESS).encode(errors="replace")[:MAX_VERDICT])
        os._exit(0)

    def look_back():
        watch.end()
        if not opening.hello():
            tell("it waits before it has said hello")
        if surroundings() != before:
            tell("it changes the surroundings")
        tell("it writes to standard error" if os.fstat(errors).st_size else "")

    opening = Opening(look_back)
    before = surroundings()
    watch = Watch(tell)
