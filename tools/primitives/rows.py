# SPDX-License-Identifier: GPL-2.0-or-later
"""What a profile says beside what its machine shows: a row for each figure that a microbenchmark reaches."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringscope.emulator.books import INTERRUPT
from ringscope.emulator.timing.parameters import ASSUMED, ESTIMATE
from ringscope.tools.primitives import i486
from ringscope.tools.primitives.aarch64 import ArmLayout
from ringscope.tools.primitives.guest import MIB, Guest, Measured
from ringscope.tools.primitives.x86_64 import X86Layout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ringscope.emulator.timing.profile import Profile
    from ringscope.tools.primitives.guest import Benchmarks

LAYOUTS: Mapping[str, Callable[[], Benchmarks]] = {"x86_64": X86Layout, "aarch64": ArmLayout}
TOLERANCE = 0.02
RANGE = re.compile(r"(\d+) \+-(\d+)|(\d+) to (\d+)")
BRANCHES = 20_000
#: Pages whose chain is followed: every number up to twice the largest first-level TLB, then eighths of powers
#: of two.
LADDER = (
    *range(8, 145),
    *sorted({n << shift >> 3 for shift in range(8, 12) for n in range(8, 17) if n << shift >> 3 > 144}),
)
#: Causes of cycles that are no part of what a chain of loads waits for.
BESIDE = ("i-miss", "branch")


@dataclass(frozen=True)
class Row:
    """One figure in cycles, or pages: expected by the profile, measured on the machine.

    ``sourced`` says that all of it was published; then ``holds`` is a verdict. Where the one source of a
    figure states a range (``16 to 20``, ``186 +-10``), the figure must lie in it.
    """

    name: str
    expected: float
    measured: float
    sources: tuple[str, ...]
    sourced: bool

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the greatest figure that is right."""
        found = RANGE.search(self.sources[0]) if self.sourced and len(self.sources) == 1 else None
        if found is None:
            return self.expected * (1 - TOLERANCE), self.expected * (1 + TOLERANCE)
        middle, either, least, most = (int(part or 0) for part in found.groups())
        return (middle - either, middle + either) if found[1] else (least, most)

    @property
    def holds(self) -> bool:
        """Whether what was measured is right."""
        least, most = self.bounds
        return least <= self.measured <= most


def _row(profile: Profile, name: str, expected: float, measured: float, *paths: str) -> Row:
    sources = tuple(profile.sources[path] for path in paths)
    sourced = not any(source.startswith((ESTIMATE, ASSUMED)) for source in sources)
    return Row(name, expected, measured, sources, sourced)


@dataclass(frozen=True)
class Level:
    """A level of the caches in the chain of loads: ``lines`` are more than the levels before it hold."""

    name: str
    lines: int
    latency: int
    paths: tuple[str, ...]


def levels(profile: Profile) -> list[Level]:
    """Return L1D, the levels beyond it that there are, and memory."""
    line, before = profile.l1d.line, profile.l1d.size
    found = [Level("l1", before // 2 // line, profile.latency.l1, ())]
    for name, cache in (("l2", profile.l2), ("llc", profile.llc)):
        if cache.size:
            size = min(4 * before, cache.size // 2)
            found.append(Level(name, size // line, getattr(profile.latency, name), (f"latency.{name}",)))
            before = cache.size
    paths = ("latency.memory", "latency.memory_beyond", "core.frequency")
    memory = Level("memory", max(4 * before, 2 * MIB) // line, profile.memory_latency, paths)
    return [*found, memory]


def measure(profile: Profile, cpu: str) -> list[Row]:
    """Run every microbenchmark on a machine with that processor (``cpu``: its name or file)."""
    layout = LAYOUTS[profile.arch]()
    line = profile.l1d.line
    chain = levels(profile)
    guest = Guest(layout, line)
    primitives = list(layout.primitives())
    guest.build(
        [
            *primitives,
            layout.walks(),
            layout.branches(BRANCHES),
            *(
                piece
                for level in chain
                for piece in (
                    layout.chain(level.name, layout.region, line, level.lines),
                    layout.far_walk(f"{level.name} walk", layout.region, level.lines),
                )
            ),
            *(layout.reach(f"{pages} pages", pages) for pages in LADDER),
        ]
    )
    region = layout.region - layout.ram + chain[-1].lines * line
    found = guest.run(cpu, -(-region // MIB) * MIB + MIB)
    rows = [
        *_prices(profile, found),
        *_pairs(profile, found),
        _interrupt(profile, found),
        _branch(profile, found),
    ]
    rows += [*_latencies(profile, chain, found), *_far_walks(profile, layout, chain, found)]
    rows += [*_reaches(profile, found), _walk(profile, layout, found)]
    if profile.name == "i486":
        measured = i486.measure(cpu, line)
        rows += [
            Row(each.text, each.cycles, measured[each.text], (i486.SOURCE,), sourced=True)
            for each in i486.identities()
        ]
    return rows


def _price(measured: Measured) -> float:
    return measured.cause("trap") + measured.cause("serialisation")


def _prices(profile: Profile, found: Mapping[str, Measured]) -> Iterator[Row]:
    for name, cycles in profile.cost.items():
        if name in found:
            yield _row(profile, name, cycles, _price(found[name]), f"cost.{name}")


def _pairs(profile: Profile, found: Mapping[str, Measured]) -> Iterator[Row]:
    """Yield the ways into the kernel together with their ways out."""
    for into, out in (("syscall", "sysret"), ("sysenter", "sysexit"), ("int_gate", "iret"), ("svc", "eret")):
        if into in found:
            expected = profile.cost[into] + profile.cost[out]
            measured = _price(found[into]) + _price(found[out])
            yield _row(profile, f"{into} + {out}", expected, measured, f"cost.{into}", f"cost.{out}")


def _interrupt(profile: Profile, found: Mapping[str, Measured]) -> Row:
    out = "iret" if profile.arch == "x86_64" else "eret"
    expected = profile.cost["hardware_interrupt"] + profile.cost[out]
    paths = ("cost.hardware_interrupt", f"cost.{out}")
    return _row(profile, f"hardware_interrupt + {out}", expected, found[INTERRUPT].cause("trap"), *paths)


def _branch(profile: Profile, found: Mapping[str, Measured]) -> Row:
    """Return what a branch takes that was not foreseen, where the front end had to wait for it anyhow.

    The fence before it sees to that: without one, a core out of order also loses what it was ahead.
    """
    measured = found["branch"]
    cycles = measured.cause("branch") / measured.counter("branch-misses")
    return _row(profile, "branch miss", profile.predictor.mispredict, cycles, "predictor.mispredict")


def _latencies(profile: Profile, chain: list[Level], found: Mapping[str, Measured]) -> Iterator[Row]:
    """Yield what a load of a chain takes beyond one that L1D serves, by the level that serves it.

    What other levels served of the same chain is taken off at what they were found to take.
    """
    hit = _load(profile, found["l1"], chain[0].lines)
    beyond: dict[str, float] = {}
    for level in chain[1:]:
        measured = found[level.name]
        served = _served(profile, measured)
        cycles = (_load(profile, measured, level.lines) - hit) * level.lines
        cycles -= sum(beyond[name] * count for name, count in served.items() if name in beyond)
        beyond[level.name] = cycles / served[level.name]
        expected = level.latency - profile.latency.l1  # each load waits for the one before: nothing is hidden
        yield _row(
            profile, f"{level.name} beyond L1", expected, beyond[level.name], "latency.l1", *level.paths
        )


def _chain(measured: Measured) -> float:
    return measured.counter("cycles") - sum(measured.cause(cause) for cause in BESIDE)


def _load(profile: Profile, measured: Measured, loads: int) -> float:
    """Return what a load of a chain takes without its translation, all of which it waits for."""
    walks = measured.counter("page-walks")
    translation = measured.counter("page-walk-cycles")
    translation += profile.walk.stlb_hit * (measured.counter("dTLB-load-misses") - walks)
    return (_chain(measured) - translation) / loads


def _served(profile: Profile, measured: Measured) -> dict[str, float]:
    """Return how many loads that missed L1D each level served."""
    asked, served = measured.counter("L1-dcache-load-misses"), {}
    for name, cache, misses in (
        ("l2", profile.l2, "L2-load-misses"),
        ("llc", profile.llc, "LLC-load-misses"),
    ):
        if cache.size:
            missed = min(asked, measured.counter(misses))
            served[name], asked = asked - missed, missed
    return served | {"memory": asked}


def _far_walks(
    profile: Profile, layout: Benchmarks, chain: list[Level], found: Mapping[str, Measured]
) -> Iterator[Row]:
    """Yield what a read of the page walker takes beyond one that L1D serves: it waits for all of it."""
    near = found["walk"].counter("page-walk-cycles")
    for level in chain[1:]:
        cycles = (found[f"{level.name} walk"].counter("page-walk-cycles") - near) / layout.levels
        expected = level.latency - profile.latency.l1
        name = f"{level.name} beyond L1, walk"
        yield _row(profile, name, expected, cycles, "latency.l1", *level.paths)


def _reaches(profile: Profile, found: Mapping[str, Measured]) -> Iterator[Row]:
    """Yield how many pages each TLB level holds, and what a hit in the second one takes."""
    first = _reach(found, "dTLB-load-misses")
    unified = profile.itlb.small.entries == 0  # the code that loads has an entry too
    expected = profile.dtlb.small.entries - unified
    yield _row(profile, "first TLB reach, pages", expected, first, "dtlb.small.entries")
    if profile.stlb.small.entries == 0:
        return
    second = _reach(found, "page-walks")
    yield _row(profile, "second TLB reach, pages", profile.stlb.small.entries, second, "stlb.small.entries")
    if first <= LADDER[0]:
        return
    few, near = found[f"{LADDER[0]} pages"], found[f"{first} pages"]
    load = (_chain(near) - _chain(few)) / (first - LADDER[0])
    for pages in (pages for pages in LADDER if 2 * first <= pages <= second):
        far = found[f"{pages} pages"]
        beyond = _chain(far) - _chain(near) - load * (pages - first)  # a chain waits for all of it
        cycles = beyond / far.counter("dTLB-load-misses")
        yield _row(profile, "second TLB hit", profile.walk.stlb_hit, cycles, "walk.stlb_hit")
        return


def _reach(found: Mapping[str, Measured], misses: str) -> int:
    """Return the largest step of the ladder up to which nothing is missed."""
    reached = 0
    for pages in LADDER:
        if found[f"{pages} pages"].counter(misses):
            break
        reached = pages
    return reached


def _walk(profile: Profile, layout: Benchmarks, found: Mapping[str, Measured]) -> Row:
    measured = found["walk"]
    cycles = measured.counter("page-walk-cycles") / measured.counter("page-walks")
    expected = profile.walk.base + layout.levels * profile.latency.l1
    name = f"page walk of {layout.levels} reads in L1"
    return _row(profile, name, expected, cycles, "walk.base", "latency.l1")
