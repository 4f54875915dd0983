# SPDX-License-Identifier: GPL-2.0-or-later
"""Say what is in a file: a packed image, a kernel, or any other ELF program. Printing it is the caller's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from ringscope.bootimage import (
    arm64_header,
    arm64_image,
    arm64_packed,
    container,
    elf,
    files,
    header,
    kernel,
    multiboot2,
    packed,
)
from ringscope.bootimage.types import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Kind = Literal["packed image", "ELF kernel", "flat kernel", "arm64 Image", "ELF program"]

_SHT_SYMTAB: Final = 2
_MACHINES: Final = {elf.EM_386: "i386", elf.EM_X86_64: "x86-64", elf.EM_AARCH64: "AArch64"}
_REQUIREMENTS: Final = {
    header.PAGE_ALIGN: "page-aligned modules",
    header.MEMORY_INFO: "memory information",
    header.VIDEO_MODE: "video mode",
    header.ADDRESSES: "address fields",
}
_TAGS: Final = {
    1: "information request", 2: "address", 3: "entry address", 4: "console flags", 5: "framebuffer",
    6: "module alignment", 7: "EFI boot services", 8: "EFI i386 entry", 9: "EFI amd64 entry",
    10: "relocatable",
}  # fmt: skip


@dataclass(frozen=True)
class HeaderDescription:
    """A Multiboot header: version, place in the file, and what it asks for in words."""

    version: Literal[1, 2]
    offset: int
    requests: tuple[str, ...]


@dataclass(frozen=True)
class SegmentDescription:
    """What is loaded: addresses, bytes in the file and in memory, access as "rwx" with "-" for none."""

    paddr: int
    vaddr: int
    file_size: int
    memory_size: int
    access: str
    content: str


@dataclass(frozen=True)
class ModuleDescription:
    """A module of a packed image; ``symbols`` counts those in it, None where it has no table of them."""

    command_line: str
    start: int
    size: int
    symbols: int | None


@dataclass(frozen=True)
class Description:
    """What ``inspect`` found; ``symbols`` counts the kernel's own, None where it keeps none.

    ``kernel`` describes the original of a packed image's kernel, ``command_line`` is the packed default,
    ``arm64`` is the header of an arm64 Image, whose addresses are where QEMU's ``virt`` puts it.
    """

    name: str
    kind: Kind
    size: int
    bits: int | None
    machine: str | None
    entry: int
    headers: tuple[HeaderDescription, ...]
    segments: tuple[SegmentDescription, ...]
    modules: tuple[ModuleDescription, ...]
    command_line: str
    symbols: int | None
    kernel: Description | None
    arm64: arm64_header.ImageHeader | None = None


def inspect(path: Path) -> Description:
    """Describe the file at ``path``. Raises ImageError for what is damaged or no program of a known kind."""
    return describe(files.read(path), str(path))


def describe(data: bytes, name: str) -> Description:
    """Describe ``data``, called ``name`` in messages. Raises ImageError as ``inspect`` does."""
    if arm64_header.is_image(data) and not elf.is_elf(data):
        return _describe_arm64(data, name)
    headers = tuple(_headers(data, name))
    file = elf.parse(data, name) if elf.is_elf(data) else None
    if file is None:
        return _describe_flat(data, name, headers)
    content = packed.read(file)
    kept = None
    if content is not None:
        kept = describe(content.kernel, f"{name}: section {container.KERNEL_SECTION}")
    kind: Kind = "packed image" if content else "ELF kernel" if headers else "ELF program"
    return Description(
        name=name,
        kind=kind,
        size=len(data),
        bits=file.bits,
        machine=_MACHINES.get(file.machine, f"e_machine {file.machine}"),
        entry=file.entry,
        headers=headers,
        segments=tuple(_segments(file)),
        modules=tuple(_module(module) for module in content.modules) if content else (),
        command_line=content.command_line if content else "",
        symbols=kept.symbols if kept else _symbols(file),
        kernel=kept,
    )


def _headers(data: bytes, name: str) -> Iterator[HeaderDescription]:
    found1 = header.find_header1(data, name)
    if found1 is not None:
        asked = tuple(word for bit, word in _REQUIREMENTS.items() if found1.flags & bit)
        yield HeaderDescription(1, found1.offset, asked)
    found2 = header.find_header2(data, name)
    if found2 is not None:
        asked = tuple(
            _TAGS.get(tag.kind, f"tag type {tag.kind}") + (" (optional)" if tag.optional else "")
            for tag in found2.tags
        )
        yield HeaderDescription(2, found2.offset, asked)


def _describe_flat(data: bytes, name: str, headers: tuple[HeaderDescription, ...]) -> Description:
    parts = _flat_parts(data, name)
    if parts is None:
        raise ImageError(f"{name}: neither an ELF file nor a Multiboot kernel; there is nothing to show")
    segments = tuple(
        SegmentDescription(part.base, part.base, len(part.data), part.size, "rwx", "kernel")
        for part in parts.parts
    )
    return Description(
        name, "flat kernel", len(data), None, None, parts.entry, headers, segments, (), "", None, None
    )


def _describe_arm64(data: bytes, name: str) -> Description:
    found = arm64_header.parse(data, name)
    base = arm64_header.place(found, arm64_image.RAM_BASE)
    content = arm64_packed.read(data, found, name)
    size = max(found.image_size, len(data)) if content is None else found.image_size
    held = "kernel" if content is None else "kernel, module table, modules"
    whole = SegmentDescription(base, base, min(size, len(data)), size, "rwx", held)
    kept = None
    if content is not None and content.kernel:
        kept = replace(describe(content.kernel, f"{name}: the kernel's file"), kind="ELF kernel")
    return Description(
        name=name,
        kind="arm64 Image" if content is None else "packed image",
        size=len(data),
        bits=None,
        machine="AArch64",
        entry=base,
        headers=(),
        segments=(whole,),
        modules=tuple(_module(module) for module in content.modules) if content else (),
        command_line=content.command_line if content else "",
        symbols=kept.symbols if kept else None,
        kernel=kept,
        arm64=found,
    )


def _flat_parts(data: bytes, name: str) -> kernel.KernelParts | None:
    found1 = header.find_header1(data, name)
    if found1 is not None:
        return kernel.parts1(data, name, found1)
    found2 = header.find_header2(data, name)
    if found2 is None:
        return None
    wanted = multiboot2.requirements(found2, name)
    if wanted.addresses is None or wanted.entry is None:
        raise ImageError(f"{name}: not an ELF file, and its Multiboot 2 header has no address tag (type 2)")
    return kernel.from_addresses(data, name, found2.offset, wanted.addresses, wanted.entry)


def _segments(file: elf.ElfFile) -> Iterator[SegmentDescription]:
    words = {
        container.SEGMENT_SECTION: "kernel",
        container.ENTRY_SECTION: "entry stub",
        container.TABLE_SECTION: "module table",
        container.MODULE_SECTION: "module",
    }
    for segment in file.segments:
        inside = [
            section.name
            for section in file.sections
            if section.flags & elf.SHF_ALLOC
            and segment.vaddr <= section.address < segment.vaddr + segment.memory_size
        ]
        content = ", ".join(dict.fromkeys(words.get(name, name) for name in inside))
        access = "".join(
            letter if segment.flags & bit else "-" for letter, bit in (("r", 4), ("w", 2), ("x", 1))
        )
        yield SegmentDescription(
            segment.paddr, segment.vaddr, len(segment.data), segment.memory_size, access, content
        )


def _module(module: packed.PackedModule) -> ModuleDescription:
    symbols = None
    if elf.is_elf(module.data):
        try:
            symbols = _symbols(elf.parse(module.data, module.command_line))
        except ImageError:  # a module may be anything; what it is besides is its user's business
            symbols = None
    return ModuleDescription(module.command_line, module.start, len(module.data), symbols)


def _symbols(file: elf.ElfFile) -> int | None:
    sizes = [section.size for section in file.sections if section.kind == _SHT_SYMTAB]
    return sum(sizes) // (24 if file.bits == 64 else 16) if sizes else None
