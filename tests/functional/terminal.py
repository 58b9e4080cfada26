"""A terminal for tests: tmux, which knows what a program has drawn, and can be resized."""

import itertools
import pathlib
import re
import shlex
import subprocess
import time

from harness import wait_until

numbers = itertools.count()


class Terminal:
    """One window of a tmux server of its own, in which a shell waits for a command line."""

    def __init__(self, folder, environment, columns=80, rows=24):
        # A server that is ending still has its socket.
        self.socket = pathlib.Path(folder) / f"tmux-{next(numbers)}"
        self.folder = folder
        self.environment = environment
        options = pathlib.Path(folder) / "tmux.conf"
        options.write_text('set -g default-terminal "screen-256color"\nset -g history-limit 50000\nset -g status off\n')
        self.tmux("-u", "-f", options, "new-session", "-d", "-x", columns, "-y", rows, "-s", "test", "sh", "-i")
        self.resize(columns, rows)
        self.keys("PS1='ready> '; clear")
        self.wait_for("ready>")

    def tmux(self, *arguments):
        command = ["tmux", "-S", str(self.socket), *(str(argument) for argument in arguments)]
        run = subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=60)
        if run.returncode:
            raise AssertionError(f"{command}: {run.stderr}")
        return run.stdout

    def close(self):
        subprocess.run(["tmux", "-S", str(self.socket), "kill-server"], capture_output=True, timeout=60)

    def resize(self, columns, rows):
        # A program is told of several resizes in a row only after this time.
        time.sleep(0.3)
        self.tmux("resize-window", "-t", "test", "-x", columns, "-y", rows)

    def keys(self, line):
        """Types a line."""
        self.tmux("send-keys", "-t", "test", "-l", line)
        self.tmux("send-keys", "-t", "test", "Enter")

    def interrupt(self):
        self.tmux("send-keys", "-t", "test", "C-c")

    def screen(self, colors=False):
        """The lines that are to be seen now, without those at the end that are empty."""
        options = ["-e"] if colors else []
        return self.tmux("capture-pane", "-t", "test", "-p", *options).rstrip("\n").split("\n")

    def everything(self):
        """With what has been scrolled away; broken lines are joined."""
        return self.tmux("capture-pane", "-t", "test", "-p", "-J", "-S", "-").rstrip("\n").split("\n")

    def cursor(self):
        """Column, row, and whether it is visible."""
        column, row, flag = self.tmux(
            "display-message", "-t", "test", "-p", "#{cursor_x} #{cursor_y} #{cursor_flag}"
        ).split()
        return int(column), int(row), flag == "1"

    def wait_for(self, words, seconds=30, colors=False):
        """The screen, once a line of it has these words."""
        def look():
            screen = self.screen(colors)
            return screen if any(words in line for line in screen) else None

        return self.wait_until(look, repr(words), seconds)

    def wait_until(self, condition, what, seconds=30):
        try:
            return wait_until(condition, what, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; the terminal shows\n" + "\n".join(self.screen())) from None

    def run(self, *command):
        """Types a command on a clear screen; `finish` waits for its end."""
        self.type(" ".join(shlex.quote(str(part)) for part in command))

    def type(self, line):
        self.keys(f'clear; {line}; echo "[exit $?]"')

    def finish(self, seconds=30):
        """Waits for the end of the command; returns its exit code."""
        ended = re.compile(r"\[exit (\d+)\]")
        ends = self.wait_until(
            lambda: "ready>" in self.screen()[-1] and ended.findall("\n".join(self.screen())), "the end", seconds
        )
        return int(ends[-1])
