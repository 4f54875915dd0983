# SPDX-License-Identifier: GPL-2.0-or-later
"""What is counted is what was executed, and every cycle has a cause."""

from __future__ import annotations

import pytest

from ringscope.emulator.native import library as native
from ringscope.emulator.native.library import Stop
from ringscope.emulator.timing.parameters import ISSUE_UNITS_PER_CYCLE
from tests.guest import catalogue
from tests.machine import whole
from tests.machine.rig import Rig, Spent, skylake
from tests.machine.snippets import CODE, DATA, PAGE, PAGE_TABLE, USER_CODE, USER_CS, USER_SS, USER_STACK

ISSUE = skylake().issue
UNITS = ISSUE_UNITS_PER_CYCLE  # what is run so many times takes whole cycles

SET_TF, CLEAR_TF = "or qword ptr [rsp], 0x100", "and qword ptr [rsp], -257"
#: Name, snippet, instructions that it executes.
COUNTED = (
    ("straight", "inc eax; inc eax; inc eax", 3),
    ("loop", "mov ecx, 10; again: dec ecx; jnz again", 1 + 2 * 10),
    ("call", "call f; jmp over; f: inc eax; ret; over: inc eax", 5),
    ("not taken", "xor eax, eax; jnz over; inc eax; over: inc eax", 4),
    ("string", f"mov edi, {DATA}; mov ecx, 100; rep stosb", 3),
    ("string of nothing", f"mov edi, {DATA}; xor ecx, ecx; rep stosb", 3),
    ("search", f"mov edi, {DATA}; mov al, 1; mov ecx, 50; repne scasb", 4),
    ("seventy", "inc eax;" * 70, 70),
    ("serialising", "cpuid; rdtsc; cpuid", 3),
    ("soft interrupt", "int 0x40", 1 + 2),
    ("breakpoint instruction", "int3", 1 + 2),
    ("undefined", "inc eax; ud2; inc eax", 2 + 2),
    ("no instruction at all", "inc eax; .byte 0x06, 0x06; inc eax", 2 + 2),
    ("segment", "mov eax, ss; mov ss, eax; inc eax; inc eax", 4),
    ("flags", "pushfq; popfq; cli; sti; cli; nop", 6),
    ("single-stepped", f"pushfq; {SET_TF}; popfq; inc eax; pushfq; {CLEAR_TF}; popfq; nop", 8 + 4 * 2),
)  # fmt: skip


def with_handlers(rig: Rig) -> Rig:
    for vector in (1, 3, 0x40):
        rig.handler(vector, "inc r15; iretq")
    rig.handler(6, "add qword ptr [rsp], 2; iretq")
    return rig


@pytest.mark.parametrize("timing", [True, False], ids=["timing", "functional"])
@pytest.mark.parametrize(("source", "instructions"), [c[1:] for c in COUNTED], ids=[c[0] for c in COUNTED])
def test_each_instruction_counts_once(make_rig, source: str, instructions: int, timing: bool) -> None:
    assert with_handlers(make_rig(timing=timing)).measure(source)["instructions"] == instructions


@pytest.mark.parametrize("source", [c[1] for c in COUNTED], ids=[c[0] for c in COUNTED])
def test_as_many_instructions_count_as_steps_are_needed(make_rig, source: str) -> None:
    counted = with_handlers(make_rig()).measure(source)["instructions"]
    rig = with_handlers(make_rig())
    end = rig.place(CODE, source)
    rig.place(end, "fence; hlt")
    rig.begin()
    steps = rig.steps_to(end)
    faults = rig.exceptions().get(6, 0)  # a step that faults executes nothing
    assert counted == steps - faults


def test_without_models_every_instruction_is_one_cycle(make_rig) -> None:
    rig = with_handlers(make_rig(timing=False))
    for _, source, instructions in COUNTED:
        spent = rig.measure(source)
        assert spent["cycles"] == spent.cause("issue") == instructions


@pytest.mark.parametrize("name", ["exceptions", "self_modifying", "pit_timer", "page_fault"])
def test_the_causes_sum_to_the_running_total_and_with_idle_time_to_the_clock(name: str) -> None:
    observed = whole.Observed(catalogue.build(catalogue.by_name(name)))
    machine = observed.machine
    try:
        whole.freely(observed)
        assert sum(machine.books().causes().values()) == native.load().core_cycles(machine.engine.core)
        assert machine.engine.time == machine.books().total("cycles") + machine.engine.idle
    finally:
        machine.engine.close()


def test_each_ring_is_booked_what_it_executes(rig) -> None:
    rig.handler(0x40, "inc r15; inc r15; inc r15; iretq")
    rig.handler(0x41, f"mov rsp, rbp; mov rax, {CODE + 0x800}; jmp rax")
    rig.place(USER_CODE, "inc eax; inc eax; int 0x40; inc eax; inc eax; inc eax; inc eax; int 0x41")
    rig.place(CODE + 0x800, "fence; hlt")
    rig.place(
        CODE,
        f"mov rbp, rsp; push {USER_SS}; push {USER_STACK}; push 2; push {USER_CS}; push {USER_CODE}; iretq",
    )
    for _ in range(2):  # the second time its lines are there
        rig.begin()
        before = rig.books()
        rig.run_to(CODE + 0x800)
    after = rig.books()
    kernel, user = (a - b for a, b in zip(*(x.counter("instructions") for x in (after, before)), strict=True))
    assert (kernel, user) == (7 + 4 + 3, 8)
    issue = native.cause_names().index("issue")
    assert after.user_cause[issue] - before.user_cause[issue] == 6  # each INC waits for the one before


# ---- issue cycles, worked out by hand ----


def rounds(source: str, count: int) -> str:
    """A snippet that runs ``source`` so many times, with nothing before it in flight each time."""
    return f"mov r12d, {count}; nop; nop; fence; around: lfence; fence; {source}; dec r12d; jnz around"


def issue_of_a_round(rig: Rig, source: str) -> float:
    """Return the issue cycles of one round: of twice UNITS of them, less those of UNITS.

    Its last block ends with DEC and JNZ, which retires two cycles after DEC is delivered.
    """
    few, many = (rig.measure(rounds(source, count), warm=True).cause("issue") for count in (UNITS, 2 * UNITS))
    return (many - few) / UNITS


def test_a_fault_in_the_middle_of_a_block_charges_just_what_was_executed(rig) -> None:
    rig.handler(6, "add qword ptr [rsp], 2; iretq")
    before = 0.25 + 1 + 1  # the mark's slot, and two INC in a row
    handler = 4 + 1 + 1  # a load, an addition, a store
    behind = 0.5 + 2  # two LEA are delivered before DEC
    faulting = "inc eax; inc eax; ud2; lea rax, [rbx]; lea rax, [rbx]"
    assert issue_of_a_round(rig, faulting) == before + handler + behind
    spent = rig.measure(rounds(faulting, UNITS), warm=True)
    cost = skylake().cost
    assert spent.cause("trap") == UNITS * (cost["exception"] + cost["iret"])


def test_fixed_prices_of_instructions_that_a_fault_cut_off_are_not_charged(rig) -> None:
    rig.handler(6, "add qword ptr [rsp], 2; iretq")
    spent = rig.measure("mfence; ud2; mfence; swapgs", warm=True)
    assert spent.cause("serialisation") == 2 * skylake().cost["mfence"]
    cost = skylake().cost
    assert spent.cause("trap") == cost["exception"] + cost["iret"] + cost["swapgs"]


@pytest.mark.parametrize("elements", [0, 1, 2, 7, 64])
def test_a_repeated_string_instruction_costs_its_start_and_each_of_its_elements(rig, elements: int) -> None:
    source = f"mov edi, {DATA}; mov ecx, {elements}"
    string = issue_of_a_round(rig, f"{source}; rep stosb")
    nothing = issue_of_a_round(rig, f"{source}; nop")
    expected = ISSUE["rep_string"] + elements * ISSUE["rep_element"] - ISSUE["nop"]
    assert string - nothing == expected / UNITS


# ---- string instructions that are cut between two elements ----

SET_PRESENT = f"or byte ptr [rax*8 + {PAGE_TABLE}], 1"
SUPPLY = f"push rax; mov rax, cr2; shr rax, 12; {SET_PRESENT}; pop rax; add rsp, 8; iretq"
#: SHR is delivered third and the rest waits for it: 0.5 + 1, a load by a multiplied index, an OR, a store.
SUPPLY_CYCLES = 1.5 + 5 + 1 + 1


def filling(pages: int) -> str:
    """Take pages away, and fill them by one string instruction that faults at the beginning of each."""
    entries = [PAGE_TABLE + 8 * (DATA // PAGE + page) for page in range(pages)]
    away = "; ".join(f"and byte ptr [{entry}], 0xfe" for entry in entries) + "; mov rax, cr3; mov cr3, rax"
    words = pages * PAGE // 8
    return f"{away}; lfence; fence; mov edi, {DATA}; mov ecx, {words}; rep stosq; lfence; fence; nop"


@pytest.mark.parametrize("pages", [2, 3])
def test_a_string_instruction_that_faults_on_every_page_counts_once_and_pays_each_element_once(
    rig, pages: int
) -> None:
    rig.handler(14, SUPPLY)
    one = rig.measure(rounds(filling(1), UNITS), warm=True)
    several = rig.measure(rounds(filling(pages), UNITS), warm=True)
    more = pages - 1
    assert several["page-faults"] == UNITS * pages
    assert several["instructions"] - one["instructions"] == UNITS * more * (7 + 1)  # the handler, and one AND
    assert several.cause("trap") == UNITS * pages * (skylake().cost["exception"] + skylake().cost["iret"])
    elements = PAGE // 8 * ISSUE["rep_element"] / UNITS
    another_and = ISSUE["load"] / UNITS  # its load has its turn behind the one before, and is waited for
    per_page = elements + SUPPLY_CYCLES
    grown = issue_of_a_round(rig, filling(pages)) - issue_of_a_round(rig, filling(1))
    assert per_page * more <= grown <= (per_page + another_and) * more


@pytest.mark.parametrize("string", ["rep stosb", "rep movsb", "repe cmpsb", "repe scasb", "rep lodsb"])
def test_a_string_instruction_that_interrupts_cut_counts_once_and_pays_each_element_once(
    rig, string: str
) -> None:
    rig.handler(0x50, "inc r15; iretq")
    places = f"mov edi, {DATA}; mov esi, {DATA + PAGE}; mov ecx, 4096"
    source = f"lfence; fence; sti; xor eax, eax; {places}; {string}; cli"
    undisturbed = rig.measure(source, warm=True)
    now = rig.engine.time
    rig.schedule(*((now + 10 + 11 * i, 0x50) for i in range(UNITS)))
    rig.begin()
    before = rig.books()
    rig.run_to(rig.end)
    disturbed = Spent(before, rig.books())

    assert len(rig.taken) == disturbed["interrupts"] == UNITS
    assert disturbed["instructions"] - undisturbed["instructions"] == 2 * UNITS
    more = disturbed.cause("issue") - undisturbed.cause("issue")
    assert abs(more - UNITS * 1) <= 1  # the handler's INC, each time by itself, and a fraction carried
    cost = skylake().cost
    assert disturbed.cause("trap") == UNITS * (cost["hardware_interrupt"] + cost["iret"])
    assert disturbed.cause("serialisation") == undisturbed.cause("serialisation")


def test_a_string_instruction_at_which_a_debugger_stopped_time_and_again_counts_once(rig) -> None:
    rig.measure("nop")
    takes_whole_cycles = f"lfence; fence; mov edi, {DATA}; mov ecx, 3000; rep stosb"
    spent = rig.measure(takes_whole_cycles, warm=True)
    rig.begin()
    before, stops = rig.books(), 0
    rig.engine.set_breakpoints([rig.end])
    while rig.engine.run(rig.engine.time + 7) is not Stop.BREAKPOINT:
        stops += 1
    assert stops > 100
    assert Spent(before, rig.books()).everything() == spent.everything()


def test_the_rest_of_a_string_instruction_that_was_stopped_half_way_is_one_step(rig) -> None:
    string = rig.place(CODE, f"mov edi, {DATA}; mov ecx, 3000")
    behind = rig.place(string, "rep stosb")
    rig.place(behind, "nop; nop; fence; hlt")
    rig.begin()
    assert rig.engine.run(rig.engine.time + 500) is Stop.TIME
    assert rig.engine.register("rip") == string
    assert 0 < rig.engine.register("rcx") < 3000
    assert rig.engine.run(steps=1) is Stop.STEPS
    assert (rig.engine.register("rip"), rig.engine.register("rcx")) == (behind, 0)
