"""Finds the pip that belongs to the interpreter that runs this, and copies it.

    own_pip.py                      prints {"version", "place", "state"}, one JSON object
    own_pip.py PLACE STATE FOLDER   copies the package `pip` of that place to FOLDER, compiled

It is the one that is installed for this interpreter, or the one in the wheel that `ensurepip` would install: the newer of
the two. `place` is its folder or that wheel, `state` changes when somebody replaces it. Run with -I, so that neither the
user's own packages nor PYTHONPATH count. Needs nothing but Python 3.8.
"""

import compileall
import glob
import importlib.util
import json
import os
import re
import shutil
import sys
import sysconfig
import zipfile


def numbers_of(version):
    return [int(number) for number in re.findall(r"\d+", version)[:3]]


def state_of(place):
    status = os.stat(os.path.join(place, "__init__.py") if os.path.isdir(place) else place)
    return f"{status.st_size} {status.st_mtime_ns}"


def described(version, place):
    return {"version": version, "place": place, "state": state_of(place)}


def installed():
    spec = importlib.util.find_spec("pip")
    if spec is None or not os.path.isfile(spec.origin or ""):
        raise LookupError("none is installed")
    folder = os.path.dirname(spec.origin)
    with open(spec.origin, encoding="utf-8") as file:
        version = re.search(r"""^__version__ = ["']([^"']+)["']""", file.read(), re.MULTILINE)
    with open(os.path.join(folder, "_vendor", "__init__.py"), encoding="utf-8") as file:
        # By a distribution that keeps what pip needs elsewhere: alone it cannot be used.
        whole = not re.search(r"^DEBUNDLED = True", file.read(), re.MULTILINE)
    if not version or not whole:
        raise LookupError(f"the one in {folder} is not whole")
    return described(version[1], folder)


def carried():
    import ensurepip

    version = ensurepip.version()
    folders = [sysconfig.get_config_var("WHEEL_PKG_DIR"), os.path.join(os.path.dirname(ensurepip.__file__), "_bundled")]
    for folder in [*filter(None, folders), "/usr/share/python-wheels"]:
        for wheel in glob.glob(os.path.join(glob.escape(folder), f"pip-{version}-*.whl")):
            return described(version, wheel)
    raise LookupError(f"ensurepip has no wheel of pip {version}")


def own_pip():
    found, troubles = [], []
    for look in (installed, carried):
        try:
            found.append(look())
        except Exception as error:
            troubles.append(f"{type(error).__name__}: {error}")
    if not found:
        sys.exit("this Python has no pip: " + "; ".join(troubles))
    return max(found, key=lambda one: numbers_of(one["version"]))


def is_needed(name):
    """Not byte code of other Pythons."""
    return not name.endswith(".pyc") or name.endswith(f".{sys.implementation.cache_tag}.pyc")


def copy_tree(place, target):
    # Not shutil.copytree, which goes on when the disk is full, and then tells of each file.
    for folder, _, names in os.walk(place):
        there = os.path.join(target, os.path.relpath(folder, place))
        os.makedirs(there, exist_ok=True)
        for name in filter(is_needed, names):
            shutil.copy2(os.path.join(folder, name), os.path.join(there, name))


def copy(place, state, folder):
    target = os.path.join(folder, "pip")
    os.makedirs(target)
    if os.path.isdir(place):
        copy_tree(place, target)
    else:
        with zipfile.ZipFile(place) as wheel:
            wheel.extractall(folder, [name for name in wheel.namelist() if name.startswith("pip/")])
    if state_of(place) != state:
        sys.exit(f"{place} was replaced while it was copied: run it again")
    # What has been compiled already is left as it is.
    compileall.compile_dir(target, quiet=2)


if __name__ == "__main__":
    if len(sys.argv) == 4:
        try:
            copy(*sys.argv[1:])
        except (OSError, zipfile.BadZipFile) as error:
            sys.exit(f"{sys.argv[1]} cannot be copied: {error}")
    else:
        print(json.dumps(own_pip()))
