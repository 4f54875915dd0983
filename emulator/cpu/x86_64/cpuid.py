# SPDX-License-Identifier: GPL-2.0-or-later
"""CPUID as the machine answers it: what it really does, and the sizes of the profile.

Feature bits name only what the engine and this machine carry out; in particular there is no AVX, XSAVE,
RDRAND or MONITOR. PCID, INVPCID and 1 GiB pages are there. Leaf numbers and bit positions: Intel SDM volume
2, CPUID.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringscope.emulator.timing.parameters import Cache
    from ringscope.emulator.timing.profile import Profile

Registers = tuple[int, int, int, int]  # eax, ebx, ecx, edx

SIGNATURE = 0x000506E3  # family 6, model 0x5e, stepping 3: the core of the default profile
PHYSICAL_BITS, VIRTUAL_BITS = 40, 48

LEAF_1_EDX = {
    "fpu": 0, "de": 2, "pse": 3, "tsc": 4, "msr": 5, "pae": 6, "mce": 7, "cx8": 8, "apic": 9, "sep": 11,
    "pge": 13, "mca": 14, "cmov": 15, "pat": 16, "pse36": 17, "clflush": 19, "mmx": 23, "fxsr": 24,
    "sse": 25, "sse2": 26,
}  # fmt: skip
LEAF_1_ECX = {
    "sse3": 0, "pclmulqdq": 1, "ssse3": 9, "cx16": 13, "pcid": 17, "sse4_1": 19, "sse4_2": 20, "movbe": 22,
    "popcnt": 23, "tsc_deadline": 24, "aes": 25,
}  # fmt: skip
LEAF_7_EBX = {
    "fsgsbase": 0, "bmi1": 3, "smep": 7, "bmi2": 8, "erms": 9, "invpcid": 10, "adx": 19, "smap": 20,
}  # fmt: skip
EXTENDED_1_EDX = {"syscall": 11, "nx": 20, "gib_pages": 26, "rdtscp": 27, "long_mode": 29}
EXTENDED_1_ECX = {"lahf": 0, "lzcnt": 5, "prefetchw": 8}
ARAT = 1 << 2  # leaf 6: the APIC timer never stops


def _bits(table: dict[str, int]) -> int:
    return sum(1 << bit for bit in table.values())


def _cache_leaf(kind: int, level: int, cache: Cache) -> Registers:
    """Return leaf 4's answer for one cache; kind 1 is data, 2 instruction, 3 unified."""
    ebx = (cache.line - 1) | (cache.ways - 1) << 22
    return kind | level << 5 | 1 << 8, ebx, cache.sets - 1, 0


class Cpuid:
    """Answers CPUID for a profile on a machine whose time-stamp counter runs at ``hz``."""

    def __init__(self, profile: Profile, hz: int) -> None:
        """Lay out the leaves."""
        brand = f"ringscope {profile.name}".encode().ljust(48, b"\0")[:48]
        words = struct.unpack("<12I", brand)
        self._basic: dict[int, Registers] = {
            0x00: (0x16, *struct.unpack("<3I", b"GenuntelineI")),
            0x01: (SIGNATURE, profile.l1d.line // 8 << 8 | 1 << 16, _bits(LEAF_1_ECX), _bits(LEAF_1_EDX)),
            0x02: (0xFF_01, 0, 0, 0),  # leaf 4 describes the caches
            0x06: (ARAT, 0, 0, 0),
            0x15: (1, 1, hz, 0),
            0x16: (hz // 1_000_000, hz // 1_000_000, 100, 0),
        }
        self._extended: dict[int, Registers] = {
            0x80000000: (0x80000008, 0, 0, 0),
            0x80000001: (0, 0, _bits(EXTENDED_1_ECX), _bits(EXTENDED_1_EDX)),
            0x80000002: (words[0], words[1], words[2], words[3]),
            0x80000003: (words[4], words[5], words[6], words[7]),
            0x80000004: (words[8], words[9], words[10], words[11]),
            0x80000007: (0, 0, 0, 1 << 8),  # the time-stamp counter is invariant
            0x80000008: (PHYSICAL_BITS | VIRTUAL_BITS << 8, 0, 0, 0),
        }
        caches = (
            (1 if profile.l1i.size else 3, 1, profile.l1d),
            (2, 1, profile.l1i),
            (3, 2, profile.l2),
            (3, 3, profile.llc),
        )
        self._caches = [
            _cache_leaf(kind, level, cache) for kind, level, cache in caches if cache.size
        ]  # without a gap: it would end the list

    def __call__(self, leaf: int, subleaf: int) -> Registers:
        """Return eax, ebx, ecx, edx; all 0 for what is not defined."""
        if leaf == 0x04:
            return self._caches[subleaf] if subleaf < len(self._caches) else (0, 0, 0, 0)
        if leaf == 0x07:
            return (0, _bits(LEAF_7_EBX), 0, 0) if subleaf == 0 else (0, 0, 0, 0)
        if leaf == 0x0B:
            return (0, 0, subleaf & 0xFF, 0)
        return self._basic.get(leaf) or self._extended.get(leaf) or (0, 0, 0, 0)
