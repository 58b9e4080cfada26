"""Prints where a pip that lies elsewhere looks for packages, by its variables and configuration files, when it is run by
the interpreter of an environment: one JSON object on standard output, which may hold logins.

    pip_places.py FOLDER

FOLDER holds the package `pip`. Run with -I, by the interpreter of the environment.
"""

import json
import sys

# Behind the standard library and what is in the environment, which is new and has no pip.
sys.path.append(sys.argv.pop(1))

import pip

OPTIONS = ("index_url", "extra_index_url", "no_index", "find_links", "proxy", "cert", "trusted_host", "timeout")


def quickly():
    """Only what reads the options: the whole command takes three times as long to import."""
    from pip._internal.cli import cmdoptions
    from pip._internal.cli.parser import ConfigOptionParser

    parser = ConfigOptionParser(prog="pip install", name="install", add_help_option=False)
    for name in OPTIONS:
        parser.add_option(getattr(cmdoptions, name)())
    return parser.parse_args([])[0]


def whole():
    try:
        from pip._internal.commands import create_command
    except ImportError:  # before 19.3
        from pip._internal.commands import commands_dict

        return commands_dict["install"]().parser.parse_args([])[0]
    return create_command("install").parser.parse_args([])[0]


try:
    options = quickly()
except Exception:
    # Another version, which is made in another way.
    options = whole()
print(
    json.dumps(
        {
            "indexes": [] if options.no_index else [options.index_url, *options.extra_index_urls],
            "find_links": options.find_links,
            "proxy": options.proxy or "",
            "certificates": options.cert or "",
            "trusted_hosts": options.trusted_hosts,
            "timeout": options.timeout,
            "version": pip.__version__,
        }
    )
)
