# SPDX-License-Identifier: GPL-2.0-or-later
"""What the issue model of one core needs besides its profile's throughputs: ``pipelines/NAME.toml``.

A profile may carry the same tables itself, as one that was measured does; else they are those of its name.

``[pipeline]`` has the sizes of what is in flight, ``[pipeline.latency]`` the cycles from an instruction
class's operands to its result (a load's are the first level's, in the profile), and ``[pipeline.port]`` names
the class whose port another class shares: two classes of one port take turns. ``fuses_compare`` says that a
comparison and the conditional branch behind it are delivered as one; ``wide_store``, how long 16 bytes have
the port of stores where that is longer than for fewer (x86).

``fixed_cost`` says that an instruction takes what the profile has for its class, whatever it waits for: what
is known of such a core is an average over programs, which has dependences, branches and ports in it already.
Only misses are added. It has neither latencies nor ports.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ringscope.emulator.timing.parameters import ISSUE_UNITS, Buffers, Reader

if TYPE_CHECKING:
    from collections.abc import Mapping

PIPELINES = Path(__file__).parent / "pipelines"
TABLE = "pipeline"
WIDE_STORE, WIDE_UNIT = "wide_store", "cycles/64"
OWN_FIELDS = ("latency", "port", "fuses_compare", "fixed_cost", WIDE_STORE)


@dataclass(frozen=True)
class Pipeline:
    """One core's issue model: sizes, cycles to a result by class, and the class whose port a class shares.

    ``fuses`` tells whether a comparison and the branch behind it are delivered as one, ``wide_store`` for how
    long a store of 16 bytes has its port, in ISSUE_UNITS_PER_CYCLE, ``fixed`` whether an instruction takes
    what its class does and nothing else.
    """

    buffers: Buffers
    fuses: bool
    fixed: bool
    wide_store: int
    latency: Mapping[str, int]
    port: Mapping[str, str]


def bundled_pipeline(name: str) -> dict[str, Any]:
    """Return the tables of the pipeline of that name; none if there is none."""
    path = PIPELINES / f"{name}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def read_pipeline(document: Mapping[str, object], name: str, reader: Reader) -> Pipeline:
    """Return the pipeline that a profile's document has, or the bundled one of its name."""
    if TABLE in document:
        return _read(document, reader)
    bundled = bundled_pipeline(name)
    if not bundled:
        raise reader.refuse(
            TABLE, f"the table is missing, and there is none for {name} among the bundled ones"
        )
    own = Reader(str(PIPELINES / f"{name}.toml"))
    pipeline = _read(bundled, own)
    reader.sources |= own.sources
    return pipeline


def _read(document: Mapping[str, object], reader: Reader) -> Pipeline:
    table = reader.table(document, TABLE)
    fixed = _flag(table, "fixed_cost", reader)
    for part in ("latency", "port"):
        if fixed and part in table:
            raise reader.refuse(f"{TABLE}.{part}", "must not be there where an instruction has a fixed cost")
    port = {} if fixed else reader.table(table, f"{TABLE}.port")
    latency = {} if fixed else reader.integers(table, f"{TABLE}.latency", {"cycles": 1})
    sizes = {key: value for key, value in table.items() if key not in OWN_FIELDS}
    buffers = reader.read(Buffers, {TABLE: sizes}, TABLE)
    if not buffers.in_order and not buffers.window:
        raise reader.refuse(f"{TABLE}.window", "must not be 0 out of order")
    if buffers.blocking and not buffers.in_order:
        raise reader.refuse(f"{TABLE}.blocking", "is for cores that work in order")
    if fixed and not buffers.in_order:
        raise reader.refuse(f"{TABLE}.fixed_cost", "is for cores that work in order")
    fuses = _flag(table, "fuses_compare", reader)
    for path, of in port.items():
        if not isinstance(of, str):
            raise reader.refuse(f"{TABLE}.port.{path}", "must name a class")
    wide = 0
    if WIDE_STORE in table:
        wide = ISSUE_UNITS[WIDE_UNIT] * reader.integer(table, f"{TABLE}.{WIDE_STORE}", WIDE_UNIT, 0, 1 << 13)
    return Pipeline(buffers, fuses, fixed, wide, latency, {key: str(of) for key, of in port.items()})


def _flag(table: Mapping[str, object], name: str, reader: Reader) -> bool:
    value = table.get(name, False)
    if not isinstance(value, bool):
        raise reader.refuse(f"{TABLE}.{name}", f"must be true or false, not {value!r}")
    return value
