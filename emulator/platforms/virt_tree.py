# SPDX-License-Identifier: GPL-2.0-or-later
"""What the ARM board says of itself: its device tree, generated from its description.

Node names, bindings and numbers are those of QEMU's `virt` for the chips that exist here. A kernel finds it
by the address in x0. Every number in it comes from virt.toml or from who boots.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ringscope.emulator.platforms.device_tree import Node, cells, flatten, pairs, text
from ringscope.emulator.platforms.virt_config import GIC_WINDOW, PAGE

if TYPE_CHECKING:
    from ringscope.emulator.platforms.virt_config import VirtConfig

SPI, PPI = 0, 1  # first cell of an interrupt
EDGE_RISING, LEVEL_HIGH = 1, 4  # third cell
FIRST_CPU = 1 << 8  # in the third cell of a PPI
CLOCK_HANDLE, GIC_HANDLE = 0x8000, 0x8001


class BootArguments(NamedTuple):
    """What a boot loader adds: the command line and where the initial RAM disk lies, (first, end), if any."""

    command_line: str = ""
    initrd: tuple[int, int] | None = None


def device_tree(config: VirtConfig, ram_bytes: int, cpu: str, boot: BootArguments) -> bytes:
    """Return the flattened tree of a board with so much RAM; `cpu` is a model as in "cortex-a57"."""
    root = Node(
        "",
        {
            "interrupt-parent": cells(GIC_HANDLE),
            "model": text("linux,dummy-virt"),
            "compatible": text("linux,dummy-virt"),
            "#address-cells": cells(2),
            "#size-cells": cells(2),
        },
    )
    _add_firmware(root, config, ram_bytes, boot)
    _add_processor(root, config, cpu)
    _add_controllers(root, config)
    _add_peripherals(root, config)
    return flatten(root)


def _add_firmware(root: Node, config: VirtConfig, ram_bytes: int, boot: BootArguments) -> None:
    chosen = root.add("chosen", {"stdout-path": text(f"/pl011@{config.uart.base:x}")})
    if boot.command_line:
        chosen.properties["bootargs"] = text(boot.command_line)
    if boot.initrd is not None:
        first, end = boot.initrd
        chosen.properties["linux,initrd-start"] = pairs(first)
        chosen.properties["linux,initrd-end"] = pairs(end)
    base = config.memory.base
    root.add(f"memory@{base:x}", {"device_type": text("memory"), "reg": pairs(base, ram_bytes)})
    root.add("psci", {"compatible": text("arm,psci-1.0", "arm,psci-0.2"), "method": text("hvc")})


def _add_processor(root: Node, config: VirtConfig, cpu: str) -> None:
    cpus = root.add("cpus", {"#address-cells": cells(1), "#size-cells": cells(0)})
    cpus.add("cpu@0", {"device_type": text("cpu"), "compatible": text(f"arm,{cpu}"), "reg": cells(0)})
    timer = config.timer
    timers = (timer.secure_ppi, timer.physical_ppi, timer.virtual_ppi, timer.hypervisor_ppi)
    root.add(
        "timer",
        {
            "compatible": text("arm,armv8-timer", "arm,armv7-timer"),
            "interrupts": b"".join(cells(PPI, ppi, LEVEL_HIGH | FIRST_CPU) for ppi in timers),
            "always-on": b"",
        },
    )


def _add_controllers(root: Node, config: VirtConfig) -> None:
    """Add the interrupt controller and the clock, to which the other nodes refer."""
    gic = config.gic
    root.add(
        f"intc@{gic.distributor:x}",
        {
            "compatible": text("arm,cortex-a15-gic"),
            "reg": pairs(gic.distributor, GIC_WINDOW, gic.cpu_interface, GIC_WINDOW),
            "interrupt-controller": b"",
            "#interrupt-cells": cells(3),
            "#address-cells": cells(0),
            "phandle": cells(GIC_HANDLE),
        },
    )
    root.add(
        "apb-pclk",
        {
            "compatible": text("fixed-clock"),
            "#clock-cells": cells(0),
            "clock-frequency": cells(config.uart.clock_hz),
            "phandle": cells(CLOCK_HANDLE),
        },
    )


def _add_peripherals(root: Node, config: VirtConfig) -> None:
    root.add(
        f"pl011@{config.uart.base:x}",
        {
            "compatible": text("arm,pl011", "arm,primecell"),
            "reg": pairs(config.uart.base, PAGE),
            "interrupts": cells(SPI, config.uart.spi, LEVEL_HIGH),
            "clocks": cells(CLOCK_HANDLE, CLOCK_HANDLE),
            "clock-names": text("uartclk", "apb_pclk"),
        },
    )
    root.add(
        f"pl031@{config.rtc.base:x}",
        {
            "compatible": text("arm,pl031", "arm,primecell"),
            "reg": pairs(config.rtc.base, PAGE),
            "interrupts": cells(SPI, config.rtc.spi, LEVEL_HIGH),
            "clocks": cells(CLOCK_HANDLE),
            "clock-names": text("apb_pclk"),
        },
    )
    for slot in range(config.virtio.slots):
        base = config.virtio.base + slot * config.virtio.stride
        root.add(
            f"virtio_mmio@{base:x}",
            {
                "compatible": text("virtio,mmio"),
                "reg": pairs(base, config.virtio.stride),
                "interrupts": cells(SPI, config.virtio.spi + slot, EDGE_RISING),
                "dma-coherent": b"",
            },
        )
