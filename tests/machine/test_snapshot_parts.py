# SPDX-License-Identifier: GPL-2.0-or-later
"""Of each field that the native core has it is decided whether a snapshot keeps it.

The fields are read from the headers; a new one fails here until it is either saved (a line in native/state.c)
or listed below with the others that a restored core makes anew.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest

from ringscope.emulator.machine import Machine, MachineConfig
from ringscope.emulator.snapshot import core_parts

NATIVE = Path(__file__).resolve().parents[2] / "emulator" / "native"
HEADERS = (
    "account.h",
    "backlog.h",
    "cache.h",
    "hierarchy.h",
    "ledger.h",
    "mmu.h",
    "models.h",
    "pipeline.h",
    "probe.h",
    "predictor.h",
    "tlb.h",
    "direction.h",
    "core.h",
)
#: What a machine is built from, and is the same in another one of its configuration.
BUILT = """
    timing uc env cpu hook_user_data ram call decoded models.config
    pipeline.config pipeline.window_groups account.delay trial
    models.hierarchy.line_shift models.hierarchy.line_mask models.hierarchy.fast_end
    models.hierarchy.present
    models.hierarchy.served_by models.hierarchy.walk_l1_read models.hierarchy.leaving models.hierarchy.unified
    models.mmu.unified models.mmu.hierarchy models.mmu.ram models.mmu.price models.mmu.identity
    models.predictor.direction.base_mask models.predictor.direction.history_mask
    models.predictor.direction.tables models.predictor.direction.tagged_entries
    models.predictor.direction.index_bits models.predictor.direction.index_shift
    models.predictor.direction.first models.predictor.direction.seen models.predictor.direction.rules
    models.predictor.btb_set_mask models.predictor.btb_ways
    models.predictor.depth models.predictor.mispredict models.predictor.redirect
    backlog.line_interval arch.exception_index
""".split()
#: What one run, one debugger, one tracer asks for; or follows from the rest: core_state_done and core_rearm.
ANEW = """
    account.now account.cause models.predictor.direction.ahead
    models.predictor.direction.provider models.predictor.direction.alternate
    models.mmu.data models.mmu.code pipeline.code pipeline.patience
    block_cause due quiet_until quiet block passed passed_pc observing retrying
    short_cuts fast_accesses counting sees_accesses tlb_fills tlb_patience tlb_grows code_page engine_error
    next_event stop_at stop code_changed stop_requested halted steps_left stepping
    attribution ledger.interrupt_where ledger.places_lost
    account.issue_fraction charger backlog.next backlog.full backlog.limit backlog.left backlog.spent
    backlog.reckoned backlog.direct backlog.untold backlog.open
    backlog.block backlog.block_pc backlog.owed backlog.counters backlog.cause
    backlog.page backlog.account.now backlog.account.cause backlog.account.cycles backlog.account.delay
    backlog.account.delayed
    debug blocks trace probes.count probes.probe probes.returns probes.return_count
""".split()
#: Of the tables, what was built or is found out again; what they hold is a part.
TABLES = {
    "struct cache": (
        "set_mask",
        "set_shift",
        "ways",
        "replacement",
        "inclusion",
        "write_through",
        "write_allocate",
    ),
    "struct tlb_array": ("set_mask", "set_shift", "ways", "total", "all_live"),
}
#: Parts that come and go with what is booked; their count follows from them.
GROWING = {"ledger.entry", "ledger.aside", "ledger.aside_count"}


def without_comments(text: str) -> str:
    return re.sub(r"/\*.*?\*/|^\s*#.*?$|_Alignas\(\w+\)", "", text, flags=re.DOTALL | re.MULTILINE)


@functools.cache
def structures(arch: str) -> dict[str, list[tuple[str, str]]]:
    """Return (type, name) of each field, by structure; a pointer's type is its own."""
    text = "\n".join(
        without_comments((NATIVE / name).read_text(encoding="utf-8"))
        for name in (*HEADERS, f"{arch}/engine.h")
    )
    return {
        name: [field for line in body.split(";") for field in fields(line)]
        for name, body in re.findall(r"(struct \w+) \{(.*?)\n\};", text, flags=re.DOTALL)
    }


def fields(declaration: str) -> list[tuple[str, str]]:
    """Return those of `const struct block *block, *passed` or `uint64_t breakpoint[BREAKPOINTS_MAX]`."""
    pointer = re.search(r"\(\*(\w+)\)", declaration)
    if pointer:
        return [("function", pointer[1])]
    match = re.match(r"\s*(?:const )?((?:struct |enum )?\w+)\s+(.*)", declaration, flags=re.DOTALL)
    if match is None:
        return []
    names = [name.strip() for name in match[2].split(",")]
    return [
        ("pointer" if name.startswith("*") else match[1], re.sub(r"[*\s]|\[.*?\]", "", name))
        for name in names
    ]


def leaves(arch: str, structure: str, path: str = "") -> list[str]:
    """Return the paths of all fields below a structure, not of one that is decided about as a whole."""
    found = []
    for kind, name in structures(arch)[structure]:
        here = f"{path}.{name}" if path else name
        if name in TABLES.get(structure, ()):
            continue
        if kind in structures(arch) and not decided(arch, here):
            found += leaves(arch, kind, here)
        else:
            found.append(here)
    return found


@functools.cache
def saved(arch: str) -> frozenset[str]:
    machine = Machine(MachineConfig(arch=arch), lambda _: None)
    names = {re.sub(r"\[\d+\]", "", part) for part in core_parts.read(machine.engine)}
    machine.engine.close()
    return frozenset(names)


def decided(arch: str, path: str) -> bool:
    return path in saved(arch) or path in BUILT or path in ANEW or path in GROWING


ARCHITECTURES = ("x86_64", "aarch64")


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_every_field_of_the_core_is_saved_or_known_not_to_be(arch: str) -> None:
    assert not [path for path in leaves(arch, "struct core") if not decided(arch, path)]


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_the_headers_are_understood(arch: str) -> None:
    found = leaves(arch, "struct core")
    assert {"account.cycles", "models.mmu.tag", "models.predictor.btb", "models.mmu.dtlb.array.used"} <= set(
        found
    )
    assert {"retrying", "credited", "tlb_patience"} <= set(found)
    assert len(found) == len(set(found)) > 80


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_what_is_said_to_be_made_anew_exists(arch: str) -> None:
    other = {"arch.exception_index"} if arch == "aarch64" else set()
    assert not {*BUILT, *ANEW} - {*leaves(arch, "struct core")} - other
