# SPDX-License-Identifier: GPL-2.0-or-later
"""At which instruction, and on which way, each thing is found that a snippet was booked."""

from __future__ import annotations

from ringscope.emulator.attribution.costs import ROOT, Kind, columns, total
from ringscope.emulator.attribution.recorder import Recorder
from tests.machine import snippets
from tests.machine.arm_snippets import USER_CODE
from tests.machine.rig import skylake
from tests.machine.snippets import CODE

COST = skylake().cost
FAR = snippets.DATA


def attributed(rig, source, measure=None):
    """What a snippet was attributed, once it has run to warm the caches of its code."""
    measure = measure or rig.measure
    measure(source)
    with Recorder(rig.engine, {}) as recorder:
        measure(source)
        return recorder.read().read()


def at(where, address, column):
    """What of one counter or cause was booked at an address, whatever the way."""
    index = columns().index(column)
    return sum(cost[index] for place, cost in where.costs.items() if where.places[place].address == address)


def chain(where, way):
    """The sites of a way, the outermost first."""
    sites = []
    while way != ROOT:
        sites.append(where.ways[way].site)
        way = where.ways[way].parent
    return sites[::-1]


def ways_at(where, address):
    return {tuple(chain(where, place.way)) for place in where.places if place.address == address}


# ---- instructions ----


def test_a_load_that_misses_is_found_at_that_load(make_rig) -> None:
    rig = make_rig()
    source = f"mov ecx, {FAR}; mov eax, [rcx]; mov edx, [rcx + 8]; clflush [rcx]; nop"
    rig.measure(f"mov ecx, {FAR + 0x1000}; mov eax, [rcx]; lfence")  # no miss to overlap with
    with Recorder(rig.engine, {}) as recorder:
        rig.measure(source)
        where = recorder.read().read()
    first, second = CODE + 5, CODE + 5 + 2
    assert (at(where, first, "L1-dcache-loads"), at(where, second, "L1-dcache-loads")) == (1, 1)
    assert at(where, first, "L1-dcache-load-misses") == 1
    assert at(where, second, "L1-dcache-load-misses") == 0
    assert at(where, first, "dTLB-load-misses") == 1
    assert at(where, first, "d-miss") > 0
    assert at(where, second, "d-miss") == 0


def test_each_instruction_is_one_and_has_the_cycles_by_which_it_retires_later(rig) -> None:
    where = attributed(rig, "mov ecx, 1000; again: add eax, 1; imul edx, edx; dec ecx; jnz again")
    add, multiply, decrement, jump = CODE + 5, CODE + 8, CODE + 11, CODE + 13
    assert [at(where, place, "instructions") for place in (add, multiply, decrement, jump)] == [1000] * 4
    # Each multiplication waits three cycles for the one before it, and all else is done meanwhile.
    assert [at(where, place, "issue") for place in (add, multiply, decrement, jump)] == [0, 3000, 0, 0]


def test_a_load_hides_what_is_done_while_it_waits(make_rig) -> None:
    rig = make_rig()
    source = f"mov ecx, {FAR}; mov eax, [rcx]; {'imul edx, edx; ' * 10} lfence"
    rig.measure(f"mov ecx, {FAR + 0x1000}; mov eax, [rcx]; lfence")
    with Recorder(rig.engine, {}) as recorder:
        rig.measure(source)
        where = recorder.read().read()
    load, first, last = CODE + 5, CODE + 7, CODE + 7 + 3 * 10
    multiplications = range(first, last, 3)
    # Begun in the first cycle and done after 30 more; a load that hits takes 4 of them.
    # Of its own wait the load keeps what is longer.
    assert at(where, load, "issue") + sum(at(where, place, "issue") for place in multiplications) == 31
    assert sum(at(where, place, "cycles") for place in multiplications) == 27
    assert at(where, load, "d-miss") + at(where, load, "tlb-walk") > 200


def test_a_mispredicted_branch_is_counted_at_the_branch(rig) -> None:
    where = attributed(rig, "mov ecx, 1000; again: nop; dec ecx; jnz again; nop")
    jump = CODE + 5 + 1 + 2
    assert at(where, jump, "branches") == 1000
    assert (
        at(where, jump, "branch-misses") == total(where.costs.values())[columns().index("branch-misses")] > 0
    )


def test_where_a_mispredicted_branch_leads_has_the_wait_for_it(rig) -> None:
    where = attributed(rig, "mov ecx, 1000; again: nop; dec ecx; jnz again; nop")
    after = CODE + 5 + 1 + 2 + 2
    assert at(where, after, "branch") == total(where.costs.values())[columns().index("branch")] > 0


def test_an_event_with_a_price_is_found_at_its_instruction(rig) -> None:
    where = attributed(rig, "nop; mov rax, cr3; mov cr3, rax; nop")
    assert at(where, CODE + 4, "serialisation") == COST["mov_cr3"]


def test_what_an_exception_kept_from_running_is_nowhere(rig) -> None:
    rig.handler(14, "add rsp, 8; add qword ptr [rsp], 2; iretq")
    where = attributed(rig, "mov eax, 0x60000000; nop; mov ecx, [rax]; nop; nop; nop")
    load, after = CODE + 6, CODE + 8
    assert [at(where, place, "instructions") for place in (CODE, CODE + 5, load, after)] == [1, 1, 0, 1]


def test_the_way_into_a_handler_is_found_at_its_first_instruction(rig) -> None:
    rig.handler(14, "add rsp, 8; add qword ptr [rsp], 2; iretq")
    where = attributed(rig, "mov eax, 0x60000000; nop; mov ecx, [rax]; nop")
    handler = snippets.HANDLERS + 0x40 * 14
    assert at(where, handler, "trap") == COST["exception"]
    assert at(where, handler, "page-faults") == 1
    assert at(where, handler + 9, "trap") == COST["iret"]


# ---- ways ----


def test_a_callee_is_found_on_the_way_of_its_call(rig) -> None:
    where = attributed(rig, "call first; call first; jmp over; first: nop; ret; over: nop")
    assert ways_at(where, CODE + 12) == {(CODE,), (CODE + 5,)}
    assert ways_at(where, CODE + 10) == {()}


def test_calls_within_calls_are_found_on_the_way_of_all_of_them(rig) -> None:
    where = attributed(rig, "call outer; jmp over; outer: call inner; ret; inner: nop; ret; over: nop")
    outer, inner = CODE + 7, CODE + 13
    assert ways_at(where, inner) == {(CODE, outer)}
    assert ways_at(where, outer + 5) == {(CODE,)}


def test_a_call_that_only_asks_where_it_is_is_no_way(rig) -> None:
    where = attributed(rig, "call next; next: pop rax; nop")
    assert ways_at(where, CODE + 5) == {()}


def test_a_function_that_was_jumped_to_returns_for_the_one_that_jumped(rig) -> None:
    where = attributed(rig, "call first; nop; jmp over; first: jmp second; second: nop; ret; over: nop")
    assert ways_at(where, CODE + 5) == {()}


def test_frames_that_a_long_jump_left_are_gone(rig) -> None:
    deep = "mov rbx, rsp; call one; back: mov rsp, rbx; call two; jmp over"
    where = attributed(rig, f"{deep}; one: call inner; inner: jmp back; two: nop; ret; over: nop")
    two = CODE + 25
    assert ways_at(where, two) == {(CODE + 11,)}


def test_each_way_says_how_often_it_was_taken(rig) -> None:
    where = attributed(rig, "mov ebp, 7; again: call one; dec ebp; jnz again; jmp over; one: ret; over: nop")
    assert [way.count for way in where.ways[1:]] == [7]


def test_an_exception_in_the_kernel_lies_on_the_way_of_what_it_cut(rig) -> None:
    rig.handler(14, "add rsp, 8; add qword ptr [rsp], 2; iretq")
    where = attributed(
        rig, "call one; jmp over; one: mov eax, 0x60000000; mov ecx, [rax]; nop; ret; over: nop"
    )
    handler, load = snippets.HANDLERS + 0x40 * 14, CODE + 12
    assert ways_at(where, handler) == {(CODE, load)}
    assert ways_at(where, load + 2) == {(CODE,)}
    assert {way.kind for way in where.ways[1:]} == {Kind.CALL, Kind.SYNCHRONOUS}


def test_an_interrupt_lies_on_the_way_of_the_function_that_it_cut(rig) -> None:
    rig.handler(0x40, "iretq")
    rig.measure("nop")
    rig.schedule((rig.engine.time, 0x40))
    with Recorder(rig.engine, {}) as recorder:
        rig.measure("call one; jmp over; one: sti; nop; nop; cli; ret; over: nop")
        where = recorder.read().read()
    one = CODE + 7
    assert ways_at(where, snippets.HANDLERS + 0x40 * 0x40) == {(CODE, one)}
    assert ways_at(where, one + 4) == {(CODE,)}
    assert {way.kind for way in where.ways[1:]} == {Kind.CALL, Kind.INTERRUPT}


def test_the_kernel_lies_on_the_way_of_the_user_code_that_called_it(arm) -> None:
    user = "bl one; b over; one: svc #0; ret; over: nop"
    where = attributed(arm, user, arm.visit_user)
    one = USER_CODE + 8
    entries = {tuple(chain(where, place.way)) for place in where.places if not place.user}
    assert (USER_CODE, one) in entries
    assert {place.user for place in where.places if place.address == one} == {True}


def test_user_code_goes_on_where_it_was_when_the_kernel_returns(arm) -> None:
    user = "bl one; b over; one: mov x9, x30; svc #0; bl two; mov x30, x9; ret; two: ret; over: nop"
    where = attributed(arm, user, arm.visit_user)
    two = USER_CODE + 8 + 5 * 4
    assert ways_at(where, two) == {(USER_CODE, USER_CODE + 16)}
