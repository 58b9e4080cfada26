"""Describes the distributions in a folder, which may be a wheel's folder, a `site-packages` or both.

    distributions.py FOLDER

Prints a JSON list, sorted by name. Only metadata is read: no code of the distributions is run, and none of them is on
the path of the interpreter that runs this. Run with -I -S. Needs nothing but Python 3.8.

The hash of a distribution is one over what its RECORD says of the files that came with it. It is the same before and
after the installation, and whoever installed it.
"""

import csv
import email.parser
import hashlib
import io
import json
import os
import re
import sys

MAX_FILE = 64 << 20  # bytes of METADATA or RECORD
ADDED_BY_INSTALLERS = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json"}
MOVED_BY_INSTALLERS = re.compile(r"[^/]+\.data/(purelib|platlib)/")


class Folder:
    def __init__(self, path):
        self.path = path

    def names(self):
        return [
            f"{folder}/{name}"
            for folder in os.listdir(self.path)
            if folder.endswith(".dist-info")
            for name in os.listdir(os.path.join(self.path, folder))
        ]

    def read(self, name):
        with open(os.path.join(self.path, name), "rb") as file:
            return file.read(MAX_FILE + 1)


class Wheel:
    def __init__(self, path):
        import zipfile  # most folders have no wheel

        self.archive = zipfile.ZipFile(path)

    def names(self):
        return [name for name in self.archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/[^/]+", name)]

    def read(self, name):
        with self.archive.open(name) as file:
            return file.read(MAX_FILE + 1)


def text_of(place, name):
    data = place.read(name)
    if len(data) > MAX_FILE:
        sys.exit(f"{name} is longer than {MAX_FILE} bytes")
    return data.decode("utf-8", "replace")


def normalised(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def files_of(record):
    """What came with the distribution, as (path, hash)."""
    for row in csv.reader(io.StringIO(record)):
        if not row or row[0].startswith(("../", "bin/")) or "__pycache__/" in row[0]:
            continue
        path = MOVED_BY_INSTALLERS.sub("", row[0])
        folder, _, name = path.partition("/")
        if folder.endswith(".data") or (folder.endswith(".dist-info") and name in ADDED_BY_INSTALLERS):
            continue
        yield path, row[1] if len(row) > 1 else ""


def hash_of(files):
    digest = hashlib.sha256()
    for path, file_hash in sorted(files):
        digest.update(f"{len(path)}:{path},{len(file_hash)}:{file_hash},".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def modules_of(files):
    names = {path.split("/")[0] for path, _ in files if not re.match(r"[^/]+\.(dist-info|data)/", path)}
    return sorted({re.sub(r"(\.py|\.pyc|\..*\.so|\.so)$", "", name) for name in names})


def keywords_of(metadata):
    words = ",".join(metadata.get_all("Keywords", []))
    return [word for word in re.split(r"[,\s]+", words) if word]


def describe(place, folder, names):
    metadata = email.parser.HeaderParser().parsestr(text_of(place, folder + "/METADATA"))
    files = list(files_of(text_of(place, folder + "/RECORD") if "RECORD" in names else ""))
    return {
        "name": str(metadata["Name"]),
        "version": str(metadata["Version"]),
        "normalised": normalised(str(metadata["Name"])),
        "classifiers": [str(line) for line in metadata.get_all("Classifier", [])],
        "keywords": keywords_of(metadata),
        "metadata_files": sorted(names),
        "modules": modules_of(files),
        "hash": hash_of(files),
    }


def distributions_in(place):
    folders = {}
    for name in place.names():
        folder, _, file = name.partition("/")
        folders.setdefault(folder, []).append(file)
    return [describe(place, folder, names) for folder, names in folders.items() if "METADATA" in names]


def main():
    root = sys.argv[1]
    found = distributions_in(Folder(root))
    for name in os.listdir(root):
        if name.endswith(".whl"):
            found += distributions_in(Wheel(os.path.join(root, name)))
    print(json.dumps(sorted(found, key=lambda one: one["normalised"])))


main()
