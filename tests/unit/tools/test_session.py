# SPDX-License-Identifier: GPL-2.0-or-later
"""What a boot loader is told of the machine."""

from __future__ import annotations

import pytest

from ringscope.emulator.machine import Machine, MachineConfig

RAM = 16 << 20


@pytest.fixture(scope="module")
def layout():
    """The layout of a machine with 16 MiB."""
    return Machine(MachineConfig(RAM), lambda _: None).system.memory_layout()


def test_the_loader_gets_the_root_pointer_of_the_acpi_tables(layout):
    assert layout.rsdp[:8] == b"RSD PTR "
    assert len(layout.rsdp) == 36
    assert sum(layout.rsdp) % 256 == 0


def test_the_memory_map_ends_where_the_memory_does(layout):
    usable = [region for region in layout.regions if region.kind == 1]
    assert max(region.end for region in usable) == RAM == layout.ram_bytes
