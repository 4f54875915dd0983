# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernels of a few instructions, each for one thing that a command must do with a guest.

They are flat Multiboot 1 kernels, entered in 32-bit protected mode at 1 MiB. They need no compiler, only an
assembler and a header.
"""

from __future__ import annotations

import struct
from functools import cache
from typing import TYPE_CHECKING, Final

import keystone

if TYPE_CHECKING:
    from pathlib import Path

LOAD: Final = 0x100000
MAGIC, HAS_ADDRESSES = 0x1BADB002, 1 << 16
HEADER: Final = struct.Struct("<8I")
ENTRY: Final = LOAD + HEADER.size

#: Subroutines: print the zero-terminated text at esi on the debug console; send al; receive into al.
LIBRARY: Final = """
print:
    lodsb
    test al, al
    jz printed
    out 0xe9, al
    jmp print
printed:
    ret
send:
    mov dx, 0x3f8
    out dx, al
    ret
receive:
    mov dx, 0x3fd
    in al, dx
    test al, 1
    jz receive
    mov dx, 0x3f8
    in al, dx
    ret
"""

ECHO: Final = """
    mov esp, 0x90000
    mov al, 0x3e
    call send
next:
    call receive
    call send
    cmp al, 0x71
    jne next
    mov al, 0x0a
    call send
    mov al, 7
    out 0xf4, al
"""
#: emulator/guest/ringscope.h: a mark that begins operation 7.
BEGIN: Final = ".byte 0x0f, 0x1f, 0x84, 0x00, 0x07, 0x00, 0x53, 0x52"
WIDE: Final = "\n".join(
    [
        "mov al, 0x0a",
        "out 0xe9, al",
        "spin:",
        *["add eax, 1\nadd ecx, 1\nadd edx, 1\nadd esi, 1"] * 8,
        "jmp spin",
    ]
)
SOURCES: Final = {
    "exit-3": "mov al, 3\nout 0xf4, al",
    "echo": ECHO,  # '>' and then whatever comes, until a q; status 7
    "spin": "mov al, 0x0a\nout 0xe9, al\nspin: jmp spin",
    "wide": WIDE,  # the same with the most instructions per cycle
    "begun-twice": f"{BEGIN}\n{BEGIN}\nmov al, 0\nout 0xf4, al",
    # Words of the first page, without paging.
    "low-words": "mov ecx, 100\nagain: mov eax, [0x400]\nmov [0x404], eax\ndec ecx\njnz again\n"
    "mov al, 0\nout 0xf4, al",
    # Two stores to each 16 bytes of 64 KiB behind a load from there, in a large page that holds no code.
    "stores": """
    mov dword ptr [0x90000], 0x91001
    mov dword ptr [0x91000], 0x83
    mov dword ptr [0x91008], 0x200083
    mov dword ptr [0x9100c], 0x80000000
    mov eax, 0x90000
    mov cr3, eax
    mov eax, cr4
    or eax, 0x20
    mov cr4, eax
    mov ecx, 0xc0000080
    rdmsr
    or eax, 0x800
    wrmsr
    mov eax, cr0
    or eax, 0x80000000
    mov cr0, eax
    mov edi, 0x200000
again:
    mov eax, [edi]
    mov [edi], eax
    mov [edi + 4], eax
    add edi, 16
    cmp edi, 0x210000
    jne again
    mov al, 0
    out 0xf4, al
""",
    # Branches by bits of a random number, for ever.
    "unforeseen": """
again:
    imul ecx, ecx, 1103515245
    add ecx, 12345
    test ecx, 0x10000
    jz other
    inc eax
other:
    test ecx, 0x20000
    jz again
    inc ebx
    jmp again
""",
    # A million blocks: words of random lines of 1 MiB are summed, or not.
    "sum-of-random": """
    mov edi, 500000
again:
    imul ecx, ecx, 1103515245
    add ecx, 12345
    mov esi, ecx
    shr esi, 12
    mov eax, [0x200000 + esi]
    test ecx, 0x10000
    jz other
    add ebx, eax
other:
    dec edi
    jnz again
    mov al, 3
    out 0xf4, al
""",
    # Words of random lines of 16 MiB, each line known only when the word before is there.
    "chase": """
    mov edi, 60000
again:
    imul ecx, ecx, 1103515245
    add ecx, 12345
    mov esi, ecx
    shr esi, 8
    mov eax, [0x200000 + esi]
    and eax, 0
    add ecx, eax
    jmp next
next:
    dec edi
    jnz again
    mov al, 3
    out 0xf4, al
""",
    "halt": "cli\nhlt",
    "triple-fault": "ud2",  # there is no IDT
    "divide-by-zero": "xor ecx, ecx\ndiv ecx",
    "software-interrupt": "int 0x30",
    "wild-jump": "mov eax, 0xd0000000\njmp eax",  # there is no memory
    # Nothing is mapped: the page directory is zeroes.
    "no-page": "mov eax, 0x90000\nmov cr3, eax\nmov eax, 0x80000001\nmov cr0, eax\nnop",
    "reset": "mov al, 0xfe\nout 0x64, al\nspin: jmp spin",
    "chatter": "again: mov al, 0x2e\nout 0xe9, al\nmov al, 0x0a\nout 0xe9, al\njmp again",
    "serial": "mov esp, 0x90000\nmov al, 0x73\ncall send\nmov al, 0x64\nout 0xe9, al\nhlt",
    # Fill the disk's first sector with the letter B.
    "write-disk": """
    mov esp, 0x90000
    mov dx, 0x1f2
    mov al, 1
    out dx, al
    mov al, 0
    inc edx
    out dx, al
    inc edx
    out dx, al
    inc edx
    out dx, al
    inc edx
    mov al, 0xe0
    out dx, al
    inc edx
    mov al, 0x30
    out dx, al
asked:
    in al, dx
    test al, 8
    jz asked
    mov ecx, 256
    mov dx, 0x1f0
    mov ax, 0x4242
fill:
    out dx, ax
    dec ecx
    jnz fill
    mov dx, 0x1f7
busy:
    in al, dx
    test al, 0x80
    jnz busy
    mov al, 0xe7
    out dx, al
flushing:
    in al, dx
    test al, 0x80
    jnz flushing
    mov al, 0
    out 0xf4, al
""",
    # The kernel's command line, then each module's, then each module's first bytes up to a zero.
    "lines": """
    mov esp, 0x90000
    mov esi, [ebx + 16]
    call line
    mov ecx, [ebx + 20]
    mov ebp, [ebx + 24]
modules:
    test ecx, ecx
    jz done
    mov esi, [ebp + 8]
    call line
    mov esi, [ebp]
    call line
    add ebp, 16
    dec ecx
    jmp modules
done:
    mov al, 0
    out 0xf4, al
line:
    call print
    mov al, 0x0a
    out 0xe9, al
    ret
""",
}


def write(name: str, folder: Path) -> Path:
    """Write the kernel into a folder and return its file."""
    file = folder / f"{name}.bin"
    file.write_bytes(kernel(name))
    return file


@cache
def kernel(name: str) -> bytes:
    """Return the file of a kernel of SOURCES."""
    assembler = keystone.Ks(keystone.KS_ARCH_X86, keystone.KS_MODE_32)
    code, _ = assembler.asm(SOURCES[name] + LIBRARY, ENTRY)
    checksum = -(MAGIC + HAS_ADDRESSES) & 0xFFFFFFFF
    header = HEADER.pack(MAGIC, HAS_ADDRESSES, checksum, LOAD, LOAD, 0, 0, ENTRY)
    return header + bytes(code)
