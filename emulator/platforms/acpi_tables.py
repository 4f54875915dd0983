# SPDX-License-Identifier: GPL-2.0-or-later
"""The ACPI tables of the board: RSDP, RSDT, XSDT, FADT, FACS, MADT and a DSDT that knows only power-off.

Layouts: ACPI specification 6.5, chapter 5; the FADT is revision 3 (ACPI 2.0), which every parser since takes.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ringscope.emulator.devices import acpi_pm, cmos_rtc, io_apic, local_apic, system_control

if TYPE_CHECKING:
    from ringscope.emulator.platforms.pc_config import PcConfig

OEM_ID, OEM_TABLE_ID, CREATOR = b"RINGSC", b"RINGSCPC", b"RSCP"
TIMER_GSI = 2  # the interval timer's IRQ 0 is wired to this pin of the I/O APIC
ACTIVE_HIGH, LEVEL_TRIGGERED, LEGACY_DEVICES, HAS_8042 = 0x1, 0xC, 0x1, 0x2
FADT_FLAGS = sum(
    1 << bit
    for bit in (
        0,  # WBINVD works
        2,  # C1 on every processor
        4,  # no fixed power button
        5,  # no fixed sleep button
        6,  # no fixed RTC wake status
        8,  # the timer has 32 bits
        10,  # the reset register exists
    )
)
#: Name (\_S5, Package (4) {0, 0, 0, 0}): the SLP_TYP values of power-off.
AML_S5 = b"\x08_S5_\x12\x06\x04" + bytes([acpi_pm.SLEEP_TYPE_OFF] * 4)
SYSTEM_IO = 1
ROOT_POINTER_BYTES = 36


def checksum(data: bytes | bytearray) -> int:
    """Return the byte that makes the bytes sum to 0."""
    return -sum(data) & 0xFF


def _table(signature: bytes, revision: int, body: bytes) -> bytes:
    """Return a table with its 36-byte header."""
    length = 36 + len(body)
    header = struct.pack(
        "<4sIBB6s8sI4sI", signature, length, revision, 0, OEM_ID, OEM_TABLE_ID, 1, CREATOR, 1
    )
    data = bytearray(header + body)
    data[9] = checksum(data)
    return bytes(data)


def _register(port: int, bits: int) -> bytes:
    """Return a generic address structure for a port, all zeros for port 0."""
    return struct.pack("<BBBBQ", SYSTEM_IO, bits, 0, 0, port) if port else bytes(12)


def _fadt(config: PcConfig, facs: int, dsdt: int) -> bytes:
    event = config.acpi.port + acpi_pm.EVENT_OFFSET
    control = config.acpi.port + acpi_pm.CONTROL_OFFSET
    timer = config.acpi.port + acpi_pm.TIMER_OFFSET
    body = struct.pack("<IIBBHI4x", facs, dsdt, 0, 1, config.acpi.irq, 0)
    body += struct.pack("<8I", event, 0, control, 0, 0, timer, 0, 0)
    body += struct.pack("<8B", 4, 2, 0, 4, 0, 0, 0, 0)
    body += struct.pack(
        "<4H", 101, 1001, 0, 0
    )  # C2 and C3 latencies that mean "not there"; no cache flush needed
    body += struct.pack("<5B", 0, 0, 0, 0, cmos_rtc.REG_CENTURY)
    body += struct.pack("<HxI", LEGACY_DEVICES | HAS_8042, FADT_FLAGS)
    body += _register(system_control.RESET_CONTROL, 8) + bytes([0x02 | system_control.RESET_CPU]) + bytes(3)
    body += struct.pack("<QQ", facs, dsdt)
    ports = ((event, 32), (0, 0), (control, 16), (0, 0), (0, 0), (timer, 32), (0, 0), (0, 0))
    body += b"".join(_register(port, bits) for port, bits in ports)
    return _table(b"FACP", 3, body)


def _madt(config: PcConfig) -> bytes:
    body = struct.pack("<II", local_apic.BASE, 1)  # flags: there are 8259s too
    body += struct.pack("<BBBBI", 0, 8, 0, 0, 1)  # processor 0, APIC 0, enabled
    body += struct.pack("<BBBBII", 1, 12, config.apic.io_apic_id, 0, io_apic.BASE, 0)
    body += struct.pack("<BBBBIH", 2, 10, 0, config.pit.irq, TIMER_GSI, 0)
    body += struct.pack("<BBBBIH", 2, 10, 0, config.acpi.irq, config.acpi.irq, ACTIVE_HIGH | LEVEL_TRIGGERED)
    body += struct.pack("<BBBHB", 4, 6, 0xFF, 0, 1)  # NMI on LINT1 of every processor
    return _table(b"APIC", 1, body)


def acpi_tables(config: PcConfig, base: int) -> bytes:
    """Return everything as one block for physical address `base`, a multiple of 64; the RSDP comes first."""
    block = bytearray(64)

    def place(table: bytes) -> int:
        address = base + len(block)
        block.extend(table.ljust(-(-len(table) // 64) * 64, b"\0"))
        return address

    facs = place(struct.pack("<4sI", b"FACS", 64).ljust(64, b"\0"))
    dsdt = place(_table(b"DSDT", 1, AML_S5))
    tables = (place(_fadt(config, facs, dsdt)), place(_madt(config)))
    rsdt = place(_table(b"RSDT", 1, struct.pack("<2I", *tables)))
    xsdt = place(_table(b"XSDT", 1, struct.pack("<2Q", *tables)))
    root = bytearray(
        struct.pack("<8sB6sBIIQB3x", b"RSD PTR ", 0, OEM_ID, 2, rsdt, ROOT_POINTER_BYTES, xsdt, 0)
    )
    root[8] = checksum(root[:20])
    root[32] = checksum(root)
    block[: len(root)] = root
    return bytes(block)
