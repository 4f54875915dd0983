# SPDX-License-Identifier: GPL-2.0-or-later
"""The native models seen from Python: built alone, without an engine, and driven call by call."""

from __future__ import annotations

import ctypes
import fcntl
from typing import TYPE_CHECKING

from ringscope.emulator.timing.native_config import pack
from ringscope.tools.build.compiler import ROOT, WARNINGS, Program, build_program

if TYPE_CHECKING:
    from collections.abc import Mapping

MODELS = ("cache", "hierarchy", "{arch}/walk", "tlb", "mmu", "direction", "predictor", "models")
FLAGS = ("-std=gnu11", "-O2", "-g", "-fPIC", "-fno-sanitize=all", "-mcpu=baseline", *WARNINGS)
UNMAPPED = 2**64 - 1
FETCH, LOAD, STORE = range(3)  # enum access
CONDITIONAL, DIRECT, INDIRECT, CALL, INDIRECT_CALL, RETURN = range(6)  # enum branch_kind

u32, u64, pointer = ctypes.c_uint32, ctypes.c_uint64, ctypes.c_void_p
SIGNATURES = {
    "probe_new": (pointer, [pointer]),
    "probe_free": (None, [pointer]),
    "probe_refusal": (ctypes.c_char_p, [pointer]),
    "probe_counter": (u64, [pointer, u32]),
    "probe_cause": (u64, [pointer, u32]),
    "probe_cycles": (u64, [pointer]),
    "probe_issue": (None, [pointer, u32]),
    "probe_data": (None, [pointer, u64, u32, u32]),
    "probe_data_rest": (None, [pointer, u64, u32, u32]),
    "probe_fetch": (None, [pointer, u64]),
    "probe_walk_load": (u32, [pointer, u64]),
    "probe_flush_line": (None, [pointer, u64]),
    "probe_flush_caches": (None, [pointer]),
    "probe_ram": (None, [pointer, pointer, u64]),
    "probe_state": (None, [pointer, u64, u64, u64, u64]),
    "probe_translate": (u64, [pointer, u64, u32]),
    "probe_flush_all": (None, [pointer, u32]),
    "probe_flush_asid": (None, [pointer, u32]),
    "probe_invlpg": (None, [pointer, u64]),
    "probe_invlpg_asid": (None, [pointer, u64, u32]),
    "probe_forget_va": (None, [pointer, u64, u32, u32]),
    "probe_forget_va_all": (None, [pointer, u64, u32]),
    "probe_use_up_tags": (None, [pointer]),
    "probe_foresee": (None, [pointer, u64]),
    "probe_branch": (u32, [pointer, u32, u64, u64, u64, u32]),
    "probe_walk": (None, [pointer, u64, pointer, u64, pointer]),
    "probe_time_accesses": (ctypes.c_double, [pointer, u64, u64, u64, u64]),
    "counter_name": (ctypes.c_char_p, [u32]),
    "cause_name": (ctypes.c_char_p, [u32]),
}


def load_library(arch: str = "x86_64") -> ctypes.CDLL:
    """Build an architecture's models and the probe, once however many test processes ask, and load them."""
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    program = Program(
        output=f"tests/libmodels-{arch}.so",
        sources=(
            *(f"emulator/native/{name.format(arch=arch)}.c" for name in MODELS),
            "tests/oracles/models_probe.c",
        ),
        flags=FLAGS,
        link=("-shared",),
        include=("emulator/native", f"emulator/native/{arch}"),
    )
    with (build / "models.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        path = build_program(program, build)
    library = ctypes.CDLL(str(path))
    for name, (result, arguments) in SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


class Probe:
    """One set of native models; ``probe.data(...)`` calls ``probe_data``, and so on."""

    def __init__(self, library: ctypes.CDLL, values: Mapping[str, int], arch: str = "x86_64") -> None:
        """Build models with these fields of ``struct model_config``; ValueError says why not.

        ``arch`` says whose prices the fields hold.
        """
        self._library = library
        self._handle = library.probe_new(pack(library, dict(values), arch))
        self._ram: ctypes.Array[ctypes.c_char] | None = None
        refusal = library.probe_refusal(self._handle)
        if refusal:
            sentence = refusal.decode()
            library.probe_free(self._handle)
            self._handle = None
            raise ValueError(sentence)

    def __del__(self) -> None:
        """Free the models."""
        if getattr(self, "_handle", None):
            self._library.probe_free(self._handle)

    def __getattr__(self, name: str):
        """Return the probe's function of that name, bound to this probe."""
        function = getattr(self._library, f"probe_{name}")
        handle = self._handle
        return lambda *arguments: function(handle, *arguments)

    def use_ram(self, ram: bytearray) -> None:
        """Let the page walker read a copy of ``ram`` at physical address 0."""
        self._ram = ctypes.create_string_buffer(bytes(ram), len(ram))
        self._library.probe_ram(self._handle, ctypes.addressof(self._ram), len(ram))

    def counters(self) -> dict[str, int]:
        """Return all counters that are not 0, by name."""
        return self._named(self._library.counter_name, self._library.probe_counter)

    def causes(self) -> dict[str, int]:
        """Return the cycles of each cause that is not 0, by name."""
        return self._named(self._library.cause_name, self._library.probe_cause)

    def _named(self, name_of, value_of) -> dict[str, int]:
        values: dict[str, int] = {}
        index = 0
        while (name := name_of(index)) is not None:
            value = value_of(self._handle, index)
            if value:
                values[name.decode()] = value
            index += 1
        return values
