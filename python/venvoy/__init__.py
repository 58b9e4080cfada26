"""Runs Python code by reference, inside typed workflows.

    import venvoy

    with venvoy.Engine() as engine:
        workflow = engine.prepare("workflow.yaml")
        result = workflow.run({"name": "World"}, on_event=lambda event: print(event.type, event.step))
        print(result.output_id, result.output)

Programs that were written for the package `arcaflow` go on with `import venvoy as arcaflow`.
"""

from ._api import Engine, Run, Workflow, WorkflowError
from ._engine import (Cancellation, Decision, DeployRequest, Diagnostic, EngineError, Event, Failure, FailureCode, Place,
                      Result, RunRequest, StepFailure, StepRequest, input_from_yaml)
from ._wrapper import EngineArgs, run

__all__ = ["Cancellation", "Decision", "DeployRequest", "Diagnostic", "Engine", "EngineArgs", "EngineError", "Event",
           "Failure", "FailureCode", "Place", "Result", "Run", "RunRequest", "StepFailure", "StepRequest", "Workflow",
           "WorkflowError", "input_from_yaml", "run"]
