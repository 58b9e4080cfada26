"""Runs a module as `python -m MODULE ARGUMENTS…` does.

    plugin_starter.py MODULE ARGUMENTS…             runs it
    plugin_starter.py --report MODULE ARGUMENTS…    and writes what it has imported to descriptor 3 when it has ended
    plugin_starter.py --serve MODULE ARGUMENTS…     runs it again and again, each time in a fork (plugin_server.py)

The module finds itself in `__main__` with the same sys.path and sys.argv. Nothing but the standard library is imported
here, and nothing of this file stays behind. All three ways end in the same lines, so that a traceback looks the same.
"""

import sys


def _start():
    import os
    import runpy

    own_folder = os.path.dirname(os.path.abspath(__file__))
    # A script's folder comes first on sys.path; with -m it is the working directory, unless Python was told to be safe.
    is_safe = getattr(sys.flags, "safe_path", False)
    if not is_safe:
        sys.path[0] = os.getcwd()
    del sys.argv[0]
    way = sys.argv.pop(0) if sys.argv[0].startswith("--") else ""
    module = sys.argv[0]
    at_end = None
    if way:
        # Its bytecode is not kept: the folder is not for writing.
        kept, sys.dont_write_bytecode = sys.dont_write_bytecode, True
        sys.path.insert(0, own_folder)
        import plugin_server

        del sys.path[0], sys.modules["plugin_server"]
        sys.dont_write_bytecode = kept
        at_end = plugin_server.serve(module) if way == "--serve" else plugin_server.reporter(module)
        if not is_safe:
            sys.path[0] = os.getcwd()  # of this step
    names = globals()
    for name in ("_start", "sys"):
        names.pop(name, None)
    names["__doc__"] = None
    try:
        # The function behind -m. It runs the module in this very `__main__`, as pickle and multiprocessing expect.
        runpy._run_module_as_main(module)
    finally:
        if at_end:
            at_end()


_start()
