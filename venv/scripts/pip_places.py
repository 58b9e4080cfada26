"""Prints where the pip of this interpreter looks for packages, by its variables and configuration files: one JSON
object on standard output, which may hold logins.

Run with -I, by the interpreter of an environment that has pip.
"""

import json

import pip

try:
    from pip._internal.commands import create_command
except ImportError:  # before 19.3
    from pip._internal.commands import commands_dict

    def create_command(name):
        return commands_dict[name]()


options, _ = create_command("install").parser.parse_args([])
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
