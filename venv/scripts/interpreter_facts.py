"""Prints what venvoy must know of the interpreter that runs this: one JSON object on standard output.

Run with -I. Needs nothing but Python 3.8.
"""

import json
import os
import platform
import sys
import sysconfig


def facts():
    # That of the installation, if this is the interpreter of a virtual environment.
    program = getattr(sys, "_base_executable", None) or sys.executable
    return {
        "program": program,
        "real_path": os.path.realpath(program),
        "version": platform.python_version(),
        "implementation": sys.implementation.name,
        "abi": sysconfig.get_config_var("SOABI") or sys.implementation.cache_tag or "",
        "platform": sysconfig.get_platform(),
    }


if sys.version_info < (3, 8):
    sys.exit("Python 3.8 or newer is needed, this is Python " + platform.python_version())
print(json.dumps(facts()))
