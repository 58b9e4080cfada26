#!/usr/bin/env python3
"""Includes go only to the folders that docs/architecture.md allows, and to no other folder's internal headers.

    include_order.py [--self-test]
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def read_table(text):
    """folder -> folders that it may include, from the table under the heading "Folders"."""
    rows = re.findall(r"^\| `(\w+)` \|.*\| ([^|]*) \|$", text, re.M)
    table = {folder: set(re.findall(r"\w+", allowed.replace("–", ""))) for folder, allowed in rows}
    for folder, allowed in table.items():
        if "all" in allowed:
            excluded = allowed - {"all", "but"}
            table[folder] = set(table) - excluded - {folder}
    return table


def problems(files, table):
    """files: (path, text) pairs with paths from the root of the project."""
    for path, text in files:
        folder = path.split("/")[0]
        if folder not in table:
            continue
        for target in INCLUDE.findall(text):
            parts = target.split("/")
            if parts[0] not in table:
                continue
            if parts[0] != folder and parts[0] not in table[folder]:
                yield f"{path}: {folder} must not include {target}"
            elif parts[0] != folder and "internal" in parts:
                yield f"{path}: {target} is internal to {parts[0]}"


def acyclic(table):
    order, left = [], dict(table)
    while left:
        free = [folder for folder, allowed in left.items() if not (allowed & set(left)) - {folder}]
        if not free:
            return False
        for folder in free:
            order.append(folder)
            del left[folder]
    return True


def self_test():
    table = {"base": set(), "os": {"base"}, "cli": {"base", "os"}}
    assert acyclic(table) and not acyclic({"a": {"b"}, "b": {"a"}})
    good = [("os/fd.cpp", '#include "os/fd.hpp"\n#include "base/error.hpp"\n#include "os/internal/x.hpp"')]
    bad = [("base/error.cpp", '#include "os/fd.hpp"'), ("cli/main.cpp", '#include "os/internal/x.hpp"')]
    assert not list(problems(good, table)) and len(list(problems(bad, table))) == 2
    print("include_order: self-test passed")


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    table = read_table((ROOT / "docs/architecture.md").read_text(encoding="utf-8"))
    if len(table) < 10 or not acyclic(table):
        sys.exit("include_order: the table of docs/architecture.md is missing, or its folders go round in a circle")
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.cpp", "*.hpp"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split()
    found = list(problems(((name, (ROOT / name).read_text(encoding="utf-8")) for name in names), table))
    print("\n".join(found + [f"include_order: {len(names)} files, {len(found)} violations"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
