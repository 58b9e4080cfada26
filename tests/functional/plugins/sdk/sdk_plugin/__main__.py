"""A plugin that every version of the SDK since 0.10 can build: one field of most types."""

import enum
import re
import sys
import typing
from dataclasses import dataclass, field

from arcaflow_plugin_sdk import annotations, plugin, schema, validation


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Point:
    x: int
    y: float = 0.5


@dataclass
class Circle:
    radius: float


@dataclass
class Square:
    side: float


Shape = typing.Annotated[
    typing.Union[
        typing.Annotated[Circle, annotations.discriminator_value("circle")],
        typing.Annotated[Square, annotations.discriminator_value("square")],
    ],
    annotations.discriminator("shape"),
]


@dataclass
class Data:
    name: typing.Annotated[
        str,
        schema.name("Name"),
        schema.description("Who is greeted."),
        validation.min(1),
        validation.pattern(re.compile("^[A-Z]")),
    ]
    percent: typing.Annotated[typing.Optional[int], validation.min(0), validation.max(100)] = None
    duration: typing.Annotated[typing.Optional[int], schema.units(schema.UNIT_TIME)] = None
    color: typing.Optional[Color] = None
    numbers: typing.List[int] = field(default_factory=list)
    by_number: typing.Optional[typing.Dict[int, str]] = None
    points: typing.Optional[typing.List[Point]] = None
    shape: typing.Optional[Shape] = None
    anything: typing.Optional[typing.Any] = None
    flag: bool = True


@dataclass
class Failure:
    error: str


@plugin.step(
    id="echo",
    name="Echo",
    description="Returns its input, or an error for the name Error.",
    outputs={"success": Data, "error": Failure},
)
def echo(params: Data) -> typing.Tuple[str, typing.Union[Data, Failure]]:
    if params.name == "Error":
        return "error", Failure("as asked")
    return "success", params


if __name__ == "__main__":
    sys.exit(plugin.run(plugin.build_schema(echo)))
