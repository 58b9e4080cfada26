"""What venvoy_policy_evaluator.py does. A fork server imports it beforehand, so that its forks need not.

Only the standard library is imported here, and the fences are up before any code of the policy or of what it requires
is imported.
"""

import ctypes
import importlib
import importlib.util
import json
import os
import resource
import sys
import traceback

_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
# Access rights of Landlock that change something, by the version of its interface that brought them.
_LANDLOCK_WRITES = (
    (1, sum(1 << bit for bit in (1, 4, 5, 6, 7, 8, 9, 10, 11, 12))),
    (2, 1 << 13),  # refer
    (3, 1 << 14),  # truncate
)
# Numbers of the system calls that make connections: socket, connect, io_uring_setup.
_CONNECTING = {"x86_64": (0xC000003E, (41, 42, 425)), "aarch64": (0xC00000B7, (198, 203, 425))}


_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def _limit_resources(limits):
    def at_most(kind, value, hard=None):
        now = resource.getrlimit(kind)[1]
        hard = value if hard is None else hard
        if now != resource.RLIM_INFINITY:
            value, hard = min(value, now), min(hard, now)
        resource.setrlimit(kind, (value, hard))

    at_most(resource.RLIMIT_CPU, limits["cpu_s"], limits["cpu_s"] + 1)
    at_most(resource.RLIMIT_AS, limits["memory_bytes"])
    at_most(resource.RLIMIT_FSIZE, limits["file_bytes"])
    at_most(resource.RLIMIT_NOFILE, limits["open_files"])
    at_most(resource.RLIMIT_CORE, 0)


def _write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def _leave_network():
    """A network name space without any interface, and no right to open a socket to anybody."""
    user, group = os.getuid(), os.getgid()
    if _libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        return False
    try:
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{user} {user} 1")
        _write("/proc/self/gid_map", f"{group} {group} 1")
    except OSError:
        pass  # the ids are then those of nobody; nothing else changes
    # The name space has made us its superuser: give that away.
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    _libc.capset(header, (ctypes.c_uint32 * 6)())
    return True


def _refuse_sockets():
    """Sockets in the file system belong to no network name space; the daemon's own is one of them."""
    machine = os.uname().machine
    if machine not in _CONNECTING:
        return
    architecture, numbers = _CONNECTING[machine]

    class Instruction(ctypes.Structure):
        _fields_ = [("code", ctypes.c_uint16), ("yes", ctypes.c_uint8), ("no", ctypes.c_uint8), ("k", ctypes.c_uint32)]

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_uint16), ("filter", ctypes.POINTER(Instruction))]

    load, equal, at_least, give = 0x20, 0x15, 0x35, 0x06
    refuse, allow = 0x00050000 | 13, 0x7FFF0000  # EACCES
    count = len(numbers)
    code = [
        (load, 0, 0, 4),
        (equal, 0, count + 3, architecture),  # another architecture's calls: refused
        (load, 0, 0, 0),
        (at_least, count + 1, 0, 0x40000000),  # and those of x32
    ]
    code += [(equal, count - index, 0, number) for index, number in enumerate(numbers)]
    code += [(give, 0, 0, allow), (give, 0, 0, refuse)]
    instructions = (Instruction * len(code))(*[Instruction(*each) for each in code])
    program = Program(len(code), instructions)
    _libc.prctl(_PR_SET_SECCOMP, 2, ctypes.byref(program), 0, 0)


def _limit_writes(folder):
    """True if from now on files can be written in the folder only."""
    version = _libc.syscall(ctypes.c_long(444), None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    if version < 1:
        return False
    rights = sum(bits for since, bits in _LANDLOCK_WRITES if version >= since)

    class Below(ctypes.Structure):
        _pack_ = 1
        _fields_ = [("rights", ctypes.c_uint64), ("folder", ctypes.c_int32)]

    # From version 6 on it also keeps the policy from signalling, and from abstract sockets of, processes outside.
    handled = (ctypes.c_uint64 * 3)(rights, 0, 3)
    size = 24 if version >= 6 else 8
    rules = _libc.syscall(ctypes.c_long(444), ctypes.byref(handled), ctypes.c_size_t(size), ctypes.c_uint32(0))
    if rules < 0:
        return False
    for path, allowed in ((folder, rights), ("/dev/null", 1 << 1)):
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        below = Below(allowed, place)
        _libc.syscall(ctypes.c_long(445), ctypes.c_int(rules), ctypes.c_int(1), ctypes.byref(below), ctypes.c_uint32(0))
        os.close(place)
    done = _libc.syscall(ctypes.c_long(446), ctypes.c_int(rules), ctypes.c_uint32(0)) == 0
    os.close(rules)
    return done


def _isolate(request):
    _limit_resources(request["limits"])
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    reached = ["process"]
    if not request["network"]:
        if _leave_network():
            reached.append("netns")
        _refuse_sockets()
    if _limit_writes(os.getcwd()):
        reached.append("landlock")
    return "+".join(reached)


def _load(request):
    """The class of the policy, from a file under a name of its own, or from a module of the environment."""
    if "module" in request:
        module = importlib.import_module(request["module"])
    else:
        folder = importlib.util.find_spec(request["package"]).submodule_search_locations[0]
        code = os.path.join(folder, "code")
        sys.path.insert(0, code)
        spec = importlib.util.spec_from_file_location(request["unique_name"], os.path.join(code, "function.py"))
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    try:
        return module.AIOSv1PolicyRule
    except AttributeError:
        raise ImportError("the policy has no class AIOSv1PolicyRule") from None


def _describe(error):
    traceback.print_exception(type(error), error, error.__traceback__)
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return text[:4000]


def _evaluate(request):
    stage = "load"
    try:
        rule = _load(request)(request["rule_id"], request["settings"], request["parameters"])
        stage = "policy_failed"
        if request["op"] == "management":
            result = rule.management(request["management_action"], request["data"])
        else:
            result = rule.eval(request["parameters"], request["input_data"], request["context"])
    except MemoryError as error:
        return {"error": {"kind": "limit", "message": "the policy needs more memory than it may have"}}
    except SystemExit as error:
        return {"error": {"kind": "crash", "message": f"the policy has ended its process (exit {error.code})"}}
    except BaseException as error:
        return {"error": {"kind": stage, "message": _describe(error)}}
    return {"result": result}


def main():
    request = json.loads(sys.stdin.buffer.read())
    answers = os.dup(1)
    os.set_inheritable(answers, False)
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.closerange(3, answers)
    os.closerange(answers + 1, 1024)
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [place for place in sys.path if place not in (here, os.getcwd(), "")]
    os.environ.pop("PYTHONPATH", None)

    isolation = _isolate(request)
    with os.fdopen(answers, "wb") as out:
        out.write(json.dumps({"isolation": isolation}).encode() + b"\n")
        out.flush()
        if request["require_isolation"] and not request["network"] and "netns" not in isolation:
            message = "the network cannot be taken from the policy on this machine, and isolation is required"
            answer = {"error": {"kind": "config", "message": message}}
        else:
            answer = _evaluate(request)
        try:
            line = json.dumps(answer, allow_nan=False, ensure_ascii=False).encode("utf-8", "surrogatepass")
        except (TypeError, ValueError, RecursionError) as error:
            message = f"the answer is no JSON value: {error}"
            line = json.dumps({"error": {"kind": "bad_output", "message": message}}).encode()
        except MemoryError:
            line = b'{"error": {"kind": "limit", "message": "the policy needs more memory than it may have"}}'
        out.write(line + b"\n")
        out.flush()
    # Threads that the policy has left are not waited for.
    sys.stderr.flush()
    sys.stdout.flush()
    os._exit(0)
