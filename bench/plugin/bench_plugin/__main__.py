"""Steps that do next to nothing, and say in a file that they have run: `python -m bench_plugin --atp`."""

import os
import sys
import typing
from dataclasses import dataclass

from arcaflow_plugin_sdk import plugin


def sign(file):
    """A line of its own for this process: appending so little is one step for the kernel."""
    if file:
        with open(file, "a") as journal:
            journal.write(f"{os.getpid()} {os.getcwd()}\n")


@dataclass
class HelloInput:
    name: str
    journal: str


@dataclass
class HelloOutput:
    message: str


@plugin.step(id="hello", name="Hello", description="Greets somebody.", outputs={"success": HelloOutput})
def hello(params: HelloInput) -> typing.Tuple[str, HelloOutput]:
    sign(params.journal)
    return "success", HelloOutput(f"Hello, {params.name}!")


@dataclass
class EchoInput:
    text: str
    journal: str


@dataclass
class EchoOutput:
    text: str
    size: int


@plugin.step(id="echo", name="Echo", description="Says what it has heard.", outputs={"success": EchoOutput})
def echo(params: EchoInput) -> typing.Tuple[str, EchoOutput]:
    sign(params.journal)
    return "success", EchoOutput(params.text, len(params.text))


@dataclass
class MakeInput:
    size: int
    journal: str


@plugin.step(id="make", name="Make", description="Makes a text of some size.", outputs={"success": EchoOutput})
def make(params: MakeInput) -> typing.Tuple[str, EchoOutput]:
    sign(params.journal)
    return "success", EchoOutput("x" * params.size, params.size)


if __name__ == "__main__":
    sys.exit(plugin.run(plugin.build_schema(hello, echo, make)))
