"""Run as `python -m venvoy_hello --atp` by an engine."""

import platform
import sys
import typing
from dataclasses import dataclass

from arcaflow_plugin_sdk import plugin


@dataclass
class HelloInput:
    name: str


@dataclass
class HelloOutput:
    message: str
    python: str


@plugin.step(id="hello", name="Hello", description="Greets somebody.", outputs={"success": HelloOutput})
def hello(params: HelloInput) -> typing.Tuple[str, HelloOutput]:
    return "success", HelloOutput(f"Hello, {params.name}!", f"Python {platform.python_version()}")


@dataclass
class RepeatInput:
    text: str
    times: int


@dataclass
class RepeatOutput:
    texts: typing.List[str]


@plugin.step(id="repeat", name="Repeat", description="Says something several times.", outputs={"success": RepeatOutput})
def repeat(params: RepeatInput) -> typing.Tuple[str, RepeatOutput]:
    return "success", RepeatOutput([params.text] * params.times)


if __name__ == "__main__":
    sys.exit(plugin.run(plugin.build_schema(hello, repeat)))
