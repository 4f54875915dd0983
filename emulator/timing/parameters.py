# SPDX-License-Identifier: GPL-2.0-or-later
"""The parts of a profile as frozen dataclasses, and the reader that fills them from a TOML table.

Every value of a profile is a table ``{ value, unit, source }``. A dataclass here declares each field with
the unit it must have and the range it must lie in; a field of dataclass type is a nested table. The reader
refuses anything missing, unknown, in another unit or out of range with a sentence that names the file and
the field.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Mapping

MAXIMUM = 0xFFFF_FFFF  # the native configuration has 32-bit fields
ESTIMATE, ASSUMED = "estimate", "assumed"  # how a source begins that is none, and then a reason
REPLACEMENTS = ("lru", "tree-plru", "random")
WRITES = ("write-back", "write-through")
ALLOCATIONS = ("write-allocate", "no-write-allocate")
INCLUSIONS = ("neither", "inclusive", "exclusive")

ISSUE_UNITS_PER_CYCLE = 320  # of the native core (account.h)
#: How many of them the units are in which a file gives costs of instructions.
ISSUE_UNITS = {"cycles/64": 5, "cycles/5": 64}

T = TypeVar("T")


class ProfileError(Exception):
    """A profile is refused; the message says which file, which field and why."""


def quantity(unit: str, minimum: int = 0, maximum: int = MAXIMUM) -> Any:  # noqa: ANN401 (stands for a field's default)
    """Declare an integer field measured in ``unit``, from ``minimum`` to ``maximum``."""
    return dataclasses.field(metadata={"unit": unit, "minimum": minimum, "maximum": maximum})


def policy(known: tuple[str, ...]) -> Any:  # noqa: ANN401 (stands for a field's default)
    """Declare a field that names one of the ``known`` policies; the first of them when it is absent."""
    return dataclasses.field(default=known[0], metadata={"policies": known})


def required_policy(known: tuple[str, ...]) -> Any:  # noqa: ANN401 (stands for a field's default)
    """Declare a field that names one of the ``known`` policies and must be there."""
    return dataclasses.field(metadata={"policies": known})


def seed() -> Any:  # noqa: ANN401 (stands for a field's default)
    """Declare the plain number that a generator starts from, 1 when absent: no property of hardware."""
    return dataclasses.field(default=1, metadata={"seed": True})


def flag() -> Any:  # noqa: ANN401 (stands for a field's default)
    """Declare a plain boolean, false when absent: a matter of structure, which has no unit."""
    return dataclasses.field(default=False, metadata={"flag": True})


@dataclass(frozen=True)
class Core:
    """The clock."""

    frequency: int = quantity("Hz", 1_000, 4_294_967_295_000)


@dataclass(frozen=True)
class Cache:
    """One level: ``size / (ways * line)`` sets, a power of two.

    What the policies mean is told in native/cache.h and native/hierarchy.h; ``seed`` is that of random
    replacement. A size of 0 says that there is no L2 or LLC, or that the first level is one, L1D.
    """

    size: int = quantity("bytes")
    ways: int = quantity("ways", 1, 64)
    line: int = quantity("bytes", 8, 1024)
    replacement: str = required_policy(REPLACEMENTS)
    write: str = policy(WRITES)
    allocation: str = policy(ALLOCATIONS)
    inclusion: str = policy(INCLUSIONS)
    seed: int = seed()

    @property
    def sets(self) -> int:
        """How many sets there are."""
        return self.size // (self.ways * self.line)


@dataclass(frozen=True)
class Latency:
    """From a load's issue to the use of its value, by the level that serves it."""

    l1: int = quantity("cycles")
    l2: int = quantity("cycles")
    llc: int = quantity("cycles")
    memory: int = quantity("cycles")
    memory_beyond: int = quantity("ns")


@dataclass(frozen=True)
class TlbArray:
    """The entries for one page size; none when ``entries`` is 0."""

    entries: int = quantity("entries", 0, 1 << 20)
    ways: int = quantity("ways", 0, 256)


@dataclass(frozen=True)
class Tlb:
    """One translation buffer: arrays for 4 KiB, 2 MiB (or 4 MiB) and 1 GiB pages."""

    small: TlbArray
    large: TlbArray
    huge: TlbArray
    large_in_small: bool = flag()


@dataclass(frozen=True)
class Walk:
    """What a first-level TLB miss costs, and the paging-structure caches."""

    stlb_hit: int = quantity("cycles")
    base: int = quantity("cycles")
    pml4e_cached: int = quantity("entries", 0, 256)
    pdpte_cached: int = quantity("entries", 0, 256)
    pde_cached: int = quantity("entries", 0, 256)


@dataclass(frozen=True)
class Predictor:
    """Directions (native/direction.h), a branch target buffer, a return stack, and two prices."""

    table_bits: int = quantity("bits", 1, 24)
    history_bits: int = quantity("bits", 0, 24)
    tagged_tables: int = quantity("tables", 0, 8)
    tagged_bits: int = quantity("bits", 0, 16)
    tagged_history: int = quantity("branches", 0, 64)
    btb_sets: int = quantity("sets", 1, 1 << 20)
    btb_ways: int = quantity("ways", 1, 64)
    return_depth: int = quantity("entries", 1, 1024)
    mispredict: int = quantity("cycles")
    redirect: int = quantity("cycles")


@dataclass(frozen=True)
class Buffers:
    """What bounds how much an issue model has in flight (native/pipeline.h).

    ``window`` counts instructions between delivery and retirement; an in-order core has none and says 0.
    """

    window: int = quantity("instructions", 0, 448)
    fill_buffers: int = quantity("lines", 1, 64)
    store_buffer: int = quantity("entries", 1, 256)
    forward: int = quantity("cycles", 0, 64)
    taken_interval: int = quantity("cycles", 0, 8)
    call_interval: int = quantity("cycles", 0, 8)
    code_line: int = quantity("bytes", 0, 64)
    line_interval: int = quantity("cycles", 0, 64)
    in_order: bool = flag()
    blocking: bool = flag()


class Reader:
    """Reads tables of one file and remembers the source of every value under its dotted path."""

    def __init__(self, file: str) -> None:
        """``file`` is named in every refusal."""
        self.file = file
        self.sources: dict[str, str] = {}

    def refuse(self, path: str, why: str) -> ProfileError:
        """Return the error for the field at ``path``."""
        return ProfileError(f"{self.file}: {path}: {why}")

    def table(self, parent: Mapping[str, object], path: str) -> dict[str, object]:
        """Return the table at the last component of ``path`` in ``parent``."""
        found = parent.get(path.rpartition(".")[2])
        if not isinstance(found, dict):
            raise self.refuse(path, "must be a table" if found is not None else "the table is missing")
        return found

    def value(self, table: Mapping[str, object], path: str, unit: str) -> object:
        """Return the value of one ``{ value, unit, source }`` and note its source."""
        entry = self.table(table, path)
        extra = entry.keys() ^ {"value", "unit", "source"}
        if extra:
            raise self.refuse(
                path, f"must have exactly value, unit and source (look at: {', '.join(sorted(extra))})"
            )
        if entry["unit"] != unit:
            raise self.refuse(path, f"unit must be {unit!r}, not {entry['unit']!r}")
        source = entry["source"]
        if not isinstance(source, str) or not source.strip():
            raise self.refuse(path, 'source must say where the value is from, or "estimate: reason"')
        for kind, what in ((ESTIMATE, "an estimate"), (ASSUMED, "an assumption")):
            if source.strip(" :") == kind:
                raise self.refuse(path, f'{what} needs its reason: "{kind}: reason"')
        self.sources[path] = source
        return entry["value"]

    def integer(self, table: Mapping[str, object], path: str, unit: str, minimum: int, maximum: int) -> int:
        """Return an integer value within its range."""
        value = self.value(table, path, unit)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.refuse(path, f"value must be a whole number of {unit}, not {value!r}")
        if not minimum <= value <= maximum:
            raise self.refuse(path, f"value must be from {minimum} to {maximum} {unit}, not {value}")
        return value

    def integers(self, table: Mapping[str, object], path: str, units: Mapping[str, int]) -> dict[str, int]:
        """Return a table whose every entry is a value in one of the ``units``, times what that is worth."""
        entries = self.table(table, path)
        values: dict[str, int] = {}
        for name in entries:
            where = f"{path}.{name}"
            unit = self.table(entries, where).get("unit")
            used = unit if isinstance(unit, str) and unit in units else next(iter(units))
            values[name] = units[used] * self.integer(entries, where, used, 0, MAXIMUM // units[used])
        return values

    def read(self, kind: type[T], parent: Mapping[str, object], path: str) -> T:
        """Return the table at ``path`` as the dataclass ``kind``."""
        table = self.table(parent, path)
        fields = dataclasses.fields(cast("Any", kind))
        unknown = table.keys() - {field.name for field in fields}
        if unknown:
            raise self.refuse(f"{path}.{min(unknown)}", "is not a field of a profile")
        values: dict[str, object] = {}
        hints = get_type_hints(kind)
        for field in fields:
            where = f"{path}.{field.name}"
            rule = field.metadata
            if dataclasses.is_dataclass(hints[field.name]):
                values[field.name] = self.read(hints[field.name], table, where)
            elif "policies" in rule:
                values[field.name] = self._policy(table, where, field)
            elif "seed" in rule:
                values[field.name] = self._seed(table, where)
            elif "flag" in rule:
                values[field.name] = self._flag(table, where)
            else:
                values[field.name] = self.integer(
                    table, where, rule["unit"], rule["minimum"], rule["maximum"]
                )
        return kind(**values)

    def _policy(self, table: Mapping[str, object], path: str, field: dataclasses.Field[Any]) -> str:
        if field.name not in table and field.default is not dataclasses.MISSING:
            return str(field.default)
        value, known = self.value(table, path, "policy"), field.metadata["policies"]
        if value not in known:
            raise self.refuse(path, f"must be one of {', '.join(known)}, not {value!r}")
        return str(value)

    def _seed(self, table: Mapping[str, object], path: str) -> int:
        value = table.get("seed", 1)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAXIMUM:
            raise self.refuse(path, f"must be a whole number from 1 to {MAXIMUM}, not {value!r}")
        return value

    def _flag(self, table: Mapping[str, object], path: str) -> bool:
        value = table.get(path.rpartition(".")[2], False)
        if not isinstance(value, bool):
            raise self.refuse(path, f"must be true or false, not {value!r}")
        return value
