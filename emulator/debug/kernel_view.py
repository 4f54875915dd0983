# SPDX-License-Identifier: GPL-2.0-or-later
"""What a debugger knows of the project's own microkernel, from its symbols and its contract.

Any other kernel is a ``KernelView`` that knows nothing: its threads are told apart by their address spaces.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from ringscope import abi

if TYPE_CHECKING:
    from collections.abc import Mapping

#: No other kernel has all of these.
OURS = frozenset(("current", "schedule_ready", "fastpath_reply_wait"))
RAX, X6, X8 = 0, 6, 8
#: The register that a system call has its number in: by custom, and by our contract (servers/lib/arch).
CUSTOM = {"x86_64": RAX, "aarch64": X8}
CONTRACT = {"x86_64": RAX, "aarch64": X6}


@dataclass(frozen=True)
class KernelView:
    """Where to look for the thread that runs, and what system calls are called.

    ``current`` is the virtual address of the pointer to it, 0 where nobody knows; ``call_register`` the
    register's number in the instruction set's encoding. ``objects`` are the types of kernel objects,
    ``faults`` the kinds of message that the kernel sends for a thread.
    """

    current: int
    call_register: int
    calls: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    objects: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    faults: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))


def view(arch: str, kernel: bytes | None) -> KernelView:
    """Return what is known of a kernel, given its ELF file if it has one."""
    symbols = {} if kernel is None else _symbols(kernel)
    if not symbols.keys() >= OURS:
        return KernelView(0, CUSTOM[arch])
    calls = MappingProxyType({number: name for name, number in abi.CALL.items()})
    faults = MappingProxyType({number: name.replace("_", " ") for name, number in abi.KIND.items()})
    return KernelView(symbols["current"], CONTRACT[arch], calls, abi.OBJECT, faults)


def _symbols(kernel: bytes) -> dict[str, int]:
    """Return the addresses of those symbols of OURS that the file has."""
    try:
        table = ELFFile(io.BytesIO(kernel)).get_section_by_name(".symtab")
    except (ELFError, ValueError):
        return {}
    if not isinstance(table, SymbolTableSection):
        return {}
    return {symbol.name: symbol["st_value"] for symbol in table.iter_symbols() if symbol.name in OURS}
