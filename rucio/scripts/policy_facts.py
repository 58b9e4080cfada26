"""What is written about a policy package, and which of its modules Rucio would import. No code of the package is run.

    policy_facts.py < REQUEST     REQUEST: {"layout": "installed" | "tree" | "module", "root": folder,
                                            "distribution": name, "module": name or ""}

Prints one JSON object. `installed`: `root` is a site-packages folder with the named distribution; `tree`: a source
tree with its pyproject.toml, setup.cfg or setup.py; `module`: a folder that holds the folder of the module alone. Run
with -I. Needs nothing but Python 3.8.
"""

import ast
import configparser
import csv
import email.parser
import io
import json
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from policy_packaging import NeedPackaging, find_packaging, is_mandatory, normalised, parse_requirement

MAX_FILE = 16 << 20  # bytes of a metadata file
NEVER_MODULES = {"test", "tests", "docs", "doc", "examples", "build", "dist", "scripts", "src", "tools"}


def read(path):
    with open(path, "rb") as file:
        data = file.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        sys.exit(f"{path} is longer than {MAX_FILE} bytes")
    return data.decode("utf-8", "replace")


def is_there(*parts):
    return os.path.isfile(os.path.join(*parts))


# --- installed ---


def info_folder(root, wanted):
    for folder in sorted(os.listdir(root)):
        if folder.endswith(".dist-info") and is_there(root, folder, "METADATA"):
            metadata = email.parser.HeaderParser().parsestr(read(os.path.join(root, folder, "METADATA")))
            if normalised(str(metadata["Name"])) == normalised(wanted):
                return folder, metadata
    sys.exit(f"there is no distribution '{wanted}' in {root}")


def record_paths(root, folder):
    if not is_there(root, folder, "RECORD"):
        return []
    rows = csv.reader(io.StringIO(read(os.path.join(root, folder, "RECORD"))))
    paths = [row[0] for row in rows if row]
    return [path for path in paths if not path.startswith(("../", "/", "bin/")) and "__pycache__/" not in path]


def mandatory(requires):
    """Requirements without extras, with their normalised names."""
    try:
        _, requirements = find_packaging("")
    except NeedPackaging:
        names = [(re.match(r"[A-Za-z0-9._-]+", text), text) for text in requires if "extra" not in text.partition(";")[2]]
        return [{"name": normalised(name.group()), "text": text} for name, text in names if name]
    parsed = [parse_requirement(requirements, text) for text in requires]
    return [{"name": normalised(each.name), "text": str(each)} for each in parsed if each is not None and is_mandatory(each)]


def others(root, own):
    """What else is installed."""
    found = []
    for folder in sorted(os.listdir(root)):
        if folder.endswith(".dist-info") and folder != own and is_there(root, folder, "METADATA"):
            metadata = email.parser.HeaderParser().parsestr(read(os.path.join(root, folder, "METADATA")))
            requires = mandatory([str(line) for line in metadata.get_all("Requires-Dist", [])])
            found.append(
                {
                    "needs": [each["name"] for each in requires],
                    "normalised": normalised(str(metadata["Name"])),
                    "version": str(metadata["Version"]),
                    "info": folder,
                    "files": record_paths(root, folder),
                }
            )
    return found


def installed(root, wanted):
    folder, metadata = info_folder(root, wanted)
    paths = record_paths(root, folder)
    tops = {path.split("/")[0] for path in paths if path.endswith(".py") and "/" in path}
    tops = {top for top in tops if not top.endswith((".dist-info", ".data"))}
    requires = [str(line) for line in metadata.get_all("Requires-Dist", [])]
    return {
        "distribution": str(metadata["Name"]),
        "normalised": normalised(str(metadata["Name"])),
        "mandatory": mandatory(requires),
        "others": others(root, folder),
        "version": str(metadata["Version"]),
        "requires": requires,
        "requires_python": str(metadata["Requires-Python"] or ""),
        "metadata_file": f"{folder}/METADATA",
        "info": folder,
        "files": sorted(paths),
        "folders": {top: top for top in tops},
    }


# --- a source tree ---


def from_pyproject(root):
    try:
        import tomllib
    except ImportError:  # Python 3.10 and older
        try:
            from pip._vendor import tomli as tomllib
        except ImportError:
            return None
    try:
        data = tomllib.loads(read(os.path.join(root, "pyproject.toml")))
    except tomllib.TOMLDecodeError as error:
        sys.exit(f"pyproject.toml cannot be read: {error}")
    project = data.get("project") or {}
    poetry = (data.get("tool") or {}).get("poetry") or {}
    if not project and not poetry:
        return None
    requires = list(project.get("dependencies") or [])
    for name, wanted in (poetry.get("dependencies") or {}).items():
        if name.lower() != "python" and not (isinstance(wanted, dict) and wanted.get("optional")):
            requires.append(name)
    return {
        "distribution": str(project.get("name") or poetry.get("name") or ""),
        "version": str(project.get("version") or poetry.get("version") or ""),
        "requires": [str(each) for each in requires],
        "requires_python": str(project.get("requires-python") or ""),
        "metadata_file": "pyproject.toml",
    }


def from_setup_cfg(root):
    parser = configparser.RawConfigParser()
    parser.read_string(read(os.path.join(root, "setup.cfg")))
    if not parser.has_option("metadata", "name"):
        return None
    requires = parser.get("options", "install_requires", fallback="")
    return {
        "distribution": parser.get("metadata", "name"),
        "version": parser.get("metadata", "version", fallback=""),
        "requires": [line.strip() for line in requires.splitlines() if line.strip()],
        "requires_python": parser.get("options", "python_requires", fallback=""),
        "metadata_file": "setup.cfg",
    }


def literal(node, default):
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return default


def from_setup_py(root):
    for node in ast.walk(ast.parse(read(os.path.join(root, "setup.py")))):
        name = getattr(node.func, "id", getattr(node.func, "attr", "")) if isinstance(node, ast.Call) else ""
        if name != "setup":
            continue
        given = {word.arg: literal(word.value, None) for word in node.keywords}
        return {
            "distribution": str(given.get("name") or ""),
            "version": str(given.get("version") or ""),
            "requires": [str(each) for each in given.get("install_requires") or []],
            "requires_python": str(given.get("python_requires") or ""),
            "metadata_file": "setup.py",
        }
    return None


NOTHING = {"distribution": "", "version": "", "requires": [], "requires_python": "", "metadata_file": ""}


def project_facts(root):
    ways = [("pyproject.toml", from_pyproject), ("setup.cfg", from_setup_cfg), ("setup.py", from_setup_py)]
    for name, way in ways:
        if is_there(root, name):
            facts = way(root)
            if facts and facts["distribution"]:
                return facts
    return dict(NOTHING)


def looks_like_module(folder):
    names = set(os.listdir(folder))
    return bool(names & {"__init__.py", "permission.py", "schema.py"})


def tree(root):
    facts = project_facts(root)
    folders = {}
    for base in ("src", ""):
        where = os.path.join(root, base)
        for name in sorted(os.listdir(where)) if os.path.isdir(where) else []:
            path = os.path.join(where, name)
            if os.path.isdir(path) and name.isidentifier() and name not in NEVER_MODULES and looks_like_module(path):
                folders[name] = os.path.join(base, name) if base else name
        if folders:
            break
    return {**facts, "folders": folders, "files": [], "info": ""}


def module(root, name):
    return {**NOTHING, "folders": {name: name}, "files": [], "info": ""}


# --- which of them ---


def weight(root, name, folder, distribution):
    """Sorts the module that Rucio's configuration would name to the front."""
    names = set(os.listdir(os.path.join(root, folder)))
    known = len(names & {"permission.py", "schema.py"})
    return (normalised(name) != normalised(distribution), -known, "__init__.py" not in names, name)


def choose(facts, root, wanted):
    folders = facts["folders"]
    if wanted:
        if wanted not in folders:
            have = ", ".join(sorted(folders)) or "none"
            sys.exit(f"there is no module '{wanted}' in the package; its modules: {have}")
        return wanted
    order = sorted(folders, key=lambda name: weight(root, name, folders[name], facts["distribution"]))
    return order[0] if order else ""


def module_files(root, folder):
    found = []
    for base, folders, names in os.walk(os.path.join(root, folder)):
        folders[:] = sorted(each for each in folders if each != "__pycache__")
        for name in sorted(names):
            if not name.endswith((".pyc", ".pyo")):
                found.append(os.path.relpath(os.path.join(base, name), root))
    return found


def main():
    request = json.load(sys.stdin)
    root = request["root"]
    if request["layout"] == "installed":
        facts = installed(root, request["distribution"])
    elif request["layout"] == "tree":
        facts = tree(root)
    else:
        facts = module(root, request["module"])
    name = choose(facts, root, request.get("module") or "")
    facts["module"] = name
    facts["folder"] = facts["folders"].get(name, "")
    facts["modules"] = sorted(facts.pop("folders"))
    facts["module_files"] = module_files(root, facts["folder"]) if name else []
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
