"""What a plugin has imported when it waits for work: a fork server may import that once for all its steps. Imported by
plugin_starter.py only.
"""

import os
import sys

import plugin_input

REPORT = 3


def reporter(module):
    """A function that writes the names of all imported modules but the plugin's own to the descriptor REPORT, once. It is
    called where the plugin waits for work, too."""
    os.set_inheritable(REPORT, False)
    before = set(sys.modules)
    told = False

    def report():
        nonlocal told
        if told:
            return
        told = True
        folders = library_folders()
        names = [name for name, each in list(sys.modules.items()) if name not in before and is_library(name, each, folders)]
        own = own_packages(module)
        lines = "".join(f"{name}\n" for name in names if name.partition(".")[0] not in own).encode()
        try:
            while lines:
                lines = lines[os.write(REPORT, lines) :]
            os.close(REPORT)
        except OSError:
            pass  # nobody wants to know it any more

    plugin_input.replace_input()
    plugin_input.Input.on_wait = report
    return report


def library_folders():
    import site

    return tuple(os.path.join(path, "") for path in {os.path.dirname(os.__file__), *site.getsitepackages()})


def is_library(name, module, folders):
    """Whether it comes from site-packages or the standard library, and can be imported by its name."""
    spec = getattr(module, "__spec__", None)
    origin = getattr(spec, "origin", None)
    if spec is None or spec.name != name or not isinstance(origin, str):
        return False
    return origin in ("built-in", "frozen") or origin.startswith(folders)


def own_packages(module):
    """The top-level names of the distribution that the plugin is, as its RECORD has them."""
    import site

    own = module.partition(".")[0]
    names = {own}
    for folder in site.getsitepackages():
        for entry in os.listdir(folder) if os.path.isdir(folder) else ():
            if not entry.endswith(".dist-info"):
                continue
            try:
                with open(os.path.join(folder, entry, "RECORD"), encoding="utf-8", errors="replace") as record:
                    lines = record.read().splitlines()
            except OSError:
                continue
            if any(line.startswith((own + "/", own + ".py,")) for line in lines):
                names.update(line.split(",")[0].split("/")[0].partition(".")[0] for line in lines)
    return names
