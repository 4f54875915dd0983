# SPDX-License-Identifier: GPL-2.0-or-later
"""Decide by a kernel's header how it is to be booted: which protocol, where it goes, what it asks for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ringscope.bootimage import elf, header, kernel, multiboot2
from ringscope.bootimage.placement import ONE_MIB
from ringscope.bootimage.types import ImageError, Protocol

if TYPE_CHECKING:
    from ringscope.bootimage.header import Header1, Header2
    from ringscope.bootimage.placement import Space


@dataclass(frozen=True)
class Plan:
    """Where the kernel goes and what it is to be told; ``load_base`` is set when it may be relocated."""

    protocol: Protocol
    parts: kernel.KernelParts
    text_console: bool
    load_base: int | None = None


def make(data: bytes, name: str, protocol: Protocol | None, space: Space) -> Plan:
    """Plan by the header of ``protocol``; None takes Multiboot 1 where there is one. Raises ImageError."""
    complaint = None
    if protocol != "multiboot2":
        try:
            found1 = header.find_header1(data, name)
        except ImageError as error:
            complaint, found1 = error, None
        if found1 is not None:
            return _make1(data, name, found1)
    if protocol != "multiboot1" and (found2 := header.find_header2(data, name)) is not None:
        return _make2(data, name, found2, space)
    if complaint is not None:
        raise complaint
    if elf.is_elf(data):
        elf.parse(data, name)  # one that was cut off says that: its header may have been behind
    wanted = {"multiboot1": "Multiboot 1", "multiboot2": "Multiboot 2", None: "Multiboot 1 or 2"}[protocol]
    raise ImageError(
        f"{name}: no {wanted} header in the first {'8192' if protocol == 'multiboot1' else '32768'} bytes; "
        "this is not a kernel that a Multiboot loader can boot"
    )


def _make1(data: bytes, name: str, found: Header1) -> Plan:
    return Plan("multiboot1", kernel.parts1(data, name, found), found.video is not None)


def _make2(data: bytes, name: str, found: Header2, space: Space) -> Plan:
    wanted = multiboot2.requirements(found, name)
    if wanted.addresses is not None and wanted.entry is not None:
        parts = kernel.from_addresses(data, name, found.offset, wanted.addresses, wanted.entry)
    else:
        parts = kernel.from_elf(elf.parse(data, name), wanted.entry)
    if wanted.relocation is None:
        return Plan("multiboot2", parts, wanted.text_console)
    parts = _relocated(parts, wanted.relocation, space, name)
    return Plan("multiboot2", parts, wanted.text_console, parts.base)


def _relocated(
    parts: kernel.KernelParts, wanted: multiboot2.Relocation, space: Space, name: str
) -> kernel.KernelParts:
    """Move the image to where it prefers to be; without a preference it stays as linked if it can."""
    size, align = parts.end - parts.base, max(wanted.align, 1)
    bounds = (max(wanted.minimum, ONE_MIB), wanted.maximum + 1)
    base = None
    if wanted.preference not in {multiboot2.LOWEST, multiboot2.HIGHEST}:
        here = (max(bounds[0], parts.base), min(bounds[1], parts.end))
        base = space.find(size, here, align)
    if base is None:
        base = space.find(size, bounds, align, highest=wanted.preference == multiboot2.HIGHEST)
    if base is None:
        raise ImageError(
            f"{name}: relocatable tag: no {size:#x} bytes of usable RAM between min_addr {wanted.minimum:#x} "
            f"and max_addr {wanted.maximum:#x}; give the machine more memory"
        )
    moved = tuple(replace(part, base=part.base - parts.base + base) for part in parts.parts)
    return kernel.KernelParts(moved, parts.entry - parts.base + base)
