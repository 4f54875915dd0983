# SPDX-License-Identifier: GPL-2.0-or-later
"""What the ARM board's registers read at power-on, against the same registers of QEMU's `virt`."""

from __future__ import annotations

import subprocess

import pytest

from ringscope.emulator.devices.disk_image import DiskImage
from ringscope.emulator.platforms.virt import VirtBoard, VirtOutputs
from ringscope.emulator.platforms.virt_config import VirtConfig

QEMU = "qemu-system-aarch64"
GICD, GICC, UART, RTC, VIRTIO = 0x0800_0000, 0x0801_0000, 0x0900_0000, 0x0901_0000, 0x0A00_0000
DISK = VIRTIO + 31 * 0x200
REGISTERS = {
    "GICD_CTLR": GICD,
    "GICD_TYPER": GICD + 0x004,
    "GICD_IGROUPR1": GICD + 0x084,
    "GICD_ISENABLER0": GICD + 0x100,
    "GICD_ISENABLER1": GICD + 0x104,
    "GICD_ISPENDR0": GICD + 0x200,
    "GICD_ISACTIVER0": GICD + 0x300,
    "GICD_IPRIORITYR8": GICD + 0x420,
    "GICD_ITARGETSR8": GICD + 0x820,
    "GICD_ICFGR0": GICD + 0xC00,
    "GICD_ICFGR1": GICD + 0xC04,
    "GICD_ICFGR2": GICD + 0xC08,
    "ICPIDR2": GICD + 0xFE8,
    "GICC_CTLR": GICC,
    "GICC_PMR": GICC + 0x04,
    "GICC_BPR": GICC + 0x08,
    "GICC_IAR": GICC + 0x0C,
    "GICC_RPR": GICC + 0x14,
    "GICC_HPPIR": GICC + 0x18,
    "GICC_ABPR": GICC + 0x1C,
    "UARTIFLS": UART + 0x34,
    "UARTIMSC": UART + 0x38,
    "UARTRIS": UART + 0x3C,
    **{f"UARTPeriphID{index}": UART + 0xFE0 + 4 * index for index in range(4)},
    **{f"UARTPCellID{index}": UART + 0xFF0 + 4 * index for index in range(4)},
    "RTCCR": RTC + 0x0C,
    "RTCIMSC": RTC + 0x10,
    **{f"RTCPeriphID{index}": RTC + 0xFE0 + 4 * index for index in range(4)},
    "empty slot's MagicValue": VIRTIO,
    "empty slot's Version": VIRTIO + 0x004,
    "empty slot's DeviceID": VIRTIO + 0x008,
    "disk's MagicValue": DISK,
    "disk's Version": DISK + 0x004,
    "disk's DeviceID": DISK + 0x008,
    "disk's VendorID": DISK + 0x00C,
    "disk's Status": DISK + 0x070,
    "disk's SHMLenLow": DISK + 0x0B0,
    "disk's capacity": DISK + 0x100,
    "disk's blk_size": DISK + 0x114,
}
OPTIONS = (
    *("-M", "virt,gic-version=2", "-cpu", "cortex-a57", "-m", "128M", "-S", "-display", "none"),
    *("-global", "virtio-mmio.force-legacy=false", "-serial", "none", "-monitor", "stdio"),
    *("-device", "virtio-blk-device,drive=disk"),
)


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    file = tmp_path_factory.mktemp("disk") / "disk.img"
    file.write_bytes(bytes(128 * 512))
    return file


@pytest.fixture(scope="module")
def qemu(require_program, image):
    """What QEMU's monitor reads at an address."""
    require_program(QEMU)
    asked = "".join(f"xp /1wx {address:#x}\n" for address in REGISTERS.values()) + "quit\n"
    command = [QEMU, *OPTIONS, "-drive", f"if=none,id=disk,format=raw,file={image},readonly=on"]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=True, timeout=60)
    answers = [line.split(": ") for line in done.stdout.splitlines() if line.startswith("0000")]
    return {int(address, 16): int(value, 16) for address, value in answers}


@pytest.fixture
def board(clock, image):
    return VirtBoard(VirtConfig.load(), clock, VirtOutputs(bytearray().append), None, DiskImage(image))


@pytest.mark.parametrize("name", REGISTERS)
def test_a_register_reads_the_same_at_power_on(board, qemu, name):
    address = REGISTERS[name]
    (device,) = [d for d in board.mmio if d.base <= address < d.base + d.length]
    assert device.read_mmio(address - device.base, 4) == qemu[address]
