# SPDX-License-Identifier: GPL-2.0-or-later
"""The bundled system, and systems that are put together wrongly."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.guest.machines import MACHINES, need
from tests.guest.system import systems

STORY = Path(__file__).with_name("default_console.txt").read_text(encoding="utf-8")
ROOT = ("root", "")
CONSOLE = ("console", "name=console serves=yes priority=20 io=3f8+8 irq=4")
PAGER = ("pager", "name=pager serves=yes priority=20")


@pytest.mark.parametrize("machine", MACHINES)
def test_the_bundled_system_tells_its_story_and_ends_well(machine):
    need(MACHINES[machine])
    outcome = systems.outcome_of(machine, "default")
    assert outcome.text == STORY
    assert (outcome.ended, outcome.status) == ("exit", 0), outcome.complaint


@pytest.mark.parametrize("machine", MACHINES)
def test_a_client_without_its_server_fails_and_the_system_says_so(machine, tmp_path):
    need(MACHINES[machine])
    image = systems.image_of([ROOT, PAGER, CONSOLE, ("client", "name=client uses=console quota=4")], tmp_path)
    outcome = systems.run(machine, image)
    assert "client: 0 of 1000 calls to echo came back" in outcome.text
    assert "root: client ended with status 1;" in outcome.text
    assert (outcome.ended, outcome.status) == ("exit", 1)


@pytest.mark.parametrize("machine", MACHINES)
def test_a_second_root_is_a_program_like_any_other_and_is_stopped_at_the_machines_ports(machine, tmp_path):
    need(MACHINES[machine])
    outcome = systems.run(
        machine, systems.image_of([ROOT, PAGER, CONSOLE, ("root", "name=usurper")], tmp_path)
    )
    assert "root: usurper used an instruction or port that it may not use: instruction 4" in outcome.text
    assert "root: usurper ended with status 1;" in outcome.text
    assert (outcome.ended, outcome.status) == ("exit", 1)


@pytest.mark.parametrize("machine", MACHINES)
def test_a_server_that_ends_ends_the_system(machine, tmp_path):
    need(MACHINES[machine])
    modules = [ROOT, PAGER, ("root", "name=broken serves=yes"), ("client", "name=client uses=broken quota=1")]
    outcome = systems.run(machine, systems.image_of(modules, tmp_path))
    assert "root: cannot go on: broken is a server, and its clients cannot do without it" in outcome.text
    assert (outcome.ended, outcome.status) == ("exit", 1)


WRONG = {
    "name=client quota=many": "the command line of module 3 has no quota=, or one that no plan can hold",
    "quota=4": "the command line of module 3 has no name=, or one that no plan can hold",
    "name=client colour=red": "the command line of module 3 has no colour=, or one that no plan can hold",
    "name=client uses=disk": "client uses disk, but no module has name=disk serves=yes",
    "name=client priority=99": "client cannot be given its priority (error 4)",
    "name=client irq=77": "client cannot be given its interrupt line (error 4)",
    "name=client memory=99999": "client cannot be given its memory (error 4)",
}


@pytest.mark.parametrize("plan", WRONG)
def test_a_plan_that_cannot_be_is_refused_with_its_reason(plan, tmp_path):
    need(MACHINES["qemu"])
    outcome = systems.run("qemu", systems.image_of([ROOT, PAGER, CONSOLE, ("client", plan)], tmp_path))
    assert f"root: cannot go on: {WRONG[plan]}\n" in outcome.text
    assert (outcome.ended, outcome.status) == ("exit", 1)


def test_a_module_that_is_no_program_is_refused_by_name(tmp_path):
    need(MACHINES["qemu"])
    not_a_program = tmp_path / "text.elf"
    not_a_program.write_text("this is no program", encoding="utf-8")
    file = tmp_path / "system.toml"
    programs = systems.programs()
    file.write_text(
        f'kernel = "{programs["kernel"]}"\n[[module]]\nfile = "{programs["root"]}"\n'
        f'[[module]]\nfile = "{not_a_program}"\nargs = "name=text"\n',
        encoding="utf-8",
    )
    systems.system.pack(file, tmp_path / "system.img")
    outcome = systems.run("qemu", tmp_path / "system.img")
    assert "root: cannot go on: the module of text is no ELF program for this machine\n" in outcome.text
    assert outcome.status == 1
