"""`venvoy package render`: every artefact is put to the use that it is made for (A33, A34, A43 … A49, A52 … A54)."""

import base64
import http.server
import json
import os
import pathlib
import shlex
import subprocess
import threading

import yaml

import harness
import policy_packages
from harness import PYTHON
from policy_packages import HOST, PERMISSION, PackageTest, wheel

FILES = {"__init__.py": "SUPPORTED_VERSION = '>=38'\nMARKER = 'one'\n", "permission.py": PERMISSION.format(answer="None")}

# Checks documents by the models of the Kubernetes client: what is required, of which type, and that nothing else is there.
MODELS = """\
import json, re, sys
from kubernetes import client
def walk(value, kind, path):
    if kind.startswith("list["):
        assert isinstance(value, list), path
        for index, each in enumerate(value):
            walk(each, kind[5:-1], f"{path}[{index}]")
    elif kind.startswith("dict("):
        assert isinstance(value, dict), path
        for key, each in value.items():
            walk(each, kind[5:-1].split(", ")[1], f"{path}.{key}")
    elif hasattr(client, kind):
        model = getattr(client, kind)
        names = {outer: inner for inner, outer in model.attribute_map.items()}
        for key in value:
            assert key in names, f"{path}.{key} is unknown to {kind}"
        for key, each in value.items():
            walk(each, model.openapi_types[names[key]], f"{path}.{key}")
        model(**{names[key]: each for key, each in value.items()})
    elif kind in ("str", "int", "bool"):
        assert type(value).__name__ == kind, f"{path} is {type(value).__name__}, not {kind}"
for document in json.load(sys.stdin):
    walk(document, "V1" + document["kind"], document["kind"])
print("ok")
"""


class RenderTest(PackageTest):
    def index(self, *wheels):
        """A folder that stands for the index."""
        return ["--find-links", wheels[0].parent]

    def wheel(self, version="1.0.0", module="vo1_policy", files=FILES, **options):
        return wheel(self.folder / "wheels", module, version, files, **options)

    def project(self, version="1.0.0", files=FILES, **options):
        return self.repository("project", version, files, **options)

    def reference(self, version="v1.0.0", folder=None):
        return f"vo1_policy@git+file://{folder or self.project()}@{version}"

    def require_values(self, values, schema_of="policyPackages"):
        """They are what the charts read, by the written contract."""
        schema = json.loads((harness.PROJECT / "tests" / "data" / "chart-values.schema.json").read_text())
        if schema_of != "policyPackages":
            schema["required"] = [schema_of]
        code = "import json, sys, jsonschema\nvalues, schema = json.load(sys.stdin)\nfor each in values.values(): jsonschema.validate(each, schema)"
        command = [str(self.host_python(HOST)), "-c", code]
        subprocess.run(command, input=json.dumps([values, schema]), text=True, check=True)

    def require_kubernetes(self, documents):
        parts = ("kubernetes/client", "dateutil")
        made = None if self.virtual_environments(*parts) else self.package("check", "kubernetes==31.0.0", "-q")
        found = self.virtual_environments(*parts)
        self.assertTrue(found, f"there is no environment with the Kubernetes client: {made}")
        result = subprocess.run([str(found[0] / "bin" / "python"), "-c", MODELS], input=json.dumps(documents), capture_output=True, text=True)
        self.assertEqual(result.stdout, "ok\n", result.stderr)

    def test_A33_references_for_the_chart(self):
        folder = self.project()
        values = self.values(self.reference(folder=folder))
        entry = values["server"]["policyPackages"]["packages"][0]
        self.assertEqual(entry, {"moduleName": "vo1_policy", "requirement": f"git+file://{folder}@v1.0.0", "version": "1.0.0"})
        self.require_values(values)
        self.require_failure(self.package("render", "values", "b>=1,<2"), 2, "b>=1,<2")
        self.require_failure(self.package("render", "values", self.module(init="")), 8, "index")
        # A branch is pinned to its commit.
        result = self.package("render", "values", self.reference("main", folder))
        requirement = yaml.safe_load(result.out)["server"]["policyPackages"]["packages"][0]["requirement"]
        self.assertRegex(requirement, r"@[0-9a-f]{40}$")
        self.assertIn("L-20", result.err)

    def test_a_login_is_not_written_down(self):
        result = self.package("render", "values", f"vo1_policy@git+http://user:secret@127.0.0.1:1/x.git")
        self.assertNotEqual(result.code, 0)
        self.assertNotIn("secret", result.out + result.err)

    def test_A34_versions_are_texts(self):
        package = self.wheel("1.10")
        text = self.rendered("values", "vo1_policy==1.10", *self.index(package))
        self.assertIn('version: "1.10"', text)
        self.assertEqual(yaml.safe_load(text)["server"]["policyPackages"]["packages"][0]["version"], "1.10")

    def test_A43_the_build_argument(self):
        self.wheel()
        other = self.wheel(module="vo2_policy", version="5.0")
        out = self.rendered("build-arg", "vo1_policy==1.0.0", "vo2_policy==5.0", "--host-version", HOST, *self.index(other), "--context-dir", "images/server")
        argument, command = out.splitlines()
        self.assertEqual(argument, "POLICY_PACKAGE_REQUIREMENTS=vo1_policy==1.0.0,vo2_policy==5.0")
        words = shlex.split(command)
        self.assertEqual(words[:2], ["docker", "build"])
        self.assertEqual(words[-1], "images/server")
        self.assertIn(f"TAG={HOST}", words)
        self.assertIn(argument, words)
        folder = self.folder / "with,comma"
        self.project().rename(folder)
        self.require_failure(self.package("render", "build-arg", self.reference(folder=folder), "--host-version", HOST), 8, "','")
        self.require_failure(self.package("render", "build-arg", "vo1_policy==1.0.0", *self.index(other)), 2, "--host-version")
        webui = self.package("render", "build-arg", "vo1_policy==1.0.0", *self.index(other), "--host-version", HOST, "--component", "webui")
        self.require_failure(webui, 2, "webui")

    def dockerfile_steps(self, text):
        return [line[len("RUN ") :] for line in text.splitlines() if line.startswith("RUN ")]

    def run_steps(self, steps, stubs, path=""):
        """The steps in a plain shell, one after the other, with stubs before the real programs; the first bad status."""
        folder = self.folder / "stubs"
        folder.mkdir(exist_ok=True)
        for name, text in stubs.items():
            (folder / name).write_text("#!/bin/sh\n" + text)
            (folder / name).chmod(0o755)
        environment = {"PATH": f"{folder}:/usr/bin:/bin", "PYTHONPATH": path}
        for step in steps:
            code = subprocess.run(["sh", "-c", step], env=environment, capture_output=True).returncode
            if code:
                return code
        return 0

    def test_A44_the_dockerfile_fails_where_it_should(self):
        folder = self.project()
        text = self.rendered("dockerfile", self.reference(folder=folder), "--host-version", HOST)
        self.assertEqual(text.splitlines()[0], f"FROM rucio/rucio-server:release-{HOST}")
        self.assertRegex(text, r"git\+file://.*@[0-9a-f]{40}")
        self.assertRegex(text, r"sha256:[0-9a-f]{64}")
        steps = self.dockerfile_steps(text)
        real = 'exec /usr/bin/python3 "$@"\n'
        fake_pip = 'if [ "$1" = -m ] && [ "$2" = pip ]; then exit {}; fi\n' + real
        self.assertNotEqual(self.run_steps(steps, {"dnf": "exit 0\n", "pip": "exit 1\n", "python3": fake_pip.format(1)}), 0)
        good = {"dnf": "exit 0\n", "python3": fake_pip.format(0)}
        # pip says that all is well, and nothing is there.
        self.assertNotEqual(self.run_steps(steps, good), 0)
        self.assertEqual(self.run_steps(steps, good, folder / "src"), 0)
        (folder / "src" / "vo1_policy" / "permission.py").write_text("# something else\n")
        self.assertNotEqual(self.run_steps(steps, good, folder / "src"), 0)

    ODD = {
        "__init__.py": "SUPPORTED_VERSION = '>=38'\n",
        "empty.py": "",
        "no_end.py": "x = 1",
        "leading.py": "  \n\n# after blanks\n",
        "tabs.py": "if 1:\n\tx = '\t'\n\n\n",
        "unicode.py": "x = 'héllo → 世界'\n",
        "colons.py": "a: int = 1  # - x\n---\n",
    }

    def secret_files(self, secret):
        plain = {name: text.encode() for name, text in (secret.get("stringData") or {}).items()}
        return {**plain, **{name: base64.b64decode(data) for name, data in (secret.get("data") or {}).items()}}

    def test_A45_secrets_hold_the_files_byte_for_byte(self):
        for name, files in (("plain", self.ODD), ("odd", {**self.ODD, "carriage.py": "x = 1\r\ny = 2\r"})):
            with self.subTest(name):
                module = self.module(name)
                for path, text in files.items():
                    (module / path).write_bytes(text.encode())
                (module / "__pycache__").mkdir()
                (module / "__pycache__" / "x.pyc").write_bytes(b"\0")
                text = self.rendered("secret", module, "--vo", "vo1", "--namespace", "rucio")
                (secret,) = yaml.safe_load_all(text)
                self.assertEqual(self.secret_files(secret), {path: text.encode() for path, text in files.items()})
                self.assertEqual(secret["metadata"]["name"], "vo1-rucio-policy-package")
                self.require_kubernetes([secret])
                self.assertEqual(self.rendered("secret", module, "--vo", "vo1", "--namespace", "rucio"), text)
        (module / "a b.py").write_text("")
        self.require_failure(self.package("render", "secret", module), 8, "a b.py")

    def test_the_secret_says_what_is_in_it(self):
        (secret,) = yaml.safe_load_all(self.rendered("secret", self.reference()))
        notes = secret["metadata"]["annotations"]
        self.assertEqual(set(notes), {"venvoy/reference", "venvoy/commit", "venvoy/version", "venvoy/content-sha256"})
        self.assertEqual(notes["venvoy/version"], "1.0.0")
        self.assertEqual(set(self.secret_files(secret)), set(FILES))

    def test_A46_large_and_nested(self):
        module = self.module(init="", big="#" * ((1 << 20) + 1))
        self.require_failure(self.package("render", "secret", module), 8, "1048576", "big.py")
        (module / "big.py").unlink()
        (module / "inner").mkdir()
        (module / "inner" / "__init__.py").write_text("x = 1\n")
        (module / "tests").mkdir()
        (module / "tests" / "test_x.py").write_text("")
        self.require_failure(self.package("render", "secret", module, "--flat"), 8, "inner")
        secrets = list(yaml.safe_load_all(self.rendered("secret", module)))
        self.assertEqual([each["metadata"]["name"] for each in secrets], ["vo1-policy-rucio-policy-package", "vo1-policy-rucio-policy-package-inner"])
        self.require_kubernetes(secrets)
        values = self.values(module, "--secret")
        mounts = values["server"]["secretMounts"]
        self.assertEqual([each["mountPath"] for each in mounts], ["/opt/policy_packages/vo1_policy/", "/opt/policy_packages/vo1_policy/inner/"])
        self.assertEqual(len({each["volumeName"] for each in mounts}), 2)
        self.assertIn({"name": "PYTHONPATH", "value": "/opt/policy_packages/"}, values["server"]["additionalEnvs"])
        self.require_values(values, "secretMounts")

    def test_a_secret_brings_no_dependencies(self):
        package = self.wheel(requires=["six", "python-dateutil"])
        self.require_failure(self.package("render", "secret", package), 8, "'six'", "'python-dateutil'")
        result = self.package("render", "secret", package, "--host-version", HOST)
        self.require_failure(result, 8, "'six'")
        self.assertNotIn("python-dateutil'", result.err)

    def test_A47_claims(self):
        reference = self.reference()
        both = ["--component", "server", "--component", "daemons"]
        for options in (["--create-pvc"], ["--create-pvc", "--prepend-release-name"], []):
            with self.subTest(options):
                values = self.values(reference, *both, *options, "--storage", "200Mi", "--storage-class", "fast")
                self.require_values(values)
                claims = [each["policyPackages"]["pvc"] for each in values.values()]
                made = [claim["name"] for claim in claims if claim["createPvc"] and not claim["prependReleaseName"]]
                self.assertEqual(len(made), len(set(made)))
                self.assertEqual(sum(claim["createPvc"] for claim in claims), {0: 0, 1: 1, 2: 2}[len(options)])
        for chart in ("ui", "webui"):
            result = self.package("render", "values", reference, "--component", chart, "--ephemeral")
            self.require_failure(result, 2, "ephemeralVolume")
        values = self.values(reference, *both, "--ephemeral")
        self.require_values(values)
        self.assertTrue(values["daemons"]["policyPackages"]["ephemeralVolume"])
        for chart in ("init", "clients"):
            self.require_failure(self.package("render", "values", reference, "--component", chart), 2, chart)

    def test_values_name_the_package(self):
        reference = self.reference()
        self.assertEqual(self.values(reference)["server"]["config"], {"policy": {"package": "vo1_policy"}})
        values = self.values(reference, "--vo", "vo1", "--registry", "mirror.example.org/hub")
        self.assertEqual(values["server"]["config"], {"common": {"multi_vo": "True"}, "policy": {"package-vo1": "vo1_policy"}})
        self.assertEqual(values["server"]["imageRegistry"], "mirror.example.org/hub")
        self.require_values(values)

    def python_path(self, script, variables, name="run"):
        """sys.path of a Python that the script starts, without the interpreter's own entries."""
        own = subprocess.run([PYTHON, "-c", "import json, sys; print(json.dumps(sys.path))"], env={"PATH": "/usr/bin:/bin"}, cwd="/", capture_output=True, text=True)
        command = [PYTHON, "-c", "import json, sys; print(json.dumps(sys.path))"]
        path = self.write(f"{name}.sh", script)
        result = subprocess.run(["sh", str(path), *command], env={"PATH": "/usr/bin:/bin", **variables}, cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stderr)
        return [each for each in json.loads(result.stdout) if each not in json.loads(own.stdout)]

    def test_A48_the_entry_script(self):
        for component, original in (("server", "/docker-entrypoint.sh"), ("daemons", "/start-daemon.sh"), ("clients", "/opt/user/entrypoint.sh")):
            script = self.rendered("entrypoint", "--component", component)
            self.assertTrue(script.endswith(f'exec {original} "$@"\n'), script)
        script = script.replace("exec /opt/user/entrypoint.sh ", "exec ")
        ours, seen = "/opt/policy_packages/", "/opt/policy_packages"  # Python takes the last sign off
        for before, wanted in (
            (None, [seen]),
            ("", [seen]),
            ("/x", [seen, "/x"]),
            (ours, [seen]),
            (f"/x:{ours}", ["/x", seen]),
            ("/opt/policy_packages:/x", [seen, "/x"]),
            (f":/x::{ours}:{ours}:", ["/x", seen]),
        ):
            with self.subTest(before):
                variables = {"POLICY_PKG_PATH": ours, **({} if before is None else {"PYTHONPATH": before})}
                self.assertEqual([each for each in self.python_path(script, variables) if each], wanted)
                self.assertNotIn(str(self.folder), self.python_path(script, variables))
        self.assertEqual(self.python_path(script, {"PYTHONPATH": "/x"}), ["/x"])

    CONFIG = "# ours\n[common]\nloglevel = DEBUG\n\n[policy]\n  permission = def\n  ; a note\n  schema = one\n     two\n[database]\ndefault: sqlite:////x\n"

    def test_A49_rucio_cfg(self):
        reference = self.reference()
        config = self.write("rucio.cfg", self.CONFIG)
        edit = ["--vo", "vo1", "--edit", config, "--set", "lfn2pfn_algorithm_default=vo1_x"]
        self.assertEqual(self.rendered("rucio-cfg", reference, *edit), "changed\n")
        text = config.read_text()
        lines = text.splitlines()
        self.assertEqual([line for line in lines if line in self.CONFIG.splitlines()], self.CONFIG.splitlines())
        self.assertEqual(self.rendered("rucio-cfg", reference, *edit), "unchanged\n")
        self.assertEqual(config.read_text(), text)
        import configparser

        before, after = configparser.ConfigParser(), configparser.ConfigParser()
        before.read_string(self.CONFIG)
        after.read_string(text)
        self.assertEqual(after["policy"]["package-vo1"], "vo1_policy")
        self.assertEqual(after["policy"]["lfn2pfn_algorithm_default"], "vo1_x")
        self.assertEqual(after["common"]["multi_vo"], "True")
        for section in before.sections():
            for name in before[section]:
                self.assertEqual(after[section][name], before[section][name])
        python = self.host_python(HOST)
        (tool,) = python.parents[1].rglob("merge_rucio_configs.py")
        merged = self.folder / "merged.cfg"
        subprocess.run([str(python), str(tool), "-s", str(config), "-d", str(merged)], env={"PATH": "/usr/bin:/bin"}, check=True, capture_output=True)
        read = configparser.ConfigParser()
        read.read(merged)
        self.assertEqual(read["policy"]["package-vo1"], "vo1_policy")
        fragment = self.rendered("rucio-cfg", reference)
        self.assertEqual(fragment, "[policy]\npackage = vo1_policy\n")

    def test_rucio_cfg_changes_one_value(self):
        config = self.write("rucio.cfg", "[policy]\npackage = old\n  more of it\npermission = def\n")
        self.rendered("rucio-cfg", self.reference(), "--edit", config)
        self.assertEqual(config.read_text(), "[policy]\npackage = vo1_policy\npermission = def\n")

    def test_A52_docker_run(self):
        """The command, carried out by a `docker` that starts the entry point in a folder that stands for the image."""
        image = self.folder / "image"
        (image / "lib").mkdir(parents=True)
        entry = image / "docker-entrypoint.sh"
        entry.write_text(f"#!/bin/sh\nexec {PYTHON} -c 'import json, sys; print(json.dumps(sys.path))'\n")
        entry.chmod(0o755)
        target = self.folder / "packages"
        reference = self.reference()
        self.data("install", reference, "--target", target, "--host-version", HOST)
        command = self.rendered("docker-run", reference, "--host-version", HOST, "--volume", target, "--mount-path", target)
        stub = (
            "#!/usr/bin/python3\nimport json, os, sys\nwords = sys.argv[1:]\nassert words.pop(0) == 'run'\n"
            f"environment = {{'PATH': '/usr/bin:/bin', 'PYTHONPATH': '{image}/lib'}}\nentry = None\n"
            "while words[0].startswith('--'):\n    option = words.pop(0)\n    if option == '--rm': continue\n    value = words.pop(0)\n"
            "    if option == '--env': environment.__setitem__(*value.split('=', 1))\n    elif option == '--entrypoint': entry = value\n"
            "    else: assert option == '--volume', option; assert value.count(':') == 2, value\n"
            "image = words.pop(0)\nassert image == 'rucio/rucio-server:release-" + HOST + "', image\n"
            f"words = [word.replace('/docker-entrypoint.sh', '{entry}') if word == '/docker-entrypoint.sh' else word for word in words]\n"
            "assert environment['RUCIO_CFG_POLICY_PACKAGE'] == 'vo1_policy'\n"
            "os.execvpe(entry, [entry, *words], environment)\n"
        )
        (self.folder / "bin").mkdir()
        docker = self.write("bin/docker", stub)
        docker.chmod(0o755)
        script = self.write("run.sh", command)
        result = subprocess.run(["sh", str(script)], env={"PATH": f"{docker.parent}:/usr/bin:/bin"}, cwd="/", capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stderr)
        path = json.loads(result.stdout)
        self.assertIn(f"{image}/lib", path)
        self.assertEqual([each for each in path if each.startswith(str(target))], [str(target)])

    def test_A53_the_cron_job(self):
        folder = self.project()
        text = self.rendered("cronjob", self.reference("main", folder), "--namespace", "rucio", "--vo", "vo1")
        documents = list(yaml.safe_load_all(text))
        self.assertEqual([each["kind"] for each in documents], ["ServiceAccount", "Role", "RoleBinding", "CronJob"])
        self.require_kubernetes(documents)
        rule = documents[1]["rules"][0]
        self.assertEqual((rule["resources"], rule["resourceNames"], rule["verbs"]), (["secrets"], ["vo1-rucio-policy-package"], ["get", "patch"]))
        container = documents[3]["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
        (secret,) = yaml.safe_load_all(self.rendered("secret", self.reference(folder=folder), "--vo", "vo1"))
        server = FakeApi({**secret, "data": {"__init__.py": "b2xk", "gone.py": "b2xk"}})
        self.addCleanup(server.stop)
        account = self.folder / "account"
        account.mkdir()
        (account / "token").write_text("a-token\n")
        variables = {each["name"]: each["value"] for each in container["env"]}
        variables |= {"KUBERNETES_API": server.url, "SERVICE_ACCOUNT": str(account), "PATH": "/usr/bin:/bin", "HOME": str(self.folder)}
        self.assertEqual(container["command"][:2], ["python3", "-c"])
        command = [self.pip_python(), *container["command"][1:]]
        for said, patches in (("changed", 1), ("unchanged", 1)):
            result = subprocess.run(command, env=variables, capture_output=True, text=True)
            self.assertEqual((result.returncode, result.stdout.strip()), (0, said), result.stderr)
            self.assertEqual(server.patches, patches)
        self.assertEqual({name: base64.b64decode(data).decode() for name, data in server.secret["data"].items()}, FILES)
        self.assertEqual(server.secret["metadata"]["annotations"]["venvoy/content-sha256"], secret["metadata"]["annotations"]["venvoy/content-sha256"])

    def test_A54_values_for_the_entry_script(self):
        result = self.package("render", "values", self.reference(), "--entry-script")
        self.assertEqual(yaml.safe_load(result.out)["server"]["optional_config"], {"policy_pkg_path": "/opt/policy_packages/"})
        self.assertIn("no stock image reads it", result.err)

    def test_out_files(self):
        self.assertEqual(self.rendered("entrypoint", "-o", "entry.sh"), "")
        self.assertTrue((self.folder / "entry.sh").read_text().startswith("#!/bin/sh\n"))

    def test_the_artefacts_of_the_sample(self):
        sample = harness.PROJECT / "samples" / "policy-package"
        secret = self.rendered("secret", sample / "src" / "sample_rucio_policy", "--vo", "smp")
        self.assertEqual((sample / "artefacts" / "secret.yaml").read_text(), secret)
        script = self.rendered("entrypoint", "--component", "daemons")
        self.assertEqual((sample / "artefacts" / "entrypoint-daemons.sh").read_text(), script)
        config = self.rendered("rucio-cfg", sample, "--vo", "smp", "--set", "lfn2pfn_algorithm_default=smp_by_year")
        self.assertEqual((sample / "artefacts" / "rucio.cfg").read_text(), config)


class FakeApi:
    """An API server with one Secret."""

    def __init__(self, secret):
        self.secret, self.patches = secret, 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.answer()

            def do_PATCH(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                assert self.headers["Content-Type"] == "application/merge-patch+json"
                outer.patches += 1
                outer.secret = merge(outer.secret, body)
                self.answer()

            def answer(self):
                good = self.path == "/api/v1/namespaces/rucio/secrets/vo1-rucio-policy-package"
                good = good and self.headers["Authorization"] == "Bearer a-token"
                data = json.dumps(outer.secret).encode()
                self.send_response(200 if good else 403)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def merge(there, patch):
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    result = dict(there) if isinstance(there, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


if __name__ == "__main__":
    policy_packages.main()
