# SPDX-License-Identifier: GPL-2.0-or-later
"""The page tables of the running system: what can be written is never executable, and halves stay apart.

The tables are read from RAM at many moments of a run, of every address space that is found in force.
"""

from __future__ import annotations

import functools
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import pytest

from ringscope.bootimage import BootRequest
from ringscope.emulator.machine import Machine, MachineConfig
from tests.guest.system import systems

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ARCHITECTURES = ("x86_64", "aarch64")
RAM_BYTES = 64 << 20
EVERY = 40_000  # cycles between two looks
SPACES = 5  # root, pager, console, echo, client
FRAME = 0x0000_FFFF_FFFF_F000


class Page(NamedTuple):
    """A leaf: its first virtual address, and what may be done with it."""

    address: int
    writable: bool
    executable: bool
    user: bool


@dataclass(frozen=True)
class Format:
    """How one architecture's entries are read: whether one is a leaf, and a leaf's page."""

    is_leaf: Callable[[int, int], bool]
    page: Callable[[int, int, bool], Page]


def x86_page(address: int, entry: int, user: bool) -> Page:
    """Intel SDM volume 3A, table 4-20: R/W is bit 1, U/S bit 2, XD bit 63."""
    return Page(address, bool(entry & 2), not entry >> 63, user and bool(entry & 4))


def arm_page(address: int, entry: int, _: bool) -> Page:
    """Arm ARM, D8.3: AP[1] (bit 6) opens to EL0, AP[2] (bit 7) forbids writes; UXN and PXN are 54 and 53."""
    return Page(address, not entry >> 7 & 1, (entry >> 53 & 3) != 3, bool(entry >> 6 & 1))


FORMATS = {
    "x86_64": Format(lambda entry, shift: shift == 12 or bool(entry >> 7 & 1), x86_page),
    "aarch64": Format(lambda entry, shift: shift == 12 or not entry >> 1 & 1, arm_page),
}


def pages(machine: Machine, table: int, first: int, *, shift: int = 39, user: bool = True) -> Iterator[Page]:
    """Yield the leaves below a table of 512 entries that translates from the address ``first`` on."""
    form, at = FORMATS[machine.config.arch], table - machine.engine.ram_base
    for index, entry in enumerate(struct.unpack("<512Q", machine.engine.ram[at : at + 4096])):
        if not entry & 1:
            continue
        address = first + (index << shift)
        if address >> 47 & 1:
            address |= 0xFFFF << 48
        if form.is_leaf(entry, shift):
            yield form.page(address, entry, user)
        else:
            below = user and (machine.config.arch == "aarch64" or bool(entry & 4))
            yield from pages(machine, entry & FRAME, address, shift=shift - 9, user=below)


def roots(machine: Machine) -> list[tuple[int, int]]:
    """Return the tables in force, each with the address that it translates from."""
    if machine.config.arch == "x86_64":
        return [(machine.engine.register("cr3") & FRAME, 0)]
    return [
        (machine.engine.register("ttbr0_el1") & FRAME, 0),
        (machine.engine.register("ttbr1_el1") & FRAME, 0xFFFF << 48),
    ]


@functools.cache
def seen(arch: str) -> dict[int, set[Page]]:
    """Run the bundled system; return all pages that were mapped at a look, by the top table of the space."""
    machine = Machine(MachineConfig(RAM_BYTES, arch=arch), lambda _: None)
    machine.load(machine.system.read_image(BootRequest(systems.image("default", arch))))
    found: dict[int, set[Page]] = {}
    boot = None  # until the kernel has left the loader's tables
    while machine.run_until_cycle(machine.engine.time + EVERY) is None:
        tables = roots(machine)
        boot = tables[0][0] if boot is None else boot
        if tables[0][0] != boot:
            space = found.setdefault(tables[0][0], set())
            for table, first in tables:
                space.update(pages(machine, table, first))
    machine.engine.close()
    return found


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_every_program_has_an_address_space_and_pages_of_every_kind(arch):
    spaces = seen(arch)
    assert len(spaces) >= SPACES
    for mapped in spaces.values():
        assert {page.user for page in mapped} == {True, False}
        assert {(page.writable, page.executable) for page in mapped} >= {(True, False), (False, True)}


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_no_page_can_be_both_written_and_executed(arch):
    for mapped in seen(arch).values():
        assert not [page for page in mapped if page.writable and page.executable]


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_user_mode_has_the_lower_half_and_the_kernel_the_upper(arch):
    for mapped in seen(arch).values():
        assert not [page for page in mapped if page.user != (page.address >> 47 == 0)]
