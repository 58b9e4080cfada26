"""Lints a policy package of Rucio by its text: syntax trees and metadata; no code of the package is run.

    policy_lint.py < REQUEST

REQUEST is one JSON object:

    root, folder, module           the module is `root/folder`
    distribution, version, requires, requires_python, metadata_file
                                   what is written about it (policy_facts.py); names are empty where nothing is
    host                           {"version", "major", "numbers", "rule": "list" | "specifier", "refuses_surl",
                                   "default_algorithms", "needs_schema"} or null
    host_roots                     folders with the host's `rucio` and what it needs; may be empty
    environment_roots              folders with what the package's own dependencies brought
    vo, multi_vo                   "" for none
    image_python                   "3.9"
    branch                         the branch that the reference names, or ""
    deployed                       {"commit", "version"} of what is deployed, or null; `commit` is the package's
    contract, algorithms           answers of policy_probe.py to the questions of these names, or null
    packaging                      a folder with the module `packaging`, or ""

Prints one JSON object: {"verdict", "declared", "findings": [{"rule", "level", "file", "line", "text"}],
"import_failed"}; `{"need": "packaging"}` if this Python has no such module. The rules are those of the page about
policy packages. Run with -I. Needs nothing but Python 3.8 and `packaging`, which each pip has inside.
"""

import ast
import inspect
import io
import json
import os
import re
import sys
import tokenize

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from policy_packaging import NeedPackaging, find_packaging, is_mandatory, normalised, parse_requirement

MAX_SOURCE = 8 << 20  # bytes of a Python file

TYPES = {
    "lfn2pfn": 5,
    "non_deterministic_pfn": 3,
    "scope": 2,
    "pfn2lfn": 1,
    "fts3_tape_metadata_plugins": 1,
    "fts3_plugins_init": 0,
    "auto_approve": 3,
}
BUILT_IN_NAMES = {"hash", "identity", "def", "dirac", "default", "activity"}
# Modules of Rucio that load the schema when they are imported; used where the host is not at hand.
REACHES_SCHEMA = ("rucio.rse", "rucio.core", "rucio.common.schema", "rucio.api", "rucio.gateway", "rucio.daemons")
# Names of distributions that differ from what they let one import.
IMPORT_NAMES = {
    "python-dateutil": "dateutil",
    "pyyaml": "yaml",
    "dogpile-cache": "dogpile",
    "google-auth": "google",
    "python-magic": "magic",
    "stomp-py": "stomp",
    "pyjwkest": "jwkest",
    "pymysql": "pymysql",
    "beautifulsoup4": "bs4",
    "psycopg-binary": "psycopg",
}
# Constants of the generic schema and the entries of SCHEMAS made of them; used where the host is not at hand.
SCHEMA_ENTRIES = {"ACCOUNT": "account", "ACTIVITY": "activity", "NAME": "name", "RSE": "rse", "SCOPE": "scope"}
IMPORT_FAILURES = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


# --- source files ---


class Source:
    """A Python file with its tree; `tree` is None if it has none, and `fault` says why."""

    def __init__(self, root, path, feature_version):
        self.path = path
        self.text, self.tree, self.fault = "", None, None
        with open(os.path.join(root, path), "rb") as file:
            data = file.read(MAX_SOURCE + 1)
        if len(data) > MAX_SOURCE:
            self.fault = (1, f"the file is longer than {MAX_SOURCE} bytes")
            return
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
            self.text = data.decode(encoding)
            self.tree = ast.parse(self.text, path, feature_version=feature_version)
        except SyntaxError as error:
            self.fault = (error.lineno or 1, error.msg)
        except (ValueError, UnicodeDecodeError, RecursionError, MemoryError) as error:
            self.fault = (1, str(error))

    def functions(self):
        """Functions of the module itself, by name."""
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
        return {node.name: node for node in top_level(self.tree) if isinstance(node, kinds)}

    def classes(self):
        return {node.name: node for node in top_level(self.tree) if isinstance(node, ast.ClassDef)}


def top_level(tree):
    """Statements that run when the module is imported, also those in if, try and with; not those for type checkers."""
    todo = list(tree.body) if tree else []
    while todo:
        node = todo.pop(0)
        yield node
        if isinstance(node, ast.If):
            todo = ([] if is_type_checking(node.test) else node.body) + node.orelse + todo
        elif isinstance(node, ast.Try):
            todo = node.body + [each for handler in node.handlers for each in handler.body] + todo
            todo = node.orelse + node.finalbody + todo
        elif isinstance(node, ast.With):
            todo = node.body + todo


def is_type_checking(test):
    return getattr(test, "id", getattr(test, "attr", "")) == "TYPE_CHECKING"


def assigned(tree, name):
    """The last value that the module gives a name at its top: (value node, statement), or None."""
    found = None
    for node in top_level(tree):
        if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == name for target in node.targets):
            found = (node.value, node)
        elif isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == name and node.value:
            found = (node.value, node)
    return found


class Import:
    def __init__(self, module, names, line, guarded, function):
        self.module, self.names, self.line = module, names, line
        self.guarded, self.function = guarded, function


def imports_of(source, package, is_package):
    """All imports of a file with absolute names; `package` is the name of the package that the file is in."""
    found = []

    def catches_imports(handlers):
        for handler in handlers:
            kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
            if any(kind is None or getattr(kind, "id", getattr(kind, "attr", "")) in IMPORT_FAILURES for kind in kinds):
                return True
        return False

    def walk(node, guarded, function):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found.append(Import(alias.name, [], node.lineno, guarded, function))
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            base = ".".join(parts[: len(parts) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            found.append(Import(module, [alias.name for alias in node.names], node.lineno, guarded, function))
        elif isinstance(node, ast.If) and is_type_checking(node.test):
            for each in node.orelse:
                walk(each, guarded, function)
        elif isinstance(node, ast.Try):
            inside = guarded or catches_imports(node.handlers)
            for each in node.body:
                walk(each, inside, function)
            for each in [*node.handlers, *node.orelse, *node.finalbody]:
                walk(each, inside if isinstance(each, ast.ExceptHandler) else guarded, function)
        else:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                function = function or node.name
            for each in ast.iter_child_nodes(node):
                walk(each, guarded, function)

    if source.tree:
        walk(source.tree, False, "")
    return found


def signature_of(function, bound=False):
    """The signature of a function's syntax tree."""
    kind, arguments, parameters = inspect.Parameter, function.args, []
    positional = arguments.posonlyargs + arguments.args
    without_default = len(positional) - len(arguments.defaults)
    for index, each in enumerate(positional):
        shape = kind.POSITIONAL_ONLY if index < len(arguments.posonlyargs) else kind.POSITIONAL_OR_KEYWORD
        parameters.append(kind(each.arg, shape, default=kind.empty if index < without_default else None))
    if arguments.vararg:
        parameters.append(kind(arguments.vararg.arg, kind.VAR_POSITIONAL))
    for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults):
        parameters.append(kind(each.arg, kind.KEYWORD_ONLY, default=kind.empty if default is None else None))
    if arguments.kwarg:
        parameters.append(kind(arguments.kwarg.arg, kind.VAR_KEYWORD))
    return inspect.Signature(parameters[1:] if bound else parameters)


def can_be_called(signature, count, **keywords):
    try:
        signature.bind(*range(count), **keywords)
        return True
    except TypeError:
        return False


# --- the contract ---


class Contract:
    """SUPPORTED_VERSION: `known` with its value, or absent, or only known when it runs."""

    def __init__(self, line=1, known=False, value=None, absent=False, file=""):
        self.line, self.known, self.value, self.absent, self.file = line, known, value, absent, file


def specifiers_of(specifiers, text):
    """The specifiers of a set, each read alone, so that all versions of `packaging` read them alike."""
    return [specifiers.Specifier(part.strip()) for part in text.split(",") if part.strip()]


def contains(parts, version):
    return all(part.contains(version, prereleases=True) for part in parts)


def majors():
    return [str(number) for number in range(0, 200)] + [f"1.{number}" for number in range(0, 60)]


def release_of(text):
    """[41, 5] of ">=41.5rc1": the numbers of a specifier's version, without trailing zeros."""
    match = re.match(r"(?:\d+!)?(\d+(?:\.\d+)*)", text.strip())
    numbers = [int(part) for part in match.group(1).split(".")] if match else []
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return numbers


def judge_contract(contract, host, specifiers, report):
    """The verdict, with findings."""
    here = (contract.file, contract.line)
    if contract.absent:
        report("L-03", "warning", *here, "there is no SUPPORTED_VERSION: hosts accept the package whatever they are")
        return "accepted" if host else "none"
    value = contract.value
    if value == "" or value == []:
        report("L-03", "warning", *here, "SUPPORTED_VERSION is empty: it says nothing about hosts")
    if not isinstance(value, (str, list)) or (isinstance(value, list) and not all(isinstance(e, str) for e in value)):
        shown = f"a list with {value!r}" if isinstance(value, list) else f"{type(value).__name__} {value!r}"
        report("L-01", "error", *here, f"SUPPORTED_VERSION is {shown}: it must be a text or a list of texts")
        return "unparsable"
    if host and host["rule"] == "list":
        return judge_by_list(value, host, here, report)
    return judge_by_specifiers(value, host, here, specifiers, report)


def judge_by_list(value, host, here, report):
    elements = [value] if isinstance(value, str) else value
    if host["major"] in elements:
        return "accepted"
    listed = ", ".join(repr(each) for each in elements) or "nothing"
    hint = ""
    if any(re.search(r"[<>=!~]", each) for each in elements):
        hint = "; hosts up to 35 compare texts and know no operators"
    text = f"Rucio {host['version']} looks for '{host['major']}' among {listed}{hint}"
    report("L-02", "error", *here, text)
    return "mismatch"


def judge_by_specifiers(value, host, here, specifiers, report):
    entries = [value] if isinstance(value, str) else value
    text = ",".join(entries)
    try:
        parts = specifiers_of(specifiers, text)
    except specifiers.InvalidSpecifier as error:
        report("L-01", "error", *here, unparsable_text(text, entries, error))
        return "unparsable"
    warn_of_minors(parts, here, report)
    verdict = "none"
    if host:
        verdict = "accepted" if contains(parts, host["major"]) else "mismatch"
    impossible = never_true_together(entries, specifiers)
    if impossible:
        report(
            "L-05", "error", *here,
            f"the entries {', '.join(map(repr, entries))} are combined with AND, and no version is in all of them; "
            "write one range, such as \">=40,<42\"",
        )
    if verdict == "mismatch":
        more = "; the entries of the list are combined with AND" if len(entries) > 1 else ""
        compared = "" if host["major"] == host["version"] else f", of which only '{host['major']}' is compared"
        report("L-02", "error", *here, f"'{text}' excludes Rucio {host['version']}{compared}{more}")
    return verdict


def unparsable_text(text, entries, error):
    bare = [each for each in entries if re.fullmatch(r"\s*\d+(\.\d+)*\s*", each)]
    if bare:
        rewrite = f'">={bare[0].strip()}"' if len(entries) == 1 else f'">={bare[0].strip()},<={bare[-1].strip()}"'
        return (
            f"'{text}' is no version specifier: bare numbers are for hosts up to 35, newer ones end with "
            f"InvalidSpecifier; write {rewrite}"
        )
    return f"'{text}' is no version specifier, hosts end with {type(error).__name__}: {error}"


def warn_of_minors(parts, here, report):
    for part in parts:
        version = part.version[:-2] if part.version.endswith(".*") else part.version
        numbers = release_of(version)
        limit = 2 if numbers[:1] == [1] else 1
        written = len(re.findall(r"\d+", version.split("rc")[0]))
        exact = part.operator == "!=" and written > limit and not part.version.endswith(".*")
        if len(numbers) > limit or exact:
            text = f"'{part}' bounds a minor version, but only the major of the host is compared"
            if numbers:
                text += f", such as {numbers[0]}" if limit == 1 else f", such as 1.{numbers[1]}"
            report("L-04", "warning", *here, text)


def never_true_together(entries, specifiers):
    if len(entries) < 2:
        return False
    try:
        each = [specifiers_of(specifiers, entry) for entry in entries]
    except specifiers.InvalidSpecifier:
        return False
    alone = all(any(contains(parts, major) for major in majors()) for parts in each)
    return alone and not any(all(contains(parts, major) for parts in each) for major in majors())


def lint_contract(request, init, specifiers, report):
    """The verdict. Prefers what the running module says; its place is in the text all the same."""
    contract = Contract(file=init.path if init else request["folder"])
    found = assigned(init.tree, "SUPPORTED_VERSION") if init and init.tree else None
    if found:
        value, statement = found
        contract.line = statement.lineno
        try:
            contract.value = ast.literal_eval(value)
            contract.known = True
        except (ValueError, TypeError, SyntaxError):
            pass
        missing_commas(init, value, report)
    answer = request.get("contract")
    if answer and answer.get("declared"):
        declared = answer["declared"]
        contract.known, contract.absent = True, False
        contract.value = tuple(declared["value"]) if declared["type"] == "tuple" else declared["value"]
        if declared["type"] not in ("str", "list", "tuple"):
            contract.value = Other(declared)
    elif not found:
        contract.known = contract.absent = True
    if not contract.known:
        return "none", None
    shown = None if contract.absent else {"value": plain(contract.value), "type": type_name(contract.value)}
    return judge_contract(contract, request["host"], specifiers, report), shown


class Other:
    """A value that only its text is known of."""

    def __init__(self, declared):
        self.declared = declared

    def __repr__(self):
        return self.declared["text"]


def plain(value):
    if isinstance(value, Other):
        return value.declared["value"]
    return list(value) if isinstance(value, tuple) else value if isinstance(value, (str, list, int, float)) else repr(value)


def type_name(value):
    return value.declared["type"] if isinstance(value, Other) else type(value).__name__


def missing_commas(source, value, report):
    """Texts that stand beside each other are joined by Python."""
    text = ast.get_source_segment(source.text, value) or ""
    previous, line = None, value.lineno - 1
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, IndentationError, SyntaxError):
        return
    for token in tokens:
        if token.type in (tokenize.NL, tokenize.COMMENT, tokenize.NEWLINE):
            continue
        if token.type == tokenize.STRING and previous == tokenize.STRING:
            report("L-06", "error", source.path, line + token.start[0],
                   f"a comma is missing before {token.string}: Python joins it to the text before")
        previous = token.type


# --- what is imported ---


class Host:
    """The host's Rucio as text."""

    def __init__(self, roots):
        self.roots = [root for root in roots if os.path.isdir(os.path.join(root, "rucio"))]
        self.all_roots = roots
        self.seen = {}

    def is_there(self):
        return bool(self.roots)

    def file_of(self, module):
        """Path of a module of Rucio, or None."""
        for root in self.roots:
            base = os.path.join(root, *module.split("."))
            for path in (os.path.join(base, "__init__.py"), base + ".py"):
                if os.path.isfile(path):
                    return path
            if os.path.isdir(base):
                return base
        return None

    def source(self, module):
        path = self.file_of(module)
        if not path or not path.endswith(".py"):
            return None
        return Source(os.path.dirname(path), os.path.basename(path), None)

    def reaches_schema(self, module):
        """Whether an import of the module loads the schema, by the imports at the top of Rucio's files."""
        todo, seen = [module], set()
        while todo:
            name = todo.pop()
            if name in seen:
                continue
            seen.add(name)
            if name == "rucio.common.schema" or name.startswith("rucio.common.schema."):
                return True
            todo += self.top_imports(name)
        return False

    def top_imports(self, module):
        if module not in self.seen:
            self.seen[module] = list(self.read_imports(module))
        return self.seen[module]

    def read_imports(self, module):
        parts = module.split(".")
        for count in range(1, len(parts)):
            yield ".".join(parts[:count])
        source = self.source(module)
        if not source or not source.tree:
            return
        package = module if (self.file_of(module) or "").endswith("__init__.py") else module.rpartition(".")[0]
        for each in imports_of(source, package, True):
            if each.function or not each.module.startswith("rucio"):
                continue
            yield each.module
            for name in each.names:
                if self.file_of(f"{each.module}.{name}"):
                    yield f"{each.module}.{name}"


def standard_modules():
    names = getattr(sys, "stdlib_module_names", None)
    return set(names) if names else set(sys.builtin_module_names) | set(os.listdir(os.path.dirname(os.__file__)))


def modules_in(roots):
    """Names that can be imported from these folders."""
    names = set()
    for root in roots:
        for name in os.listdir(root) if os.path.isdir(root) else []:
            if not name.endswith((".dist-info", ".egg-info", ".pth")):
                names.add(re.sub(r"(\.py|\.pyc|\..*\.so|\.so)$", "", name))
    return names


def host_requirements(roots, requirements):
    """name -> Requirement of what the host's Rucio needs by its metadata."""
    found = {}
    for root in roots:
        for folder in os.listdir(root) if os.path.isdir(root) else []:
            if not re.match(r"rucio-[^-]+\.dist-info$", folder):
                continue
            with open(os.path.join(root, folder, "METADATA"), encoding="utf-8") as file:
                for line in file:
                    if line.startswith("Requires-Dist:"):
                        each = parse_requirement(requirements, line.partition(":")[2].strip())
                        if each is not None:
                            found.setdefault(normalised(each.name), each)
                    elif not line.strip():
                        break
    return found


class Available:
    """Which modules are there when the host imports the package."""

    def __init__(self, request, mandatory, host, host_needs):
        self.own = request["module"]
        self.host = host
        names = standard_modules() | modules_in(request["environment_roots"]) | modules_in(host.all_roots)
        for requirement in [*mandatory, *host_needs.values()]:
            name = normalised(requirement.name)
            names |= {IMPORT_NAMES.get(name, name.replace("-", "_")), requirement.name.replace("-", "_")}
        self.names = names
        self.complete = host.is_there()

    def fault(self, module, package_files):
        """What is missing, or None."""
        top = module.partition(".")[0]
        if top == self.own:
            return None if module in package_files else module
        if top == "rucio":
            return module if self.host.is_there() and not self.host.file_of(module) else None
        return None if top in self.names else top


def module_name(folder, module, path):
    """`a/permission.py` of folder `a` -> `module.permission`."""
    relative = os.path.relpath(path, folder)[: -len(".py")]
    parts = [part for part in relative.split(os.sep) if part != "__init__"]
    return ".".join([module, *parts])


def lint_imports(sources, request, available, report):
    """L-10, of each file that can be read."""
    package_files = {request["module"]}
    for source in sources.values():
        name = module_name(request["folder"], request["module"], source.path)
        while name:
            package_files.add(name)
            name = name.rpartition(".")[0]
    for source in sources.values():
        if source.tree is None:
            continue
        name = module_name(request["folder"], request["module"], source.path)
        is_init = source.path.endswith("__init__.py")
        package = name if is_init else name.rpartition(".")[0]
        for each in imports_of(source, package, is_init):
            if each.guarded:
                continue
            missing = available.fault(each.module, package_files)
            if missing is None:
                continue
            if missing.startswith("rucio"):
                why = f"Rucio {request['host']['version']} has no such module"
            elif missing.partition(".")[0] == request["module"]:
                why = "the package has no such module"
            else:
                why = "neither the package's dependencies nor Rucio's bring it"
            level = "error" if available.complete or missing.startswith(request["module"]) else "warning"
            effect = effect_of(source, request, each)
            report("L-10", level, source.path, each.line, f"module '{missing}' is imported, but {why}{effect}")


def effect_of(source, request, each):
    name = os.path.basename(source.path)
    if each.function == "get_algorithms":
        return "; the host uses its built-in algorithms without a word"
    if each.function:
        return ""
    if name in ("permission.py", "schema.py"):
        return "; the host falls back to its generic rules with a warning"
    if name == "__init__.py":
        return "; the host says that the package is not found"
    return ""


def lint_circles(sources, request, host, report):
    """L-09: from the top of __init__.py through the package's own files to the schema of Rucio."""
    folder, module = request["folder"], request["module"]
    by_name = {module_name(folder, module, source.path): source for source in sources.values()}

    def is_circular(name):
        if host.is_there():
            return host.reaches_schema(name)
        return any(name == prefix or name.startswith(prefix + ".") for prefix in REACHES_SCHEMA)

    todo, seen = [(module, None)], set()
    while todo:
        name, first = todo.pop()
        source = by_name.get(name)
        if name in seen or source is None or source.tree is None:
            continue
        seen.add(name)
        is_init = source.path.endswith("__init__.py")
        for each in imports_of(source, name if is_init else name.rpartition(".")[0], is_init):
            if each.function:
                continue
            place = first or (source.path, each.line)
            targets = [each.module] + [f"{each.module}.{inner}" for inner in each.names]
            if each.module.split(".")[0] == "rucio":
                real = [t for t in targets if not host.is_there() or host.file_of(t)]
                if any(is_circular(target) for target in real):
                    via = "" if first is None else f" through {source.path}:{each.line}"
                    report("L-09", "error", *place,
                           f"'{each.module}' is imported at the top{via}, which loads Rucio's schema while that loads "
                           "this package (circular); import it inside the functions that need it")
            for target in targets:
                if target in by_name and target != module:
                    todo.append((target, place))
    permission = by_name.get(f"{module}.permission")
    if permission and permission.tree:
        for each in imports_of(permission, module, False):
            names = each.names if each.module == "rucio.core.permission" else []
            if not each.function and "PermissionResult" in names:
                report("L-09", "error", permission.path, each.line,
                       "PermissionResult is imported at the top of permission.py, while rucio.core.permission loads "
                       "this file (circular: ErrorLoadingPolicyPackage); import it inside has_permission")


# --- permission ---


def lint_permission(sources, request, host, report):
    path = os.path.join(request["folder"], "permission.py")
    source = sources.get(path)
    if source is None:
        if request["multi_vo"] and request["vo"]:
            report("L-16", "error", request["folder"], 1,
                   f"there is no permission.py, and on a multi-VO host each permission of VO '{request['vo']}' then "
                   "ends in PolicyPackageNotFound(rucio.core.permission.generic_multi_vo)")
        return
    if source.tree is None:
        return
    function = source.functions().get("has_permission")
    if function is None:
        imported = any("has_permission" in each.names or "*" in each.names for each in imports_of(source, "", False))
        if not imported and not assigned(source.tree, "has_permission"):
            report("L-11", "error", path, 1, "there is no has_permission: the first call of a host ends in AttributeError")
    elif not function.decorator_list and not can_be_called(signature_of(function), 3, session=None):
        names = ", ".join(signature_of(function).parameters)
        report("L-11", "error", path, function.lineno,
               f"has_permission({names}) cannot be called as has_permission(issuer, action, kwargs, session=session): "
               "the host takes the TypeError for 'not decided', so its generic rules decide every action")
    lint_actions(source, function, host, request, report)


def action_table(function_or_tree):
    """The largest dictionary of texts and functions: (names, line)."""
    best = ([], 0)
    for node in ast.walk(function_or_tree):
        if isinstance(node, ast.Dict) and node.keys:
            names = [key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
            values = [v for v in node.values if isinstance(v, (ast.Name, ast.Attribute, ast.Lambda, ast.Call))]
            if len(names) == len(node.keys) and len(values) == len(names) and len(names) > len(best[0]):
                best = (names, node.lineno)
    return best


def may_answer_none(function):
    """Whether a function has a way that ends without a value."""

    def ends(body):
        """All ways through these statements end in a return with a value, a raise, or never."""
        if not body:
            return False
        last = body[-1]
        if isinstance(last, ast.Return):
            return last.value is not None
        if isinstance(last, ast.Raise):
            return True
        if isinstance(last, ast.If):
            return ends(last.body) and ends(last.orelse)
        if isinstance(last, ast.With):
            return ends(last.body)
        if isinstance(last, ast.Try):
            return (ends(last.body) or ends(last.orelse)) and all(ends(each.body) for each in last.handlers)
        if isinstance(last, ast.While):
            return isinstance(last.test, ast.Constant) and bool(last.test.value)
        return False

    for node in ast.walk(function):
        if isinstance(node, ast.Return):
            value = node.value
            if value is None or isinstance(value, ast.Constant) and value.value is None:
                return True
    return not ends(function.body)


def answers_none(source, function):
    """Whether an unknown action may be answered with None, by has_permission or by its default rule."""
    if function is None or may_answer_none(function):
        return True
    functions = source.functions()
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "get":
            if len(node.args) == 1:
                return True
            default = functions.get(getattr(node.args[1], "id", ""))
            if isinstance(node.args[1], ast.Constant) and node.args[1].value is None:
                return True
            if default is not None and may_answer_none(default):
                return True
    return False


def lint_actions(source, function, host, request, report):
    generic = host.source("rucio.core.permission.generic")
    if generic is None or generic.tree is None:
        return
    wanted, _ = action_table(generic.functions().get("has_permission") or generic.tree)
    table, line = action_table(function or source.tree)
    if not any(name in wanted for name in table):
        table, line = action_table(source.tree)
    if len(wanted) < 2 or not any(name in wanted for name in table):
        return
    missing = sorted(set(wanted) - set(table))
    unknown = sorted(set(table) - set(wanted))
    version = request["host"]["version"]
    if missing and not answers_none(source, function):
        report("L-12", "warning", source.path, line,
               f"Rucio {version} asks for actions that are not in this table, and has_permission never answers None, "
               f"so its own default rule decides them: {', '.join(missing)}")
    if unknown:
        report("L-12", "warning", source.path, line, f"Rucio {version} knows no such actions: {', '.join(unknown)}")


# --- schema ---


def constants(tree):
    found = {}
    for node in top_level(tree):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        for target in targets:
            name = getattr(target, "id", "")
            if name.isupper() and getattr(node, "value", None) is not None:
                found[name] = (node.value, node.lineno)
    return found


def schema_keys(tree):
    """(key -> name of the constant) of SCHEMAS, and whether it is there and all of it is known."""
    found = assigned(tree, "SCHEMAS")
    if not found:
        return {}, False, True
    value = found[0]
    if not isinstance(value, ast.Dict):
        return {}, True, False
    keys = {}
    for key, each in zip(value.keys, value.values):
        if isinstance(key, ast.Constant):
            keys[key.value] = getattr(each, "id", "")
    return keys, True, all(isinstance(key, ast.Constant) for key in value.keys)


def lint_schema(sources, request, host, report):
    path = os.path.join(request["folder"], "schema.py")
    source = sources.get(path)
    host_facts = request["host"] or {}
    if source is None:
        if host_facts.get("needs_schema"):
            report("L-13", "warning", request["folder"], 1, f"Rucio {host_facts['version']} needs a schema.py in each package")
        return
    if source.tree is None:
        return
    own = constants(source.tree)
    keys, _, complete = schema_keys(source.tree)
    generic_name = "generic_multi_vo" if request["multi_vo"] else "generic"
    generic = host.source(f"rucio.common.schema.{generic_name}")
    entries, generic_constants = SCHEMA_ENTRIES, {}
    if generic and generic.tree:
        generic_constants = constants(generic.tree)
        entries = {name: key for key, name in schema_keys(generic.tree)[0].items() if name}
    takes_all = any("*" in each.names for each in imports_of(source, request["module"], False))
    copies = []
    for name, (value, line) in own.items():
        key = entries.get(name)
        if key and key not in keys and complete and not takes_all:
            report("L-13", "warning", path, line,
                   f"{name} is overridden, but SCHEMAS has no '{key}': validate_schema('{key}', …) goes on with the "
                   "generic one, while generic schemas that refer to it use this one")
        if name in generic_constants and has_reference(generic_constants[name][0]) and not has_reference(value):
            copies.append((name, line))
    if copies:
        report("L-13", "warning", path, copies[0][1],
               f"literal copies of what the generic schema makes of other constants (SchemaRef), so changes of those do "
               f"not reach them: {', '.join(name for name, _ in copies)}")
    needs_regexp = (request["multi_vo"] and request["vo"]) or host_facts.get("needs_schema")
    if needs_regexp and "SCOPE_NAME_REGEXP" not in own and not takes_all:
        report("L-13", "warning", path, 1,
               "there is no SCOPE_NAME_REGEXP: this host reads it from each VO's schema without falling back")


def has_reference(node):
    return any(isinstance(each, ast.Call) and getattr(each.func, "id", getattr(each.func, "attr", "")) == "SchemaRef"
               for each in ast.walk(node))


# --- algorithms ---


def static_algorithms(source, sources, request):
    """What get_algorithms returns, where its text says it: ({type: {name: (function or None, line)}}, line), or None."""
    function = source.functions().get("get_algorithms") if source and source.tree else None
    if function is None:
        return None
    for node in ast.walk(function):
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Dict):
            found = {}
            for key, value in zip(node.value.keys, node.value.values):
                if isinstance(key, ast.Constant) and isinstance(value, ast.Dict):
                    found[key.value] = {
                        name.value: (resolve_function(each, source, function, sources, request), name.lineno)
                        for name, each in zip(value.keys, value.values)
                        if isinstance(name, ast.Constant)
                    }
            return found
    return None


def resolve_function(node, source, function, sources, request):
    """The syntax tree of a function that an expression names, if it is in the package: (function, bound)."""
    if isinstance(node, ast.Lambda):
        return node
    name = getattr(node, "id", "")
    holder = ""
    if isinstance(node, ast.Attribute):
        name, holder = node.attr, getattr(node.value, "id", "")
    if not holder and name in source.functions():
        return source.functions()[name]
    folder, module = request["folder"], request["module"]
    by_name = {module_name(folder, module, each.path): each for each in sources.values() if each.tree}
    for each in imports_of(source, module, True):
        if (holder or name) in each.names and each.module in by_name:
            other = by_name[each.module]
            if not holder:
                return other.functions().get(name)
            if holder in other.classes():
                return static_method(other.classes()[holder], name)
            inner = by_name.get(f"{each.module}.{holder}")
            return inner.functions().get(name) if inner else None
    return None


def static_method(node, name):
    for each in node.body:
        if isinstance(each, ast.FunctionDef) and each.name == name:
            kinds = {getattr(decorator, "id", "") for decorator in each.decorator_list}
            return each if kinds == {"staticmethod"} or not each.decorator_list else None
    return None


def lint_types(names, host, place, report):
    for kind in names:
        if kind == "surl":
            refuses = not host or host["refuses_surl"]
            version = f"Rucio {host['version']}" if host else "Rucio since 38.4"
            text = f"the type 'surl' is {'refused by' if refuses else 'renamed by'} {version}"
            report("L-07", "error" if refuses else "warning", *place(kind, None),
                   f"{text}; its name is non_deterministic_pfn")
        elif kind not in TYPES:
            report("L-07", "error", *place(kind, None),
                   f"'{kind}' is no type of algorithms that Rucio knows: {', '.join(TYPES)}")


def lint_names(kind, names, vo, place, report):
    for name in names:
        if vo and not name.lower().startswith(vo.lower()):
            report("L-08", "error", *place(kind, name),
                   f"the algorithm '{name}' of type {kind} must begin with the VO, '{vo}': the host raises "
                   "InvalidAlgorithmName, and all VOs are without algorithms")
        elif name in BUILT_IN_NAMES:
            report("L-08", "error" if vo else "warning", *place(kind, name),
                   f"the algorithm '{name}' of type {kind} has the name of a built-in one, which it replaces")
        elif not vo:
            report("L-08", "warning", *place(kind, name),
                   f"the algorithm '{name}' of type {kind}: multi-VO hosts take it only for a VO that its name begins with")


def lint_algorithms(sources, request, report):
    folder, host, vo = request["folder"], request["host"], request["vo"]
    init = sources.get(os.path.join(folder, "__init__.py"))
    function = init.functions().get("get_algorithms") if init and init.tree else None
    line = function.lineno if function else 1
    path = os.path.join(folder, "__init__.py")
    known = static_algorithms(init, sources, request) or {}

    def place(kind, name):
        entry = known.get(kind, {}).get(name)
        return path, entry[1] if entry else line

    if function and not can_be_called(signature_of(function), 0):
        report("L-17", "error", path, line, "get_algorithms is called without arguments, but it needs some")
    answer = request.get("algorithms")
    if answer and not answer.get("error"):
        types = {kind: {name: facts for name, facts in names.items()} for kind, names in answer["types"].items()}
        for kind, fault in answer.get("faults", {}).items():
            report("L-17", "error", *place(kind, None), fault)
    else:
        types = {kind: {name: None for name in names} for kind, names in known.items()}
    lint_types(types, host, place, report)
    for kind, names in types.items():
        lint_names(kind, names, vo, place, report)
        for name, facts in names.items():
            lint_arity(kind, name, facts, known.get(kind, {}).get(name), place, report)
    lint_default_algorithms(sources, request, report)


def lint_arity(kind, name, facts, entry, place, report):
    count = TYPES.get("non_deterministic_pfn" if kind == "surl" else kind)
    if count is None:
        return
    shown = None
    if facts is not None:
        if not facts["callable"]:
            return report("L-17", "error", *place(kind, name), f"the algorithm '{name}' of type {kind} is no function")
        if facts["fits"] is False:
            shown = facts["signature"]
    elif entry and entry[0] is not None and not getattr(entry[0], "decorator_list", None):
        signature = signature_of(entry[0])
        if not can_be_called(signature, count):
            shown = f"({', '.join(signature.parameters)})"
    if shown is not None:
        report("L-17", "error", *place(kind, name),
               f"the algorithm '{name}' of type {kind} is called with {count} arguments, but it is {name}{shown}")
    return None


def lint_default_algorithms(sources, request, report):
    if request["host"] and not request["host"]["default_algorithms"]:
        return
    for kind, count in TYPES.items():
        path = os.path.join(request["folder"], f"{kind}.py")
        source = sources.get(path)
        if source is None or source.tree is None:
            continue
        functions = source.functions()
        if kind not in functions:
            if functions and not assigned(source.tree, kind):
                first = min(node.lineno for node in functions.values())
                report("L-19", "warning", path, first,
                       f"the file has the name of a default algorithm, but no function '{kind}', so the host ignores it")
            continue
        function = functions[kind]
        if not function.decorator_list and not can_be_called(signature_of(function), count):
            names = ", ".join(signature_of(function).parameters)
            report("L-17", "error", path, function.lineno,
                   f"the default algorithm {kind} is called with {count} arguments, but it is {kind}({names})")


def lint_runs(request, report):
    """What came out when it was imported. Whether it could not be."""
    failed = False
    path = os.path.join(request["folder"], "__init__.py")
    for question, rule in (("contract", "L-18"), ("algorithms", "L-17")):
        answer = request.get(question)
        error = answer.get("error") if answer else None
        if not error:
            continue
        if question == "algorithms" and failed:
            break
        inside = error.get("file") or path
        doing = "the module cannot be imported" if question == "contract" else "get_algorithms() fails"
        if question == "algorithms" and error["class"] == "NotAlgorithms":
            doing = "get_algorithms() is wrong"
        would = host_effect(question, error)
        report(rule, "error", inside, error.get("line") or 1, f"{doing}: {error['class']}: {error['message']}{would}")
        failed = True
    return failed


def host_effect(question, error):
    effect = error.get("host")
    if question == "algorithms" and error["class"] in ("ImportError", "ModuleNotFoundError"):
        return "; the host swallows it and uses its built-in algorithms"
    return f"; the host raises {effect}" if effect else ""


# --- metadata ---


def line_of(request, words):
    """The first line of the metadata file with one of these words."""
    path = os.path.join(request["root"], request["metadata_file"])
    if request["metadata_file"] and os.path.isfile(path):
        with open(path, encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, 1):
                if any(re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", line, re.I) for word in words):
                    return number
    return 1


def lint_metadata(request, mandatory, host_needs, specifiers, report):
    file = request["metadata_file"] or request["folder"]
    for requirement in mandatory:
        name = normalised(requirement.name)
        line = line_of(request, [requirement.name])
        if name == "rucio":
            report("L-14", "error", file, line,
                   "the package requires 'rucio': in a target directory that copy would stand before the host's; move "
                   "it to the optional dependencies")
        elif name in host_needs and clash(requirement, host_needs[name]):
            report("L-14", "error", file, line,
                   f"the package requires '{requirement}', but Rucio {request['host']['version']} requires "
                   f"'{host_needs[name]}': in a target directory it would stand before the host's copy")
    own = request["distribution"]
    if own and normalised(own) != normalised(request["module"]):
        report("L-15", "warning", file, line_of(request, [own]),
               f"the distribution is called '{own}' and the module '{request['module']}': the check of the charts' init "
               "container never finds it installed, and upgrades leave the old code")
    if request["requires_python"]:
        try:
            parts = specifiers_of(specifiers, request["requires_python"])
            if not contains(parts, request["image_python"]):
                report("L-18", "error", file, line_of(request, ["requires-python", "python_requires"]),
                       f"requires-python '{request['requires_python']}' excludes Python {request['image_python']} of the image")
        except specifiers.InvalidSpecifier as error:
            report("L-18", "error", file, 1, f"requires-python cannot be read: {error}")
    if request["branch"]:
        report("L-20", "warning", file, 1,
               f"the reference names the branch '{request['branch']}': installers compare only the version, so later "
               "commits are never installed; name a tag or a commit")
    deployed = request.get("deployed")
    if deployed and deployed.get("commit") != request.get("commit") and deployed.get("version") == request["version"]:
        report("L-20", "warning", file, line_of(request, ["version"]),
               f"the version is still {request['version']}, that of the deployed commit {deployed['commit'][:12]}: "
               "installers that compare versions keep the old code")


def clash(requirement, wanted):
    """Whether one of the two pins a version that the other does not take."""
    for one, other in ((requirement, wanted), (wanted, requirement)):
        for part in one.specifier:
            if part.operator in ("==", "===") and not part.version.endswith(".*"):
                if not other.specifier.contains(part.version, prereleases=True):
                    return True
    return False


# --- all of it ---


def read_sources(request, report):
    root, folder = request["root"], request["folder"]
    version = tuple(int(part) for part in request["image_python"].split(".")[:2])
    sources = {}
    for base, folders, names in os.walk(os.path.join(root, folder)):
        folders[:] = sorted(each for each in folders if each != "__pycache__")
        for name in sorted(names):
            if name.endswith(".py"):
                path = os.path.relpath(os.path.join(base, name), root)
                sources[path] = Source(root, path, version)
    for source in sources.values():
        if source.fault:
            report("L-18", "error", source.path, source.fault[0],
                   f"the file is no Python {request['image_python']}: {source.fault[1]}")
    if os.path.join(folder, "__init__.py") not in sources:
        report("L-18", "error", folder, 1,
               "there is no __init__.py: Python takes the folder for a namespace package, and the host silently uses its "
               "generic rules")
    return sources


def lint(request):
    specifiers, requirements = find_packaging(request.get("packaging") or "")
    findings, seen = [], set()

    def report(rule, level, file, line, text):
        if (rule, file, text) not in seen:
            seen.add((rule, file, text))
            findings.append({"rule": rule, "level": level, "file": file, "line": line, "text": text})

    sources = read_sources(request, report)
    host = Host(request["host_roots"])
    host_needs = host_requirements(request["host_roots"], requirements)
    parsed = [parse_requirement(requirements, text) for text in request["requires"]]
    mandatory = [each for each in parsed if each is not None and is_mandatory(each)]
    init = sources.get(os.path.join(request["folder"], "__init__.py"))
    broken = any(source.fault for source in sources.values())
    verdict, declared = lint_contract(request, init, specifiers, report)
    failed = lint_runs(request, report)
    lint_circles(sources, request, host, report)
    lint_imports(sources, request, Available(request, mandatory, host, host_needs), report)
    lint_permission(sources, request, host, report)
    lint_schema(sources, request, host, report)
    lint_algorithms(sources, request, report)
    lint_metadata(request, mandatory, host_needs, specifiers, report)
    findings.sort(key=lambda each: (each["rule"], each["file"], each["line"]))
    return {
        "verdict": verdict,
        "declared": declared,
        "findings": findings,
        "import_failed": failed or broken,
        "mandatory": [str(each) for each in mandatory],
        "host_names": sorted(host_needs),
    }


def main():
    request = json.load(sys.stdin)
    try:
        answer = lint(request)
    except NeedPackaging:
        answer = {"need": "packaging"}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
