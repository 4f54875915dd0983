# SPDX-License-Identifier: GPL-2.0-or-later
"""The MP configuration table of the board (Intel MultiProcessor Specification 1.4, chapter 4): one processor.

The floating pointer says that the table exists and that the board starts in virtual wire mode (no IMCR).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ringscope.emulator.devices import io_apic, local_apic
from ringscope.emulator.platforms.acpi_tables import ACTIVE_HIGH, LEVEL_TRIGGERED, TIMER_GSI, checksum

if TYPE_CHECKING:
    from ringscope.emulator.platforms.pc_config import PcConfig

REVISION = 4  # 1.4
PROCESSOR, BUS, IO_APIC, IO_INTERRUPT, LOCAL_INTERRUPT = range(5)
ENABLED, BOOTSTRAP = 1, 2
INT, NMI, _SMI, EXTINT = range(4)
ISA_BUS = 0
ALL_APICS = 0xFF
FPU_AND_APIC = 0x201  # CPUID.1:EDX
SIGNATURE = 0x0600  # family 6
CASCADE_IRQ = 2


def mp_table(config: PcConfig, base: int) -> bytes:
    """Return the floating pointer and, after it, the table, for physical address `base`, a multiple of 16."""
    io_id = config.apic.io_apic_id
    entries = [
        struct.pack(
            "<BBBBII8x",
            PROCESSOR,
            0,
            local_apic.VERSION & 0xFF,
            ENABLED | BOOTSTRAP,
            SIGNATURE,
            FPU_AND_APIC,
        ),
        struct.pack("<BB6s", BUS, ISA_BUS, b"ISA   "),
        struct.pack("<BBBBI", IO_APIC, io_id, io_apic.VERSION & 0xFF, ENABLED, io_apic.BASE),
    ]
    for irq in range(16):
        if irq == CASCADE_IRQ:
            continue
        flags = ACTIVE_HIGH | LEVEL_TRIGGERED if irq == config.acpi.irq else 0
        pin = TIMER_GSI if irq == config.pit.irq else irq
        entries.append(struct.pack("<BBHBBBB", IO_INTERRUPT, INT, flags, ISA_BUS, irq, io_id, pin))
    for lint, kind in enumerate((EXTINT, NMI)):
        entries.append(struct.pack("<BBHBBBB", LOCAL_INTERRUPT, kind, 0, ISA_BUS, 0, ALL_APICS, lint))

    pointer = bytearray(struct.pack("<4sIBBB5x", b"_MP_", base + 16, 1, REVISION, 0))
    pointer[10] = checksum(pointer)
    body = b"".join(entries)
    table = bytearray(
        struct.pack(
            "<4sHBB8s12sIHHIHBx",
            b"PCMP",
            44 + len(body),
            REVISION,
            0,
            b"RINGSCOP",
            b"PC          ",
            0,
            0,
            len(entries),
            local_apic.BASE,
            0,
            0,
        )
        + body
    )
    table[7] = checksum(table)
    return bytes(pointer + table)
