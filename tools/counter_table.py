# SPDX-License-Identifier: GPL-2.0-or-later
"""The counters of a run as text, as ``perf stat`` has them: a table for people, or fields for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringscope.tools.session import Outcome

VALUE, NAME, DERIVED = 20, 26, 38  # columns
NANOSECONDS = 1_000_000_000
ALWAYS = "100.00"  # perf's share of the time in which a counter was counting, in percent


def derived(name: str, total: Mapping[str, int]) -> tuple[float, str] | None:
    """Return what a counter says beside another one, as (value, unit), or None."""
    if name == "instructions":
        return _ratio(total, name, "cycles", 1, "insn per cycle")
    if name in ("mode-switches", "address-space-switches", "page-faults", "interrupts"):
        return _ratio(total, name, "instructions", 1_000_000, "per million instructions")
    if name == "page-walk-cycles":
        return _ratio(total, name, "page-walks", 1, "cycles per walk")
    if name == "branch-misses":
        return _ratio(total, name, "branches", 100, "% of all branches")
    for kind in ("load", "store"):
        if name.endswith(f"-{kind}-misses"):
            whole = name.removesuffix("-misses") + "s"
            return _ratio(total, name, whole, 100, f"% of all {whole}")
    return None


def _ratio(
    total: Mapping[str, int], name: str, base: str, factor: int, unit: str
) -> tuple[float, str] | None:
    return (factor * total[name] / total[base], unit) if total.get(base) else None


def text(outcome: Outcome, name: str) -> str:
    """Return the table; ``name`` is what was booted."""
    machine, end = outcome.machine, outcome.exit
    by_ring = machine.counters.by_ring(machine.books())
    what = f"{machine.profile.arch}, {machine.profile.label}, {machine.config.fidelity}"
    lines = ["", f" Performance counter stats for '{name}' ({what}):", ""]
    lines += [_row(counter, by_ring) for counter in machine.counters.names()]
    lines += ["", *_causes(machine.books().causes()), "", *_times(outcome)]
    operations = ", ".join(f"{entry.name} {entry.count:,}" for entry in machine.ledger() if entry.count)
    if operations:
        lines += ["", f" Marked operations: {operations} ('ringscope ipc' prints their ledger)"]
    lines += ["", f" Ended by: {end.reason}, status {end.status}", ""]
    return "\n".join(lines) + "\n"


def _row(name: str, by_ring: Mapping[str, int]) -> str:
    value, user = by_ring[name], by_ring[f"{name}:u"]
    found = derived(name, by_ring)
    line = f"{value:>{VALUE},}      {name:<{NAME}}"
    if value:
        beside = "" if found is None else f"# {found[0]:8.2f} {found[1]}"
        line += f"{beside:<{DERIVED}} ({100 * user / value:5.1f}% :u {100 * (value - user) / value:5.1f}% :k)"
    return line.rstrip()


def _causes(causes: Mapping[str, int]) -> list[str]:
    whole = sum(causes.values())
    lines = [" Cycles by cause:", ""]
    return lines + [
        f"{value:>{VALUE},}      {cause:<{NAME}}# {100 * value / whole:8.2f} % of all cycles"
        for cause, value in causes.items()
        if value
    ]


def _times(outcome: Outcome) -> list[str]:
    engine, hz = outcome.machine.engine, outcome.machine.profile.frequency_hz
    instructions = outcome.machine.books().total("instructions")
    idle = 100 * engine.idle / engine.time if engine.time else 0
    speed = instructions / outcome.host_seconds / 1e6 if outcome.host_seconds else 0
    rows = (
        (f"{engine.time / hz:.9f}", f"seconds of simulated time at {hz / 1e6:,.0f} MHz, {idle:.1f}% idle"),
        (f"{engine.lateness:,}", "cycles after its due cycle came the latest event"),
        (f"{outcome.host_seconds:.3f}", f"seconds on the host, {speed:.1f} million instructions per second"),
    )
    return [f"{value:>{VALUE}}      {what}" for value, what in rows]


def fields(outcome: Outcome, separator: str) -> str:
    """Return perf's machine-readable lines.

    Fields: value, unit (none), name, nanoseconds of simulated time that it was counted for, percentage of
    them, derived value and its unit, where there is one.
    """
    machine = outcome.machine
    by_ring = machine.counters.by_ring(machine.books())
    run_time = str(machine.engine.time * NANOSECONDS // machine.profile.frequency_hz)
    lines = []
    for name, value in by_ring.items():
        found = derived(name, by_ring)
        beside = ("", "") if found is None else (f"{found[0]:.2f}", found[1])
        lines.append(separator.join((str(value), "", name, run_time, ALWAYS, *beside)))
    return "\n".join(lines) + "\n"
