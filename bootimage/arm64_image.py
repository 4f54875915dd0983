# SPDX-License-Identifier: GPL-2.0-or-later
"""Pack a kernel and its modules into one file that is itself an arm64 Image.

Any loader that boots an Image boots the result, and gives it the device tree in x0: QEMU's ``-M virt
-kernel FILE`` does, and so does ``arm64.py``. From its first address ``base`` the file holds, flat: a page
with the Image header, the kernel's segments at their own physical addresses with their .bss as zeroes, a gap,
the entry stub, the module table, the modules. ``base`` is one page below the kernel, and ``text_offset`` is
how far that is above the beginning of RAM. Behind ``image_size`` follows the kernel's original file, whole,
for its symbols; a guest must not rely on it.

The stub sets x1 to the physical address of the module table, leaves x0 alone, and branches to the kernel's
entry; x4 is lost. So a kernel needs to know only this: x0 is the device tree; x1 is 0 or a table that begins
with ``TABLE_MAGIC``. All of the table's words are 64 bits, little-endian:

    0  magic                the bytes ``RSPACK01``
    1  size                 bytes of the table, its strings included
    2  base                 the address for which the image is made
    3  end                  [base, end) is the image: to be kept, with the modules
    4  command line         the address of a zero-terminated text; the device tree's wins where it has one
    5  kernel file          where in the file the original kernel lies, counted from the header; 0: nowhere
    6  kernel file's size
    7  modules              so many entries follow, each of three words:
                            the first address, the first address after it, that of its command line

The first of the header's reserved words says where in the file the table lies. Reading one back:
``arm64_packed.py``. A kernel whose ELF file is loaded directly finds the same table in x1 (``arm64.py``).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ringscope.bootimage import arm64_header, elf, files, kernel
from ringscope.bootimage.types import ImageError

if TYPE_CHECKING:
    from collections.abc import Sequence

TABLE_MAGIC: Final = b"RSPACK01"
TABLE: Final = struct.Struct("<8s7Q")
ENTRY: Final = struct.Struct("<3Q")
#: Where RAM begins on the board for which images are made, QEMU's ``virt``.
RAM_BASE: Final = 0x4000_0000
PAGE: Final = 4096
#: What lies free between the kernel's last byte and the stub: kernels like to use the page after their end
#: early.
GAP: Final = 64 * 1024
#: A flat file holds what lies between its segments too; a kernel that is spread wider is a mistake.
SPAN_LIMIT: Final = 64 << 20

_MACHINES: Final = {elf.EM_AARCH64: "AArch64"}
# ldr x1, .+16; ldr x4, .+20; br x4; nop, followed by the two words that are loaded.
_STUB: Final = struct.Struct("<4I2Q")
_STUB_CODE: Final = (0x58000081, 0x580000A4, 0xD61F0080, 0xD503201F)
_BRANCH: Final = 0x14000000  # b, with a 26-bit distance in instructions
_BRANCH_REACH: Final = 128 << 20


@dataclass(frozen=True)
class Handover:
    """The stub, the table and the modules above a kernel: (address, bytes, what), ascending, page-aligned."""

    pieces: tuple[tuple[int, bytes, str], ...] = field(repr=False)
    end: int

    @property
    def stub(self) -> int:
        """The stub's address, where the image is to be entered."""
        return self.pieces[0][0]

    @property
    def table(self) -> int:
        """The module table's address."""
        return self.pieces[1][0]


def parts(file: elf.ElfFile) -> kernel.KernelParts:
    """Lay out the AArch64 kernel ``file``. Raises ImageError."""
    laid_out = kernel.from_elf(file, machines=_MACHINES)
    if file.bits != 64:
        raise ImageError(f"{file.name}: ELF header: e_ident[EI_CLASS] is 1 (32-bit), expected 2 (64-bit)")
    if laid_out.entry % 4:
        raise ImageError(
            f"{file.name}: ELF header: e_entry {file.entry:#x} is not a multiple of 4, as instructions are"
        )
    return laid_out


def hand_over(
    laid_out: kernel.KernelParts,
    modules: Sequence[tuple[str, bytes]],
    command_line: str,
    *,
    base: int,
    kernel_size: int = 0,
) -> Handover:
    """Return what goes above the kernel ``laid_out`` of an image at ``base``.

    ``kernel_size`` is the size of the original file that will follow the image, 0 if none will. Raises
    ImageError for a command line that cannot be encoded.
    """
    stub_at = _page_up(laid_out.end) + GAP
    table_at = stub_at + PAGE
    lines = [files.zero_terminated(line, f"module {line!r}") for line, _ in modules]
    own = files.zero_terminated(command_line, "the kernel")
    strings_at = table_at + TABLE.size + ENTRY.size * len(modules)
    size = strings_at - table_at + sum(map(len, lines)) + len(own)
    at = _page_up(table_at + size)
    entries, contents, text_at = b"", [], strings_at + len(own)
    for line, (_, content) in zip(lines, modules, strict=True):
        entries += ENTRY.pack(at, at + len(content), text_at)
        contents.append((at, content, "module"))
        at += _page_up(len(content))
        text_at += len(line)
    kernel_at = at - base if kernel_size else 0
    table = TABLE.pack(TABLE_MAGIC, size, base, at, strings_at, kernel_at, kernel_size, len(modules))
    table += entries + own + b"".join(lines)
    stub = _STUB.pack(*_STUB_CODE, table_at, laid_out.entry)
    return Handover(((stub_at, stub, "entry stub"), (table_at, table, "module table"), *contents), at)


def wrap_arm64(
    kernel_file: bytes,
    modules: Sequence[tuple[str, bytes]] = (),
    command_line: str = "",
    name: str = "kernel",
) -> bytes:
    """Return an arm64 Image of the AArch64 ELF file ``kernel_file`` and ``modules``.

    Each module is a (command line, content); ``command_line`` is the kernel's where the loader is given none;
    ``name`` is what messages call the kernel. Raises ImageError.
    """
    file = elf.parse(kernel_file, name)
    laid_out = parts(file)
    base = (laid_out.base - arm64_header.HEADER.size) // PAGE * PAGE
    if base < RAM_BASE + PAGE:
        raise ImageError(
            f"{name}: program headers: the lowest p_paddr {laid_out.base:#x} leaves no room below it for the "
            f"image's header; link the kernel at {RAM_BASE + 2 * PAGE:#x} or above"
        )
    if laid_out.end - base > SPAN_LIMIT:
        raise ImageError(
            f"{name}: program headers: the segments span {laid_out.end - base:#x} bytes, all of which a flat "
            f"image holds; link them within {SPAN_LIMIT:#x}"
        )
    above = hand_over(laid_out, modules, command_line, base=base, kernel_size=len(kernel_file))
    if above.stub - base >= _BRANCH_REACH:
        raise ImageError(f"{name}: program headers: the entry stub is out of reach; link the kernel closer")
    image = bytearray(above.end - base)
    for part in laid_out.parts:
        image[part.base - base : part.base - base + len(part.data)] = part.data
    for address, content, _ in above.pieces:
        image[address - base : address - base + len(content)] = content
    branch = _BRANCH | (above.stub - base) // 4
    header = arm64_header.build(branch, base - RAM_BASE, len(image), above.table - base)
    image[: len(header)] = header
    return bytes(image) + kernel_file


def _page_up(value: int) -> int:
    return -(-value // PAGE) * PAGE
