"""Asks a policy package of Rucio one question, as a host would, and ends: policy_probe.py < REQUEST

REQUEST is one JSON object:

    question      "contract", "permission", "schema", "algorithms" or "call"
    module        name of the package's module
    path          folders to import from: those of the package, then those of the host; without a host the questions
                  about permission and schema are answered by the package alone
    has_host      whether Rucio is in `path`
    host          {"version", "numbers", "refuses_surl", "default_algorithms", …} or null
    vo, multi_vo  the VO's tag or "", and whether the host is a multi-VO one
    alias_surl    whether algorithms of type `surl` are taken for `non_deterministic_pfn`
    memory        bytes of address space
    network       whether connections may be opened
    config        {section: {option: value}}: more of the host's configuration
    and what belongs to the question: issuer, action, kwargs; key, or name and object; type, name, arguments

The answer is one line of JSON on the descriptor that was standard output when this began; what the package prints goes
to standard error. The working directory is this process's own. Needs nothing but Python 3.8.
"""

import importlib
import inspect
import json
import os
import resource
import sys
import traceback

TYPES = {
    "lfn2pfn": 5,
    "non_deterministic_pfn": 3,
    "scope": 2,
    "pfn2lfn": 1,
    "fts3_tape_metadata_plugins": 1,
    "fts3_plugins_init": 0,
    "auto_approve": 3,
}
# What a host takes for an algorithm that is not named, by type.
DEFAULT_NAMES = {"lfn2pfn": "hash", "auto_approve": "default"}
NETWORK_EVENTS = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.sendto"}
HOST_CODES = {
    "PolicyPackageNotFound": 93,
    "InvalidAlgorithmName": 100,
    "PolicyPackageVersionError": 103,
    "ErrorLoadingPolicyPackage": 107,
    "InvalidPolicyPackageAlgorithmType": 120,
}
MAX_TEXT = 10_000


class NotAlgorithms(Exception):
    """What get_algorithms returns is no dictionary of dictionaries of functions."""


class Unknown(Exception):
    """There is no such algorithm, key or name."""


def plain(value, depth=0):
    """A value in JSON: what JSON has not becomes its text."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return value[:MAX_TEXT]
    if depth > 30:
        return "…"
    if isinstance(value, dict):
        return {str(key): plain(each, depth + 1) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each, depth + 1) for each in value]
    if isinstance(value, (set, frozenset)):
        return sorted(plain(each, depth + 1) for each in value)
    return text_of(value)


def text_of(value):
    try:
        return repr(value)[:MAX_TEXT]
    except Exception:  # of the package's own __repr__
        return f"<{type(value).__name__}>"


def message_of(error):
    try:
        return str(error)[:MAX_TEXT]
    except Exception:
        return ""


def failure(error, request, host=None):
    """An exception in the words of an answer, with the last place in the package."""
    file, line = None, None
    if isinstance(error, SyntaxError):
        file, line = error.filename, error.lineno
    for frame in traceback.extract_tb(error.__traceback__):
        if own_file(frame.filename, request):
            file, line = frame.filename, frame.lineno
    answer = {"class": type(error).__name__, "message": message_of(error)}
    if file:
        answer["file"], answer["line"] = own_file(file, request) or file, line
    if isinstance(error, ModuleNotFoundError):
        answer["missing"] = error.name
    if host:
        answer["host"] = host
        answer["host_code"] = HOST_CODES.get(host)
    return answer


def own_file(name, request):
    """The path of a file of the package, relative to the folder that it is imported from."""
    for folder in request["path"][: request.get("own_folders", 1)]:
        prefix = os.path.join(folder, request["module"]) + os.sep
        if name.startswith(prefix):
            return os.path.relpath(name, folder)
    return None


def host_name_of(error):
    """What the loaders of the host make of an exception while they import the package."""
    if isinstance(error, ModuleNotFoundError):
        return "PolicyPackageNotFound"
    if isinstance(error, ImportError):
        return "ErrorLoadingPolicyPackage"
    return type(error).__name__


# --- preparing ---


def limit(request):
    memory = request.get("memory")
    if memory:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not request.get("network"):

        def no_network(event, arguments):
            if event in NETWORK_EVENTS:
                local = event == "socket.connect" and isinstance(arguments[1], (str, bytes))
                if not local:
                    raise PermissionError("a policy package is asked without the network")

        sys.addaudithook(no_network)


def write_config(request):
    """The configuration of the host, in the working directory."""
    vo, multi = request["vo"], request["multi_vo"]
    sections = {
        "common": {"multi_vo": "True" if multi else "False"},
        "database": {"default": "sqlite:///" + os.path.abspath("rucio.db")},
        "policy": {f"package-{vo}" if multi and vo else "package": request["module"]},
    }
    for section, options in (request.get("config") or {}).items():
        sections.setdefault(section, {}).update(options)
    with open("rucio.cfg", "w", encoding="utf-8") as file:
        for section, options in sections.items():
            file.write(f"[{section}]\n" + "".join(f"{name} = {value}\n" for name, value in options.items()) + "\n")
    os.environ["RUCIO_CONFIG"] = os.path.abspath("rucio.cfg")
    if request["has_host"] and multi:
        write_vos(vo_of(request))


def write_vos(vo):
    """A multi-VO host asks its database for the VOs as soon as it loads algorithms."""
    import sqlite3

    database = sqlite3.connect("rucio.db")
    with database:
        database.execute("CREATE TABLE vos (vo, description, email, created_at, updated_at)")
        database.execute("INSERT INTO vos (vo) VALUES (?)", (vo,))
    database.close()


def vo_of(request):
    return request["vo"] if request["multi_vo"] and request["vo"] else "def"


def load_schema(request):
    """The host's schema, with the package: what a host does first. None without a host."""
    if not request["has_host"]:
        return None
    return importlib.import_module("rucio.common.schema")


# --- questions ---


def ask_contract(request):
    try:
        module = importlib.import_module(request["module"])
    except Exception as error:
        return {"error": failure(error, request, host_name_of(error))}
    if not hasattr(module, "SUPPORTED_VERSION"):
        return {"declared": None}
    value = module.SUPPORTED_VERSION
    kind = type(value).__name__ if type(value) in (str, list, tuple) else text_of(type(value).__name__).strip("'")
    return {"declared": {"text": text_of(value), "type": kind, "value": plain(value)}}


def is_fallback(module, request):
    return not module.__name__.startswith(request["module"] + ".")


def own_module(request, name):
    """The package's module of a name: (module or None, why not, failure or None)."""
    try:
        return importlib.import_module(f"{request['module']}.{name}"), None, None
    except ModuleNotFoundError as error:
        if error.name == f"{request['module']}.{name}":
            return None, "module missing", None
        return None, "import failed", failure(error, request)
    except Exception as error:
        return None, "import failed", failure(error, request, host_name_of(error))


def ask_permission(request):
    issuer, session = request["issuer"], object()
    answer = {"answer": "fallback", "message": "", "raw_type": None, "why": None, "generic_answer": None}
    host = None
    if request["has_host"]:
        try:
            host = importlib.import_module("rucio.core.permission")
            types = importlib.import_module("rucio.common.types")
        except Exception as error:
            answer["error"] = failure(error, request, type(error).__name__)
            answer["why"] = "import failed"
            return answer
        issuer = types.InternalAccount(issuer, vo=vo_of(request))
    else:
        try:
            importlib.import_module(request["module"])
        except Exception as error:
            answer["error"] = failure(error, request, host_name_of(error))
            answer["why"] = "import failed"
            return answer
    module, why, error = own_module(request, "permission")
    if error:
        answer["error"] = error
    if module is None:
        answer["why"] = why
    else:
        decide(request, module, issuer, session, answer)
    if host is not None:
        compare_with_host(request, host, issuer, session, answer)
    return answer


def decide(request, module, issuer, session, answer):
    try:
        result = module.has_permission(issuer, request["action"], request["kwargs"], session=session)
    except TypeError as error:
        answer["why"] = "TypeError"
        answer["error"] = failure(error, request)
        return
    except Exception as error:
        answer["answer"], answer["why"] = "error", type(error).__name__
        answer["error"] = failure(error, request, type(error).__name__)
        return
    answer["raw_type"] = type(result).__name__
    if result is None:
        answer["why"] = "none"
        return
    answer["answer"] = "allow" if result else "deny"
    answer["message"] = plain(getattr(result, "message", "")) or ""


def shown(result):
    return {"answer": "allow" if result else "deny", "message": plain(getattr(result, "message", "")) or ""}


def compare_with_host(request, host, issuer, session, answer):
    """What the host's generic rules say, and what the host itself answers."""
    action, kwargs = request["action"], request["kwargs"]
    try:
        generic = importlib.import_module("rucio.core.permission.generic")
        result = generic.has_permission(issuer, action, kwargs, session=session)
        answer["generic_answer"] = "allow" if result else "deny"
    except Exception as error:
        answer["generic_error"] = failure(error, request)
    try:
        answer["host_answer"] = shown(host.has_permission(issuer, action, kwargs, session=session))
    except Exception as error:
        answer["host_answer"] = {"answer": "error", "message": f"{type(error).__name__}: {message_of(error)}"}
        answer["host_answer"]["code"] = HOST_CODES.get(type(error).__name__)


def ask_schema(request):
    vo = vo_of(request)
    generic_name = "generic_multi_vo" if request["multi_vo"] else "generic"
    try:
        host = load_schema(request)
    except Exception as error:
        return {"error": failure(error, request, type(error).__name__)}
    module, why, error = own_module(request, "schema")
    answer = {"origin": None, "why": why, "error": error}
    if not error:
        answer.pop("error")

    def origin_of(is_own):
        return "package" if is_own else generic_name if host else "fallback"

    try:
        if request.get("name"):
            is_own = module is not None and request["name"] in getattr(module, "SCHEMAS", {})
            answer.update({"origin": origin_of(is_own), **validity(request, host, module, is_own, vo)})
        elif request.get("key"):
            is_own = module is not None and hasattr(module, request["key"])
            answer["origin"] = origin_of(is_own)
            if host:
                answer["value"] = plain(host.get_schema_value(request["key"], vo))
            elif is_own:
                answer["value"] = plain(getattr(module, request["key"]))
        else:
            answer["values"] = all_values(host, module, generic_name, origin_of, vo)
    except AttributeError as error:
        answer["error"] = failure(error, request, "AttributeError")
    return answer


def validity(request, host, module, is_own, vo):
    if host:
        exceptions = importlib.import_module("rucio.common.exception")
        try:
            host.validate_schema(request["name"], request["object"], vo)
            return {"valid": True}
        except exceptions.InvalidObject as error:
            return {"valid": False, "message": message_of(error)}
    if not is_own:
        return {"valid": None}
    try:
        jsonschema = importlib.import_module("jsonschema")
    except ImportError:
        return {"valid": None, "message": "there is no module 'jsonschema' to look with; give a host version"}
    try:
        jsonschema.validate(request["object"], module.SCHEMAS[request["name"]])
        return {"valid": True}
    except jsonschema.ValidationError as error:
        return {"valid": False, "message": message_of(error)}


def all_values(host, module, generic_name, origin_of, vo):
    names = {name for name in vars(module) if name.isupper()} if module is not None else set()
    if host:
        names |= {name for name in vars(importlib.import_module(f"rucio.common.schema.{generic_name}")) if name.isupper()}
    values = {}
    for name in sorted(names - {"SCHEMAS"}):
        is_own = module is not None and hasattr(module, name)
        value = host.get_schema_value(name, vo) if host else getattr(module, name)
        values[name] = {"origin": origin_of(is_own), "value": plain(value)}
    return values


# --- algorithms ---


def registered(request):
    """{type: {name: function}} of get_algorithms, after the alias if that is asked for; (them, the alias rewrites)."""
    if request["has_host"]:
        load_schema(request)  # first, as a host does
    module = importlib.import_module(request["module"])
    if not hasattr(module, "get_algorithms"):
        return {}, []
    found = module.get_algorithms()
    if not isinstance(found, dict):
        raise NotAlgorithms(f"get_algorithms() returns {type(found).__name__}, not a dictionary of types")
    types, rewrites = {}, []
    for kind, names in found.items():
        if not isinstance(names, dict):
            raise NotAlgorithms(f"the value of '{kind}' is {type(names).__name__}, not a dictionary of names")
        types[kind] = dict(names)
    host = request["host"] or {}
    if "surl" in types and (request.get("alias_surl") or host and not host["refuses_surl"]):
        types.setdefault("non_deterministic_pfn", {}).update(types.pop("surl"))
        rewrites.append({"from": "surl", "to": "non_deterministic_pfn", "by": "option" if request.get("alias_surl") else "host"})
    return types, rewrites


def fits(function, kind):
    """Whether a function takes the arguments of its type: yes, no, or not known."""
    count = TYPES.get("non_deterministic_pfn" if kind == "surl" else kind)
    if count is None:
        return None, ""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None, ""
    try:
        signature.bind(*range(count))
        return True, str(signature)
    except TypeError:
        return False, str(signature)


def arity(function):
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    return sum(each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD) for each in parameters)


def facts_of(function, kind, name, vo):
    fit, signature = fits(function, kind) if callable(function) else (None, "")
    facts = {"callable": callable(function), "arity": arity(function) if callable(function) else None}
    facts.update({"fits": fit, "signature": signature})
    if vo:
        facts["prefix"] = "ok" if str(name).lower().startswith(vo.lower()) else "missing"
    return facts


def default_algorithm(request, kind):
    """The function of a default-algorithm file, or None; as the host does, which knows no failures here."""
    host = request["host"]
    if host and not host["default_algorithms"]:
        return None
    try:
        return getattr(importlib.import_module(f"{request['module']}.{kind}"), kind, None)
    except ImportError:
        return None


def ask_algorithms(request):
    try:
        types, rewrites = registered(request)
    except Exception as error:
        return {"error": failure(error, request, algorithm_effect(error))}
    answer = {"types": {}, "defaults": [], "aliases": rewrites}
    for kind, names in types.items():
        answer["types"][str(kind)] = {
            str(name): facts_of(function, kind, name, request["vo"]) for name, function in names.items()
        }
        if kind not in TYPES:
            answer.setdefault("unknown_types", []).append(str(kind))
    answer["defaults"] = [kind for kind in TYPES if default_algorithm(request, kind) is not None]
    return answer


def algorithm_effect(error):
    if isinstance(error, ImportError):
        return None  # swallowed
    return {"NotAlgorithms": "AttributeError"}.get(type(error).__name__, type(error).__name__)


def built_in(request, kind, name):
    """A function that Rucio itself registers."""
    if not request["has_host"]:
        raise Unknown(f"the package has no algorithm '{name}' of type {kind}; built-in ones need a host version")
    holders = {
        "lfn2pfn": ("rucio.rse.translation", "RSEDeterministicTranslation"),
        "pfn2lfn": ("rucio.rse.translation", "RSEDeterministicScopeTranslation"),
        "non_deterministic_pfn": ("rucio.common.utils", "NonDeterministicPFNAlgorithms"),
        "scope": ("rucio.common.utils", "ScopeExtractionAlgorithms"),
        "fts3_tape_metadata_plugins": ("rucio.transfertool.fts3_plugins", "FTS3TapeMetadataPlugin"),
    }
    if kind in holders:
        module, holder = holders[kind]
        try:
            return getattr(importlib.import_module(module), holder)._get_one_algorithm(kind, name)
        except KeyError:
            pass
    raise Unknown(f"neither the package nor Rucio has an algorithm '{name}' of type {kind}")


def choose(request, types, kind, name):
    """The function that a host would call, and where it is from."""
    names = types.get(kind, {})
    usual = DEFAULT_NAMES.get(kind, "def")
    configured = (request.get("config") or {}).get("policy", {}).get("lfn2pfn_algorithm_default")
    if kind == "lfn2pfn" and configured:
        usual = configured
    vo = request["vo"]
    if kind == "pfn2lfn" and not name and vo in names:
        return names[vo], "registered"
    falls_back = kind in ("non_deterministic_pfn", "scope") and name not in names and name != "dirac"
    if not name or name in ("default", usual) or falls_back:
        function = default_algorithm(request, kind)
        if function is not None:
            return function, "default"
        if falls_back:
            name = usual
    name = usual if not name or name == "default" else name
    if name in names:
        return names[name], "registered"
    return built_in(request, kind, name), "built-in"


def ask_call(request):
    kind = request["type"]
    try:
        types, rewrites = registered(request)
        function, origin = choose(request, types, kind, request.get("name") or "")
    except Unknown as error:
        return {"error": {"class": "KeyError", "message": str(error)}}
    except Exception as error:
        return {"error": failure(error, request, algorithm_effect(error))}
    answer = {"origin": origin, "aliases": rewrites, "known_type": kind in TYPES}
    fit, signature = fits(function, kind)
    if fit is False:
        answer["error"] = {"class": "TypeError", "message": f"it is called with {TYPES[kind]} arguments, but takes {signature}"}
        return answer
    try:
        result = function(*request["arguments"])
    except Exception as error:
        answer["error"] = failure(error, request, type(error).__name__)
        return answer
    answer["result"], answer["result_type"] = plain(result), type(result).__name__
    return answer


QUESTIONS = {
    "contract": ask_contract,
    "permission": ask_permission,
    "schema": ask_schema,
    "algorithms": ask_algorithms,
    "call": ask_call,
}


def main():
    out = os.dup(1)  # not inherited by what the package starts
    os.dup2(2, 1)
    request = json.load(sys.stdin)
    # Nobody's children but the package's may read what is left of the input.
    sys.stdin.close()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.path[:] = request["path"] + [each for each in sys.path if each and not each.startswith(os.path.dirname(__file__))]
    sys.dont_write_bytecode = True
    write_config(request)
    limit(request)
    try:
        answer = QUESTIONS[request["question"]](request)
    except MemoryError:
        answer = {"error": {"class": "MemoryError", "message": "the package needs more memory than it may have"}}
    except BaseException as error:  # SystemExit, KeyboardInterrupt and what the package has made of its own
        answer = {"error": failure(error, request, type(error).__name__)}
        if isinstance(error, SystemExit):
            answer["error"]["message"] = f"the package ends the process with exit({message_of(error)})"
    data = json.dumps(answer).encode() + b"\n"
    while data:
        data = data[os.write(out, data) :]
    # Threads and exit handlers of the package have no say in how this ends.
    os._exit(0)


if __name__ == "__main__":
    main()
