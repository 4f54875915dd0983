# SPDX-License-Identifier: GPL-2.0-or-later
"""The machine's claims, stated by programs that run on it, on QEMU and on ours."""

from __future__ import annotations

import functools
import re

import pytest

from tests.guest import catalogue, claims
from tests.guest.machines import MACHINES, GuestMachine, Outcome, need
from tests.guest.system.virt import QemuVirt

BOTH = ("qemu", "ringscope")
NAMES = [program.name for program in catalogue.PROGRAMS]


def machine_for(name: str, program: str) -> GuestMachine:
    """Return the machine ``name`` with the board that ``program`` is for; ours takes it from the file."""
    arm = catalogue.by_name(program).arch == "aarch64"
    return QemuVirt(name) if arm and name == "qemu" else MACHINES[name]


@functools.cache
def outcome_of(name: str, machine: str) -> Outcome:
    program = catalogue.by_name(name)
    return machine_for(machine, name).run(catalogue.build(program), program)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("machine", MACHINES)
def test_every_claim_of_the_program_holds_but_for_the_listed_exceptions(name: str, machine: str) -> None:
    need(machine_for(machine, name))
    program, outcome = catalogue.by_name(name), outcome_of(name, machine)
    has_status = program.arch != "aarch64"
    found = claims.complaints(machine, name, program.ending, outcome, has_status=has_status)
    assert not found, "\n".join([*found, outcome.text, outcome.complaint])


@pytest.mark.parametrize("name", NAMES)
def test_both_machines_print_the_same_ok_lines_but_for_the_listed_exceptions(name: str) -> None:
    for machine in BOTH:
        need(machine_for(machine, name))
    said = {machine: claims.read(outcome_of(name, machine).lines).ok for machine in BOTH}
    excused = {claim for machine in BOTH for claim in claims.exceptions(machine, name)}
    kept = {machine: [claim for claim in ok if claim not in excused] for machine, ok in said.items()}
    assert kept["qemu"] == kept["ringscope"]


@pytest.mark.parametrize("name", ["throughput", "aarch64/throughput"])
def test_the_benchmark_computes_one_checksum_on_both_machines(name: str) -> None:
    for machine in MACHINES:
        need(machine_for(machine, name))
    said = {
        line
        for machine in MACHINES
        for line in outcome_of(name, machine).lines
        if line.startswith("checksum ")
    }
    assert len(said) == 1


def test_a_triple_fault_is_reported_with_its_registers_and_a_backtrace() -> None:
    need(MACHINES["ringscope"])
    complaint = outcome_of("triple_fault", "ringscope").complaint
    assert "triple fault" in complaint
    assert re.search(r"rip 0+1[0-9a-f]{5}\b", complaint)
    assert re.search(r"#0 guest_main\+0x[0-9a-f]+ .*\n#1 start_long\+", complaint)


def test_every_exception_names_a_program_and_a_machine_that_exist() -> None:
    listed = claims.listed()
    for entry in listed:
        assert entry["machine"] in MACHINES
        assert entry["program"] in {program.name for program in catalogue.PROGRAMS}
        assert entry["reason"]


def test_an_exception_that_no_longer_fails_is_a_complaint() -> None:
    text = "ok FMASK leaves other flags\n1 passed, 0 failed, 0 skipped\n"
    found = claims.complaints("qemu", "system_call", "exit", Outcome(text, "exit", 0))
    assert found == ["listed as an exception, but kept: FMASK leaves other flags"]


def test_a_program_that_stops_before_its_count_is_a_complaint() -> None:
    found = claims.complaints("ringscope", "none", "exit", Outcome("ok one\n", "exit", 0))
    assert found == ["the guest counted None"]
