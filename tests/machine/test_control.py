# SPDX-License-Identifier: GPL-2.0-or-later
"""Stopping a machine: where it was asked to and nowhere else, and without a trace in what is counted."""

from __future__ import annotations

import itertools
import threading
from collections import Counter

import pytest

from ringscope.emulator.debug.control import Why
from ringscope.emulator.trace.event import Event, Kind
from tests.machine import small_kernels
from tests.machine.guests import image

FIDELITIES = ("timing", "functional")
ROUNDS = 500  # two_spaces.c: each space's code is called once, and this often again
#: Where its two spaces have each their own code, and in the next page data.
COMMON = {"two_spaces": 0x80_0000_0000, "aarch64/two_spaces": 0x80_0000_0000}
DATA_AFTER_CODE = 0x1000


# ---- steps ----


@pytest.mark.parametrize("name", ["system_call", "aarch64/system_call"])
def test_a_step_of_many_is_as_many_steps(make_control, name: str) -> None:
    one, many = make_control(image(name)), None
    for _ in range(1000):
        halt = one.step()
    one.engine.close()
    many = make_control(image(name))
    assert many.step(1000) == halt


def test_a_step_of_no_instruction_is_refused(make_control, tmp_path) -> None:
    control = make_control(small_kernels.write("spin", tmp_path))
    with pytest.raises(ValueError, match="cannot be executed"):
        control.step(0)


def test_a_step_stops_at_a_breakpoint_on_its_way(make_control) -> None:
    control = make_control(image("troublemaker"))
    where = [control.step().pc for _ in range(5)]
    control.engine.close()
    control = make_control(image("troublemaker"))
    place = control.add_breakpoint(where[2])
    halt = control.step(5)
    assert (halt.why, halt.pc, halt.detail, place.hits) == (Why.BREAKPOINT, where[2], place, 1)


# ---- breakpoints ----


def test_a_breakpoint_where_the_machine_stands_does_not_stop_it(make_control, tmp_path) -> None:
    control = make_control(small_kernels.write("exit-3", tmp_path))
    place = control.add_breakpoint(control.pc)
    halt = control.resume()
    assert (halt.why, halt.detail.status, place.hits) == (Why.END, 3, 0)


def test_a_run_that_has_ended_has_ended_for_good(make_control, tmp_path) -> None:
    control = make_control(small_kernels.write("exit-3", tmp_path))
    assert control.resume() == control.resume() == control.step()


def test_a_condition_decides_whether_a_breakpoint_stops(make_control, tmp_path) -> None:
    control = make_control(small_kernels.write("wide", tmp_path))
    loop = control.step(2).pc
    place = control.add_breakpoint(loop, condition=lambda control: control.register("rax") & 0xFF == 10 + 80)
    halt = control.resume()
    assert (halt.why, halt.pc, place.hits) == (Why.BREAKPOINT, loop, 1)
    assert control.register("rcx") == 80  # ten times round, eight times each


def test_a_string_instruction_is_one_place(make_control) -> None:
    control = make_control(image("troublemaker"))
    control.stop_on = ("page-fault",)
    fault = control.resume().detail
    control.stop_on = ()
    assert control.read(fault.source, 1)[0] & 0xFE == 0xF2  # REP and REPNE
    place = control.add_breakpoint(fault.source)
    started, elements = control.resume(), control.register("rcx")
    assert started.detail is place
    assert elements > 1
    control.step()
    assert control.pc != fault.source


@pytest.mark.parametrize("name", ["page_fault", "aarch64/page_fault"])
def test_a_breakpoint_on_an_exceptions_handler_stops_before_its_first_instruction(make_control, name) -> None:
    control = make_control(image(name))
    control.stop_on = ("page-fault",)
    fault = control.resume()
    assert fault.pc == fault.detail.target
    control.engine.close()
    control = make_control(image(name))
    place = control.add_breakpoint(fault.pc)
    halt = control.resume()
    assert halt.detail is place
    assert (halt.cycle, halt.instructions) == (fault.cycle, fault.instructions)


# ---- two address spaces with other code and data at one address ----


def spaces_of(make_control, name: str) -> tuple[int, int]:
    """Return the roots of the two spaces that execute code at the common address."""
    control = make_control(image(name))
    control.add_breakpoint(COMMON[name])
    roots = tuple(dict.fromkeys(control.resume().space for _ in range(6)))
    control.engine.close()
    assert len(roots) == 2
    return roots


@pytest.mark.parametrize("fidelity", FIDELITIES)
@pytest.mark.parametrize("name", COMMON)
def test_a_breakpoint_set_before_its_page_is_mapped_stops_there(make_control, name, fidelity) -> None:
    control = make_control(image(name), fidelity)
    assert control.read(COMMON[name], 1) == b""
    place = control.add_breakpoint(COMMON[name])
    while control.resume().why is Why.BREAKPOINT:
        pass
    assert place.hits == 2 * (1 + ROUNDS)


@pytest.mark.parametrize("fidelity", FIDELITIES)
@pytest.mark.parametrize("name", COMMON)
def test_a_breakpoint_in_one_space_does_not_stop_the_other(make_control, name, fidelity) -> None:
    (first, second), visits = spaces_of(make_control, name), itertools.count()
    control = make_control(image(name), fidelity)
    one = control.add_breakpoint(COMMON[name], first)
    other = control.add_breakpoint(COMMON[name], second, lambda _: next(visits) % 2 == 0)
    seen = Counter()
    while (halt := control.resume()).why is Why.BREAKPOINT:
        assert halt.detail is (one if halt.space == first else other)
        seen[halt.space] += 1
    assert one.hits == seen[first] == 1 + ROUNDS
    assert other.hits == seen[second] == (1 + ROUNDS + 1) // 2


@pytest.mark.parametrize("fidelity", FIDELITIES)
@pytest.mark.parametrize("name", COMMON)
def test_a_watchpoint_in_one_space_tells_old_and_new_values_there(make_control, name, fidelity) -> None:
    _, second = spaces_of(make_control, name)
    control = make_control(image(name), fidelity)
    place = control.add_watchpoint(COMMON[name] + DATA_AFTER_CODE, 4, space=second)
    values = []
    while (halt := control.resume()).why is Why.WATCHPOINT:
        hit = halt.detail
        assert (halt.space, hit.watchpoint, hit.size, hit.write) == (second, place, 4, True)
        values.append((hit.old, hit.new))
    assert values == [(4000 + n, 4001 + n) for n in range(ROUNDS)]


@pytest.mark.parametrize("name", COMMON)
def test_memory_is_read_and_written_in_the_space_that_is_named(make_control, name) -> None:
    first, second = spaces_of(make_control, name)
    data = COMMON[name] + DATA_AFTER_CODE
    control = make_control(image(name))
    control.add_breakpoint(COMMON[name], second)
    control.resume()
    words = [int.from_bytes(control.read(data, 4, space), "little") for space in (first, second)]
    assert words == [300, 4000]
    assert control.write(data, b"\x2a\0\0\0", first) == 4
    assert control.read(data, 4, first) == b"\x2a\0\0\0"
    assert control.read(data, 4) == control.read(data, 4, second) == (4000).to_bytes(4, "little")


# ---- what stopped it ----


@pytest.mark.parametrize("name", ["two_spaces", "aarch64/two_spaces"])
def test_a_reader_is_told_from_a_writer(make_control, name) -> None:
    control = make_control(image(name))
    control.add_watchpoint(COMMON[name] + DATA_AFTER_CODE, 4, write=False, read=True)
    hits = []
    while (halt := control.resume()).why is Why.WATCHPOINT:
        hits.append(halt.detail)
    # The code loads it at each call, and each round's increment loads it before it stores.
    assert len(hits) == 2 * (1 + ROUNDS) + 2 * ROUNDS + 1
    assert not any(hit.write for hit in hits)
    assert all(hit.old == hit.new for hit in hits)


@pytest.mark.parametrize(
    ("word", "counter"),
    [("crossing", "mode-switches"), ("space-switch", "address-space-switches"), ("interrupt", "interrupts")],
)
@pytest.mark.parametrize("name", ["system_call", "aarch64/system_call", "pit_timer", "two_spaces"])
def test_every_event_of_a_kind_stops_and_is_counted(make_control, name, word, counter) -> None:
    control, stops = make_control(image(name)), 0
    control.stop_on = (word,)
    while (halt := control.resume()).why is Why.EVENT:
        stops += 1
        assert isinstance(halt.detail, Event)
        assert halt.pc == halt.detail.target or halt.detail.kind is Kind.SPACE
    assert stops == control.machine.books().total(counter)


def test_a_stop_at_a_counter_names_it(make_control) -> None:
    control = make_control(image("two_spaces"))
    control.stop_on = ("page-walks",)
    before = control.machine.books().total("page-walks")
    halt = control.resume()
    assert (halt.why, halt.detail) == (Why.EVENT, ("page-walks",))
    assert control.machine.books().total("page-walks") > before


@pytest.mark.parametrize(
    ("words", "says"), [(("nonsense",), "nothing to wait for"), (("miss",), "without models")]
)
def test_what_cannot_be_waited_for_is_refused_with_a_sentence(make_control, tmp_path, words, says) -> None:
    control = make_control(small_kernels.write("spin", tmp_path), "functional")
    with pytest.raises(ValueError, match=says):
        control.stop_on = words
    assert control.stop_on == frozenset()


# ---- interrupting and ending ----


def test_another_thread_can_stop_a_run(make_control, tmp_path) -> None:
    control = make_control(small_kernels.write("spin", tmp_path))
    timer = threading.Timer(0.05, control.interrupt)
    timer.start()
    assert control.resume().why is Why.INTERRUPTED
    timer.join()
    assert control.step().why is Why.STEP


def test_the_runs_own_limit_ends_it(make_control, tmp_path) -> None:
    control = make_control(small_kernels.write("spin", tmp_path), limit=50_000)
    assert control.resume(20_000).why is Why.CYCLE
    halt = control.resume()
    assert (halt.why, halt.detail.reason) == (Why.END, "limit")


def test_an_interruption_of_the_machine_itself_ends_the_run(make_control, tmp_path) -> None:
    control = make_control(small_kernels.write("spin", tmp_path))
    control.machine.interrupt()
    halt = control.resume()
    assert (halt.why, halt.detail.reason) == (Why.END, "interrupted")


# ---- registers ----


@pytest.mark.parametrize("name", ["system_call", "aarch64/system_call"])
def test_every_register_that_is_listed_can_be_read(make_control, name) -> None:
    control = make_control(image(name))
    control.step(500)
    values = {name: control.register(name) for name in control.register_names()}
    assert all(0 <= value < 1 << control.registers.bits(name) for name, value in values.items())
    assert values[control.engine.program_counter] == control.pc


@pytest.mark.parametrize("name", ["system_call", "aarch64/system_call"])
def test_every_register_that_can_be_written_keeps_its_value(make_control, name) -> None:
    control = make_control(image(name))
    control.step(500)
    for register in control.registers.writable - {
        "rflags",
        "pstate",
        "fpsw",
        "fptag",
        "fpcr",
        "fpsr",
        "mxcsr",
    }:
        value = 0x123 if control.registers.bits(register) < 64 else 0x7654_3210
        control.set_register(register, value)
        assert control.register(register) == value, register


@pytest.mark.parametrize(
    ("register", "value", "says"),
    [("cr3", 0, "only be read"), ("x0", 0, "no register"), ("rax", 1 << 64, "does not fit")],
)
def test_a_register_that_cannot_be_written_so_is_refused(
    make_control, tmp_path, register, value, says
) -> None:
    control = make_control(small_kernels.write("spin", tmp_path))
    with pytest.raises(ValueError, match=says):
        control.set_register(register, value)


def test_going_on_elsewhere_leaves_the_rest_of_the_block_undone(make_control, tmp_path) -> None:
    control = make_control(small_kernels.write("wide", tmp_path))
    loop = control.step(2).pc
    control.step(3)  # in the middle of a block of 33
    before = control.instructions
    control.set_register("rip", loop)
    assert control.instructions == before
    control.step(33)
    assert (control.pc, control.instructions) == (loop, before + 33)


def test_patched_code_is_what_runs_next(make_control, tmp_path) -> None:
    control = make_control(small_kernels.write("wide", tmp_path))
    loop = control.step(2).pc
    control.step(34)
    assert control.write(control.pc, b"\xeb\xfe") == 2  # jmp to itself
    assert control.pc == loop + 3  # one `add eax, 1` behind the loop's begin
    assert control.step(5).pc == loop + 3


@pytest.mark.parametrize("fidelity", FIDELITIES)
@pytest.mark.parametrize("name", ["two_spaces", "aarch64/two_spaces"])
def test_each_step_executes_one_instruction(make_control, name, fidelity) -> None:
    control = make_control(image(name), fidelity)
    assert [control.step().instructions for _ in range(2000)] == list(range(1, 2001))
