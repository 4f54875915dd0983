# SPDX-License-Identifier: GPL-2.0-or-later
"""The short cuts through the engine change nothing: not what a guest computes, and no counter of any kind.

With the models they are the core's own look into the engine's TLB and the block hook's short way; without
models, translated code counts blocks by itself. Guests that change their code, fault, store across pages, map
a frame twice, talk to devices, are interrupted and stopped run both ways.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

import pytest

from ringscope.emulator.books import Books
from ringscope.emulator.cpu.aarch64.engine import ArmEngine
from ringscope.emulator.cpu.engine import Engine
from ringscope.emulator.cpu.x86_64.engine import X86Engine
from ringscope.emulator.machine import Exit, Machine, MachineConfig
from tests.guest import catalogue
from tests.machine import small_kernels, whole
from tests.machine.guests import free_run, image

if TYPE_CHECKING:
    from pathlib import Path

FIDELITIES = ("timing", "functional")
#: Patched code under a fast timer, faults in strings, unaligned accesses, two mappings of a frame, devices.
X86_GUESTS = (
    "troublemaker", "page_fault", "crossing_faults", "self_modifying", "two_spaces", "alignment",
    "exceptions", "pit_timer", "interrupt_shadow", "single_step", "ledger_marks",
)  # fmt: skip
#: All but those that take most of their time to wait for a clock's second, and the one made to cross rings.
ARM_GUESTS = tuple(
    program.name
    for program in catalogue.PROGRAMS
    if program.arch == "aarch64"
    and not program.disk
    and not program.typed
    and program.name not in ("aarch64/rtc", "aarch64/device_tree", "aarch64/crossings")
)
GUESTS = X86_GUESTS + ARM_GUESTS


def by_the_long_ways(observed: whole.Observed) -> Exit:
    observed.machine.engine.allow_short_cuts(False)
    return whole.freely(observed)


def by_turns(cycles: int) -> whole.Way:
    """Short cuts for so many cycles, then the long ways for as many, and again."""

    def way(observed: whole.Observed) -> Exit:
        machine, result, allowed = observed.machine, None, True
        while result is None:
            machine.engine.allow_short_cuts(allowed)
            allowed = not allowed
            result = machine.run_until_cycle(machine.engine.time + cycles)
        return result

    return way


def times_of_stops(kernel: Path, allowed: bool) -> list[int]:
    """When runs end that are to end every 20011 cycles: a page of the backlog takes less."""
    observed = whole.Observed(kernel)
    machine = observed.machine
    machine.engine.allow_short_cuts(allowed)
    times = []
    while machine.run_until_cycle(20_011 * (len(times) + 1)) is None:
        times.append(machine.engine.time)
    machine.engine.close()
    return times


def test_a_run_ends_at_the_same_blocks_without_them(tmp_path: Path) -> None:
    """Blocks take long by what their loads miss, which the hook has to allow for when it looks ahead."""
    kernel = small_kernels.write("chase", tmp_path)
    assert times_of_stops(kernel, True) == times_of_stops(kernel, False)


@pytest.mark.parametrize("fidelity", FIDELITIES)
@pytest.mark.parametrize("name", GUESTS)
def test_a_guest_is_the_same_without_them(name: str, fidelity: str) -> None:
    assert whole.run(image(name), by_the_long_ways, fidelity) == free_run(name, fidelity)


@pytest.mark.parametrize("fidelity", FIDELITIES)
@pytest.mark.parametrize("name", GUESTS)
def test_a_guest_is_the_same_when_they_come_and_go(name: str, fidelity: str) -> None:
    free = free_run(name, fidelity)
    assert whole.run(image(name), by_turns(free.time // 29 + 1), fidelity) == free


@pytest.mark.parametrize(
    ("cpu", "name"),
    [
        ("i486", "two_spaces"),  # one first level of caches and TLBs, written through
        ("pentium", "self_modifying"),
        ("zen4", "two_spaces"),  # pages of all sizes in one array
        ("cortex-a53", "aarch64/ledger_tlb"),
        ("cortex-a9", "aarch64/ledger_copies"),
    ],
)
def test_a_guest_is_the_same_without_them_by_any_profile(cpu: str, name: str) -> None:
    free = whole.run(image(name), whole.freely, cpu=cpu)
    assert whole.run(image(name), by_the_long_ways, cpu=cpu) == free


@pytest.mark.parametrize("way", [whole.freely, by_the_long_ways])
def test_without_paging_the_first_page_is_no_entry_of_a_tlb(tmp_path: Path, way: whole.Way) -> None:
    """Nor are free entries its own, whose key is 0."""
    seen = whole.run(small_kernels.write("low-words", tmp_path), way)
    assert seen.books.total("L1-dcache-loads") >= 100
    assert seen.books.total("dTLB-loads") == 0


@pytest.mark.parametrize("way", [whole.freely, by_the_long_ways])
def test_lines_that_are_written_through_are_never_written_back(tmp_path: Path, way: whole.Way) -> None:
    books = whole.run(small_kernels.write("stores", tmp_path), way, cpu="i486").books
    assert books.total("dTLB-loads") == 3 * 4096
    assert books.total("L1-dcache-stores") == 2 * 4096 + 4  # and the page tables, before paging
    assert books.total("L1-dcache-load-misses") == 4096
    assert books.total("writebacks") == 0


# ---- the proof at start-up ----


@pytest.mark.parametrize("fidelity", FIDELITIES)
@pytest.mark.parametrize(("arch", "engine"), [("x86_64", X86Engine), ("aarch64", ArmEngine)])
def test_the_proof_executes_as_many_instructions_as_it_says(monkeypatch, arch, engine, fidelity) -> None:
    counted: list[int] = []
    try_out = Engine._try_out

    def watched(self, make_decoder, *, short_cuts):
        seen = try_out(self, make_decoder, short_cuts=short_cuts)
        words = ctypes.create_string_buffer(seen[1])
        counted.append(Books.at(ctypes.addressof(words)).total("instructions"))
        return seen

    monkeypatch.setattr(Engine, "_try_out", watched)
    Machine(MachineConfig(arch=arch, fidelity=fidelity), lambda _: None).engine.close()
    assert counted == [engine.proof.INSTRUCTIONS] * 2


@pytest.mark.parametrize("part", [0, 1, 2], ids=["end", "books", "memory"])
def test_a_short_cut_that_shows_anything_else_is_not_taken(monkeypatch, part) -> None:
    try_out = Engine._try_out

    def wrong(self, make_decoder, *, short_cuts):
        seen = list(try_out(self, make_decoder, short_cuts=short_cuts))
        if short_cuts:
            seen[part] = 99 if part == 0 else bytes([seen[part][0] ^ 1]) + seen[part][1:]
        return tuple(seen)

    expected = whole.run(image("page_fault"), whole.freely)
    monkeypatch.setattr(Engine, "_try_out", wrong)
    observed = whole.Observed(image("page_fault"))
    assert "gave another result" in (observed.machine.engine.slow_because or "")
    observed.machine.engine.close()
    assert whole.run(image("page_fault"), whole.freely) == expected
