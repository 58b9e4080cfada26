"""venvoy completion: the scripts, in the shells that they are for, and what they are told."""

import os
import re
import subprocess

import harness
from harness import FunctionalTest, greeting

BASH = """\
source "$SCRIPT"
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
COMPREPLY=()
_venvoy
printf '%s\\n' "${COMPREPLY[@]}"
"""

# What zsh's own functions are given; they work only while somebody types.
ZSH = """\
autoload -Uz compinit
compinit -u -D
source "$SCRIPT"
[[ $_comps[venvoy] == _venvoy ]] || exit 1
_describe() { print -rl -- ${(P)4} }
_files() { print -r -- "_files $*" }
compset() { }
() { local -a words; words=("$@"); local CURRENT=$# PREFIX=${@[-1]}; _venvoy } "$@"
"""

FISH = """\
source $SCRIPT
complete -C "$argv"
"""

OPTION = re.compile(r"^  ((?:-\w,)?--[\w-]+|-\w)", re.MULTILINE)


def commands_in(help_text):
    part = help_text.partition("Subcommands:\n")[2].partition("\n\n")[0]
    return re.findall(r"^  (\S+)", part, re.MULTILINE)


def options_in(help_text):
    return {name for names in OPTION.findall(help_text) for name in names.split(",")}


class CompletionTest(FunctionalTest):
    def setUp(self):
        super().setUp()
        self.write_config()

    def ask(self, *words):
        """The candidates for a command line, the last word being typed, and what the shell is asked for."""
        result = self.call("__complete", "--", *words)
        self.assertEqual((result.code, result.err), (0, ""), result)
        lines = result.out.splitlines()
        wishes = {line for line in lines if line.startswith(":")}
        return [line.split("\t")[0] for line in lines if line not in wishes], wishes

    def shell(self, shell, *words):
        """What a shell makes of it."""
        script = self.write(f"script.{shell}", self.call("completion", shell).out)
        (self.folder / "home").mkdir(exist_ok=True)
        environment = self.environment(SCRIPT=str(script), HOME=str(self.folder / "home"), TERM="dumb")
        commands = {
            "bash": ["bash", "--norc", "--noprofile", "-c", BASH, "bash", *words],
            "zsh": ["zsh", "-f", "-c", ZSH, "zsh", *words],
            "fish": ["fish", "--no-config", "-c", FISH, " ".join(words)],
        }
        options = {"cwd": self.folder, "env": environment, "capture_output": True, "text": True, "timeout": 60}
        run = subprocess.run(commands[shell], **options)
        self.assertEqual((run.returncode, run.stderr), (0, ""), run)
        return run.stdout.splitlines()

    # --- what the program knows ---

    def test_all_commands_and_options(self):
        common = options_in(self.call("--help").out) - {"-h", "--help", "--version"}
        self.assertIn("--workdir", common)
        seen = []
        todo = [[]]
        while todo:
            command = todo.pop()
            seen.append(" ".join(command))
            shown = self.call(*command, "--help").out
            inner = commands_in(shown)
            todo += [[*command, name] for name in inner]
            if inner:
                self.assertEqual(self.ask(*command, "")[0], inner, command)
            expected = options_in(shown) | common
            self.assertEqual(set(self.ask(*command, "-")[0]), expected, command)
            long = {name for name in expected if name.startswith("--")}
            self.assertEqual(set(self.ask(*command, "--")[0]), long, command)
        for command in ("", "run", "cache prune", "plugin show", "completion"):
            self.assertIn(command, seen)

    def test_words_before(self):
        for words, expected in (
            (("c",), {"check", "cache", "completion"}),
            (("--offline", "cache", "d"), {"dir", "du"}),
            (("--workdir", "cache", "pl"), {"plan", "plugin"}),
            (("--workdir=cache", "-q", "plu"), {"plugin"}),
            (("cache", "frobnicate", ""), set()),
            (("frobnicate", "cache", "l"), set()),
            (("run", "--set", "run=x", "--ti"), {"--timeout"}),
            (("run", "--", "--ti"), set()),
        ):
            self.assertEqual(set(self.ask(*words)[0]), expected, words)

    def test_values(self):
        for words, candidates, wishes in (
            (("--output", ""), {"json", "yaml"}, set()),
            (("check", "--output=j"), {"--output=json"}, set()),
            (("--color", "a"), {"auto", "always"}, set()),
            (("plugin", "schema", "--format", "json"), {"json", "jsonschema"}, set()),
            (("completion", ""), {"bash", "zsh", "fish"}, set()),
            (("run", "-i", ""), set(), {":files"}),
            (("run", "--input="), set(), {":files"}),
            (("run", ""), set(), {":files"}),
            (("run", "workflow.yaml", ""), set(), set()),
            (("--workdir", ""), set(), {":folders"}),
            (("init", ""), set(), {":folders"}),
            (("run", "--set", ""), set(), set()),
        ):
            found, wished = self.ask(*words)
            self.assertEqual((set(found), wished), (candidates, wishes), words)

    def test_what_the_store_knows(self):
        found, wishes = self.ask("plugin", "show", "")
        self.assertEqual((found, wishes), ([], {":folders"}))
        self.assertEqual(list(self.store.glob("*")), [], "asking has made a store")
        plugin = self.tiny()
        self.write_workflow(plugin.reference())
        self.require_message(self.run_workflow(), greeting(plugin))
        for words in (
            ("plugin", "show", "tiny"),
            ("cache", "pull", "other==1", "tiny"),
            ("--allow-incompatible", "tiny"),
        ):
            self.assertEqual(self.ask(*words)[0], [plugin.reference()], words)
        self.assertIn("hello", self.ask("plugin", "run", plugin.reference(), "")[0])
        self.assertEqual(self.ask("plugin", "run", "unknown==1", "")[0], [])
        keys = {path.parent.name for path in self.environments()}
        self.assertTrue(keys <= set(self.ask("cache", "show", "")[0]))
        self.assertEqual(self.ask("--workdir", "elsewhere", "plugin", "show", "tiny")[0], [])
        # Bash is given the part behind the last place where it cuts.
        reference = plugin.reference()
        words = [word for word in re.split(r"([=:@]+)", reference[:-2]) if word]
        self.assertEqual(self.shell("bash", "venvoy", "plugin", "show", *words), [re.split("[=:@]", reference)[-1]])
        (line,) = (line for line in self.shell("zsh", "venvoy", "plugin", "show", "tiny") if not line.startswith("_files"))
        self.assertEqual(line.replace("\\:", ":"), reference)
        self.assertIn(reference, self.shell("fish", "venvoy", "plugin", "show", "tiny"))
        # And its steps.
        words = [word for word in re.split(r"([=:@]+)", reference) if word]
        self.assertEqual(self.shell("bash", "venvoy", "plugin", "run", *words, "hel"), ["hello"])
        for shell in ("zsh", "fish"):
            self.assertEqual(self.shell(shell, "venvoy", "plugin", "run", reference, "hel"), ["hello"], shell)

    def test_what_the_history_knows(self):
        state = ("--state-dir", str(self.folder / "state"))
        self.assertEqual(self.ask(*state, "runs", "show", "")[0], [])
        plugin = self.tiny()
        self.write_workflow(plugin.reference())
        self.require_message(self.run_workflow(*state), greeting(plugin))
        runs = self.ask(*state, "runs", "show", "")[0]
        self.assertEqual((len(runs), runs[0]), (2, "latest"))
        self.assertEqual(self.ask(*state, "runs", "why", runs[1], ""), (["greet"], set()))
        self.assertEqual(self.ask(*state, "runs", "log", "latest", "gr")[0], ["greet"])
        for shell in ("bash", "zsh", "fish"):
            self.assertEqual(self.shell(shell, "venvoy", *state, "runs", "log", "latest", "gr"), ["greet"], shell)

    def test_a_configuration_that_cannot_be_read(self):
        self.write("config.yaml", "deployers: [\n")
        result = self.call("__complete", "--", "plugin", "show", "")
        self.assertEqual((result.code, result.out), (0, ":folders\n"), result)

    # --- in the shells ---

    def test_bash(self):
        self.write("input.yaml", "")
        (self.folder / "inner").mkdir()
        for words, expected in (
            (("venvoy", "comp"), {"completion"}),
            (("venvoy", "cache", "d"), {"dir", "du"}),
            (("venvoy", "run", "--ti"), {"--timeout"}),
            (("venvoy", "--output", "j"), {"json"}),
            (("venvoy", "--output", "=", "j"), {"json"}),
            (("venvoy", "--output", "="), {"json", "yaml"}),
            (("venvoy", "run", "-i", "inp"), {"input.yaml"}),
            (("venvoy", "run", "--input", "=", "inp"), {"input.yaml"}),
            (("venvoy", "--workdir", "in"), {"inner"}),
            (("venvoy", "frobnicate", ""), {""}),
        ):
            self.assertEqual(set(self.shell("bash", *words)), expected, words)

    def test_zsh(self):
        (line,) = self.shell("zsh", "venvoy", "compl")
        self.assertEqual(line, "completion:Print a script by which a shell completes command lines")
        self.assertEqual({line.split(":")[0] for line in self.shell("zsh", "venvoy", "cache", "d")}, {"dir", "du"})
        self.assertEqual(self.shell("zsh", "venvoy", "--output=j"), ["--output=json"])
        self.assertEqual(self.shell("zsh", "venvoy", "run", "-i", "in"), ["_files "])
        self.assertEqual(self.shell("zsh", "venvoy", "--workdir", ""), ["_files -/"])

    def test_fish(self):
        self.write("input.yaml", "")
        (self.folder / "inner").mkdir()
        self.assertEqual([line.split("\t")[0] for line in self.shell("fish", "venvoy", "compl")], ["completion"])
        self.assertEqual({line.split("\t")[0] for line in self.shell("fish", "venvoy", "cache", "d")}, {"dir", "du"})
        self.assertEqual(self.shell("fish", "venvoy", "--output=j"), ["--output=json"])
        self.assertEqual(self.shell("fish", "venvoy", "run", "-i", "inp"), ["input.yaml"])
        self.assertEqual(self.shell("fish", "venvoy", "run", "--input=inp"), ["--input=input.yaml"])
        self.assertEqual(self.shell("fish", "venvoy", "--workdir", "inn"), ["inner/"])

    def test_the_program_of_the_command_line_answers(self):
        # Not the one that wrote the script, if another is called.
        folder = self.folder / "bin"
        folder.mkdir()
        other = self.write("bin/venvoy", "#!/bin/sh\necho other\n")
        os.chmod(other, 0o755)
        self.assertEqual(self.shell("bash", str(other), "x"), ["other"])
        self.assertEqual(self.shell("bash", "bin/venvoy", "x"), ["other"])

    def test_usage(self):
        self.assertEqual(self.call("completion").code, 2)
        self.require_failure(self.call("completion", "csh"), 2, "bash")
        for shell in ("bash", "zsh", "fish"):
            result = self.call("completion", shell)
            self.assertEqual((result.code, result.err), (0, ""), result)
            self.assertNotIn("@PROGRAM@", result.out)


if __name__ == "__main__":
    harness.main()
