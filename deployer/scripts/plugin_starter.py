"""Runs a module as `python -m MODULE ARGUMENTS…` does: python plugin_starter.py MODULE ARGUMENTS…

The module finds itself in `__main__` with the same sys.path and sys.argv. Nothing but the standard library is imported
here, and nothing of this file stays behind.
"""

import sys


def _start():
    import os
    import runpy

    # A script's folder comes first on sys.path; with -m it is the working directory, unless Python was told to be safe.
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = os.getcwd()
    del sys.argv[0]
    module = sys.argv[0]
    names = globals()
    for name in ("_start", "sys"):
        names.pop(name, None)
    names["__doc__"] = None
    # The function behind -m. It runs the module in this very `__main__`, as pickle and multiprocessing expect.
    runpy._run_module_as_main(module)


_start()
