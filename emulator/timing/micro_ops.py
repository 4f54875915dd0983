# SPDX-License-Identifier: GPL-2.0-or-later
"""Micro-operations as the native issue model takes them (native/pipeline.h), and the ports they go to.

An instruction is a load, an operation and a store, as it has them: the load gives its value to the operation
through a temporary, and so does the operation to the store. Times are in ISSUE_UNITS_PER_CYCLE.
``ARCH_operands.py`` finds out which registers an instruction reads and writes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ringscope.emulator.timing.parameters import ISSUE_UNITS_PER_CYCLE as UNITS
from ringscope.emulator.timing.parameters import ProfileError
from ringscope.emulator.timing.pipeline import Reach

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringscope.emulator.timing.profile import Profile

#: Numbers of native/pipeline.h.
BRANCH, TEMPORARY = 2, 3
PORTS, REGISTERS, TIMES = 8, 32, 104
PLAIN, LOAD, STORE = range(3)
SOURCES, DESTINATIONS = 7, 4
OPS_PER_INSN = 4
LAYOUT = struct.Struct(f"<4B{SOURCES}BB{DESTINATIONS}B3H")

LOAD_CLASSES = ("load", "load_pair", "load_vector")
MICROCODE = "rep_string"
STORE_CLASSES = ("store", "store_pair", "store_vector")


@dataclass(frozen=True)
class Operands:
    """What an instruction reads and writes: numbers of registers from 0 on.

    ``address`` are the registers its accesses' address needs, ``reads`` the others. ``loads`` and ``stores``
    count what the engine makes of its accesses; ``own`` those of a class that is not split, as the locked
    ones are; ``wide`` says that one has 16 bytes. ``copies`` says that it only moves a register or a loaded
    value; ``constant``, that its result depends on nothing. ``resolves`` marks a branch whose target or
    direction is known when it has been executed. ``updates`` are address registers that it steps. ``scaled``
    says that an address has an index that is multiplied.
    """

    address: tuple[int, ...] = ()
    reads: tuple[int, ...] = ()
    writes: tuple[int, ...] = ()
    updates: tuple[int, ...] = ()
    loads: int = 0
    stores: int = 0
    own: int = 0
    wide: bool = False
    copies: bool = False
    constant: bool = False
    resolves: bool = False
    scaled: bool = False


@dataclass(frozen=True)
class MicroOp:
    """One micro-operation; ``sources`` and ``destinations`` are numbers of the native row of times."""

    kind: int
    sources: tuple[int, ...]
    destinations: tuple[int, ...]
    latency: int
    port: int = 0
    occupancy: int = 0
    slot: int = 0
    accesses: int = 0

    def packed(self) -> bytes:
        """Return ``struct micro_op``. What exceeds its room is left out, the first registers stay."""
        sources, destinations = self.sources[:SOURCES], self.destinations[:DESTINATIONS]
        return LAYOUT.pack(
            self.kind,
            self.accesses,
            self.port,
            len(sources),
            *sources,
            *(0,) * (SOURCES - len(sources)),
            len(destinations),
            *destinations,
            *(0,) * (DESTINATIONS - len(destinations)),
            *(min(units, 0xFFFF) for units in (self.latency, self.occupancy, self.slot)),
        )


def _times(registers: Iterable[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(REGISTERS + register for register in registers))


@dataclass
class MicroOps:
    """Makes the micro-operations of instructions on one profile."""

    profile: Profile
    ports: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Give each port a number.

        Raises ProfileError where there are too many, or where one is named that no class has.
        """
        shared = self.profile.pipeline.port
        for name in self.profile.issue:
            owner = shared.get(name, name)
            if owner not in self.profile.issue:
                raise ProfileError(f"profile {self.profile.name}: pipeline.port.{name}: {owner} is no class")
            if owner not in (*self.ports, "nop", "rep_element"):
                self.ports[owner] = len(self.ports) + 1
        if len(self.ports) >= REGISTERS - PORTS:
            raise ProfileError(f"profile {self.profile.name}: {len(self.ports)} ports are too many")

    def of(
        self,
        needs: tuple[str, ...],
        operands: Operands,
        *,
        fused: bool = False,
        reach: Reach = Reach.SAME_LINE,
    ) -> list[MicroOp]:
        """Return the micro-operations of an instruction that needs these classes.

        ``fused``: it is delivered with the one before. ``reach``: where its store goes after the one before.
        """
        if self.profile.pipeline.fixed:
            return self._fixed(needs, operands)
        if needs == (MICROCODE,):  # delivered from its own store, one step after the other
            units = self.profile.issue[MICROCODE]
            registers = _times((*operands.address, *operands.reads))
            return [MicroOp(PLAIN, registers, _times(operands.writes), units, slot=units)]
        loads = [name for name in needs if name in LOAD_CLASSES]
        stores = [name for name in needs if name in STORE_CLASSES]
        own = next((name for name in needs if name not in (*loads, *stores)), None)
        address, reads, writes = map(_times, (operands.address, operands.reads, operands.writes))
        moves = own is None or operands.copies
        ops: list[MicroOp] = []
        if not loads and not stores:
            reads = address + reads
        if loads:
            only = moves and not stores
            into = writes if only else (TEMPORARY,)
            sources = address + reads if moves and only else address
            ops.append(
                self._op(LOAD, loads[0], (sources, into), self._hit(loads[0], operands), operands.loads)
            )
            reads = (*reads, TEMPORARY)
        if own is not None and not (operands.copies and (loads or stores)):
            ops.append(self._own(own, operands, reads, writes, loads=bool(loads), stores=bool(stores)))
            reads = (TEMPORARY,)
        if stores:
            store = self._op(STORE, stores[0], (address + reads, ()), UNITS, operands.stores)
            least = max(self.profile.pipeline.store_units(reach, wide=operands.wide), store.occupancy)
            ops.append(MicroOp(**vars(store) | {"occupancy": least}))
        if operands.updates:
            updates = _times(operands.updates)
            ops.append(MicroOp(PLAIN, updates, updates, self.profile.pipeline.latency.get("alu", 1) * UNITS))
        slot = 0 if fused else UNITS // self.profile.width
        first = ops[0] if ops else MicroOp(PLAIN, (), (), 0)
        return [MicroOp(**vars(first) | {"slot": slot}), *ops[1:]]

    def _hit(self, name: str, operands: Operands) -> int:
        """Return the units from a load's address to its value, in the first level."""
        pipeline = self.profile.pipeline
        latency = pipeline.latency.get(name, self.profile.latency.l1)
        return (latency + pipeline.scaled_index * operands.scaled) * UNITS

    def _fixed(self, needs: tuple[str, ...], operands: Operands) -> list[MicroOp]:
        """Return operations that wait for nothing; the first of them takes the cost."""
        units = max((self.profile.issue[name] for name in needs), default=0)
        loads = operands.loads if any(name in LOAD_CLASSES for name in needs) else operands.own
        stores = operands.stores if any(name in STORE_CLASSES for name in needs) else 0
        accesses = ((LOAD, loads), (STORE, stores))
        ops = [MicroOp(kind, (), (), 0, accesses=count) for kind, count in accesses if count]
        first = ops[0] if ops else MicroOp(PLAIN, (), (), 0)
        return [MicroOp(**vars(first) | {"slot": units}), *ops[1:]]

    def _own(
        self,
        name: str,
        operands: Operands,
        reads: tuple[int, ...],
        writes: tuple[int, ...],
        *,
        loads: bool,
        stores: bool,
    ) -> MicroOp:
        latencies = self.profile.pipeline.latency
        if operands.constant:
            return MicroOp(PLAIN, (), writes, 0)
        if name == "nop":
            return MicroOp(PLAIN, (), (), 0)
        moved = operands.copies and name == "alu"
        latency = latencies["move"] if moved else latencies[name]
        into = writes + (BRANCH,) * operands.resolves + (TEMPORARY,) * stores
        accesses = 0 if loads or stores else operands.own
        return self._op(LOAD if accesses else PLAIN, name, (reads, into), latency * UNITS, accesses)

    def _op(
        self,
        kind: int,
        name: str,
        registers: tuple[tuple[int, ...], tuple[int, ...]],
        latency: int,
        accesses: int,
    ) -> MicroOp:
        sources, into = registers
        port = self.ports[self.profile.pipeline.port.get(name, name)]
        return MicroOp(kind, sources, into, latency, port, self.profile.issue[name], 0, accesses)
