"""Writes the manual page and the shells' completions, from what the program says of itself: share_files.py PROGRAM FOLDER"""

import pathlib
import re
import shlex
import subprocess
import sys

EXIT_CODES = (
    ("0", "An output, or nothing found."),
    ("1", "It could not be prepared, or something was found."),
    ("2", "An error output, or a wrong command line."),
    ("3", "It failed while it ran, or could not look."),
)

FILES = (
    ("venvoy.yaml, config.yaml", "The configuration, beside the workflow, where no --config names another."),
    ("/tmp/venvoy-UID", "The store of mirrors, wheels and environments, below the configuration's workdir."),
)


def help_of(program, words):
    return subprocess.run([program, *words, "--help"], check=True, capture_output=True, text=True).stdout


def escaped(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text[:1] in (".", "'") else text


def sections(text):
    """The help as [(title, lines)]; what stands before the first title has the title ''."""
    result = [("", [])]
    for line in text.splitlines():
        if re.fullmatch(r"[A-Z][\w ]*:", line):
            result.append((line[:-1], []))
        elif line.strip():
            result[-1][1].append(line)
    return result


def entries(lines):
    """The rows of a list of options or commands, [(name, description)]; a long name has its description below."""
    result = []
    for line in lines:
        if re.match(r"  \S", line):
            name, _, description = line.strip().partition("  ")
            if not description and len(line) > 30 and line[29:30] == " ":
                name, description = line[2:29].strip(), line[30:].strip()
            result.append([name, description.strip()])
        elif line.startswith("   ") and result:
            result[-1][1] = (result[-1][1] + " " + line.strip()).strip()
    return result


def page_of(program, words, out):
    found = sections(help_of(program, words))
    inner = []
    # The closing lines (exit codes, example) stand at the left, behind the last list.
    for title, lines in found:
        talk = [line for line in lines if not line.startswith(" ")]
        rows = [] if title == "" else entries(lines)
        usage = [line for line in talk if line.startswith("Usage: ")]
        talk = [line for line in talk if line not in usage]
        if title == "":
            for line in usage:
                out += [".PP", f"\\fB{escaped(line[7:])}\\fR"]
        if title == "Subcommands":
            inner = [name.split()[0] for name, _ in rows]
            if words:
                rows = []
        if rows:
            out += [".PP", f"{escaped(title)}:"]
            for name, description in rows:
                out += [".TP", f"\\fB{escaped(name)}\\fR", escaped(description)]
        for line in talk:
            out += [".PP", escaped(line)]
    for name in inner:
        out += [f".SS {escaped(' '.join(['venvoy', *words, name]))}"]
        page_of(program, [*words, name], out)


def man_page(program):
    version = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout.split()[-1]
    out = [f'.TH VENVOY 1 "" "venvoy {version}" "User Commands"', ".SH NAME",
           "venvoy, arcaflow \\- run Python code by reference, inside typed workflows", ".SH COMMANDS"]
    page_of(program, [], out)
    for title, rows in (("EXIT STATUS", EXIT_CODES), ("FILES", FILES)):
        out.append(f".SH {title}")
        for name, description in rows:
            out += [".TP", f"\\fB{escaped(name)}\\fR", escaped(description)]
    return "\n".join(out) + "\n"


def completion(program, shell):
    script = subprocess.run([program, "completion", shell], check=True, capture_output=True, text=True).stdout
    # The place of the program that wrote the script is not where it will be installed.
    here = str(pathlib.Path(program).resolve())
    return script.replace("'" + here + "'", "venvoy").replace(shlex.quote(here), "venvoy")


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "venvoy.1").write_text(man_page(program))
    for name, shell in (("venvoy.bash", "bash"), ("_venvoy", "zsh"), ("venvoy.fish", "fish")):
        (folder / name).write_text(completion(program, shell))


main()
