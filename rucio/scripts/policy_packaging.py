"""The module `packaging` and requirements, for policy_facts.py and policy_lint.py."""

import os
import re
import sys


class NeedPackaging(Exception):
    pass


def find_packaging(folder):
    """The module `packaging`: installed, given, inside of pip, or inside of the pip that comes with Python."""
    if folder:
        sys.path.insert(0, folder)
    for name in ("packaging", "pip._vendor.packaging"):
        try:
            return __import__(name + ".specifiers", fromlist=["x"]), __import__(name + ".requirements", fromlist=["x"])
        except ImportError:
            pass
    try:
        import ensurepip

        bundled = os.path.join(os.path.dirname(ensurepip.__file__), "_bundled")
        folders = [bundled, getattr(ensurepip, "_WHEEL_PKG_DIR", None) or "/usr/share/python-wheels"]
    except ImportError:
        folders = ["/usr/share/python-wheels"]
    for each in folders:
        names = os.listdir(each) if os.path.isdir(each) else []
        for name in sorted(names):
            if name.startswith("pip-") and name.endswith(".whl"):
                sys.path.append(os.path.join(each, name))
                vendored = "pip._vendor.packaging"
                return (
                    __import__(vendored + ".specifiers", fromlist=["x"]),
                    __import__(vendored + ".requirements", fromlist=["x"]),
                )
    raise NeedPackaging()


def normalised(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def parse_requirement(requirements, text):
    try:
        return requirements.Requirement(text)
    except requirements.InvalidRequirement:
        return None


def is_mandatory(requirement):
    return requirement.marker is None or requirement.marker.evaluate({"extra": ""})
