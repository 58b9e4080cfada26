"""Walks the table of exit codes (spec/command.md section 3) through the program, for the commands that it has."""

import re

import harness
from harness import FunctionalTest

ABSENT = "0123456789abcdef0123456789abcdef01234567"

# Of each command: the arguments behind it, and the code. A command that --help shows must have rows here; one that it
# does not show must not be accepted. @REF@, @CLOSED@ and @ABSENT@: references to a good plugin, to one without contract,
# and to a commit that is not there. @NET@: to a server that is not there.
ROWS = {
    "run": [
        (["good.yaml"], 0),
        (["good.yaml", "--events", "events.jsonl", "--junit", "junit.xml", "--report", "report.html"], 0),
        (["good.yaml", "--progress", "json", "--no-history", "--no-mask"], 0),
        (["good.yaml", "--events", "nowhere/events.jsonl"], 1),
        (["good.yaml", "--report", "nowhere/report.html"], 1),
        (["good.yaml", "--junit", "."], 1),
        (["good.yaml", "--set", "name=World"], 0),
        (["--set", "name=World", "good.yaml"], 0),
        (["good.yaml", "-i", "input.yaml"], 0),
        (["good.yaml", "--timeout", "1h 30m"], 0),
        # It could not be prepared.
        (["missing.yaml"], 1),
        (["."], 1),
        (["empty.yaml"], 1),
        (["syntax.yaml"], 1),
        (["unknown-key.yaml"], 1),
        (["no-such-step.yaml"], 1),
        (["closed.yaml"], 1),
        (["absent.yaml"], 1),
        (["net.yaml"], 1),
        (["good.yaml", "-i", "missing.yaml"], 1),
        # An error output.
        (["error.yaml"], 2),
        # A wrong command line.
        (["--frobnicate"], 2),
        (["good.yaml", "another.yaml"], 2),
        (["good.yaml", "-i"], 2),
        (["good.yaml", "--timeout", "soon"], 2),
        (["good.yaml", "--progress", "sideways"], 2),
        (["good.yaml", "--set", "name"], 2),
        # It failed on the way.
        (["crash.yaml"], 3),
        (["waiting.yaml", "--timeout", "2s"], 3),
        (["good.yaml", "--set", "nmae=World"], 3),
        (["good.yaml", "-i", "wrong-input.yaml"], 3),
        (["good.yaml", "-i", "syntax.yaml"], 3),
    ],
    "check": [
        (["good.yaml"], 0),
        (["good.yaml", "-i", "input.yaml"], 0),
        (["empty.yaml"], 1),
        (["syntax.yaml"], 1),
        (["no-such-step.yaml"], 1),
        (["closed.yaml"], 1),
        (["good.yaml", "-i", "wrong-input.yaml"], 1),
        (["good.yaml", "-i", "syntax.yaml"], 1),
        (["--frobnicate"], 2),
        (["good.yaml", "another.yaml"], 2),
        (["missing.yaml"], 3),
        (["net.yaml"], 3),
    ],
    "plan": [
        (["good.yaml"], 0),
        (["net.yaml"], 0),  # no server is asked
        (["empty.yaml"], 1),
        (["syntax.yaml"], 1),
        (["unknown-key.yaml"], 1),
        (["no-such-step.yaml"], 1),
        (["--frobnicate"], 2),
        (["good.yaml", "another.yaml"], 2),
        (["missing.yaml"], 3),
    ],
    "graph": [
        (["good.yaml"], 0),
        (["good.yaml", "--format", "dot"], 0),
        (["empty.yaml"], 1),
        (["syntax.yaml"], 1),
        (["no-such-step.yaml"], 1),
        (["closed.yaml"], 1),
        (["--frobnicate"], 2),
        (["good.yaml", "--format", "png"], 2),
        (["missing.yaml"], 3),
        (["net.yaml"], 3),
    ],
    "plugin run": [
        (["@REF@", "hello", "-i", "input.yaml"], 0),
        (["nonsense@@x", "hello", "-i", "input.yaml"], 1),
        (["@CLOSED@", "hello", "-i", "input.yaml"], 1),
        (["@ABSENT@", "hello", "-i", "input.yaml"], 1),
        (["@NET@", "hello", "-i", "input.yaml"], 1),
        (["@REF@", "no-such-step", "-i", "input.yaml"], 1),
        (["@REF@", "hello", "-i", "missing.yaml"], 1),
        (["@REF@", "hello", "-i", "error-input.yaml"], 2),
        ([], 2),
        (["@REF@"], 2),
        (["@REF@", "hello", "--frobnicate"], 2),
        (["@REF@", "hello", "-i", "crash-input.yaml"], 3),
        (["@REF@", "hello", "-i", "wrong-input.yaml"], 3),
        (["@REF@", "hello", "-i", "syntax.yaml"], 3),
        (["@REF@", "hello"], 3),
    ],
    "plugin show": [
        (["@REF@"], 0),
        (["nonsense@@x"], 1),
        (["@CLOSED@"], 1),
        (["@NET@"], 1),
        ([], 2),
        (["@REF@", "--frobnicate"], 2),
    ],
    "plugin schema": [
        (["@REF@"], 0),
        (["nonsense@@x"], 1),
        (["@CLOSED@"], 1),
        (["@NET@"], 1),
        ([], 2),
        (["@REF@", "@REF@"], 2),
        (["@REF@", "--frobnicate"], 2),
    ],
    "plugin check": [
        (["@REF@"], 0),
        (["@CLOSED@"], 1),
        ([], 2),
        (["@REF@", "--frobnicate"], 2),
        (["nonsense@@x"], 2),
        (["@NET@"], 3),
    ],
    "schema workflow": [
        ([], 0),
        (["good.yaml"], 0),
        (["missing.yaml"], 1),
        (["syntax.yaml"], 1),
        (["closed.yaml"], 1),
        (["net.yaml"], 1),
        (["--frobnicate"], 2),
        (["good.yaml", "another.yaml"], 2),
    ],
    "schema config": [
        ([], 0),
        (["surplus"], 2),
    ],
    "schema http": [
        ([], 0),
        (["surplus"], 2),
    ],
    "governance get": [
        ([], 0),
        (["surplus"], 2),
        (["--frobnicate"], 2),
    ],
    "governance set": [
        (["add_node="], 0),
        (["--no-verify", "--cluster", "c1", "add_node=a:1-b"], 0),
        (["add_node=a:1-b"], 2),
        (["add_nod=a:1-b"], 2),
        (["nonsense"], 2),
        ([], 2),
    ],
    "governance update": [
        (["-f", "rules.json"], 0),
        (["-f", "input.yaml"], 2),
        ([], 2),
    ],
    "governance check": [
        (["add_node", "-f", "action.json"], 0),
        (["add_nodes", "-f", "action.json"], 2),
        (["add_block", "-f", "action.json"], 2),
        (["add_node"], 2),
        (["--cluster", "c1", "add_node", "-f", "action.json"], 4),  # of a rule that nobody knows
    ],
    "governance log": [
        ([], 0),
        (["-n", "x"], 2),
    ],
    "governance mode": [
        ([], 0),
        (["remote", "--executor-id", "e", "--kubectl"], 0),
        (["remote"], 2),
        (["Local"], 2),
    ],
    "governance accept": [
        (["nonsense"], 2),
        (["a:1-b"], 2),
        ([], 2),
    ],
    "governance add": [
        (["a:1-b", "--code", "input.yaml"], 2),
        ([], 2),
    ],
    "governance manage": [
        (["a:1-b", "status"], 2),
        (["nonsense", "status"], 2),
        ([], 2),
    ],
    "governance setup": [
        (["--plan", "--offline"], 0),
        (["--offline", "REGISTRY_REPLICAS=0"], 2),
        (["--offline", "--apply"], 2),
        (["--offline", "--plan", "--apply"], 2),
    ],
    "serve": [
        (["--listen", "nowhere"], 2),
        (["--listen", "0.0.0.0:0", "--trust-loopback"], 2),
        (["--frobnicate"], 2),
        (["surplus"], 2),
    ],
    "cache dir": [
        ([], 0),
        (["--frobnicate"], 2),
        (["surplus"], 2),
    ],
    "cache show": [
        (["@REF@"], 0),
        (["nothing-of-that-name"], 1),
        ([], 2),
    ],
    "cache du": [
        ([], 0),
        (["surplus"], 2),
    ],
    "cache verify": [
        ([], 0),
        (["surplus"], 2),
    ],
    "cache prune": [
        (["--dry-run"], 0),
        (["--max-age", "1000d", "--max-size", "100GB"], 0),
        (["--max-age", "soon"], 2),
        (["surplus"], 2),
    ],
    "cache clear": [
        ([], 0),
        (["surplus"], 2),
    ],
    "cache ls": [
        ([], 0),
        (["surplus"], 2),
    ],
    "cache pull": [
        (["@REF@"], 0),
        (["@REF@", "@REF@"], 0),
        (["@ABSENT@"], 1),
        (["@CLOSED@"], 1),
        (["@NET@"], 1),
        (["@REF@", "nonsense@@x"], 1),
        ([], 2),
        (["@REF@", "--frobnicate"], 2),
    ],
    "runs ls": [
        ([], 0),
        (["-n", "1"], 0),
        (["surplus"], 2),
        (["-n", "many"], 2),
    ],
    "runs show": [
        (["latest"], 0),
        (["nothing"], 1),
        ([], 2),
    ],
    "runs log": [
        (["latest"], 0),
        (["latest", "no-such-step"], 1),
        ([], 2),
    ],
    "runs why": [
        (["latest", "greet"], 0),
        (["latest", "no-such-step"], 1),
        (["latest"], 2),
    ],
    "runs rm": [
        (["nothing"], 1),
        ([], 2),
        (["--older-than", "soon"], 2),
        (["latest", "--all"], 2),
        (["--older-than", "1d"], 0),
    ],
    "package check": [
        (["good_policy", "--host-version", "41.5.1", "--static"], 0),
        (["@ABSENT@", "--host-version", "41.5.1"], 1),
        (["@NET@", "--host-version", "41.5.1"], 1),
        (["./nowhere", "--host-version", "41.5.1"], 1),
        ([], 2),
        (["good_policy", "--host-version", "soon"], 2),
        (["nonsense@@x", "--host-version", "41.5.1"], 2),
        (["good_policy", "--frobnicate"], 2),
        (["late_policy", "--host-version", "41.5.1", "--static"], 3),
        (["bare_policy", "--host-version", "41.5.1", "--static"], 4),
        (["broken_policy", "--host-version", "41.5.1", "--static"], 5),
        (["sessionless_policy", "--host-version", "41.5.1", "--static"], 8),
    ],
    "package which": [
        (["--rucio-cfg", "rucio.cfg"], 0),
        (["--rucio-cfg", "quoted.cfg"], 1),
        (["--rucio-cfg", "missing.cfg"], 1),
        (["--frobnicate"], 2),
        (["--rucio-cfg", "rucio.cfg", "--component", "sideways"], 2),
    ],
    "package probe": [
        (["good_policy", "--question", "contract"], 0),
        (["good_policy", "--question", "permission", "--action", "add_rse"], 0),
        (["./nowhere", "--question", "contract"], 1),
        (["good_policy"], 2),
        (["good_policy", "--question", "permission"], 2),
        (["good_policy", "--question", "fate"], 2),
        (["good_policy", "--question", "call", "--type", "scope", "--arguments", "{"], 2),
        (["late_policy", "--question", "contract", "--host-version", "41.5.1"], 3),
        (["bare_policy", "--question", "contract", "--host-version", "41.5.1"], 4),
        (["broken_policy", "--question", "contract"], 5),
    ],
    "package install": [
        (["good_policy", "--target", "target"], 0),
        (["good_policy", "--target", "target"], 0),
        (["./nowhere", "--target", "target"], 1),
        (["good_policy"], 2),
        (["late_policy", "--target", "target", "--host-version", "41.5.1"], 3),
        (["bare_policy", "--target", "target", "--host-version", "41.5.1"], 4),
        (["broken_policy", "--target", "target"], 5),
        (["good_policy", "--target", "good.yaml/x"], 6),
        (["sessionless_policy", "--target", "target"], 8),
    ],
    "package rollback": [
        (["--target", "rolled"], 0),
        (["--target", "nowhere"], 1),
        ([], 2),
    ],
    "package render": [
        (["secret", "good_policy"], 0),
        (["rucio-cfg", "good_policy"], 0),
        (["entrypoint"], 0),
        (["values", "@NET@"], 1),
        ([], 2),
        (["nothing"], 2),
        (["values"], 2),
        (["values", "good_policy", "--component", "sideways"], 2),
        (["dockerfile", "good_policy"], 2),
        (["values", "good_policy"], 8),
    ],
    "package drift": [
        (["values.yaml"], 0),
        (["missing.yaml"], 1),
        (["syntax.yaml"], 1),
        ([], 2),
        (["values.yaml", "other-values.yaml"], 7),
    ],
    "init": [
        (["new"], 0),
        (["new-plugin", "--plugin"], 0),
        (["."], 1),
        (["good.yaml"], 1),
        (["one", "two"], 2),
        (["--frobnicate"], 2),
    ],
    "doctor": [
        ([], 0),
        (["--python", "/nowhere/python3"], 1),
        (["--workdir", "/proc/nowhere"], 1),
        (["--config", "unknown-key.yaml"], 1),
        (["--frobnicate"], 2),
        (["surplus"], 2),
    ],
    "completion": [
        (["bash"], 0),
        (["zsh"], 0),
        (["fish"], 0),
        ([], 2),
        (["csh"], 2),
    ],
    "expr": [
        (["1 + 1"], 0),
        (["$.name", "--data", "input.yaml"], 0),
        (["1 +"], 1),
        (["$.nowhere", "--data", "input.yaml"], 1),
        ([], 2),
        (["1", "--frobnicate"], 2),
    ],
}

# Rows for the program itself.
PROGRAM_ROWS = [
    (["--help"], 0),
    (["--version"], 0),
    ([], 2),
    (["frobnicate"], 2),
    (["--frobnicate"], 2),
    (["--log-level", "loud", "run", "good.yaml"], 2),
    (["--output", "xml", "run", "good.yaml"], 2),
    (["--color", "sometimes", "run", "good.yaml"], 2),
    (["--config", "missing.yaml", "run", "good.yaml"], 1),
    (["--config", "syntax.yaml", "run", "good.yaml"], 1),
    (["--config", "unknown-key.yaml", "run", "good.yaml"], 1),
    (["--config", "unknown-key.yaml", "cache", "dir"], 1),
    (["--workdir", "/proc/nowhere", "cache", "dir"], 1),
    (["--workdir", "/proc/nowhere", "run", "good.yaml"], 1),
    (["--python", "/nowhere/python3", "plugin", "run", "@REF@", "hello", "-i", "input.yaml"], 1),
    (["--offline", "plugin", "run", "@REF@", "hello", "-i", "input.yaml"], 0),
    (["--offline", "cache", "pull", "@REF@"], 2),
    (["plugin"], 2),
    (["cache"], 2),
]

GO_ROWS = [
    (["-workflow", "good.yaml"], 0),
    (["-workflow", "good.yaml", "-input", "input.yaml"], 0),
    (["-h"], 0),
    (["-version"], 0),
    (["-workflow", "good.yaml", "-get-namespaces"], 0),
    (["-workflow", "missing.yaml"], 1),
    (["-workflow", "empty.yaml"], 1),
    (["-workflow", "syntax.yaml"], 1),
    (["-workflow", "unknown-key.yaml"], 1),
    (["-workflow", "no-such-step.yaml"], 1),
    (["-workflow", "no-such-step.yaml", "-get-namespaces"], 1),
    (["-workflow", "absent.yaml"], 1),
    (["-workflow", "net.yaml"], 1),
    (["-workflow", "good.yaml", "-input", "missing.yaml"], 1),
    (["-config", "missing.yaml", "-workflow", "good.yaml"], 1),
    (["-config", "unknown-key.yaml", "-workflow", "good.yaml"], 1),
    (["-context", "nowhere"], 1),
    (["-workflow", "error.yaml"], 2),
    (["-frobnicate"], 2),
    (["-debug=perhaps"], 2),
    (["-workflow"], 2),
    (["-workflow", "crash.yaml"], 3),
    (["-workflow", "good.yaml", "-input", "wrong-input.yaml"], 3),
    (["-workflow", "good.yaml", "-input", "syntax.yaml"], 3),
]

WORKFLOW = harness.WORKFLOW.replace(
    "    Input: {id: Input, properties: {}}\n",
    "    Input: {id: Input, properties: {name: {required: false, type: {type_id: string}}}}\n",
)


def commands_in(help_text):
    """Names below `Subcommands:`."""
    part = help_text.partition("Subcommands:\n")[2].partition("\n\n")[0]
    return re.findall(r"^  (\S+)", part, re.MULTILINE)


class ExitCodesTest(FunctionalTest):
    def setUp(self):
        super().setUp()
        self.plugin, closed = self.tiny(), self.tiny("closed", contract=False)
        self.references = {
            "@REF@": self.plugin.reference(),
            "@CLOSED@": closed.reference(),
            "@ABSENT@": self.plugin.reference(ABSENT),
            "@NET@": "tiny-plugin@git+http://127.0.0.1:1/x.git",
        }
        self.write_config()
        self.write_inputs()
        self.workflow("good.yaml", "@REF@")
        self.workflow("error.yaml", "@REF@", "error")
        self.workflow("crash.yaml", "@REF@", "crash")
        self.workflow("closed.yaml", "@CLOSED@")
        self.workflow("absent.yaml", "@ABSENT@")
        self.workflow("net.yaml", "@NET@")
        good = (self.folder / "good.yaml").read_text()
        self.write("no-such-step.yaml", good.replace("step: hello", "step: helo"))
        self.write("unknown-key.yaml", good.replace("steps:", "stepz:"))
        self.write_waiting_workflow(self.plugin.reference(), file="waiting.yaml")
        self.require_good("run", "good.yaml")
        for package in ("good_policy", "@REF@"):
            reference = self.references.get(package, package)
            self.require_good("package", "install", reference, "--target", "rolled", "--force")

    def write_inputs(self):
        self.write("input.yaml", "name: World\n")
        self.write("error-input.yaml", "name: error\n")
        self.write("crash-input.yaml", "name: crash\n")
        self.write("wrong-input.yaml", "name: [World]\n")
        self.write("empty.yaml", "")
        self.write("rules.json", '{"add_node": ""}')
        self.write("action.json", '{"node_data": {"id": "n7"}}')
        self.write("syntax.yaml", "a: [1, 2\nb: }\n")
        for name, init in (
            ("good", "SUPPORTED_VERSION = '>=38'\n"),
            ("late", "SUPPORTED_VERSION = '>=99'\n"),
            ("bare", "SUPPORTED_VERSION = '41'\n"),
            ("broken", "def f(:\n"),
            ("sessionless", "SUPPORTED_VERSION = '>=38'\n"),
        ):
            session = "" if name == "sessionless" else ", session"
            self.write(f"{name}_policy/__init__.py", init)
            self.write(f"{name}_policy/permission.py", f"def has_permission(issuer, action, kwargs{session}):\n    return None\n")
        self.write("rucio.cfg", "[policy]\npackage = good_policy\n")
        self.write("quoted.cfg", "[policy]\npackage = 'good_policy'\n")
        self.write("values.yaml", "image: {tag: release-41.5.1}\n")
        self.write("other-values.yaml", "image: {tag: release-38.6.4}\n")

    def workflow(self, file, reference, name="World"):
        self.write(file, WORKFLOW.replace("@REFERENCE@", self.references[reference]).replace("@NAME@", name))

    def require_good(self, *arguments):
        self.assertEqual(self.call(*arguments).code, 0)

    def walk(self, prefix, rows, name="venvoy"):
        for arguments, code in rows:
            whole = [self.references.get(argument, argument) for argument in [*prefix, *arguments]]
            with self.subTest(arguments=[*prefix, *arguments], name=name):
                result = self.call(*whole, name=name)
                self.assertEqual(result.code, code, result)
                self.require_streams(result)

    def require_streams(self, result):
        """Data is on stdout where there is some; whoever fails says why on stderr."""
        if result.code in (1, 3) and not {"check", "plan", "doctor", "schema", "probe"} & set(result.command):
            self.assertEqual(result.out, "", result)
        if result.code != 0 and "output_id: error" not in result.out:
            self.assertNotEqual(result.err, "", result)

    def help_of(self, *command):
        result = self.call(*command, "--help")
        self.assertEqual((result.code, result.err), (0, ""), result)
        self.assertIn("Example: venvoy ", result.out)
        return result.out

    def shown_commands(self):
        shown = []
        for command in commands_in(self.help_of()):
            inner = commands_in(self.help_of(command))
            shown += [f"{command} {name}" for name in inner] or [command]
        return shown

    def test_every_command_that_is_shown_has_rows(self):
        shown = self.shown_commands()
        self.assertIn("run", shown)
        self.assertEqual([command for command in shown if command not in ROWS], [], "commands without rows")
        for command in shown:
            self.help_of(*command.split())

    def test_commands(self):
        shown = self.shown_commands()
        for command, rows in ROWS.items():
            if command in shown:
                self.walk(command.split(), rows)
            else:
                result = self.call(*command.split())
                self.assertEqual(result.code, 2, f"{command} is not shown, so it is not there\n{result}")

    def test_commands_to_come_are_not_accepted(self):
        for command in ("lock", "bundle", "resume", "abort"):
            self.assertEqual(self.call(command).code, 2)
        for option in ("--locked", "--resume"):
            self.assertEqual(self.call("run", "good.yaml", option).code, 2)

    def test_the_program(self):
        self.walk([], PROGRAM_ROWS)

    def test_the_go_face(self):
        for name in ("arcaflow", "venvoy"):
            rows = [row for row in GO_ROWS if name == "arcaflow" or row[0] != ["-h"]]
            # Its configuration has the test's store; rows that give another one have the last word.
            self.walk(["-config", "config.yaml"], rows, name)

    def test_the_contract_in_the_go_face(self):
        # By flags alone it is refused, by name it is a warning.
        flags = ["-config", "config.yaml", "-workflow", "closed.yaml"]
        self.assertEqual(self.call(*flags).code, 1)
        self.assertEqual(self.call(*flags, name="arcaflow").code, 0)


if __name__ == "__main__":
    harness.main()
