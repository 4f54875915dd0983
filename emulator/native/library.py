# SPDX-License-Identifier: GPL-2.0-or-later
"""The native core as Python sees it: the loaded library and the signatures of its functions.

The C side is the contract (core.h, api.c); this file repeats names and types, never numbers: names of
counters and causes, the layout of ``struct env_layout`` and all sizes come out of the library itself.
"""

from __future__ import annotations

import ctypes
import enum
from functools import cache
from pathlib import Path

NOWHERE = 2**64 - 1
BLOCK_INSNS_MAX = 64
LEDGER_INTERRUPT = 4096
LEDGER_PROBES = LEDGER_INTERRUPT + 1
PROBES_MAX = 64

_u32 = ctypes.c_uint32
_u64 = ctypes.c_uint64
_ptr = ctypes.c_void_p

DECODE = ctypes.CFUNCTYPE(None, _u64, _ptr, _u32, _u32, _u32)
EVENTS = ctypes.CFUNCTYPE(None)
ACKNOWLEDGE = ctypes.CFUNCTYPE(ctypes.c_int32)
PORT_IN = ctypes.CFUNCTYPE(_u32, _u32, _u32)
PORT_OUT = ctypes.CFUNCTYPE(None, _u32, _u32, _u32)
MMIO_READ = ctypes.CFUNCTYPE(_u64, _u64, _u32)
MMIO_WRITE = ctypes.CFUNCTYPE(None, _u64, _u32, _u64)
CPUID = ctypes.CFUNCTYPE(None, _u32, _u32, ctypes.POINTER(_u32))
MSR_READ = ctypes.CFUNCTYPE(ctypes.c_int32, _u32, ctypes.POINTER(_u64))
MSR_WRITE = ctypes.CFUNCTYPE(ctypes.c_int32, _u32, _u64)
TASK_PRIORITY = ctypes.CFUNCTYPE(_u32)
SET_TASK_PRIORITY = ctypes.CFUNCTYPE(None, _u32)
FIRMWARE = ctypes.CFUNCTYPE(_u64, _u64, _u64, _u64)
TIMER_READ = ctypes.CFUNCTYPE(_u64, _u32)
TIMER_WRITE = ctypes.CFUNCTYPE(None, _u32, _u64)
STACK_FAULT = ctypes.CFUNCTYPE(ctypes.c_int32, _u64)
TRACE_FULL = ctypes.CFUNCTYPE(None)
INVALID = ctypes.CFUNCTYPE(ctypes.c_int32, _u64)


class Callbacks(ctypes.Structure):
    """``struct callbacks`` of core.h."""

    _fields_ = [
        ("decode", DECODE),
        ("events", EVENTS),
        ("acknowledge", ACKNOWLEDGE),
        ("port_in", PORT_IN),
        ("port_out", PORT_OUT),
        ("mmio_read", MMIO_READ),
        ("mmio_write", MMIO_WRITE),
        ("cpuid", CPUID),
        ("msr_read", MSR_READ),
        ("msr_write", MSR_WRITE),
        ("task_priority", TASK_PRIORITY),
        ("set_task_priority", SET_TASK_PRIORITY),
        ("firmware", FIRMWARE),
        ("timer_read", TIMER_READ),
        ("timer_write", TIMER_WRITE),
        ("stack_fault", STACK_FAULT),
        ("invalid", INVALID),
    ]


class Stop(enum.IntEnum):
    """``enum stop_reason`` of core.h: why a run of the core ended."""

    NONE = 0
    REQUEST = 1
    TIME = 2
    STEPS = 3
    BREAKPOINT = 4
    HALT = 5
    TRIPLE_FAULT = 6
    ENGINE = 7
    WATCHPOINT = 8
    EVENT = 9
    COUNTER = 10


class Breakpoint(ctypes.Structure):
    """``struct breakpoint`` of debug.h."""

    _fields_ = [("pc", _u64), ("space", _u64)]


class Watchpoint(ctypes.Structure):
    """``struct watchpoint`` of debug.h."""

    _fields_ = [("first", _u64), ("last", _u64), ("space", _u64), ("on_write", _u32), ("on_read", _u32)]


class WatchHit(ctypes.Structure):
    """``struct watch_hit`` of debug.h."""

    _fields_ = [
        ("pc", _u64),
        ("vaddr", _u64),
        ("old", _u64),
        ("now", _u64),
        ("index", _u32),
        ("size", _u32),
        ("write", _u32),
        ("old_is_known", _u32),
    ]


class MarkArchitecture(enum.IntEnum):
    """``enum mark_architecture`` of mark.h: whose instructions a mark is made of."""

    X86 = 0
    AARCH64 = 1


_SIGNATURES: dict[str, tuple[object, tuple[object, ...]]] = {
    "engine_interpose": (ctypes.c_char_p, (ctypes.c_char_p,)),
    "core_new": (_ptr, (ctypes.POINTER(Callbacks), _ptr, ctypes.c_bool, ctypes.POINTER(ctypes.c_char_p))),
    "core_free": (None, (_ptr,)),
    "core_attach": (ctypes.c_char_p, (_ptr, _ptr, _ptr, _u64, _u64, _ptr)),
    "core_run": (ctypes.c_int, (_ptr, _u64, _u64)),
    "core_stop": (None, (_ptr, ctypes.c_bool)),
    "core_set_next_event": (None, (_ptr, _u64)),
    "core_set_interrupt": (None, (_ptr, ctypes.c_bool)),
    "core_wants_flush": (ctypes.c_bool, (_ptr,)),
    "core_forget_blocks": (None, (_ptr,)),
    "core_skip_idle": (None, (_ptr, _u64)),
    "core_set_breakpoints": (ctypes.c_bool, (_ptr, ctypes.POINTER(Breakpoint), _u32)),
    "core_set_watchpoints": (ctypes.c_bool, (_ptr, ctypes.POINTER(Watchpoint), _u32)),
    "core_stop_on": (None, (_ptr, _u32, _u64)),
    "core_step_over": (None, (_ptr,)),
    "core_jump": (None, (_ptr, _u64)),
    "core_watch_hit": (ctypes.POINTER(WatchHit), (_ptr,)),
    "core_met_event": (_ptr, (_ptr,)),
    "core_pc": (_u64, (_ptr,)),
    "core_space": (_u64, (_ptr,)),
    "core_space_of": (_u64, (_ptr, _u64)),
    "core_in_user_mode": (ctypes.c_bool, (_ptr,)),
    "core_steps_left": (_u64, (_ptr,)),
    "core_instructions": (_u64, (_ptr,)),
    "core_forget_code": (None, (_ptr,)),
    "core_flush_translations": (None, (_ptr,)),
    "core_time": (_u64, (_ptr,)),
    "core_cycles": (_u64, (_ptr,)),
    "core_idle": (_u64, (_ptr,)),
    "core_lateness": (_u64, (_ptr,)),
    "core_shutdown_pc": (_u64, (_ptr,)),
    "core_engine_error": (ctypes.c_int, (_ptr,)),
    "core_share": (None, (_ptr, _ptr)),
    "core_allow_short_cuts": (None, (_ptr, ctypes.c_bool)),
    "core_allow_charger": (None, (_ptr, ctypes.c_bool)),
    "core_has_charger": (ctypes.c_bool, (_ptr,)),
    "core_found_short_cuts": (ctypes.c_bool, ()),
    "core_block_count": (_u32, (_ptr,)),
    "core_env": (_ptr, (_ptr,)),
    "core_decoded": (_ptr, (_ptr,)),
    "core_books": (_ptr, (_ptr,)),
    "core_books_here": (_ptr, (_ptr,)),
    "core_exceptions": (ctypes.POINTER(_u64), (_ptr,)),
    "core_operation": (_ptr, (_ptr, _u32)),
    "core_dropped_marks": (_u64, (_ptr,)),
    "core_add_probe": (ctypes.c_int32, (_ptr, _u64, _u64, ctypes.c_bool, ctypes.c_char_p, _u32, _u32)),
    "core_probe_entries": (_u64, (_ptr, _u32)),
    "core_physical": (_u64, (_ptr, _u64)),
    "core_physical_in": (_u64, (_ptr, _u64, _u64)),
    "core_walk": (None, (_ptr, _u64, _u64, _ptr)),
    "core_translations": (_u32, (_ptr, _u32, _ptr, _u32)),
    "core_lines": (_u32, (_ptr, _u32, _ptr, _u32)),
    "core_trace_start": (ctypes.c_bool, (_ptr, _u32, _u64, _u32, TRACE_FULL)),
    "core_trace_stop": (None, (_ptr,)),
    "core_trace_take": (_u32, (_ptr, ctypes.POINTER(_ptr))),
    "core_trace_event_size": (ctypes.c_size_t, ()),
    "core_state_parts": (_u32, (_ptr, _ptr, _u32)),
    "core_state_prepare": (ctypes.c_bool, (_ptr, ctypes.POINTER(_u32), _u32, _u32)),
    "core_state_block": (ctypes.c_bool, (_ptr, _ptr)),
    "core_state_set_block": (ctypes.c_bool, (_ptr, _ptr)),
    "core_state_ring": (ctypes.c_int, (_ptr,)),
    "core_state_done": (None, (_ptr, ctypes.c_int)),
    "core_attribution_start": (ctypes.c_bool, (_ptr,)),
    "core_is_attributing": (ctypes.c_bool, (_ptr,)),
    "core_attribution_stop": (None, (_ptr,)),
    "core_attribution_settle": (ctypes.c_bool, (_ptr,)),
    "core_attribution_places": (_u32, (_ptr, ctypes.POINTER(_ptr))),
    "core_attribution_nodes": (_u32, (_ptr, ctypes.POINTER(_ptr))),
    "core_attribution_costs": (_u32, (_ptr, ctypes.POINTER(_ptr))),
    "core_attribution_operation": (_u32, (_ptr, _u32, ctypes.POINTER(_ptr))),
    "core_env_layout": (_ptr, ()),
    "core_env_layout_size": (ctypes.c_size_t, ()),
    "counter_name": (ctypes.c_char_p, (_u32,)),
    "counter_group": (ctypes.c_int, (_u32,)),
    "cause_name": (ctypes.c_char_p, (_u32,)),
    "mark_at": (_u32, (ctypes.c_char_p, _u32, ctypes.c_int)),
    "mark_counter": (ctypes.c_int, (_u32,)),
    "cost_cause": (ctypes.c_int, (_u32,)),
}

_SIGNATURES_OF: dict[str, dict[str, tuple[object, tuple[object, ...]]]] = {
    "x86_64": {
        "core_enter_multiboot": (None, (_ptr, _u32, _u32, _u32)),
        "core_raise_nmi": (None, (_ptr,)),
        "core_nmi_pending": (ctypes.c_bool, (_ptr,)),
        "core_time_stamp": (_u64, (_ptr,)),
        "core_set_time_stamp": (None, (_ptr, _u64)),
        "core_set_tsc_aux": (None, (_ptr, _u32)),
        "core_set_debug_control": (None, (_ptr, _u32)),
        "core_invpcid": (None, (_ptr, _u64, _u64, _u64)),
        "core_raised": (_u32, (_ptr, _ptr)),
    },
    "aarch64": {
        "core_enter_arm64": (None, (_ptr, _u64, _u64, _u64)),
    },
}


class LibraryMissing(Exception):
    """The native core has not been built."""


def find(arch: str) -> Path:
    """Return the library's path: beside this file when installed, else in the build folder."""
    here, name = Path(__file__).resolve().parent, f"libringscope-{arch}.so"
    for candidate in (here / name, here.parents[1] / "build" / "native" / name):
        if candidate.exists():
            return candidate
    raise LibraryMissing(
        "the native core is not built; run `make build` in the checkout, or install the package"
    )


@cache
def load(arch: str = "x86_64") -> ctypes.CDLL:
    """Load the native core for guests of an architecture once, with every function's signature declared.

    What is not particular to one (names of counters, marks, the layout of the models' configuration) any of
    them tells.
    """
    library = ctypes.CDLL(str(find(arch)))
    for name, (result, arguments) in (_SIGNATURES | _SIGNATURES_OF[arch]).items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
    return library


def _names(function: str) -> tuple[str, ...]:
    lookup = getattr(load(), function)
    names: list[str] = []
    while (name := lookup(len(names))) is not None:
        names.append(name.decode())
    return tuple(names)


@cache
def counter_names() -> tuple[str, ...]:
    """Return the counters' names in the order of reports (counters.def)."""
    return _names("counter_name")


@cache
def cause_names() -> tuple[str, ...]:
    """Return the causes' names (causes.def)."""
    return _names("cause_name")


@cache
def counter_groups() -> tuple[int, ...]:
    """Return each counter's group, ``enum counter_group`` of account.h."""
    return tuple(load().counter_group(i) for i in range(len(counter_names())))
