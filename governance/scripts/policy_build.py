"""Builds the wheel of a policy that came as an archive: the package `venvoy_policy` with the archive's code in it."""

import base64
import hashlib
import os
import re
import zipfile

NAME = "venvoy_policy"
TIME = (1980, 1, 1, 0, 0, 0)


def _dependencies():
    with open("pyproject.toml", encoding="utf-8") as file:
        text = file.read()
    listed = re.search(r"^dependencies = \[\n(.*?)^\]", text, re.M | re.S).group(1)
    # One JSON text a line, as it was written.
    import json

    return [json.loads(line.strip().rstrip(",")) for line in listed.splitlines()]


def _files():
    for folder, folders, names in os.walk(NAME):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                yield path.replace(os.sep, "/"), file.read()


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    info = f"{NAME}-0.dist-info"
    metadata = "Metadata-Version: 2.1\nName: venvoy-policy\nVersion: 0\n"
    metadata += "".join(f"Requires-Dist: {each}\n" for each in _dependencies())
    files = list(_files())
    files.append((f"{info}/METADATA", metadata.encode()))
    files.append((f"{info}/WHEEL", b"Wheel-Version: 1.0\nGenerator: venvoy\nRoot-Is-Purelib: true\nTag: py3-none-any\n"))
    record = ""
    wheel = f"{NAME}-0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, wheel), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record += f'"{name}",sha256={digest},{len(data)}\n'
            entry = zipfile.ZipInfo(name, TIME)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
        archive.writestr(zipfile.ZipInfo(f"{info}/RECORD", TIME), record + f"{info}/RECORD,,\n")
    return wheel
