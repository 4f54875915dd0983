# SPDX-License-Identifier: GPL-2.0-or-later
"""The bundled system, and systems that are put together wrongly."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.guest.machines import MACHINES as PCS
from tests.guest.machines import need
from tests.guest.system import systems
from tests.guest.system.systems import MACHINES

STORY = Path(__file__).with_name("default_console.txt").read_text(encoding="utf-8")
#: What another board has in its place.
DEVICES = {
    "x86_64": "I/O ports 3f8-3ff, interrupt line 4",
    "aarch64": "device memory 9000000-9000fff, interrupt line 1",
}
#: QEMU's `virt` has twice the memory, and takes one MiB of it for its device tree.
FREE = {"qemu-virt": "125 MiB"}
ROOT = ("root", "")
PAGER = ("pager", "name=pager serves=yes priority=20")
STOPPED = {
    "x86_64": "used an instruction or port that it may not use: instruction 4",
    "aarch64": "touched memory that it may not touch: instruction 4",
}


def story_of(machine):
    story = STORY.replace(DEVICES["x86_64"], DEVICES[systems.arch_of(machine)])
    return story.replace("62 MiB", FREE.get(machine, "62 MiB"))


def run_with_console(machine, modules, folder):
    """Boot the root, a pager, a console and ``modules``."""
    need(MACHINES[machine])
    arch = systems.arch_of(machine)
    all_modules = [ROOT, PAGER, ("console", systems.CONSOLE[arch]), *modules]
    return systems.run(machine, systems.image_of(all_modules, folder, arch))


@pytest.mark.parametrize("machine", MACHINES)
def test_the_bundled_system_tells_its_story_and_ends_well(machine):
    need(MACHINES[machine])
    outcome = systems.outcome_of(machine, "default")
    assert outcome.text == story_of(machine)
    assert (outcome.ended, outcome.status) == ("exit", 0), outcome.complaint


@pytest.mark.parametrize("machine", MACHINES)
def test_a_client_without_its_server_fails_and_the_system_says_so(machine, tmp_path):
    outcome = run_with_console(machine, [("client", "name=client uses=console quota=4")], tmp_path)
    assert "client: 0 of 1000 calls to echo came back" in outcome.text
    assert "root: client ended with status 1;" in outcome.text
    assert (outcome.ended, outcome.status) == ("exit", systems.status_of(machine, 1))


@pytest.mark.parametrize("machine", MACHINES)
def test_a_second_root_is_a_program_like_any_other_and_is_stopped_at_the_machines_devices(machine, tmp_path):
    outcome = run_with_console(machine, [("root", "name=usurper")], tmp_path)
    assert f"root: usurper {STOPPED[systems.arch_of(machine)]}" in outcome.text
    assert "root: usurper ended with status 1;" in outcome.text
    assert (outcome.ended, outcome.status) == ("exit", systems.status_of(machine, 1))


@pytest.mark.parametrize("machine", PCS)
def test_a_driver_with_ports_of_its_own_is_stopped_at_those_of_another(machine, tmp_path):
    """The console's program works the first serial port, also where it was given the second."""
    outcome = run_with_console(machine, [("console", "name=second io=2f8+8 irq=3")], tmp_path)
    assert "root: started second, priority 10, I/O ports 2f8-2ff, interrupt line 3\n" in outcome.text
    assert f"root: second {STOPPED['x86_64']}" in outcome.text
    assert "root: second ended with status 1;" in outcome.text
    assert (outcome.ended, outcome.status) == ("exit", 1)


@pytest.mark.parametrize("machine", MACHINES)
def test_a_server_that_ends_ends_the_system(machine, tmp_path):
    need(MACHINES[machine])
    modules = [ROOT, PAGER, ("root", "name=broken serves=yes"), ("client", "name=client uses=broken quota=1")]
    outcome = systems.run(machine, systems.image_of(modules, tmp_path, systems.arch_of(machine)))
    assert "root: cannot go on: broken is a server, and its clients cannot do without it" in outcome.text
    assert (outcome.ended, outcome.status) == ("exit", systems.status_of(machine, 1))


WRONG = {
    "name=client quota=many": "the command line of module 3 has no quota=, or one that no plan can hold",
    "quota=4": "the command line of module 3 has no name=, or one that no plan can hold",
    "name=client colour=red": "the command line of module 3 has no colour=, or one that no plan can hold",
    "name=client uses=disk": "client uses disk, but no module has name=disk serves=yes",
    "name=client priority=99": "client cannot be given its priority (error 4)",
    "name=client irq=77": "client cannot be given its interrupt line (error 4)",
    "name=client device=8000000+1": "client cannot be given its device memory (error {device})",
    "name=client device=90+1": "the command line of module 3 has no device=, or one that no plan can hold",
    "name=client memory=99999": "client cannot be given its memory (error 4)",
}


#: The interrupt controller is the kernel's; a machine without device memory has no handle to any.
DEVICE_ERROR = {"x86_64": 2, "aarch64": 6}


@pytest.mark.parametrize("machine", ["qemu", "qemu-virt"])
@pytest.mark.parametrize("plan", WRONG)
def test_a_plan_that_cannot_be_is_refused_with_its_reason(machine, plan, tmp_path):
    outcome = run_with_console(machine, [("client", plan)], tmp_path)
    why = WRONG[plan].format(device=DEVICE_ERROR[systems.arch_of(machine)])
    assert f"root: cannot go on: {why}\n" in outcome.text
    assert (outcome.ended, outcome.status) == ("exit", systems.status_of(machine, 1))


@pytest.mark.parametrize("machine", ["qemu", "qemu-virt"])
@pytest.mark.parametrize("content", ["text", "the other architecture's"])
def test_a_module_that_is_no_program_is_refused_by_name(machine, content, tmp_path):
    need(MACHINES[machine])
    arch = systems.arch_of(machine)
    other = systems.programs("x86_64" if arch == "aarch64" else "aarch64")["echo"]
    not_a_program = tmp_path / "text.elf"
    not_a_program.write_bytes(b"this is no program" if content == "text" else other.read_bytes())
    modules = [(systems.programs(arch)["root"], ""), (not_a_program, "name=text")]
    outcome = systems.run(machine, systems.image_of_files(modules, tmp_path, arch))
    assert "root: cannot go on: the module of text is no ELF program for this machine\n" in outcome.text
    assert (outcome.ended, outcome.status) == ("exit", systems.status_of(machine, 1))


def test_a_driver_of_device_memory_hears_its_interrupt_each_time(tmp_path):
    plan = "name=alarm uses=console device=9010000+1 irq=2"
    outcome = run_with_console("qemu-virt", [("alarm", plan)], tmp_path)
    assert "alarm: heard 3 of 3\n" in outcome.text
    assert "root: alarm ended with status 0;" in outcome.text
