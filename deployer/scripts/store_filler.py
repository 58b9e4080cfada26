"""Brings an environment of the store to a machine that has a store of its own (deployer/internal/own_store.hpp).

    store_filler.py --send FOLDER   here: writes the environment to standard output, as a compressed tar
    store_filler.py FOLDER WORK     there: reads it from standard input if it is not there already, makes the folder
                                    WORK, and says "ready"; nobody removes the environment as long as this process lives

The folder has the same path on both machines, as environments contain absolute paths. What holds for every store
(cache/store.hpp) holds there: the environment exists when its ready.json does, which comes last; whoever uses it has
locked the file `lease` and has looked for each file, with its size.
"""

import fcntl
import gzip
import json
import os
import pathlib
import random
import shutil
import signal
import sys
import tarfile
import time

READY = "ready.json"
LEASE = "lease"


def send(folder):
    entries = sorted(path for path in folder.iterdir() if path.name not in (LEASE, READY))
    with gzip.GzipFile(fileobj=sys.stdout.buffer, mode="wb", compresslevel=1, mtime=0) as packed:
        with tarfile.open(fileobj=packed, mode="w|") as tar:
            for path in [*entries, folder / READY]:
                tar.add(path, path.name)


def is_whole(folder):
    """`files` of ready.json: the size of each file, and where each link points to, by folder and name."""
    try:
        listed = json.loads((folder / READY).read_bytes())["files"]
        for name, entries in listed.items():
            for entry, known in entries.items():
                path = folder / name / entry
                if (os.readlink(path) if isinstance(known, str) else path.lstat().st_size) != known:
                    return False
    except (OSError, ValueError, LookupError):
        return False
    return True


def remove_rest(folder):
    for path in folder.iterdir():
        if path.name == LEASE:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def fill(folder):
    remove_rest(folder)
    # These are our own files: links to the interpreter, which lies elsewhere, are among them.
    trust = {"filter": "fully_trusted"} if hasattr(tarfile, "fully_trusted_filter") else {}
    with tarfile.open(fileobj=sys.stdin.buffer, mode="r|gz") as tar:
        for member in tar:
            if member.name != READY:
                tar.extract(member, folder, **trust)
                continue
            os.sync()  # all of it, before it counts
            with open(folder / (READY + ".new"), "wb") as ready:
                shutil.copyfileobj(tar.extractfile(member), ready)
                ready.flush()
                os.fsync(ready.fileno())
            os.rename(folder / (READY + ".new"), folder / READY)
    if not is_whole(folder):
        sys.exit("what has come is not all of the environment")


def sweep(work):
    """Working directories of engines that nothing was made in for a month."""
    if work.is_dir():
        for path in work.iterdir():
            if time.time() - path.stat().st_mtime > 30 * 86400:
                shutil.rmtree(path, ignore_errors=True)


def keep(folder):
    """Returns when the environment is there, with its lock, which is to be held."""
    os.umask(0o077)
    folder.mkdir(parents=True, exist_ok=True)
    sweep(folder.parents[3] / "work-v1")
    lease = open(folder / LEASE, "a")
    while True:
        fcntl.flock(lease, fcntl.LOCK_SH)
        if is_whole(folder):
            return lease
        try:
            # Whoever tries this loses the lock that it had, so two of them do not wait for each other.
            fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(random.uniform(0.01, 0.1))
            continue
        if not is_whole(folder):
            fill(folder)


def main(arguments):
    if arguments[0] == "--send":
        try:
            send(pathlib.Path(arguments[1]))
        except BrokenPipeError:
            os._exit(0)  # it was there already
        return
    try:
        lease = keep(pathlib.Path(arguments[0]))
        pathlib.Path(arguments[1]).mkdir(parents=True, exist_ok=True)
    except (OSError, EOFError, tarfile.TarError) as error:
        sys.exit(f"{arguments[0]}: {error}")
    os.close(0)
    print("ready", flush=True)
    while not lease.closed:
        signal.pause()


if __name__ == "__main__":
    main(sys.argv[1:])
