"""Engine, Workflow and Run: the compiled classes, made pleasant for Python."""

from __future__ import annotations

import asyncio
import atexit
import functools
import json
import os
import queue
import threading
import weakref
from datetime import timedelta
from typing import Any, AsyncIterator, Callable, Generator, Iterable, Iterator, Mapping, Optional, TypeVar, Union

from . import _engine
from ._engine import Cancellation, Diagnostic, EngineError, Event, FailureCode, Result

StrPath = Union[str, "os.PathLike[str]"]
OnEvent = Callable[[Event], None]
OnLog = Callable[[str, str, str], None]
T = TypeVar("T")

# An engine's threads call into Python, so none may be left when the interpreter ends.
_open_engines: weakref.WeakSet[Engine] = weakref.WeakSet()


@atexit.register
def _close_engines() -> None:
    for engine in list(_open_engines):
        engine.close()


def _interruptible(call: Callable[[], T], cancel: Callable[[], None]) -> T:
    """Runs a call that waits in the engine so that ctrl-C can end it."""
    outcome: dict[str, Any] = {}

    def work() -> None:
        try:
            outcome["value"] = call()
        except BaseException as error:  # for the thread that waits
            outcome["error"] = error

    thread = threading.Thread(target=work, name="venvoy", daemon=True)
    thread.start()
    try:
        thread.join()
    except BaseException:
        cancel()
        thread.join()
        raise
    if "error" in outcome:
        raise outcome["error"].with_traceback(None)
    return outcome["value"]  # type: ignore[no-any-return]


async def _awaited(call: Callable[[], T], cancel: Callable[[], None]) -> T:
    """The same for asyncio: cancelling the task cancels the call, and waits for its end."""
    future = asyncio.get_running_loop().run_in_executor(None, call)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        cancel()
        await asyncio.wait([future])
        raise


class WorkflowError(EngineError):
    """A workflow has errors; `diagnostics` has them all, with their places. The text of this exception shows them."""

    def __init__(self, diagnostics: list[Diagnostic]):
        errors = [diagnostic for diagnostic in diagnostics if diagnostic.is_error]
        super().__init__("".join(str(diagnostic) for diagnostic in errors).rstrip())
        self.code = FailureCode.document
        self.diagnostics = diagnostics


class Run:
    """A run that was started. It goes on whether or not anybody looks.

    `for event in run` and `async for event in run` give the events from the first to the last, once each; `await run`
    gives the result.
    """

    def __init__(self, workflow: _engine.Workflow, input: Any, on_event: Optional[OnEvent],
                 timeout: Optional[timedelta], keep_events: bool):
        self._events: Optional[queue.SimpleQueue[Optional[Event]]] = queue.SimpleQueue() if keep_events else None
        self._listeners: list[Callable[[Event], None]] = [on_event] if on_event else []
        wants_events = on_event is not None or keep_events
        self._run = workflow.start(input, self._hear if wants_events else None, timeout)

    def _hear(self, event: Event) -> None:
        # On a thread of the engine.
        try:
            for listener in self._listeners:
                listener(event)
        finally:
            if self._events is not None:
                self._events.put(event)
                if event.type == "run_finished":
                    self._events.put(None)

    @property
    def id(self) -> str:
        return self._run.id

    def cancel(self) -> None:
        """Aborts the run: steps get a cancel signal and time to answer it. Returns at once."""
        self._run.cancel()

    def done(self) -> bool:
        return self._run.ended()

    def result(self) -> Result:
        """Waits for the end. Ctrl-C while it waits cancels the run and goes on when it has ended."""
        if self._run.ended():
            return self._run.wait()
        return _interruptible(self._run.wait, self._run.cancel)

    def __await__(self) -> Generator[Any, None, Result]:
        return _awaited(self._run.wait, self._run.cancel).__await__()

    def _kept_events(self) -> queue.SimpleQueue[Optional[Event]]:
        if self._events is None:
            raise EngineError("the events of this run are not kept: start it with events=True")
        return self._events

    def __iter__(self) -> Iterator[Event]:
        return iter(self._kept_events().get, None)

    async def __aiter__(self) -> AsyncIterator[Event]:
        events = self._kept_events()
        while True:
            try:
                event = events.get_nowait()
            except queue.Empty:
                event = await asyncio.get_running_loop().run_in_executor(None, events.get)
            if event is None:
                return
            yield event


class Workflow:
    """A workflow that was prepared: checked, and with every plugin installed. It runs any number of times, also at a time."""

    def __init__(self, engine: Engine, workflow: _engine.Workflow):
        self._engine = engine  # lives as long as its workflows
        self._workflow = workflow

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """Warnings; for a workflow of `Engine.check` errors too."""
        return self._workflow.diagnostics

    @property
    def ready(self) -> bool:
        return self._workflow.ready

    def check_input(self, input: Any) -> list[Diagnostic]:
        """What does not fit the workflow's input schema; empty for a good input."""
        return self._workflow.check_input(input)

    def start(self, input: Any = None, *, on_event: Optional[OnEvent] = None, events: bool = False,
              timeout: Union[float, timedelta, None] = None) -> Run:
        """Begins a run. `on_event` is called on a thread of the engine, which waits for it: it must be quick, and must not
        wait for the engine. `events=True` keeps the events for iterating over the run. `timeout` is in seconds."""
        if timeout is not None and not isinstance(timeout, timedelta):
            timeout = timedelta(seconds=timeout)
        return Run(self._workflow, input, on_event, timeout, events)

    def run(self, input: Any = None, *, on_event: Optional[OnEvent] = None,
            timeout: Union[float, timedelta, None] = None) -> Result:
        """Starts and waits. What the workflow does wrong is in the result."""
        return self.start(input, on_event=on_event, timeout=timeout).result()

    async def run_async(self, input: Any = None, *, on_event: Optional[OnEvent] = None,
                        timeout: Union[float, timedelta, None] = None) -> Result:
        return await self.start(input, on_event=on_event, timeout=timeout)


class Engine:
    """An engine: a few threads, and a process that keeps all of its child processes. Use it from any thread.

    `config` is the name of a configuration file, or a mapping with its contents; without it the defaults hold. `log` gets
    (level, text, labels), from any thread. `gate` is an object with any of the methods `may_deploy`, `may_run` and
    `may_run_step`, which get a request and answer None or True, a text or False (a denial), or a Decision.

    Close it (or use `with`) to cancel what runs and to end its process; the end of the program does that too.
    """

    def __init__(self, config: Union[StrPath, Mapping[str, Any], None] = None, *, workdir: Optional[StrPath] = None,
                 python: Optional[str] = None, offline: bool = False, allow_incompatible: Iterable[str] = (),
                 log: Optional[OnLog] = None, gate: Any = None):
        by_value = isinstance(config, Mapping)
        self._engine: Optional[_engine.Engine] = _engine.Engine(
            configuration_file=None if config is None or by_value else os.fspath(config),  # type: ignore[arg-type]
            # JSON is YAML.
            configuration=json.dumps(dict(config)) if by_value else None,  # type: ignore[arg-type]
            workdir=None if workdir is None else os.fspath(workdir), python=python, offline=offline,
            allow_incompatible=list(allow_incompatible), log=log, gate=gate)
        _open_engines.add(self)

    def _prepare(self, file: StrPath, context: Optional[StrPath], files: Optional[Mapping[str, str]],
                 on_event: Optional[OnEvent], cancellation: Cancellation) -> Callable[[], Workflow]:
        if self._engine is None:
            raise EngineError("the engine is closed")
        call = functools.partial(self._engine.prepare, os.fspath(file), os.fspath(context or "."), dict(files or {}),
                                 on_event, cancellation)
        return lambda: Workflow(self, call())

    def check(self, file: StrPath, *, context: Optional[StrPath] = None, files: Optional[Mapping[str, str]] = None,
              on_event: Optional[OnEvent] = None) -> Workflow:
        """Prepares a workflow whether it has errors or not: see `ready` and `diagnostics`."""
        cancellation = Cancellation()
        return _interruptible(self._prepare(file, context, files, on_event, cancellation), cancellation.cancel)

    def prepare(self, file: StrPath, *, context: Optional[StrPath] = None, files: Optional[Mapping[str, str]] = None,
                on_event: Optional[OnEvent] = None) -> Workflow:
        """Reads a workflow and its sub-workflows, makes every plugin ready and checks everything that can be known before a
        run. `context` is the folder that relative names start from; `files` has texts that stand for files. Raises a
        WorkflowError with all that is wrong."""
        return _checked(self.check(file, context=context, files=files, on_event=on_event))

    async def prepare_async(self, file: StrPath, *, context: Optional[StrPath] = None,
                            files: Optional[Mapping[str, str]] = None,
                            on_event: Optional[OnEvent] = None) -> Workflow:
        cancellation = Cancellation()
        work = self._prepare(file, context, files, on_event, cancellation)
        return _checked(await _awaited(work, cancellation.cancel))

    def close(self) -> None:
        """Cancels what is under way and waits for its end. Further calls do nothing."""
        engine, self._engine = self._engine, None
        _open_engines.discard(self)
        del engine

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _checked(workflow: Workflow) -> Workflow:
    if not workflow.ready:
        raise WorkflowError(workflow.diagnostics)
    return workflow
