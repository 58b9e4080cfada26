"""Run as `python -m venvoy_toolbox --atp` by an engine."""

import os
import sys
import threading
import time
import typing
from dataclasses import dataclass

from arcaflow_plugin_sdk import plugin, predefined_schemas


@dataclass
class DivideInput:
    dividend: float
    divisor: float


@dataclass
class DivideOutput:
    quotient: float


@dataclass
class Failure:
    reason: str


@plugin.step(
    id="divide",
    name="Divide",
    description="Divides; what cannot be divided is an error output.",
    outputs={"success": DivideOutput, "error": Failure},
)
def divide(params: DivideInput) -> typing.Tuple[str, typing.Union[DivideOutput, Failure]]:
    if params.divisor == 0:
        return "error", Failure("nothing can be divided by zero")
    return "success", DivideOutput(params.dividend / params.divisor)


@dataclass
class CrashInput:
    last_words: str


@dataclass
class CrashOutput:
    message: str


@plugin.step(id="crash", name="Crash", description="Ends its process.", outputs={"success": CrashOutput})
def crash(params: CrashInput) -> typing.Tuple[str, CrashOutput]:
    print(params.last_words, file=sys.stderr, flush=True)
    os._exit(3)


@dataclass
class MeasureInput:
    name: str
    seconds: float


@dataclass
class MeasureOutput:
    name: str
    started: float
    ended: float


@plugin.step(
    id="measure",
    name="Measure",
    description="Takes some time, and says when it was at work.",
    outputs={"success": MeasureOutput},
)
def measure(params: MeasureInput) -> typing.Tuple[str, MeasureOutput]:
    started = time.time()
    time.sleep(params.seconds)
    return "success", MeasureOutput(params.name, started, time.time())


@dataclass
class LoadInput:
    seconds: float


@dataclass
class LoadOutput:
    seconds: float


class Load:
    """A step with signals is a method: `cancel` is called while `load` runs in another thread."""

    def __init__(self):
        self.cancelled = threading.Event()

    @plugin.signal_handler(
        id=predefined_schemas.cancel_signal_schema.id,
        name=predefined_schemas.cancel_signal_schema.display.name,
        description=predefined_schemas.cancel_signal_schema.display.description,
    )
    def cancel(self, _: predefined_schemas.cancelInput):
        self.cancelled.set()

    @plugin.step_with_signals(
        id="load",
        name="Load",
        description="Runs for a time, or until it is cancelled.",
        outputs={"success": LoadOutput, "cancelled_early": LoadOutput},
        signal_handler_method_names=["cancel"],
        signal_emitters=[],
        step_object_constructor=lambda: Load(),
    )
    def load(self, params: LoadInput) -> typing.Tuple[str, LoadOutput]:
        started = time.monotonic()
        cancelled = self.cancelled.wait(params.seconds)
        return ("cancelled_early" if cancelled else "success"), LoadOutput(time.monotonic() - started)


if __name__ == "__main__":
    sys.exit(plugin.run(plugin.build_schema(divide, crash, measure, Load.load)))
