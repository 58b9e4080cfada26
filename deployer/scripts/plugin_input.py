"""A standard input that tells where a plugin has come to the end of its opening: it has said hello and waits for work.
Imported by plugin_imports.py, plugin_opening.py and plugin_server.py only.
"""

import io
import sys


class Input(io.FileIO):
    """Standard input as any other, but that `on_wait` is called once: where the plugin has had the start, and waits for
    more."""

    on_wait = None
    reads = 0

    def readinto(self, buffer):
        self._note_read()
        return super().readinto(buffer)

    def read(self, size=-1):
        self._note_read()
        return super().read(size)

    def readall(self):
        self._note_read()
        return super().readall()

    def _note_read(self):
        on_wait = Input.on_wait
        if on_wait is None:
            return
        Input.reads += 1
        if Input.reads > 1:
            Input.on_wait = None
            on_wait()


def replace_input():
    """Done before anything is imported, as modules keep `sys.stdin`."""
    raw = Input(0, closefd=False)
    raw.name = "<stdin>"
    old = sys.stdin
    text = io.TextIOWrapper(io.BufferedReader(raw), encoding=old.encoding, errors=old.errors, newline="\n")
    text.mode = "r"
    sys.stdin = sys.__stdin__ = text
