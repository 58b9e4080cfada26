#!/usr/bin/env python3
"""Says which of some names match patterns."""

import re
import sys
import typing
from dataclasses import dataclass, field

from arcaflow_plugin_sdk import plugin, schema, validation


@dataclass
class Pod:
    namespace: str
    name: str


@dataclass
class KillPodConfig:
    namespace_pattern: typing.Annotated[
        re.Pattern,
        schema.name("Namespace pattern"),
        schema.description("Regular expression for target pod namespaces."),
    ]
    name_pattern: typing.Annotated[
        typing.Optional[re.Pattern],
        validation.required_if_not("kill"),
        schema.name("Name pattern"),
    ] = None
    kill: typing.Annotated[int, validation.min(1), schema.name("Number of pods")] = 1
    pods: typing.List[Pod] = field(default_factory=list)


@dataclass
class PodKillSuccessOutput:
    pods: typing.Dict[int, Pod]


@dataclass
class PodErrorOutput:
    error: str


@plugin.step(
    "kill-pods",
    "Kill pods",
    "Names the pods that it would kill",
    {"success": PodKillSuccessOutput, "error": PodErrorOutput},
)
def kill_pods(cfg: KillPodConfig) -> typing.Tuple[str, typing.Union[PodKillSuccessOutput, PodErrorOutput]]:
    found = [
        pod
        for pod in cfg.pods
        if cfg.namespace_pattern.match(pod.namespace) and (not cfg.name_pattern or cfg.name_pattern.match(pod.name))
    ]
    if len(found) < cfg.kill:
        return "error", PodErrorOutput(f"Not enough pods match the criteria, expected {cfg.kill} but found only {len(found)} pods")
    return "success", PodKillSuccessOutput({number: pod for number, pod in enumerate(found[: cfg.kill])})


if __name__ == "__main__":
    sys.exit(plugin.run(plugin.build_schema(kill_pods)))
