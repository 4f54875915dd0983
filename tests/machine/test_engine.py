# SPDX-License-Identifier: GPL-2.0-or-later
"""The engine's life: one machine after another, exceptions from handlers, what is refused."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ringscope.emulator.machine import ConfigError, Exit, Machine, MachineConfig
from ringscope.emulator.native import library as native
from ringscope.emulator.native.library import Stop
from ringscope.tools.build.compiler import ROOT
from tests.guest import catalogue
from tests.machine import whole
from tests.machine.rig import Rig
from tests.machine.snippets import CODE, DATA, ENTRY


class Boom(Exception):
    """What a broken device raises."""


def breaking(rig: Rig) -> None:
    def fail(*_: int) -> int:
        raise Boom("this device is broken")

    rig.on_port = fail


@pytest.mark.parametrize("access", ["in al, 0x80", "out 0x80, al"])
def test_an_exception_in_a_device_stops_the_run_and_is_raised_from_it(rig, access: str) -> None:
    breaking(rig)
    rig.place(CODE, f"mov r15d, 1; {access}; mov r15d, 2; spin: jmp spin")
    rig.begin()
    with pytest.raises(Boom, match="this device is broken"):
        rig.run_to(DATA)
    assert rig.engine.register("r15") in (1, 2)


def test_an_exception_in_the_event_handler_is_raised_from_the_run(rig) -> None:
    rig.measure("nop")
    rig.due = [(rig.engine.time + 100, "not a vector")]
    rig.engine.set_next_event(rig.due[0][0])

    def broken() -> int:
        raise Boom

    rig.on_acknowledge = broken
    with pytest.raises(Boom):
        rig.measure("sti; spin: jmp spin")


def test_after_an_exception_the_run_can_go_on_and_nothing_is_counted_twice(rig, make_rig) -> None:
    source = "mov r15d, 1; out 0x80, al; mov r15d, 2; inc r15d"
    expected = make_rig().measure(source)
    breaking(rig)
    rig.end = rig.place(CODE, source)
    rig.place(rig.end, "fence; hlt")
    rig.begin()
    before = rig.books()
    with pytest.raises(Boom):
        rig.run_to(rig.end)
    rig.run_to(rig.end)
    assert rig.engine.register("r15") == 3
    assert rig.books().total("instructions") - before.total("instructions") == expected["instructions"]


def test_the_same_exception_is_not_raised_again(rig) -> None:
    breaking(rig)
    rig.place(CODE, "out 0x80, al; fence; hlt")
    rig.begin()
    with pytest.raises(Boom):
        rig.engine.run()
    assert rig.engine.run() is Stop.HALT


def test_machines_run_one_after_another_in_one_process_and_repeat_each_other() -> None:
    image = catalogue.build(catalogue.by_name("system_call"))
    assert whole.run(image, whole.freely) == whole.run(image, whole.freely)


def test_two_machines_can_take_turns(make_rig) -> None:
    alone = make_rig().measure("mov ecx, 50; again: dec ecx; jnz again; cpuid").everything()
    first, second = make_rig(), make_rig()
    second.measure("nop")
    spent = first.measure("mov ecx, 50; again: dec ecx; jnz again; cpuid").everything()
    assert spent == alone
    assert second.measure("nop")["instructions"] == 1


def test_a_machine_that_is_started_while_another_runs_is_refused_with_a_sentence(rig, make_rig) -> None:
    refusals = []

    def start_another(*_: int) -> int:
        with pytest.raises(Exception, match="a machine is running in this process; one at a time") as caught:
            make_rig()
        refusals.append(str(caught.value))
        return 0

    rig.on_port = start_another
    rig.measure("in al, 0x80")
    assert refusals == ["a machine is running in this process; one at a time"]


def test_more_breakpoints_than_can_be_watched_are_refused_and_none_is_set(rig) -> None:
    rig.engine.set_breakpoints(range(CODE, CODE + 64))
    with pytest.raises(
        ValueError, match="65 breakpoints are more than the processor can watch; take 64 at most"
    ):
        rig.engine.set_breakpoints(range(CODE, CODE + 65))
    rig.place(CODE, "nop; hlt")
    assert rig.engine.run() is Stop.HALT


def test_closing_twice_is_harmless() -> None:
    rig = Rig()
    rig.measure("nop")
    rig.close()
    rig.close()


def test_machines_leave_nothing_behind_when_they_are_closed() -> None:
    script = (
        "import resource\n"
        "from tests.machine.rig import Rig\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "def one():\n rig = Rig(); rig.measure('nop;' * 50); rig.close()\n"
        "for _ in range(3): one()\n"
        "before = peak()\n"
        "for _ in range(12): one()\n"
        "print(peak() - before)\n"
    )
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'build' / 'py'}"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=True)
    assert int(done.stdout) < 12 * 1024  # KiB: a core alone, with its models, takes more than 1 MiB


@pytest.mark.parametrize("bytes_", [0, 1 << 20, (64 << 20) + 1, 4 << 30])
def test_a_size_of_memory_that_cannot_be_is_refused_with_what_can(bytes_: int) -> None:
    with pytest.raises(ConfigError, match="give a whole number of MiB from 2 to 3072, as in -m 64M"):
        MachineConfig(ram_bytes=bytes_)


def test_a_fidelity_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(ConfigError, match="fidelity exact: there are timing, functional"):
        MachineConfig(fidelity="exact")


def test_a_triple_fault_ends_the_run_where_it_happened(rig) -> None:
    rig.place(CODE, f"lidt [{DATA}]; nop; ud2")
    rig.begin()
    assert rig.engine.run() is Stop.TRIPLE_FAULT
    assert rig.engine.shutdown_pc == CODE + len(rig_code(rig)) - 2


def rig_code(rig: Rig) -> bytes:
    code = rig.read(CODE, 32)
    return code[: code.index(b"\x0f\x0b") + 2]


def test_a_run_ends_at_the_limit_of_cycles_and_not_a_block_later() -> None:
    observed = whole.Observed(catalogue.build(catalogue.by_name("self_modifying")))
    machine: Machine = observed.machine
    try:
        assert machine.run(100_000) == Exit("limit", 124)
        assert 100_000 <= machine.engine.time < 110_000
    finally:
        machine.engine.close()


def test_an_engine_that_gives_up_is_an_error_that_ends_with_125() -> None:
    machine = Machine(MachineConfig(), lambda _: None)
    try:
        end = machine.judge(Stop.ENGINE)
        assert end is not None
        assert (end.reason, end.status) == ("error", 125)
        assert end.detail.startswith("the engine gave up: ")
    finally:
        machine.engine.close()


def test_the_processor_begins_in_the_state_multiboot_prescribes(rig) -> None:
    state = {name: rig.engine.register(name) for name in ("rip", "rax", "cr0", "cr4", "rflags")}
    assert state["rip"] == ENTRY
    assert state["rax"] == 0x2BADB002
    assert state["cr0"] & 0x80000001 == 1  # protected, not paged
    assert state["cr4"] == 0
    assert state["rflags"] & 0x20200 == 0  # IF, VM
    assert rig.engine.register("efer") == 0


def test_a_stop_asked_for_before_the_run_ends_it_before_its_first_block(rig) -> None:
    rig.engine.stop()
    assert rig.engine.run() is Stop.REQUEST
    assert native.load().core_cycles(rig.engine.core) == 0
    rig.engine.stop(False)
    rig.run_to(CODE)
