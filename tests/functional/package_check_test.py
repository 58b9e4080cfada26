"""`venvoy package check`, `which`, `probe` and `drift`, by the numbers of the acceptance statements (A01 …); the real Rucio
is asked the same where there is one."""

import json
import textwrap

import harness
import policy_packages
from policy_packages import HOST, HOST_35, HOST_37, HOST_38, PERMISSION, SCHEMA, PackageTest, pyproject

REFUSED = {"PolicyPackageVersionError"}


class ContractTest(PackageTest):
    def judge(self, value, host=HOST, code=0, static=False):
        return self.check(self.contract(value), host, *(["--static"] if static else []), code=code)

    def test_A01_a_lower_bound_accepts(self):
        self.assertEqual(self.judge('">=35"')["verdict"], "accepted")
        self.assertEqual(self.host_verdict(HOST, self.folder / "vo1_policy"), "ok")

    def test_A02_entries_are_combined_with_and(self):
        report = self.judge('["==40", "==41"]', code=3)
        self.assertEqual(report["verdict"], "mismatch")
        self.assertIn("AND", self.finding(report, "L-05")["text"])
        self.assertIn(self.host_verdict(HOST, self.folder / "vo1_policy"), REFUSED)

    def test_A03_the_old_syntax(self):
        value = '["1.30", "1.31", "32"]'
        self.assertEqual(self.judge(value, code=4)["verdict"], "unparsable")
        module = self.folder / "vo1_policy"
        self.assertEqual(self.host_verdict(HOST, module), "InvalidSpecifier")
        self.assertEqual(self.judge(value, "32.8.6")["verdict"], "accepted")
        self.assertEqual(self.judge(value, HOST_35, code=3)["verdict"], "mismatch")
        self.assertIn(self.host_verdict(HOST_35, module), REFUSED)
        self.assertEqual(self.judge('["34", "35"]', HOST_35)["verdict"], "accepted")
        self.assertEqual(self.host_verdict(HOST_35, module), "ok")

    def test_A04_a_minor_bound_locks_the_host_out(self):
        report = self.judge('">=41.2"', code=3)
        self.assertEqual(report["verdict"], "mismatch")
        self.assertIn("41", self.finding(report, "L-04")["text"])
        self.assertIn("only the major", self.finding(report, "L-04")["text"])
        self.assertIn(self.host_verdict(HOST, self.folder / "vo1_policy"), REFUSED)

    def test_A05_no_contract(self):
        module = self.module(init="", permission=PERMISSION.format(answer="None"))
        report = self.check(module)
        self.assertEqual((report["verdict"], self.finding(report, "L-03")["level"]), ("accepted", "warning"))
        self.assertEqual(self.host_verdict(HOST, module), "ok")

    def test_A06_a_missing_comma_is_seen_without_running_code(self):
        module = self.contract('[\n    ">=35"\n    "<40",\n]')
        (module / "__init__.py").write_text((module / "__init__.py").read_text() + f"open('{self.folder}/ran', 'w')\n")
        report = self.check(module, HOST, "--static", code=4)
        self.assertEqual(self.finding(report, "L-06")["line"], 3)
        self.assertFalse((self.folder / "ran").exists(), "code of the package was run")
        self.assertEqual(self.host_verdict(HOST, module), "InvalidSpecifier")

    def test_A07_no_text(self):
        for value, raised in (("41", "TypeError"), ("None", "TypeError"), ("[41]", "TypeError"), ('(">=35",)', "AttributeError")):
            for static in (True, False):
                with self.subTest(value, static=static):
                    report = self.judge(value, code=4, static=static)
                    self.assertEqual(self.finding(report, "L-01")["level"], "error")
            with self.subTest(value):
                self.assertEqual(self.host_verdict(HOST, self.folder / "vo1_policy"), raised)

    def test_A08_host_majors(self):
        for text, major in (
            ("41.5.1", "41"),
            ("release-41.5.1", "41"),
            ("41.0.0rc1", "41"),
            ("1.31.7", "1.31"),
            ("rucio/rucio-server:release-38.6.4", "38"),
        ):
            with self.subTest(text):
                report = self.check(self.contract('""'), text, "--static", code=3 if major == "1.31" else 0)
                self.assertEqual(report["host_major"], major)

    def test_the_table_of_contracts_agrees_with_the_hosts(self):
        values = (
            '""', "[]", '">=35.0.0"', '[">=35", "<42"]', '"==41"', '"==41.*"', '"===41"', '"~=41.0"', '"==41.0.0"', '">=41rc1"',
            '"35"', '"==41.5.1"', '"~=41.5"', '"!=41.0.0"', '">41.0"', '"~=41"', '"~=40.0,!=40.4.0"', '"<41,>=38"', '"==38.*"',
        )
        packages = [self.module(f"contract{number}", init=f"SUPPORTED_VERSION = {value}\n") for number, value in enumerate(values)]
        words = {"ok": "accepted", "PolicyPackageVersionError": "mismatch", "InvalidSpecifier": "unparsable"}
        for host in (HOST, HOST_37, HOST_35):
            for value, module, real in zip(values, packages, self.host_verdicts(host, packages), strict=True):
                with self.subTest(host=host, value=value):
                    result = self.package("check", module, "--host-version", host, "--static", "--output", "json")
                    self.assertEqual(json.loads(result.out)["verdict"], words[real], result)

    def test_a_contract_that_is_computed_is_asked(self):
        module = self.contract('">=" + str(40 + 2)')
        self.assertEqual(self.check(module, HOST, "--static")["verdict"], "none")
        self.assertEqual(self.check(module, code=3)["verdict"], "mismatch")
        answer = self.probe(module, "contract", host=HOST, code=3)
        self.assertEqual((answer["verdict"], answer["rule"], answer["host_major"]), ("mismatch", "specifier", "41"))
        self.assertEqual(answer["declared"], {"text": "'>=42'", "type": "str", "value": ">=42"})


class WhichTest(PackageTest):
    def config(self, text):
        return self.write("rucio.cfg", textwrap.dedent(text))

    def which(self, text, *arguments, env=None, code=0):
        return self.data("which", "--rucio-cfg", self.config(text), *arguments, env=env, code=code)

    def loaded(self, config, environment=None, vo=None):
        """The schema module that the real host loads."""
        for name in ("a_policy", "b_policy"):
            if not (self.folder / name).exists():
                self.module(name, init="", schema=SCHEMA, permission=PERMISSION.format(answer="None"))
        load = f"schema.load_schema_for_vo({vo!r})\n" if vo else ""
        return self.rucio(
            HOST,
            f"from rucio.common import schema\n{load}answer = schema.schema_modules[{vo or 'def'!r}].__name__",
            config=config,
            environment=environment,
        )

    def test_A10_the_environment_goes_before_the_file(self):
        text = "[policy]\npackage = a_policy\n"
        self.assertEqual(self.which(text)["package"], "a_policy")
        answer = self.which(text, env={"RUCIO_POLICY_PACKAGE": "b_policy"})
        self.assertEqual((answer["package"], answer["origin"], answer["key"]), ("b_policy", "environment", "RUCIO_POLICY_PACKAGE"))
        config = {"policy": {"package": "a_policy"}}
        self.assertEqual(self.loaded(config), "a_policy.schema")
        self.assertEqual(self.loaded(config, {"RUCIO_POLICY_PACKAGE": "b_policy"}), "b_policy.schema")

    def test_A11_vos(self):
        text = "[common]\nmulti_vo = True\n[policy]\npackage-vo1 = a_policy\n"
        config = {"common": {"multi_vo": "True"}, "policy": {"package-vo1": "a_policy"}}
        for variable, package, origin in (
            ("RUCIO_POLICY_PACKAGE_VO1", "b_policy", "environment"),
            ("RUCIO_POLICY_PACKAGE_vo1", "a_policy", "file"),
        ):
            with self.subTest(variable):
                answer = self.which(text, "--vo", "vo1", env={variable: "b_policy"})
                self.assertEqual((answer["package"], answer["origin"]), (package, origin))
                self.assertEqual(self.loaded(config, {variable: "b_policy"}, "vo1"), f"{package}.schema")
        self.assertEqual(self.which(text, "--vo", "vo1")["line"], 4)

    def test_A12_the_option_of_single_vo_hosts(self):
        text = "[common]\nmulti_vo = yes\n[policy]\npackage = a_policy\n"
        answer = self.which(text, "--vo", "vo1")
        self.assertEqual((answer["package"], answer["origin"], answer["key"]), (None, "default", "generic_multi_vo"))
        self.assertIn("does not apply to VOs", " ".join(answer["hints"]))
        config = {"common": {"multi_vo": "yes"}, "policy": {"package": "a_policy"}}
        self.assertEqual(self.loaded(config, vo="vo1"), "rucio.common.schema.generic_multi_vo")

    def test_A13_a_variable_that_only_the_merge_tool_reads(self):
        variable = {"RUCIO_CFG_POLICY_PACKAGE_VO1": "b_policy"}
        answer = self.which("[common]\nmulti_vo = True\n", "--vo", "vo1", env=variable)
        self.assertIsNone(answer["package"])
        self.assertIn("RUCIO_CFG_POLICY_PACKAGE_VO1 is not read by Rucio", " ".join(answer["hints"]))
        self.assertIn("package_vo1", self.merged("[common]\nmulti_vo = True\n", variable))
        config = {"common": {"multi_vo": "True"}, "policy": {"package_vo1": "b_policy"}}
        self.assertEqual(self.loaded(config, vo="vo1"), "rucio.common.schema.generic_multi_vo")

    def merged(self, text, environment):
        """What the merge tool of Rucio makes of a file."""
        import subprocess

        python = self.host_python(HOST)
        (tool,) = python.parents[1].rglob("merge_rucio_configs.py")
        source, out = self.write("merge-me.cfg", text), self.folder / "merged.cfg"
        command = [str(python), str(tool), "--use-env", "-s", str(source), "-d", str(out)]
        subprocess.run(command, env={"PATH": "/usr/bin:/bin", **environment}, check=True, capture_output=True)
        return out.read_text()

    def test_A14_quotes_and_comments(self):
        for line, words in (('package = "a_policy"', "quotes"), ("package = a_policy ; ours", "comment"), ("package = a-policy", "'_'")):
            with self.subTest(line):
                config = self.config(f"[common]\n\n[policy]\n{line}\n")
                result = self.package("which", "--rucio-cfg", config)
                self.require_failure(result, 1, "rucio.cfg:4", words)

    def test_A15_an_empty_variable(self):
        config = self.config("[policy]\npackage = a_policy\n")
        result = self.package("which", "--rucio-cfg", config, env={"RUCIO_POLICY_PACKAGE": ""})
        self.require_failure(result, 1, "RUCIO_POLICY_PACKAGE", "empty")
        answer = self.loaded({"policy": {"package": "a_policy"}}, {"RUCIO_POLICY_PACKAGE": ""})
        self.assertEqual(answer["error"], "ValueError")

    def test_what_else_a_host_refuses(self):
        for text, words in (
            ("[common]\nmulti_vo = maybe\n", "rucio.cfg:2"),
            ("[policy]\npackage = a%b\n", "rucio.cfg:2"),
            ("[policy]\npackage = a\npackage = b\n", "rucio.cfg:3"),
            ("package = a\n", "rucio.cfg:1"),
            ("[policy]\npackage\n", "rucio.cfg:2"),
        ):
            with self.subTest(text):
                self.require_failure(self.package("which", "--rucio-cfg", self.config(text)), 1, words)
        missing = self.package("which", env={"RUCIO_CONFIG": str(self.folder / "nowhere.cfg")})
        self.require_failure(missing, 1, "nowhere.cfg")

    def test_hints(self):
        answer = self.which("[common]\n", env={"RUCIO_POLICY_PACKAGE": "a_policy"})
        self.assertIn("up to 38.0", " ".join(answer["hints"]))
        answer = self.which("[policy]\npermission = atlas\n")
        self.assertEqual(answer["key"], "atlas")
        answer = self.which("[common]\nmulti_vo = 1\n[policy]\nPackage-Vo1 = a_policy\n", "--vo", "VO1")
        self.assertEqual(answer["package"], "a_policy")


class PermissionTest(PackageTest):
    def answer(self, module, action="add_rse", *arguments):
        return self.probe(module, "permission", "--action", action, *arguments, host=HOST)

    def test_A16_none_means_generic(self):
        module = self.module(init="", permission=PERMISSION.format(answer="None"))
        answer = self.answer(module)
        self.assertEqual((answer["answer"], answer["why"], answer["generic_answer"]), ("fallback", "none", "allow"))
        self.assertEqual(self.host_permission(HOST, module)["allowed"], True)
        alone = self.probe(module, "permission", "--action", "add_rse")
        self.assertEqual((alone["answer"], alone["generic_answer"]), ("fallback", None))

    def test_A17_no_session(self):
        module = self.module(init="", permission="def has_permission(issuer, action, kwargs):\n    return False\n")
        self.assertEqual(self.finding(self.check(module, code=8), "L-11")["line"], 1)
        for action in ("add_rse", "del_rse", "add_account"):
            answer = self.answer(module, action)
            self.assertEqual((answer["answer"], answer["why"], answer["host_answer"]["answer"]), ("fallback", "TypeError", "allow"))
        self.assertEqual(self.host_permission(HOST, module)["allowed"], True)

    def test_A18_an_absent_module(self):
        module = self.module(init="", permission="import nobody_has_this\n" + PERMISSION.format(answer="False"))
        found = self.finding(self.check(module, code=8), "L-10")
        self.assertEqual((found["level"], found["file"], found["line"]), ("error", "vo1_policy/permission.py", 1))
        self.assertIn("nobody_has_this", found["text"])
        self.assertEqual(self.host_permission(HOST, module)["allowed"], True, "the host falls back")
        answer = self.answer(module)
        self.assertEqual((answer["why"], answer["error"]["missing"]), ("import failed", "nobody_has_this"))

    def test_A18_what_is_there_is_no_finding(self):
        text = "import json\nimport sqlalchemy\nimport dateutil.parser\nfrom rucio.common.types import InternalAccount\n"
        text += "try:\n    import nobody_has_this\nexcept ImportError:\n    nobody_has_this = None\n"
        module = self.module(init="", permission=text + PERMISSION.format(answer="None"))
        self.assertNotIn("L-10", self.rules(self.check(module)))

    def test_A19_permission_result(self):
        line = "from rucio.core.permission import PermissionResult\n"
        module = self.module(init="", permission=line + "def has_permission(issuer, action, kwargs, session):\n    return PermissionResult(False, 'no')\n")
        self.finding(self.check(module, code=8), "L-09")
        self.assertEqual(self.host_permission(HOST, module)["error"], "ErrorLoadingPolicyPackage")
        inside = f"def has_permission(issuer, action, kwargs, session):\n    {line}    return PermissionResult(False, 'no')\n"
        (module / "permission.py").write_text(inside)
        self.assertNotIn("L-09", self.rules(self.check(module)))
        answer = self.answer(module)
        self.assertEqual((answer["answer"], answer["message"], answer["host_answer"]["message"]), ("deny", "no", "no"))
        self.assertEqual(self.host_permission(HOST, module), {"allowed": False, "message": "no"})

    def test_L09_imports_that_reach_the_schema(self):
        for line in ("import rucio.core.rse", "from rucio.common.schema import get_schema_value", "from rucio.rse import rsemanager"):
            with self.subTest(line):
                module = self.module("a" + str(abs(hash(line)) % 1000), init=line + "\n", schema=SCHEMA)
                report = json.loads(self.package("check", module, "--host-version", HOST, "--output", "json").out)
                self.assertEqual(self.finding(report, "L-09")["line"], 1)
        module = self.module(init="from rucio.common.exception import RucioException\nfrom vo1_policy import more\n", more="import rucio.core.did\n")
        report = json.loads(self.package("check", module, "--host-version", HOST, "--output", "json").out)
        self.assertIn("more.py:1", self.finding(report, "L-09")["text"])

    def test_A20_multi_vo_needs_permission(self):
        module = self.module(init="", schema=SCHEMA)
        self.assertEqual(self.rules(self.check(module)), ["L-03"])
        report = self.check(module, HOST, "--vo", "vo1", code=8)
        self.finding(report, "L-16")
        self.assertNotIn("L-16", self.rules(self.check(module, HOST, "--vo", "vo1", "--single-vo")))
        config = {"common": {"multi_vo": "True"}, "policy": {"package-vo1": "vo1_policy"}}
        answer = self.host_permission(HOST, module, config=config, vo="vo1")
        self.assertEqual(answer["error"], "PolicyPackageNotFound")

    def test_A51_action_drift(self):
        """A table of some years ago, whose default rule never says None."""
        wanted = self.rucio(
            HOST,
            "import ast, inspect, rucio.core.permission.generic as generic\n"
            "tables = [node for node in ast.walk(ast.parse(inspect.getsource(generic.has_permission))) if isinstance(node, ast.Dict)]\n"
            "answer = [key.value for key in tables[0].keys]",
        )
        missing = sorted(["add_opendata_did", "delete_opendata_did", "update_opendata_did", "update_scope"])
        table = [name for name in wanted if name not in missing] + ["get_auth_token_saml"]
        text = "def perm_default(issuer, kwargs, session=None):\n    return issuer.external == 'root'\n\n\n"
        text += "def has_permission(issuer, action, kwargs, session=None):\n    perm = {"
        text += ", ".join(f"'{name}': perm_default" for name in table)
        text += "}\n    return perm.get(action, perm_default)(issuer=issuer, kwargs=kwargs, session=session)\n"
        module = self.module(init="", permission=text)
        found = [each["text"] for each in self.check(module)["findings"] if each["rule"] == "L-12"]
        self.assertEqual(len(found), 2, found)
        self.assertTrue(found[0].endswith(": " + ", ".join(missing)), found[0])
        self.assertTrue(found[1].endswith(": get_auth_token_saml"), found[1])
        # One that answers None leaves them to the host.
        (module / "permission.py").write_text(text.replace("perm.get(action, perm_default)(", "(perm.get(action) or none)(") + "\n\ndef none(**_):\n    return None\n")
        found = [each["text"] for each in self.check(module)["findings"] if each["rule"] == "L-12"]
        self.assertEqual(len(found), 1, found)


class SchemaTest(PackageTest):
    def value(self, module, key, *arguments):
        return self.probe(module, "schema", "--key", key, *arguments, host=HOST)

    def real(self, module, key):
        return self.rucio(HOST, f"from rucio.common.schema import get_schema_value\nanswer = get_schema_value({key!r}, 'def')", module)

    def test_A21_values_with_their_origin(self):
        module = self.module(init="", schema="SCOPE_LENGTH = 50\n")
        listed = self.probe(module, "schema", host=HOST)["values"]
        self.assertEqual(listed["SCOPE_LENGTH"], {"origin": "package", "value": 50})
        self.assertEqual(listed["NAME_LENGTH"], {"origin": "generic", "value": 250})
        self.assertEqual((self.real(module, "SCOPE_LENGTH"), self.real(module, "NAME_LENGTH")), (50, 250))
        self.assertEqual(self.value(module, "NAME_LENGTH")["origin"], "generic")

    def test_A22_late_references(self):
        module = self.module(init="", schema="ACCOUNT_LENGTH = 1000\n")
        self.assertEqual(self.value(module, "ACCOUNT")["value"]["maxLength"], 1000)
        self.assertEqual(self.real(module, "ACCOUNT")["maxLength"], 1000)

    def test_A23_a_constant_without_its_schema(self):
        module = self.module(init="", schema='SCOPE = {"type": "string", "maxLength": 3}\n')
        texts = " ".join(each["text"] for each in self.check(module)["findings"] if each["rule"] == "L-13")
        self.assertIn("SCHEMAS has no 'scope'", texts)
        validate = "from rucio.common.schema import validate_schema\nvalidate_schema('{}', {!r}, 'def')\nanswer = 'valid'"
        self.assertEqual(self.rucio(HOST, validate.format("scope", "longer"), module), "valid")
        did = {"scope": "longer", "name": "n", "type": "FILE"}
        real = self.rucio(HOST, validate.format("did", did), module)
        mine = self.probe(module, "schema", "--name", "did", "--object", json.dumps(did), host=HOST)
        self.assertEqual((mine["valid"], mine["origin"]), (real == "valid", "generic"))
        mine = self.probe(module, "schema", "--name", "scope", "--object", '"longer"', host=HOST)
        self.assertEqual((mine["valid"], mine["origin"]), (True, "generic"))

    def test_L13_copies_and_the_regular_expression_of_urls(self):
        module = self.module(init="", permission=PERMISSION.format(answer="None"), schema="ACCOUNT = {'maxLength': 25}\nSCHEMAS = {'account': ACCOUNT}\n")
        report = self.check(module, HOST, "--vo", "vo1")
        texts = [each["text"] for each in report["findings"] if each["rule"] == "L-13"]
        self.assertTrue(any("literal copies" in text and text.endswith("ACCOUNT") for text in texts), texts)
        self.assertTrue(any("SCOPE_NAME_REGEXP" in text for text in texts), texts)


ALGORITHMS = """\
def get_algorithms():
    from vo1_policy import paths
    return {returned}
"""
PATHS = """\
def five(scope, name, rse, rse_attributes, protocol_attributes):
    return "five/" + name
def three(dsn, scope, filename):
    return f"/three/{dsn}/{filename}"
def two(scope, name):
    return name
"""
LFN2PFN = "def lfn2pfn(scope, name, rse, rse_attributes, protocol_attributes):\n    return 'default/' + name\n"
LOAD = "from rucio.rse.translation import RSEDeterministicTranslation as T\n"


class AlgorithmTest(PackageTest):
    def algorithms(self, returned, name="vo1_policy", **files):
        import shutil

        shutil.rmtree(self.folder / name, ignore_errors=True)
        return self.module(name, init=ALGORITHMS.format(returned=returned), paths=PATHS, permission=PERMISSION.format(answer="None"), **files)

    def call_path(self, module, name, arguments=("user.jdoe", "f1", "X", {}, {}), host=HOST, kind="lfn2pfn", *more, code=0):
        named = ["--name", name] if name else []
        return self.probe(module, "call", "--type", kind, *named, "--arguments", json.dumps(list(arguments)), *more, host=host, code=code)

    def real_path(self, module, attributes, host=HOST, **options):
        return self.rucio(host, LOAD + f"answer = T('X', {attributes!r}, {{}}, 'def').path('user.jdoe', 'f1')", module, **options)

    def client(self, vo):
        """The configuration of a client of a VO, the only multi-VO set-up that needs no table of VOs."""
        return {"common": {"multi_vo": "True"}, "database": None, "client": {"vo": vo}, "policy": {f"package-{vo}": "vo1_policy"}}

    def test_A24_names_and_vos(self):
        module = self.algorithms('{"lfn2pfn": {"my_lfn2pfn": paths.five}}')
        report = self.check(module)
        self.assertEqual((report["verdict"], self.finding(report, "L-08")["level"]), ("accepted", "warning"))
        found = self.finding(self.check(module, HOST, "--vo", "vo1", code=8), "L-08")
        self.assertEqual(found["level"], "error")
        self.assertIn("my_lfn2pfn", found["text"])
        self.assertIn("vo1", found["text"])
        self.assertEqual(self.real_path(module, {"lfn2pfn_algorithm": "my_lfn2pfn"}), "five/f1")
        answer = self.real_path(module, {}, config=self.client("vo1"))
        self.assertEqual((answer["error"], answer["code"]), ("InvalidAlgorithmName", 100))

    def test_A25_prefixes_in_any_case(self):
        module = self.algorithms('{"lfn2pfn": {"VO1_x": paths.five, "vo1x": paths.five}}')
        self.assertNotIn("L-08", self.rules(self.check(module, HOST, "--vo", "vo1")))
        asked = self.probe(module, "algorithms", "--vo", "vo1", host=HOST)["types"]["lfn2pfn"]
        self.assertEqual({name: facts["prefix"] for name, facts in asked.items()}, {"VO1_x": "ok", "vo1x": "ok"})
        self.assertEqual(self.real_path(module, {"lfn2pfn_algorithm": "VO1_x"}, config=self.client("vo1")), "five/f1")

    def test_A26_surl(self):
        module = self.algorithms('{"surl": {"vo1_x": paths.three}}')
        for host, level, code in ((HOST_37, "warning", 0), ("38.3.0", "warning", 0), ("38.4.0", "error", 8), (HOST, "error", 8)):
            with self.subTest(host):
                self.assertEqual(self.finding(self.check(module, host, "--static", code=code), "L-07")["level"], level)
        body = "from rucio.common.utils import construct_non_deterministic_pfn as c\nanswer = c('d', 's', 'f', 'vo1_x', 'def')"
        if_old = body.replace(", 'vo1_x', 'def'", ", 'vo1_x'")
        self.assertEqual(self.rucio(HOST, body, module)["error"], "InvalidPolicyPackageAlgorithmType")
        self.assertEqual(self.rucio(HOST_38, if_old, module)["error"], "InvalidPolicyPackageAlgorithmType")
        self.assertEqual(self.rucio(HOST_37, "from rucio.common.utils import NonDeterministicPFNAlgorithms as N\nanswer = N().construct_non_deterministic_pfn('d', 's', 'f', 'vo1_x')", module), "/three/d/f")
        answer = self.call_path(module, "vo1_x", ("d", "s", "f"), HOST, "non_deterministic_pfn", "--alias-surl")
        self.assertEqual((answer["result"], answer["origin"]), ("/three/d/f", "registered"))
        self.assertEqual(answer["aliases"], [{"from": "surl", "to": "non_deterministic_pfn", "by": "option"}])
        self.assertEqual(self.probe(module, "algorithms", host=HOST)["unknown_types"], ["surl"])

    def test_A27_default_algorithms(self):
        module = self.module(init="", lfn2pfn=LFN2PFN)
        for name, wanted, origin in ((None, "default/f1", "default"), ("hash", "default/f1", "default"), ("identity", "user/jdoe/f1", "built-in")):
            with self.subTest(name):
                answer = self.call_path(module, name)
                self.assertEqual((answer["result"], answer["origin"]), (wanted, origin))
                self.assertEqual(self.real_path(module, {"lfn2pfn_algorithm": name} if name else {}), wanted)
        # Hosts before 38 know no such files.
        self.assertEqual(self.call_path(module, None, host=HOST_37)["result"], "user/jdoe/7f/2d/f1")

    def test_A28_the_built_in_hash(self):
        module = self.module(init="")
        self.assertEqual(self.call_path(module, "hash")["result"], "user/jdoe/7f/2d/f1")
        self.assertEqual(self.real_path(module, {"lfn2pfn_algorithm": "hash"}), "user/jdoe/7f/2d/f1")

    def test_A29_arity(self):
        module = self.algorithms('{"lfn2pfn": {"vo1_short": paths.two}}')
        for arguments in (["--static"], []):
            with self.subTest(arguments):
                found = self.finding(self.check(module, HOST, *arguments, code=8), "L-17")
                self.assertIn("vo1_short", found["text"])
        answer = self.call_path(module, "vo1_short", code=5)
        self.assertEqual(answer["error"]["class"], "TypeError")
        self.assertEqual(self.real_path(module, {"lfn2pfn_algorithm": "vo1_short"})["error"], "TypeError")

    def test_A30_get_algorithms_that_fail(self):
        texts = {}
        for body, real in (
            ("raise ImportError('no luck')", "user/jdoe/7f/2d/f1"),
            ("raise RuntimeError('no luck')", "RuntimeError"),
            ("return None", "AttributeError"),
        ):
            with self.subTest(body):
                name = f"fails{len(texts)}"
                module = self.module(name, init=f"def get_algorithms():\n    {body}\n")
                texts[body] = self.finding(self.check(module, code=5), "L-17")["text"]
                answer = self.real_path(module, {})
                self.assertEqual(answer if isinstance(answer, str) else answer["error"], real)
        self.assertEqual(len(set(texts.values())), 3, texts)

    def test_A55_a_new_type(self):
        module = self.algorithms('{"placement": {"vo1_near": paths.two}}')
        self.assertIn("placement", self.finding(self.check(module, code=8), "L-07")["text"])
        self.assertEqual(self.probe(module, "algorithms", host=HOST)["unknown_types"], ["placement"])
        answer = self.call_path(module, "vo1_near", ("a", "b"), HOST, "placement")
        self.assertEqual((answer["result"], answer["known_type"]), ("b", False))

    def test_L19_a_file_without_its_function(self):
        module = self.module(init="", scope="def extract(did, scopes):\n    return 's', did\n", pfn2lfn="class Pfn2Lfn:\n    pass\n")
        report = self.check(module)
        found = [each["file"] for each in report["findings"] if each["rule"] == "L-19"]
        self.assertEqual(found, ["vo1_policy/scope.py"])


class HostileTest(PackageTest):
    def test_A31_packages_that_misbehave(self):
        for name, init, kind in (
            ("prints", "import sys\nprint('{\"declared\": 1}')\nsys.stdout.flush()\nSUPPORTED_VERSION = '>=35'\n", None),
            ("exits", "import sys\nsys.exit(3)\n", "SystemExit"),
            ("vanishes", "import os\nos._exit(0)\n", "ProcessEnded"),
            ("hangs", "while True:\n    pass\n", "TimeoutError"),
            ("eats", "x = bytearray(1 << 34)\n", "MemoryError"),
            ("dials", "import socket\nsocket.create_connection(('127.0.0.1', 1))\n", "PermissionError"),
            ("forks", "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\nSUPPORTED_VERSION = '>=35'\n", None),
        ):
            with self.subTest(name):
                module = self.module(name, init=init)
                arguments = ["--timeout", "3s"] if kind == "TimeoutError" else []
                answer = self.probe(module, "contract", *arguments, host=HOST, code=5 if kind else 0)
                if kind:
                    self.assertEqual(answer["error"]["class"], kind)
                else:
                    self.assertEqual(answer["verdict"], "ok")
                self.require_no_process()
        report = self.check(self.folder / "exits", code=5)
        self.assertIn("exit(3)", self.finding(report, "L-18")["text"])

    def test_A32_no_init(self):
        module = self.module(permission=PERMISSION.format(answer="False"))
        (module / "permission.py").unlink()
        (module / "data.txt").write_text("")
        report = self.check(module, code=8)
        self.assertEqual(self.finding(report, "L-18")["level"], "error")
        answer = self.rucio(HOST, "from rucio.common import schema\nanswer = schema.schema_modules['def'].__name__", module)
        self.assertEqual(answer, "rucio.common.schema.generic")

    def test_L18_syntax(self):
        module = self.module(init="match 1:\n    case 1:\n        pass\n")
        found = self.finding(self.check(module, HOST, "--static", code=5), "L-18")
        self.assertIn("3.9", found["text"])
        module = self.module("broken", init="def f(:\n")
        self.assertEqual(self.finding(self.check(module, code=5), "L-18")["line"], 1)

    def test_an_init_that_needs_what_nobody_has(self):
        module = self.module(init="import nobody_has_this\n")
        texts = [each["text"] for each in self.check(module, code=5)["findings"] if each["rule"] == "L-18"]
        self.assertIn("nobody_has_this", texts[0])
        self.assertIn("PolicyPackageNotFound", texts[0])
        answer = self.rucio(HOST, "import rucio.common.schema", module)
        self.assertEqual((answer["error"], answer["code"]), ("PolicyPackageNotFound", 93))


class ProjectTest(PackageTest):
    def project(self, name="project", version="1.0", module="vo1_policy", **options):
        files = {"__init__.py": "SUPPORTED_VERSION = '>=38'\n", "permission.py": PERMISSION.format(answer="None")}
        return self.repository(name, version, files, module, **options)

    def test_metadata_rules(self):
        folder = self.project(distribution="other-name", requires=["rucio>=38"], more='requires-python = ">=3.10"')
        report = self.check(folder, HOST, "--static", code=8)
        self.assertEqual(self.rules(report), ["L-14", "L-15", "L-18"])
        self.assertEqual(self.finding(report, "L-14")["file"], "pyproject.toml")
        self.assertEqual((report["distribution"], report["module"], report["version"]), ("other-name", "vo1_policy", "1.0"))

    def test_L14_a_pin_that_the_host_does_not_take(self):
        folder = self.project(requires=["urllib3==2.0.0", "six"])
        found = self.finding(self.check(folder, HOST, "--static", code=8), "L-14")
        self.assertIn("urllib3", found["text"])

    def test_L20_branches(self):
        folder = self.project()
        for version, wanted in (("main", True), ("v1.0", False)):
            with self.subTest(version):
                report = self.check(f"vo1_policy@git+file://{folder}@{version}", HOST, "--static")
                self.assertEqual("L-20" in self.rules(report), wanted)
                self.assertEqual(len(report["commit"]), 40)

    def test_static_builds_nothing(self):
        folder = self.project()
        backend = "open('/proc/self/cwd/ran', 'w')\n"
        (folder / "pyproject.toml").write_text(
            '[build-system]\nrequires = []\nbuild-backend = "trap"\nbackend-path = ["."]\n\n[project]\nname = "vo1_policy"\nversion = "1.0"\n'
        )
        (folder / "trap.py").write_text(backend + "raise SystemExit('the back end was run')\n")
        self.assertEqual(self.check(folder, HOST, "--static")["verdict"], "accepted")
        self.require_failure(self.package("check", folder, "--host-version", HOST), 6, "the back end was run")

    def test_a_built_project_is_asked(self):
        report = self.check(self.project())
        self.assertEqual((report["verdict"], report["version"], self.rules(report)), ("accepted", "1.0", []))

    def test_the_next_host_version(self):
        result = self.package("check", self.project(), "--host-version", "99.0.0", "--output", "json")
        self.assertEqual((result.code, json.loads(result.out)["verdict"]), (0, "accepted"), result)
        self.assertIn("cannot be had", result.err)

    def test_the_sample(self):
        report = self.check(harness.PROJECT / "samples" / "policy-package", HOST, "--vo", "smp")
        self.assertEqual((report["verdict"], report["findings"]), ("accepted", []))
        answer = self.probe(harness.PROJECT / "samples" / "policy-package", "permission", "--action", "del_rse", "--issuer", "jdoe", host=HOST)
        self.assertEqual((answer["answer"], answer["message"]), ("deny", "storage is removed by root alone"))

    def test_A50_drift(self):
        folder = self.project()
        self.project(version="2.0")
        entry = {"moduleName": "vo1_policy", "requirement": f"git+file://{folder}@v1.0", "version": "1.0"}
        server = {"image": {"tag": "release-41.5.1"}, "policyPackages": {"enabled": True, "packages": [entry]}}
        newer = {**entry, "requirement": f"git+file://{folder}@v2.0", "version": "2.0"}
        daemons = {"image": {"tag": "release-38.6.4"}, "policyPackages": {"enabled": True, "packages": [newer]}}
        first = self.write("server-values.yaml", json.dumps(server))
        second = self.write("daemons-values.yaml", json.dumps(daemons))
        found = self.data("drift", first, second, code=7)
        self.assertEqual([each["host_major"] for each in found["components"]], ["41", "38"])
        self.assertEqual([each["packages"][0]["verdict"] for each in found["components"]], ["accepted", "accepted"])
        text = "\n".join(found["drift"])
        self.assertIn("41 (server)", text)
        self.assertIn("38 (daemons)", text)
        self.assertIn("1.0 (server), 2.0 (daemons)", text)
        self.assertEqual(self.data("drift", first)["drift"], [])
        old = {"server": {**server, "image": {"tag": "37.7.1"}}}
        found = self.data("drift", self.write("old.yaml", json.dumps(old)), code=7)
        self.assertEqual(found["components"][0]["packages"][0]["verdict"], "mismatch")


if __name__ == "__main__":
    policy_packages.main()
