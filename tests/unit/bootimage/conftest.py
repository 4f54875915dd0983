# SPDX-License-Identifier: GPL-2.0-or-later
"""ELF files made byte by byte, and memory read as a guest reads it."""

from __future__ import annotations

import dataclasses
import struct
from dataclasses import dataclass

import pytest

from ringscope.bootimage import BootRequest, MemoryLayout, MemoryRegion, ModuleSpec, load

MIB = 1 << 20


def multiboot1(flags=3, tail=b""):
    """A Multiboot 1 header; ``tail`` are the fields after the checksum."""
    return struct.pack("<III", 0x1BADB002, flags, -(0x1BADB002 + flags) & 0xFFFFFFFF) + tail


def multiboot2(*tags, architecture=0):
    """A Multiboot 2 header of (type, flags, payload) tags and the end tag."""
    body = b""
    for kind, flags, payload in (*tags, (0, 0, b"")):
        tag = struct.pack("<HHI", kind, flags, 8 + len(payload)) + payload
        body += tag + bytes(-len(tag) % 8)
    length = 16 + len(body)
    return (
        struct.pack(
            "<4I", 0xE85250D6, architecture, length, -(0xE85250D6 + architecture + length) & 0xFFFFFFFF
        )
        + body
    )


def make_elf(*segments, bits=32, entry=None, machine=None, kind=2, sections=()):
    """An ELF file of (paddr, data, memory size or None, vaddr or None) segments.

    ``sections`` are (name, type, flags, address, data); a null section and .shstrtab come by themselves.
    """
    wide = bits == 64
    header_size, phdr_size, shdr_size = (64, 56, 64) if wide else (52, 32, 40)
    machine = machine or (62 if wide else 3)
    entry = segments[0][0] if entry is None and segments else entry or 0
    at = header_size + phdr_size * len(segments)
    phdrs, body = b"", b""
    for paddr, data, memory_size, vaddr in segments:
        memory = len(data) if memory_size is None else memory_size
        virtual = paddr if vaddr is None else vaddr
        body += bytes(-(at + len(body)) % 8)
        offset = at + len(body)
        if wide:
            phdrs += struct.pack("<IIQQQQQQ", 1, 7, offset, virtual, paddr, len(data), memory, 8)
        else:
            phdrs += struct.pack("<IIIIIIII", 1, offset, virtual, paddr, len(data), memory, 7, 8)
        body += data
    shdrs, names = b"", b"\0"
    if sections:
        rows = [(b"", 0, 0, 0, b"")]
        rows += [(name.encode(), *rest) for name, *rest in sections]
        rows.append((b".shstrtab", 3, 0, 0, None))
        labels = []
        for name, *_ in rows:
            labels.append(len(names) if name else 0)
            names += name + b"\0" if name else b""
        for label, (_, section_kind, flags, address, data) in zip(labels, rows, strict=True):
            content = names if data is None else data
            offset = at + len(body)
            pattern = "<IIQQQQIIQQ" if wide else "<IIIIIIIIII"
            shdrs += struct.pack(
                pattern, label, section_kind, flags, address, offset, len(content), 0, 0, 1, 0
            )
            body += content
    count = len(sections) + 2 if sections else 0
    shoff = at + len(body) if sections else 0
    ident = b"\x7fELF" + bytes((2 if wide else 1, 1, 1)) + bytes(9)
    header = ident + struct.pack(
        "<HHIQQQIHHHHHH" if wide else "<HHIIIIIHHHHHH",
        kind, machine, 1, entry, header_size if segments else 0, shoff, 0,
        header_size, phdr_size, len(segments), shdr_size, count, count - 1 if count else 0,
    )  # fmt: skip
    return header + phdrs + body + shdrs


@dataclass(frozen=True)
class Memory:
    """What a guest finds: reads of bytes that nobody wrote fail."""

    writes: tuple

    def read(self, address, size):
        for base, data in self.writes:
            if base <= address and address + size <= base + len(data):
                return data[address - base : address - base + size]
        raise AssertionError(f"nobody wrote {size} bytes at {address:#x}")

    def word(self, address):
        return struct.unpack("<I", self.read(address, 4))[0]

    def words(self, address, count):
        return struct.unpack(f"<{count}I", self.read(address, 4 * count))

    def text(self, address):
        end = address
        while self.read(end, 1) != b"\0":
            end += 1
        return self.read(address, end - address).decode()


@pytest.fixture(scope="session", name="make_elf")
def make_elf_fixture():
    return make_elf


@pytest.fixture(scope="session", name="multiboot1")
def multiboot1_fixture():
    return multiboot1


@pytest.fixture(scope="session", name="multiboot2")
def multiboot2_fixture():
    return multiboot2


@pytest.fixture(scope="session")
def memory_of():
    """A function that returns the Memory of a LoadedImage."""
    return lambda image: Memory(image.writes)


@pytest.fixture(scope="session")
def layout():
    """A PC with 16 MiB."""
    return MemoryLayout(
        16 * MIB,
        (
            MemoryRegion(0, 0x9FC00, 1),
            MemoryRegion(0x9FC00, 0x400, 2),
            MemoryRegion(0xF0000, 0x10000, 2),
            MemoryRegion(MIB, 15 * MIB - 0x10000, 1),
            MemoryRegion(16 * MIB - 0x10000, 0x10000, 3),
        ),
    )


@pytest.fixture
def kernel_file(tmp_path):
    """A function that writes bytes to kernel.elf and returns its path."""

    def write(data):
        path = tmp_path / "kernel.elf"
        path.write_bytes(data)
        return path

    return write


@pytest.fixture
def boot_bytes(kernel_file, layout, memory_of, tmp_path):
    """A function that loads a kernel of these bytes and (name, line, content) modules: image and memory."""

    def boot(data, modules=(), command_line="", rsdp=None):
        specs = []
        for name, line, content in modules:
            (tmp_path / name).write_bytes(content)
            specs.append(ModuleSpec(tmp_path / name, line))
        request = BootRequest(kernel_file(data), tuple(specs), command_line)
        image = load(request, dataclasses.replace(layout, rsdp=rsdp))
        return image, memory_of(image)

    return boot
