"""What the same work costs elsewhere: cbor2, the Python SDK's schema, PyYAML with libyaml, and RFC 8259 JSON for scale.

    python bench/rivals.py        in an environment with arcaflow-plugin-sdk (cbor2 and PyYAML come with it)

The payloads are those of language.cpp.
"""

import json
import time
import typing
from dataclasses import dataclass

import cbor2
import yaml
from arcaflow_plugin_sdk import plugin


@dataclass
class Row:
    id: int
    name: str
    value: float


@dataclass
class Text:
    data: str


@dataclass
class Numbers:
    data: typing.List[int]


@dataclass
class Rows:
    data: typing.List[Row]


PAYLOADS = (
    ("text of 1 MiB", Text, "x" * (1 << 20)),
    ("100,000 integers", Numbers, list(range(100_000))),
    ("10,000 objects", Rows, [{"id": row, "name": f"row {row}", "value": row * 0.5} for row in range(10_000)]),
)


def nanoseconds(work, prepare=lambda: None, seconds=0.5):
    """Of one call on average; what `prepare` makes for it is not counted. At most 300 calls."""
    work(prepare())
    calls, taken = 0, 0.0
    while taken < seconds and calls < 300:
        given = prepare()
        start = time.process_time()
        work(given)
        taken += time.process_time() - start
        calls += 1
    return taken * 1e9 / calls


def show(name, size, taken):
    print(f"| {name:<44} | {size:>12} | {taken / size:>10.2f} | {size / taken * 1e3:>8.0f} |")


def main():
    print(f"| {'payload':<44} | {'bytes':>12} | {'ns a byte':>10} | {'MB/s':>8} |\n|---|---:|---:|---:|")
    for name, form, payload in PAYLOADS:
        data = {"data": payload}
        # The SDK changes the data that it is given.
        scope = plugin.build_object_schema(form)
        wire = cbor2.dumps(data)
        show(f"{name}: decode (cbor2)", len(wire), nanoseconds(lambda _: cbor2.loads(wire)))
        show(f"{name}: check (Python SDK)", len(wire), nanoseconds(scope.unserialize, lambda: cbor2.loads(wire)))
        show(f"{name}: encode (cbor2)", len(wire), nanoseconds(lambda _: cbor2.dumps(data)))
        text = yaml.dump(data, Dumper=yaml.CSafeDumper)
        show(f"{name}: write YAML (libyaml)", len(text), nanoseconds(lambda _: yaml.dump(data, Dumper=yaml.CSafeDumper)))
        show(f"{name}: read YAML (libyaml)", len(text), nanoseconds(lambda _: yaml.load(text, Loader=yaml.CSafeLoader)))
        document = json.dumps(data)
        show(f"{name}: read JSON (json)", len(document), nanoseconds(lambda _: json.loads(document)))


if __name__ == "__main__":
    main()
