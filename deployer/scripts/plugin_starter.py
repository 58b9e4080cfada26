"""Runs a module as `python -m MODULE ARGUMENTS…` does.

    plugin_starter.py MODULE ARGUMENTS…             runs it
    plugin_starter.py --report MODULE ARGUMENTS…    and writes what it has imported to descriptor 3 when it waits for work, or
                                                    has ended
    plugin_starter.py --serve MODULE ARGUMENTS…     runs it again and again, each time in a fork (plugin_server.py)

The module finds itself in `__main__` with the same sys.path and sys.argv. Nothing but the standard library is imported
here, and nothing of this file stays behind. All three ways end in the same lines, so that a traceback looks the same.
"""

import sys

RARELY = 50_000  # new objects between two looks for garbage; Python's own is 700


def _start():
    import gc
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
    report = None
    ending = _Ending(module)
    if way:
        # Its bytecode is not kept: the folder is not for writing.
        kept, sys.dont_write_bytecode = sys.dont_write_bytecode, True
        sys.path.insert(0, own_folder)
        if way == "--report":
            import plugin_imports

            report = plugin_imports.reporter(module)
        else:
            import plugin_opening
            import plugin_server
        del sys.path[0]
        for name in ("plugin_imports", "plugin_input", "plugin_opening", "plugin_server"):
            sys.modules.pop(name, None)
        sys.dont_write_bytecode = kept
        if way == "--serve":
            plugin_server.serve(module, plugin_opening, ending.remember)  # returns where the module is to be run
    # Importing makes much that stays, and looking through it all again and again takes a tenth of the time.
    gc.set_threshold(RARELY, *gc.get_threshold()[1:])
    names = globals()
    for name in ("_start", "_Ending", "RARELY", "sys"):
        names.pop(name, None)
    names["__doc__"] = None
    try:
        # The function behind -m. It runs the module in this very `__main__`, as pickle and multiprocessing expect.
        runpy._run_module_as_main(module)
    finally:
        if report:
            report()
        ending.leave()


class _Ending:
    """Ends the process as the interpreter would, but takes only the plugin's own modules apart: all the others would
    take longer than many a step, and in a fork be copied for it. So does looking at all of them, or importing what is
    needed here."""

    def __init__(self, module):
        import atexit
        import gc
        import io
        import itertools
        import os

        self.own = module.partition(".")[0]
        self.atexit, self.gc, self.io, self.itertools, self.os, self.sys = atexit, gc, io, itertools, os, sys
        self.count, self.last, self.known = 0, None, []

    def remember(self):
        """Before forks."""
        self.known = self.modules_of_plugin()
        self.count, self.last = len(self.sys.modules), next(reversed(self.sys.modules))

    def modules_of_plugin(self):
        modules, count = self.sys.modules, self.count
        new = list(self.itertools.islice(reversed(modules), max(len(modules) - count, 0) + 1))
        if count == 0 or new.pop() is not self.last:
            new, known = list(reversed(modules)), []
        else:
            known = self.known
        found = ((name, modules.get(name)) for name in reversed(new))
        return known + [each for name, each in found if name == "__main__" or name.partition(".")[0] == self.own]

    def leave(self):
        """Returns where the end is an exception of another kind than SystemExit; the interpreter then prints it, and takes
        everything apart."""
        sys = self.sys
        error = sys.exc_info()[1]
        code = error.code if isinstance(error, SystemExit) else 0
        if code is None:
            code = 0
        if (error is not None and not isinstance(error, SystemExit)) or not isinstance(code, int):
            return
        if error is not None:
            error.__traceback__ = None
        error = None
        threading = sys.modules.get("threading")
        if threading is not None:
            threading._shutdown()
        self.atexit._run_exitfuncs()

        # Destructors run, and files that nobody has closed are written.
        modules = self.modules_of_plugin()
        self.known = None
        for each in reversed(modules):
            names = getattr(each, "__dict__", {})
            for hidden in (True, False):  # as the interpreter does
                for name in list(names):
                    if name != "__builtins__" and (name.startswith("_") and not name.startswith("__")) == hidden:
                        names[name] = None
        modules = each = names = None
        self.gc.collect()
        if len(self.os.listdir("/proc/self/fd")) > 4:  # the three, and that of this look
            io = self.io
            for thing in self.gc.get_objects():
                kinds = (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom)
                if issubclass(type(thing), kinds) and not thing.closed:
                    try:
                        thing.flush()
                    except Exception:
                        pass
        for stream in (sys.stdout, sys.stderr):
            try:
                if stream is not None and not stream.closed:
                    stream.flush()
            except Exception:
                code = 120  # as the interpreter ends when its last words cannot be written
        self.os._exit(code & 0xFF)


_start()
