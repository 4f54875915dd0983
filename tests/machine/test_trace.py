# SPDX-License-Identifier: GPL-2.0-or-later
"""What the native core records: every crossing once, where it was, what it cost; and nothing else changes."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from ringscope.emulator.trace.event import Call, Event, Kind, read
from ringscope.emulator.trace.recorder import CAPACITY, Recorder
from tests.guest import catalogue
from tests.machine import whole
from tests.machine.arm_rig import cortex_a57
from tests.machine.arm_snippets import SAME_SYNC
from tests.machine.rig import skylake
from tests.machine.snippets import CODE

if TYPE_CHECKING:
    from collections.abc import Callable

COST = skylake().cost
ARM_COST = cortex_a57().cost
RAX, X8 = 0, 8
IPC, CONTEXT_SWITCH = 1, 2
MARK = ".byte 0x0f, 0x1f, 0x84, 0x00; .long 0x52530000 + {}"


class Kept:
    """What a machine recorded while it ran."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []

    @property
    def events(self) -> list[Event]:
        return [event for chunk in self.chunks for event in read(chunk)]


def recorded(engine, run: Callable[[], object], register: int = RAX) -> list[Event]:
    kept = Kept()
    with Recorder(engine, (kept.chunks.append,), 0, register):
        run()
    return kept.events


# ---- one crossing at a time ----


def test_a_software_interrupt_and_its_return_are_recorded_with_places_and_costs(rig) -> None:
    handler = rig.handler(0x42, "iretq") - 2
    events = recorded(rig.engine, lambda: rig.measure("mov eax, 77; int 0x42; nop"))
    entry, back = events
    after = CODE + 5 + 2
    assert (entry.kind, entry.number, entry.argument) == (Kind.SYSTEM_CALL, Call.INT, 77)
    assert (entry.source, entry.target) == (after, handler)
    assert (back.kind, back.source, back.target) == (Kind.RETURN, handler, after)
    assert entry.cost >= COST["int_gate"]  # and what pushing its frame missed
    assert (entry.from_user, entry.to_user, back.to_user) == (False, False, False)


def test_an_exception_is_recorded_with_its_error_code_and_address(rig) -> None:
    rig.handler(14, "add rsp, 8; add qword ptr [rsp], 3; iretq")
    events = recorded(rig.engine, lambda: rig.measure("mov eax, 0x60000000; mov rcx, [rax]; nop"))
    fault = events[0]
    assert (fault.kind, fault.number, fault.detail, fault.argument) == (Kind.EXCEPTION, 14, 0, 0x60000000)
    assert fault.source == CODE + 5


def test_a_hardware_interrupt_is_recorded_with_its_vector(rig) -> None:
    rig.handler(0x40, "iretq")
    rig.measure("nop")
    rig.schedule((rig.engine.time, 0x40))
    events = recorded(rig.engine, lambda: rig.measure("sti; nop; nop; cli; nop"))
    assert [(event.kind, event.number) for event in events] == [(Kind.INTERRUPT, 0x40), (Kind.RETURN, 0)]


def test_marks_are_recorded_in_their_order(rig) -> None:
    source = "; ".join(MARK.format(code) for code in (0x0007, 0x2001, 0x2002, 0x1007))
    events = recorded(rig.engine, lambda: rig.measure(source))
    assert [(event.kind, event.number) for event in events] == [
        (Kind.BEGIN, 7), (Kind.EVENT, IPC), (Kind.EVENT, CONTEXT_SWITCH), (Kind.END, 7),
    ]  # fmt: skip
    assert events[0].source == events[0].target == CODE


def test_a_full_buffer_is_handed_over_and_nothing_is_lost(rig) -> None:
    rig.handler(0x42, "iretq")
    kept = Kept()
    times = CAPACITY // 2 + 10
    with Recorder(rig.engine, (kept.chunks.append,), 0, RAX):
        rig.measure(f"mov ecx, {times}; again: int 0x42; dec ecx; jnz again")
    assert len(kept.chunks) == 2
    assert [event.kind for event in kept.events] == [Kind.SYSTEM_CALL, Kind.RETURN] * times


def test_an_svc_and_its_return_are_recorded_with_places_and_costs(arm) -> None:
    events = recorded(arm.engine, lambda: arm.visit_user("movz x8, #77; svc #0; nop"), X8)
    crossings = [event for event in events if event.kind is not Kind.EVENT]
    enter, call, back, leave = crossings[:4]  # of the first of two visits, which makes the second warm
    assert (enter.kind, leave.kind) == (Kind.RETURN, Kind.SYSTEM_CALL)
    assert (call.kind, call.number, call.argument, call.cost) == (
        Kind.SYSTEM_CALL, Call.SVC, 77, ARM_COST["svc"],
    )  # fmt: skip
    assert (back.kind, back.target, back.cost) == (Kind.RETURN, call.source, ARM_COST["eret"])
    assert (call.from_user, call.to_user, back.from_user, back.to_user) == (True, False, False, True)


def test_an_abort_is_recorded_with_its_syndrome_and_address(arm) -> None:
    arm.handler(SAME_SYNC, "mrs x17, elr_el1; add x17, x17, #4; msr elr_el1, x17; eret")
    fault = recorded(arm.engine, lambda: arm.measure("movz x1, #0x80, lsl #32; ldr x0, [x1, #8]; nop"))[0]
    assert (fault.kind, fault.number, fault.argument) == (Kind.EXCEPTION, 0x25, 0x80_0000_0008)
    assert fault.detail >> 26 == 0x25
    assert fault.detail & 0x3F == 0x04  # a translation fault at level 0


# ---- whole runs, against the counters ----

GUESTS = (
    "exceptions", "page_fault", "system_call", "pit_timer", "two_spaces", "ledger_marks", "gates32",
    "aarch64/exceptions", "aarch64/page_fault", "aarch64/system_call", "aarch64/two_spaces",
    "aarch64/ledger_marks",
)  # fmt: skip
FIDELITIES = ("timing", "functional")
#: An exception's number is its vector or, on AArch64, its class: aborts of code and of data, EL0 and EL1.
PAGE_FAULTS = {"x86_64": {14}, "aarch64": {0x20, 0x21, 0x24, 0x25}}


@pytest.fixture(scope="module", params=itertools.product(GUESTS, FIDELITIES), ids="-".join)
def run(request):
    """One guest with its trace, and without: what was seen, the events, and which of them are page faults."""
    name, fidelity = request.param
    image = catalogue.build(catalogue.by_name(name))
    faults = PAGE_FAULTS[whole.arch_of(image)]
    kept = Kept()

    def traced(observed):
        with Recorder(observed.machine.engine, (kept.chunks.append,), 0, RAX):
            return whole.freely(observed)

    return whole.run(image, traced, fidelity), whole.run(image, whole.freely, fidelity), kept.events, faults


def test_tracing_changes_nothing_that_can_be_seen(run) -> None:
    traced, plain, *_ = run
    assert traced == plain


def test_events_are_those_that_the_counters_count(run) -> None:
    seen, _, events, faults = run
    counted = {
        "mode-switches": sum(event.from_user != event.to_user for event in events),
        "interrupts": sum(event.kind is Kind.INTERRUPT for event in events),
        "address-space-switches": sum(event.kind is Kind.SPACE for event in events),
        "page-faults": sum(event.kind is Kind.EXCEPTION and event.number in faults for event in events),
    }
    assert counted == {name: seen.books.total(name) for name in counted}


def test_events_follow_one_another_in_time(run) -> None:
    events = run[2]
    assert all(before.time + before.cost <= after.time for before, after in itertools.pairwise(events))


def test_the_end_of_one_event_is_in_the_ring_where_the_next_begins(run) -> None:
    events = run[2]
    assert all(before.to_user == after.from_user for before, after in itertools.pairwise(events))
