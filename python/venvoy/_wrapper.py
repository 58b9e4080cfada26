"""What programs written for the package `arcaflow` call: EngineArgs and run."""

import os
import signal
import subprocess
from typing import Optional

from ._program import PROGRAM


class EngineArgs:
    """Files and folders of one call of the engine; what is None is left to the engine."""

    config: Optional[str] = None
    input: Optional[str] = None
    workflow: Optional[str] = None
    context: Optional[str] = None


def run(arg: EngineArgs) -> int:
    """Runs a workflow as the Go engine's command does: the result on stdout, the log on stderr.

    Returns the exit code: 0 an output; 1 it could not be prepared; 2 an error output; 3 it failed. Raises an Exception
    for a file or folder that is not there. Ctrl-C reaches the engine too: it gets the time that it needs to stop its
    steps before KeyboardInterrupt goes on.
    """
    arguments = ["arcaflow"]
    for name, exists in (("config", os.path.isfile), ("input", os.path.isfile), ("context", os.path.isdir),
                         ("workflow", os.path.isfile)):
        value = getattr(arg, name)
        if value is None:
            continue
        if not exists(value):
            kind = "folder" if name == "context" else "file"
            raise FileNotFoundError(f"Error: {name} {kind} {value} not found")
        arguments += [f"-{name}", str(value)]
    child = subprocess.Popen(arguments, executable=PROGRAM)
    try:
        return child.wait()
    except KeyboardInterrupt:
        # The terminal has told the engine too, if there is one.
        child.send_signal(signal.SIGINT)
        child.wait()
        raise
