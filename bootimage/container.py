# SPDX-License-Identifier: GPL-2.0-or-later
"""Pack a kernel and its modules into one file that is itself a Multiboot 1 kernel.

QEMU's ``-kernel`` takes only Multiboot 1 and refuses ELF64, so the container is an ELF32 file for the i386:
first a Multiboot header, then the kernel's segments at their own physical addresses. Modules become further
segments above the kernel, and an entry stub hands them over: it writes the module table's address and length
into the information structure that the loader made, and goes on to the kernel with every promise of the
specification intact. So the kernel need not know that it was packed, and any loader can boot the result.

The kernel's original file is kept whole in a section that is not loaded (``.ringscope.kernel``), for its
symbols. Sections name everything else: ``.ringscope.entry`` the stub, ``.ringscope.modules`` the module table
and the command lines, ``.ringscope.module`` each module's content. Reading a container back: ``packed.py``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ringscope.bootimage import elf, files, header, kernel
from ringscope.bootimage.types import FOUR_GIB, ImageError

if TYPE_CHECKING:
    from collections.abc import Sequence

SEGMENT_SECTION: Final = ".ringscope.segment"
KERNEL_SECTION: Final = ".ringscope.kernel"
ENTRY_SECTION: Final = ".ringscope.entry"
TABLE_SECTION: Final = ".ringscope.modules"
MODULE_SECTION: Final = ".ringscope.module"

PAGE: Final = 4096
#: What lies free between the kernel's last byte and the stub: kernels like to use the page after their end
#: early.
GAP: Final = 64 * 1024
#: mod_start, mod_end, string, reserved (Multiboot 1, section 3.3).
MODULE: Final = struct.Struct("<IIII")
_EHDR: Final = struct.Struct("<16sHHIIIIIHHHHHH")
_PF_RX, _PF_RW, _PF_R = 5, 6, 4

# On entry eax is the loader's magic and ebx the address of its information structure; all other registers but
# esp are free, there is no stack, and interrupts are off. A different magic is not this protocol: pass it on.
_TAKE: Final = "cmp eax, 0x2BADB002; jne go;"
# flags bit 3, mods_count at 20, mods_addr at 24.
_MODULES: Final = (
    "or dword ptr [ebx], 8; mov dword ptr [ebx + 20], {count}; mov dword ptr [ebx + 24], {table};"
)
# flags bit 2, cmdline at 16. A line whose first word (the file's name) is followed by anything was given by
# the user and stays; otherwise the packed one takes its place. So under a loader that leaves the name out, as
# GRUB 2 does, a line of one word counts as none: give two.
_COMMAND_LINE: Final = (
    "test dword ptr [ebx], 4; jz put; mov ecx, dword ptr [ebx + 16];"
    "skip_name: mov dl, byte ptr [ecx]; inc ecx; test dl, dl; jz put; cmp dl, 32; jne skip_name;"
    "skip_spaces: mov dl, byte ptr [ecx]; inc ecx; cmp dl, 32; je skip_spaces; test dl, dl; jnz go;"
    "put: or dword ptr [ebx], 4; mov dword ptr [ebx + 16], {line};"
)
_GO: Final = "go: mov ecx, {entry}; jmp ecx"


@dataclass(frozen=True)
class _Piece:
    """Bytes of the container and the segment that loads them at ``address``, unless only ``kept``."""

    section: str
    address: int
    size: int
    flags: int
    data: bytes = field(repr=False)
    kept: bool = False

    @property
    def is_segment(self) -> bool:
        """Whether a program header names it."""
        return not self.kept and self.size > 0


def wrap(
    kernel_file: bytes,
    modules: Sequence[tuple[str, bytes]] = (),
    name: str = "kernel",
    command_line: str = "",
) -> bytes:
    """Return a container for ``kernel_file`` and ``modules``, each a (command line, content).

    ``kernel_file`` is a Multiboot 1 kernel, ELF32, ELF64 or flat; ``name`` is what messages call it;
    ``command_line`` is the kernel's where the loader is given none. Raises ImageError.
    """
    found = header.find_header1(kernel_file, name)
    if found is None:
        raise ImageError(f"{name}: no Multiboot 1 header in the first 8192 bytes; a packed image needs one")
    parts = kernel.parts1(kernel_file, name, found)
    pieces = [_Piece(SEGMENT_SECTION, part.base, part.size, part.flags, part.data) for part in parts.parts]
    entry = parts.entry
    if modules or command_line:
        handover = _handover(parts, modules, command_line, name)
        entry = handover[0].address
        pieces += handover
    pieces.append(_Piece(KERNEL_SECTION, 0, len(kernel_file), 0, kernel_file, kept=True))
    return _write(pieces, entry, found, name)


def assemble_entry(address: int, kernel_entry: int, count: int, table: int, line: int) -> bytes:
    """Return the stub for ``address``; a ``count`` or ``line`` of zero leaves that field to the loader."""
    text = _TAKE
    text += _MODULES.format(count=count, table=table) if count else ""
    text += _COMMAND_LINE.format(line=line) if line else ""
    text += _GO.format(entry=kernel_entry)
    import keystone  # noqa: PLC0415  a library that only packing needs

    code, _ = keystone.Ks(keystone.KS_ARCH_X86, keystone.KS_MODE_32).asm(text, address)
    return bytes(code)


def _page_up(value: int) -> int:
    return -(-value // PAGE) * PAGE


def _handover(
    parts: kernel.KernelParts, modules: Sequence[tuple[str, bytes]], command_line: str, name: str
) -> list[_Piece]:
    """Return the stub's page, the table's pages and the modules, upwards from the kernel's end."""
    address = _page_up(parts.end) + GAP
    table_at = address + PAGE
    lines = [files.zero_terminated(line, f"module {line!r}") for line, _ in modules]
    own = files.zero_terminated(command_line, "the kernel") if command_line else b""
    strings_at = table_at + MODULE.size * len(modules)
    own_at = strings_at + sum(map(len, lines))
    base = _page_up(own_at + len(own))
    end = base + sum(_page_up(len(content)) for _, content in modules)
    if end >= FOUR_GIB:
        raise ImageError(f"{name}: its modules would reach {end:#x}, beyond 4 GiB; link the kernel lower")
    table, contents = b"", []
    for line, (_, content) in zip(lines, modules, strict=True):
        table += MODULE.pack(base, base + len(content), strings_at, 0)
        strings_at += len(line)
        contents.append(_Piece(MODULE_SECTION, base, len(content), _PF_R, content))
        base += _page_up(len(content))
    table += b"".join(lines) + own
    stub = assemble_entry(address, parts.entry, len(modules), table_at, own_at if own else 0)
    return [
        _Piece(ENTRY_SECTION, address, len(stub), _PF_RX, stub),
        _Piece(TABLE_SECTION, table_at, len(table), _PF_RW, table),
        *contents,
    ]


def _multiboot_header(found: header.Header1) -> bytes:
    """Repeat the kernel's own requirements; the addresses are in the program headers now."""
    flags = found.flags & header.KNOWN_REQUIREMENTS
    words = struct.pack("<III", header.MAGIC1, flags, -(header.MAGIC1 + flags) & 0xFFFFFFFF)
    return words + struct.pack("<5I4I", *[0] * 5, *found.video) if found.video else words


def _write(pieces: list[_Piece], entry: int, found: header.Header1, name: str) -> bytes:
    loaded = sum(piece.is_segment for piece in pieces)
    multiboot = _multiboot_header(found)
    multiboot_at = _EHDR.size + elf.PROGRAM_HEADER[32].size * loaded
    if multiboot_at + len(multiboot) > header.SEARCH1:
        raise ImageError(f"{name}: {loaded} segments and modules are too many for one packed image")
    names = [piece.section for piece in pieces] + [".shstrtab"]
    strings, offsets = b"\0", []
    for section in names:
        offsets.append(len(strings))
        strings += section.encode() + b"\0"
    body = bytearray(multiboot_at) + multiboot
    programs, sections = b"", elf.SECTION_HEADER[32].pack(*[0] * 10)
    for piece, label in zip(pieces, offsets, strict=False):
        address = piece.address
        body += bytes(-len(body) % PAGE + address % PAGE)
        at = len(body)
        body += piece.data
        if piece.is_segment:
            programs += elf.PROGRAM_HEADER[32].pack(
                elf.PT_LOAD, at, address, address, len(piece.data), piece.size, piece.flags, PAGE
            )
        allocated = 0 if piece.kept else elf.SHF_ALLOC
        sections += elf.SECTION_HEADER[32].pack(
            label, elf.SHT_PROGBITS, allocated, address, at, len(piece.data), 0, 0, 1, 0
        )
    strings_at = len(body)
    body += strings + bytes(-len(strings) % 4)
    sections += elf.SECTION_HEADER[32].pack(
        offsets[-1], elf.SHT_STRTAB, 0, 0, strings_at, len(strings), 0, 0, 1, 0
    )
    ident = elf.MAGIC + bytes((1, 1, 1)) + bytes(9)
    body[: _EHDR.size] = _EHDR.pack(
        ident, elf.ET_EXEC, elf.EM_386, 1, entry, _EHDR.size, len(body), 0,
        _EHDR.size, elf.PROGRAM_HEADER[32].size, loaded,
        elf.SECTION_HEADER[32].size, len(names) + 1, len(names),
    )  # fmt: skip
    body[_EHDR.size : multiboot_at] = programs
    return bytes(body + sections)
