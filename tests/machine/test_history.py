# SPDX-License-Identifier: GPL-2.0-or-later
# ruff: noqa: S311 (choices are random and seeded; nothing is secret)
"""Going backwards comes to the very places that going forwards came to: registers, memory, books, the reason.

Each test goes forwards first, keeps what it saw, and goes back to it.
"""

from __future__ import annotations

import itertools
import os
import zlib
from random import Random

import pytest

from ringscope.emulator.debug.control import Control, Why
from ringscope.emulator.debug.history import History
from ringscope.emulator.debug.replay import Replay
from ringscope.emulator.devices.host_input import PipedInput, TerminalInput, byte_interval
from ringscope.emulator.machine import FIDELITIES
from tests.machine import small_kernels, whole
from tests.machine.guests import free_run, image

#: Faults, interrupts, string instructions that are cut, sleep, rewritten code; rings and address spaces.
GUESTS = ("troublemaker", "pit_timer", "aarch64/interrupted_user", "aarch64/exceptions")
EVERY = 3000  # instructions: so that some of each run lies behind several snapshots


def begun(name: str, fidelity: str = "timing", part: float = 0.3, every: int = EVERY):
    """Return a run that stands at a part of its time, and a history from its beginning."""
    observed = whole.Observed(image(name), fidelity)
    control = Control(observed.machine)
    history = History(control, every)
    assert control.resume(int(free_run(name, fidelity).time * part)).why is Why.CYCLE
    control.step()  # the cycle may have come between two elements of a string instruction
    return observed, control, history


def everything(control: Control):
    """Return all that can be told of a machine that stands still."""
    machine = control.machine
    return (
        Replay(control).point,
        control.pc,
        machine.system.registers.read(),
        machine.books(),
        machine.ledger(),
        machine.engine.idle,
        machine.halted,
        zlib.crc32(machine.engine.ram),
    )


def told(halt):
    """Return what a halt says, but for its reason."""
    return halt.pc, halt.user, halt.space, halt.cycle, halt.instructions


@pytest.mark.parametrize("fidelity", FIDELITIES)
@pytest.mark.parametrize("name", GUESTS)
def test_a_step_back_undoes_a_step(name: str, fidelity: str) -> None:
    observed, control, history = begun(name, fidelity)
    seen = [everything(control)]
    for _ in range(12):
        assert control.step().why is Why.STEP
        seen.append(everything(control))
    for expected in reversed(seen[:-1]):
        assert history.step_back().why is Why.STEP
        assert everything(control) == expected
    observed.machine.engine.close()


@pytest.mark.parametrize("fidelity", FIDELITIES)
@pytest.mark.parametrize("name", GUESTS)
def test_many_steps_back_come_to_where_so_many_steps_lead_here(name: str, fidelity: str) -> None:
    observed, control, history = begun(name, fidelity, part=0.6)
    for n in (7, 100, 2500, 4 * EVERY):
        here = everything(control)
        back = history.step_back(n)
        if back.why is Why.BEGINNING:
            break
        control.step(n)
        assert everything(control) == here
        history.step_back(n)
    observed.machine.engine.close()


def test_a_step_back_from_the_beginning_stays_there_and_says_so() -> None:
    observed = whole.Observed(image("troublemaker"))
    control = Control(observed.machine)
    history = History(control, EVERY)
    before = everything(control)
    assert history.step_back().why is Why.BEGINNING
    control.step(5)
    assert history.step_back(6).why is Why.BEGINNING
    assert everything(control) == before
    observed.machine.engine.close()


@pytest.mark.parametrize("name", GUESTS)
def test_a_run_that_ended_goes_back_from_its_end(name: str) -> None:
    observed, control, history = begun(name)
    assert control.resume().why is Why.END
    end = everything(control)
    assert history.step_back(3).why is Why.STEP
    assert control.step(3).why in (Why.STEP, Why.END)
    assert control.resume().why is Why.END
    assert everything(control) == end
    observed.machine.engine.close()


def some_stops(name: str, fidelity: str, prepare, most: int = 25):
    """Run forwards from stop to stop; return the halts and the history."""
    observed, control, history = begun(name, fidelity)
    prepare(control)
    halts = list(itertools.takewhile(lambda h: h.why is not Why.END, (control.resume() for _ in range(most))))
    assert len(halts) > 3
    return observed, control, history, halts


def executed(name: str) -> list[int]:
    """Return some addresses that are executed, each some ten times."""
    found = whole.addresses_executed(image(name), 60_000)
    return Random(name).sample(sorted(pc for pc, times in found.items() if 3 < times < 50), 3)


STOPS = {
    "breakpoints": lambda name: lambda control: [control.add_breakpoint(pc) for pc in executed(name)],
    "crossings": lambda _: (
        lambda control: setattr(control, "stop_on", {"crossing", "interrupt", "page-fault"})
    ),
}


@pytest.mark.parametrize("fidelity", FIDELITIES)
@pytest.mark.parametrize("kind", STOPS)
@pytest.mark.parametrize("name", ["troublemaker", "aarch64/exceptions"])
def test_going_back_meets_the_stops_of_going_forwards_in_reverse(name: str, kind: str, fidelity: str) -> None:
    observed, control, history, halts = some_stops(name, fidelity, STOPS[kind](name))
    hits = [place.hits for place in control.breakpoints]
    stands_on_last = told(control.here()) == told(halts[-1])
    for expected in halts[-2 if stands_on_last else -1 :: -1]:
        found = history.resume_back()
        assert (found.why, told(found)) == (expected.why, told(expected))
        assert told(control.here()) == told(expected)
    assert [place.hits for place in control.breakpoints] == hits
    observed.machine.engine.close()


def test_where_nothing_stopped_the_run_going_back_ends_at_the_beginning() -> None:
    observed, control, history = begun("troublemaker")
    control.add_breakpoint(0x12345)
    found = history.resume_back()
    assert found.why is Why.BEGINNING
    assert Replay(control).point == history.moments.first.point
    observed.machine.engine.close()


@pytest.mark.parametrize("fidelity", FIDELITIES)
@pytest.mark.parametrize("name", ["troublemaker", "aarch64/page_fault"])
def test_the_last_writer_of_a_word_is_the_last_that_a_watchpoint_sees(name: str, fidelity: str) -> None:
    observed, control, history = begun(name, fidelity, part=0.1)
    stack = control.register("rsp" if observed.machine.config.arch == "x86_64" else "sp")
    wide = control.add_watchpoint(stack - 256, 256)
    last = control.resume()
    control.remove(wide)
    word = last.detail
    watch = control.add_watchpoint(word.address, word.size)
    for go_on in (*[control.resume] * 5, lambda: control.step(20), lambda: control.step(300)):
        halt = go_on()
        last = halt if halt.why is Why.WATCHPOINT else last
    control.remove(watch)
    for _ in range(2):  # from behind it, and from the place itself
        found = history.last_writer(word.address, word.size)
        assert (found.why, told(found)) == (Why.WATCHPOINT, told(last))
        assert found.detail.pc == last.detail.pc
        assert (found.detail.old, found.detail.new) == (last.detail.old, last.detail.new)
        assert told(control.here()) == told(last)
    observed.machine.engine.close()


def test_what_nobody_wrote_has_no_writer_and_the_machine_stays() -> None:
    observed, control, history = begun("troublemaker")
    here = everything(control)
    found = history.last_writer(observed.machine.engine.ram_bytes - 64, 8)
    assert (found.why, found.detail) == (Why.BEGINNING, None)
    assert everything(control) == here
    observed.machine.engine.close()


@pytest.mark.parametrize("fidelity", FIDELITIES)
@pytest.mark.parametrize("name", GUESTS)
def test_a_run_that_was_gone_back_in_ends_as_one_that_was_not_and_prints_once(
    name: str, fidelity: str
) -> None:
    expected = free_run(name, fidelity)
    observed, control, history = begun(name, fidelity, part=0.8)
    history.step_back(2000)
    history.step_back(1)
    halt = control.resume()
    machine = observed.machine
    assert (halt.why, halt.detail) == (Why.END, expected.exit)
    assert bytes(observed.output) == expected.output
    assert (machine.books(), machine.ledger()) == (expected.books, expected.ledger)
    assert (machine.engine.time, machine.engine.lateness) == (expected.time, expected.lateness)
    assert zlib.crc32(machine.engine.ram) == expected.ram
    machine.engine.close()


def test_taking_snapshots_changes_nothing() -> None:
    expected = free_run("troublemaker", "timing")
    observed, control, history = begun("troublemaker", every=1)
    control.resume()
    assert observed.machine.books() == expected.books
    assert len(history.moments) > 1
    observed.machine.engine.close()


# ---- input ----


@pytest.fixture
def echo(tmp_path):
    """A function that returns a run of a kernel that echoes up to a q, what steers it, and where to type."""
    opened = []

    def make(kind):
        small_kernels.write("echo", tmp_path)
        reading, writing = os.pipe()
        opened.extend((reading, writing))
        observed = whole.Observed(tmp_path / "echo.bin")
        interval = byte_interval(observed.machine.profile.frequency_hz)
        observed.machine.attach_input(lambda board: kind(reading, board.receiver, interval))
        control = Control(observed.machine)
        return observed, control, History(control, EVERY), writing

    yield make
    for descriptor in opened:
        os.close(descriptor)


@pytest.mark.parametrize("kind", [PipedInput, TerminalInput])
def test_what_was_typed_is_typed_again_at_the_same_cycles_and_echoed_once(echo, kind) -> None:
    observed, control, history, writing = echo(kind)
    os.write(writing, b"hello, world")
    while b"hello, w" not in observed.output:
        control.resume(control.cycle + 100_000)
    for back in (5, 300, 2000):
        there = everything(control)
        assert history.step_back(back).why is Why.STEP
        control.step(back)
        assert everything(control) == there
    os.write(writing, b" q")
    halt = control.resume()
    assert (halt.why, halt.detail.status) == (Why.END, 7)
    assert bytes(observed.output) == b">hello, world q\n"
    end = everything(control)
    history.step_back(15_000)
    assert control.resume().detail.status == 7
    assert everything(control) == end
    assert bytes(observed.output) == b">hello, world q\n"
    observed.machine.engine.close()


# ---- changing the past ----


@pytest.mark.parametrize(("name", "register"), [("troublemaker", "rsi"), ("aarch64/exceptions", "x19")])
def test_a_change_begins_another_future_and_is_undone_by_going_back_before_it(
    name: str, register: str
) -> None:
    observed, control, history = begun(name)
    control.step(50)
    future = everything(control)
    history.step_back(20)
    before = everything(control)
    control.set_register(register, 0x1234)
    control.step(3)
    history.step_back(2)
    history.step_back(1)
    assert control.register(register) == 0x1234
    assert Replay(control).point == before[0]
    history.step_back(1)
    control.step(1)
    assert everything(control) == before
    control.step(20)
    assert everything(control) == future
    observed.machine.engine.close()


def test_what_another_future_prints_is_printed() -> None:
    observed, control, history = begun("troublemaker", part=0.9)
    printed = bytes(observed.output)
    history.step_back(10_000_000)
    assert bytes(observed.output) == printed
    control.set_register("rflags", control.register("rflags"))  # a change, if to the same
    control.resume()
    assert bytes(observed.output) == printed + free_run("troublemaker", "timing").output
    observed.machine.engine.close()


# ---- room ----


def test_snapshots_are_thinned_out_and_the_old_ones_lie_farther_apart() -> None:
    observed = whole.Observed(image("troublemaker"))
    control = Control(observed.machine)
    most = 12 << 20
    history = History(control, every=1, most_bytes=most)
    while control.step(400).why is not Why.END:
        pass
    points = [moment.point.instructions for moment in history.moments]
    assert history.moments.bytes <= most
    assert points[0] == 0
    assert len(points) > 4
    gaps = [after - before for before, after in itertools.pairwise(points)]
    assert max(gaps[: len(gaps) // 2]) > max(gaps[-2:])
    observed.machine.engine.close()
