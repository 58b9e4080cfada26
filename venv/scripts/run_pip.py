"""Runs a pip that lies elsewhere, by the interpreter of an environment that has none, on that environment.

    run_pip.py FOLDER [ARGUMENT…]

FOLDER holds the package `pip`. Of all that lies in there only pip can be imported. Run with -I. Needs nothing but Python
3.8.

Two things are done in another way than pip does them, where this version of pip lets us. It starts a dozen programs to
tell each index on what system it runs (`lsb_release`, `rustc`, …): it only says its version. And the pip that it starts
for what a build needs is started by this script too.
"""

import importlib.machinery
import os
import runpy
import sys
import gc
gc.disable()

FOLDER = "VENVOY_PIP_FOLDER"


class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "pip":
            return None
        return importlib.machinery.PathFinder.find_spec(name, [os.environ[FOLDER]], target)


def start_quickly():
    import pip
    from pip._internal import build_env
    from pip._internal.network import session

    if hasattr(session, "user_agent"):
        session.user_agent = lambda: f"pip/{pip.__version__}"
    if hasattr(build_env, "get_runnable_pip"):
        build_env.get_runnable_pip = lambda: os.path.abspath(__file__)


if sys.flags.isolated:
    os.environ[FOLDER] = sys.argv.pop(1)
else:
    # Started by pip, which has the variable. What lies beside this script is not for it.
    del sys.path[0]
sys.meta_path.insert(0, Finder)
try:
    start_quickly()
except ImportError:
    pass
runpy.run_module("pip", run_name="__main__", alter_sys=True)
