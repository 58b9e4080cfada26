"""Runs a pip that lies elsewhere, by the interpreter of an environment that has none, on that environment.

    run_pip.py FOLDER [ARGUMENT…]

FOLDER is an environment of the same Python that has pip. Of all that lies in there only pip itself can be imported: what
else was installed beside it is no part of the environment that pip works on. Run with -I. Needs nothing but Python 3.8.
"""

import importlib.machinery
import os
import runpy
import sys

PACKAGES = os.path.join(
    sys.argv.pop(1), "lib", "python{}.{}".format(*sys.version_info[:2]), "site-packages"
)


class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "pip":
            return None
        return importlib.machinery.PathFinder.find_spec(name, [PACKAGES], target)


sys.meta_path.insert(0, Finder)
runpy.run_module("pip", run_name="__main__", alter_sys=True)
