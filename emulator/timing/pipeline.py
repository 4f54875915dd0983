# SPDX-License-Identifier: GPL-2.0-or-later
"""What the issue model of one core needs besides its profile's throughputs: ``pipelines/NAME.toml``.

A profile may carry the same tables itself, as one that was measured does; else they are those of its name.

``[pipeline]`` has the sizes of what is in flight, ``[pipeline.latency]`` the cycles from an instruction
class's operands to its result (a load's are the first level's, in the profile), and ``[pipeline.port]`` names
the class whose port another class shares: two classes of one port take turns. ``fuses_compare`` says that a
comparison and the conditional branch behind it are delivered as one; ``wide_store``, how long 16 bytes have
the port of stores where that is longer than for fewer (x86).

``other_line`` is how long a store has that port which goes to another line than the store before, and
``narrow_return``, one of fewer than four bytes that so comes back to a word stored to just before: where
words are protected by error correction it is read, changed and written, as Arm's manual says of the
Cortex-A15's first level. ``scaled_index`` are the cycles by which a load is longer whose address has an index
that is multiplied. All of these are known of x86 code alone (``x86_64_stores.py``).

``fixed_cost`` says that an instruction takes what the profile has for its class, whatever it waits for: what
is known of such a core is an average over programs, which has dependences, branches and ports in it already.
Only misses are added. It has neither latencies nor ports.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ringscope.emulator.timing.parameters import ISSUE_UNITS, Buffers, Reader

if TYPE_CHECKING:
    from collections.abc import Mapping

PIPELINES = Path(__file__).parent / "pipelines"
TABLE = "pipeline"
RETIRED_TOGETHER = 8  # instructions (PIPELINE_GROUP of native/pipeline.h)
STORES, STORE_UNIT = ("wide_store", "other_line", "narrow_return"), "cycles/64"
SCALED_INDEX = "scaled_index"
OWN_FIELDS = ("latency", "port", "fuses_compare", "fixed_cost", *STORES, SCALED_INDEX)


class Reach(Enum):
    """Where a store goes after the one before it."""

    SAME_LINE, OTHER_LINE, NARROW_RETURN = range(3)


@dataclass(frozen=True)
class Pipeline:
    """One core's issue model: sizes, cycles to a result by class, and the class whose port a class shares.

    ``fuses`` tells whether a comparison and the branch behind it are delivered as one, ``stores`` for how
    long the kinds of STORES have their port, in ISSUE_UNITS_PER_CYCLE, ``fixed`` whether an instruction takes
    what its class does and nothing else.
    """

    buffers: Buffers
    fuses: bool
    fixed: bool
    stores: Mapping[str, int]
    scaled_index: int
    latency: Mapping[str, int]
    port: Mapping[str, str]

    def store_units(self, reach: Reach, *, wide: bool) -> int:
        """Return for how many units a store has its port at the least, besides those of its class."""
        names = (["wide_store"] if wide else []) + ([] if reach is Reach.SAME_LINE else [reach.name.lower()])
        return max((self.stores.get(name, 0) for name in names), default=0)


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
    if not buffers.in_order and buffers.window < RETIRED_TOGETHER:
        raise reader.refuse(f"{TABLE}.window", f"must be at least {RETIRED_TOGETHER} out of order")
    if buffers.blocking and not buffers.in_order:
        raise reader.refuse(f"{TABLE}.blocking", "is for cores that work in order")
    if fixed and not buffers.in_order:
        raise reader.refuse(f"{TABLE}.fixed_cost", "is for cores that work in order")
    fuses = _flag(table, "fuses_compare", reader)
    for path, of in port.items():
        if not isinstance(of, str):
            raise reader.refuse(f"{TABLE}.port.{path}", "must name a class")
    stores = {
        name: ISSUE_UNITS[STORE_UNIT] * reader.integer(table, f"{TABLE}.{name}", STORE_UNIT, 0, 1 << 13)
        for name in STORES
        if name in table
    }
    scaled = reader.integer(table, f"{TABLE}.{SCALED_INDEX}", "cycles", 0, 8) if SCALED_INDEX in table else 0
    names = {key: str(of) for key, of in port.items()}
    return Pipeline(buffers, fuses, fixed, stores, scaled, latency, names)


def _flag(table: Mapping[str, object], name: str, reader: Reader) -> bool:
    value = table.get(name, False)
    if not isinstance(value, bool):
        raise reader.refuse(f"{TABLE}.{name}", f"must be true or false, not {value!r}")
    return value
