# SPDX-License-Identifier: GPL-2.0-or-later
"""Answer a Multiboot 2 header and write the information structure (specification 2.0, sections 3.1 and 3.6).

``requirements`` turns the header's tags into what they ask for and refuses what cannot be had; ``build``
writes the tags of the answer. The tags of EFI are understood and, as the specification says for a machine
without EFI, change nothing. SMBIOS, APM, VBE, network and EFI information does not exist here and is not
given.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ringscope.bootimage import information
from ringscope.bootimage.header import Header2, LoadAddresses
from ringscope.bootimage.types import ImageError

if TYPE_CHECKING:
    from ringscope.bootimage.information import Information

MAGIC: Final = 0x36D76289
I386: Final = 0

# Header tags.
_REQUEST, _ADDRESS, _ENTRY, _CONSOLE, _FRAMEBUFFER, _MODULE_ALIGN = range(1, 7)
_EFI_BOOT_SERVICES, _EFI_ENTRY_32, _EFI_ENTRY_64, _RELOCATABLE = range(7, 11)
_PAYLOAD: Final = {
    _ADDRESS: struct.Struct("<IIII"),
    _ENTRY: struct.Struct("<I"),
    _CONSOLE: struct.Struct("<I"),
    _FRAMEBUFFER: struct.Struct("<III"),
    _RELOCATABLE: struct.Struct("<IIII"),
}
_IGNORED: Final = {_MODULE_ALIGN, _EFI_BOOT_SERVICES, _EFI_ENTRY_32, _EFI_ENTRY_64}
_CONSOLE_REQUIRED, _CONSOLE_TEXT = 1, 2
#: Load from the start of the file, in the address tag's load_addr.
_FROM_FILE_START: Final = 0xFFFFFFFF

# Information tags.
_END, _COMMAND_LINE, _LOADER_NAME, _MODULE, _MEMORY = range(5)
_MEMORY_MAP, _FRAMEBUFFER_INFO, _SECTIONS, _ACPI_OLD, _ACPI_NEW, _LOAD_BASE = 6, 8, 9, 14, 15, 21
_LAST_KNOWN: Final = 21

#: A later root pointer begins with one of ACPI 1.0, with a checksum of its own.
_RSDP_1_SIZE: Final = 20

LOWEST, HIGHEST = 1, 2


@dataclass(frozen=True)
class Relocation:
    """The relocatable tag: the image may go anywhere in ``[minimum, maximum]``; preference 1 low, 2 high."""

    minimum: int
    maximum: int
    align: int
    preference: int


@dataclass(frozen=True)
class Requirements:
    """What a header asks of its loader."""

    addresses: LoadAddresses | None
    entry: int | None
    relocation: Relocation | None
    text_console: bool


def requirements(found: Header2, name: str) -> Requirements:
    """Return what ``found`` asks for. Raises ImageError for what cannot be given."""
    where = f"{name}: Multiboot 2 header at {found.offset:#x}"
    if found.architecture != I386:
        raise ImageError(f"{where}: architecture {found.architecture}, expected 0 (32-bit protected i386)")
    fields = _fields(found, where)
    (console,) = fields.get(_CONSOLE, (_CONSOLE_TEXT,))
    if console & _CONSOLE_REQUIRED and not console & _CONSOLE_TEXT:
        raise ImageError(f"{where}: console_flags require a graphics console; only EGA text is offered")
    addresses = None
    if _ADDRESS in fields:
        if _ENTRY not in fields:
            raise ImageError(f"{where}: its address tag (type 2) lacks an entry address tag (type 3)")
        addresses = _addresses(found, *fields[_ADDRESS])
    (entry,) = fields.get(_ENTRY, (None,))
    relocation = Relocation(*fields[_RELOCATABLE]) if _RELOCATABLE in fields else None
    if relocation and (relocation.align & (relocation.align - 1) or relocation.preference > HIGHEST):
        raise ImageError(
            f"{where}: relocatable tag: align {relocation.align:#x} or preference "
            f"{relocation.preference} is invalid"
        )
    return Requirements(addresses, entry, relocation, bool(fields.keys() & {_CONSOLE, _FRAMEBUFFER}))


def _fields(found: Header2, where: str) -> dict[int, tuple[int, ...]]:
    """Return the words of each tag that has any, by type; refuse what is required and not known."""
    fields: dict[int, tuple[int, ...]] = {}
    for tag in found.tags:
        if tag.kind == _REQUEST:
            if not tag.optional:
                _check_request(tag.payload, where)
        elif tag.kind in _PAYLOAD:
            layout = _PAYLOAD[tag.kind]
            if len(tag.payload) < layout.size:
                raise ImageError(f"{where}: tag type {tag.kind}: size {len(tag.payload) + 8} is too short")
            fields.setdefault(tag.kind, layout.unpack_from(tag.payload))
        elif tag.kind not in _IGNORED and not tag.optional:
            raise ImageError(f"{where}: tag type {tag.kind} is required and not known to version 2.0")
    return fields


def _addresses(found: Header2, header: int, load: int, load_end: int, bss_end: int) -> LoadAddresses:
    if load == _FROM_FILE_START:
        load = header - found.offset
    return LoadAddresses(header, load, load_end, bss_end)


def _check_request(payload: bytes, where: str) -> None:
    for (kind,) in struct.iter_unpack("<I", payload[: len(payload) // 4 * 4]):
        if kind > _LAST_KNOWN:
            raise ImageError(f"{where}: information request tag: type {kind} is required and unknown")


def build(info: Information, base: int) -> bytes:
    """Return the structure; it holds no address of its own, ``base`` only says where it will be."""
    if base % 8:
        raise ValueError(f"the structure must be 8-byte aligned, not at {base:#x}")
    lower, upper = info.memory()
    regions = b"".join(
        struct.pack("<QQII", region.base, region.length, region.kind, 0) for region in info.layout.regions
    )
    tags = [
        _tag(_COMMAND_LINE, info.command_line),
        _tag(_LOADER_NAME, information.LOADER_NAME),
        *(
            _tag(_MODULE, struct.pack("<II", module.start, module.end) + line)
            for module, line in zip(info.modules, info.module_lines, strict=True)
        ),
        _tag(_MEMORY, struct.pack("<II", lower, min(upper, 0xFFFFFFFF))),
        _tag(_MEMORY_MAP, struct.pack("<II", 24, 0) + regions),
    ]
    if info.text_console:
        tags.append(_tag(_FRAMEBUFFER_INFO, _text_console()))
    if info.sections is not None:
        found = info.sections
        words = struct.pack("<III", found.count, found.entry_size, found.names_index)
        tags.append(_tag(_SECTIONS, words + found.table))
    if info.layout.rsdp is not None:
        tags.append(_tag(_ACPI_OLD, info.layout.rsdp[:_RSDP_1_SIZE]))
        if len(info.layout.rsdp) > _RSDP_1_SIZE:
            tags.append(_tag(_ACPI_NEW, info.layout.rsdp))
    if info.load_base is not None:
        tags.append(_tag(_LOAD_BASE, struct.pack("<I", info.load_base)))
    tags.append(_tag(_END, b""))
    body = b"".join(tags)
    return struct.pack("<II", 8 + len(body), 0) + body


def _tag(kind: int, payload: bytes) -> bytes:
    """Frame one tag; its size leaves out the padding, which brings the next to a multiple of 8."""
    content = struct.pack("<II", kind, 8 + len(payload)) + payload
    return content + bytes(-len(content) % 8)


def _text_console() -> bytes:
    return struct.pack(
        "<QIIIBBH",
        information.TEXT_ADDRESS,
        information.TEXT_COLUMNS * 2,
        information.TEXT_COLUMNS,
        information.TEXT_ROWS,
        information.TEXT_DEPTH,
        information.EGA_TEXT,
        0,
    )
