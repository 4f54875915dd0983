# SPDX-License-Identifier: GPL-2.0-or-later
"""The engine that executes guest instructions, tied to the native core.

Only this module and those that open an engine and find its state (ARCH/layout.py) import unicorn. What one
architecture alone has is in ARCH/engine.py.

``Engine`` owns guest RAM, the engine and the core on top of it. Whatever the guest does rarely arrives as a
call of one of the handlers it was given; an exception raised in a handler stops the run and is raised again
from ``run``.
"""

from __future__ import annotations

import abc
import contextlib
import ctypes
import mmap
import os
from typing import TYPE_CHECKING, Any

import unicorn
from unicorn import unicorn_const as constants
from unicorn.unicorn_py3 import unicorn as binding

from ringscope.emulator.cpu.guest_memory import GuestMemory
from ringscope.emulator.cpu.handlers import Handlers, make_callbacks
from ringscope.emulator.cpu.markers import UnknownEngine
from ringscope.emulator.cpu.stops import Stops
from ringscope.emulator.native import library as native
from ringscope.emulator.native.library import NOWHERE, Stop

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    MakeDecoder = Callable[[int], Callable[[int, int, int, int, int], None]]

PAGE = 0x1000
FOUR_GIB = 1 << 32
PROOF_END, PROOF_CYCLES = 4 * PAGE, 1_000_000  # what the proof may touch, and how long it may take at most
PROOF_DATA = bytes(at * 37 & 0xFF for at in range(PROOF_END - 2 * PAGE))  # no two neighbours are alike


class Engine(GuestMemory, Stops, abc.ABC):
    """One processor and its RAM; a subclass says of which architecture.

    ``make_decoder`` is called with the address of the core's answer buffer and returns the function that
    decodes a block (cpu/ARCH/decode.py). Raises UnknownEngine if the engine's library is not the one this
    core knows.
    """

    arch: str
    layout: ModuleType  # cpu/ARCH/layout.py
    physical_bits = 40  # of addresses, in the engine's processor model
    program_counter: str  # its name among the registers
    proof: ModuleType  # cpu/ARCH/proof.py
    #: Why the core goes without its short cuts, which costs speed and nothing else; None when it has them.
    slow_because: str | None = None

    def __init__(  # noqa: D107  the class says it
        self,
        ram_bytes: int,
        config: ctypes.Array[ctypes.c_char],
        handlers: Handlers,
        make_decoder: MakeDecoder,
        *,
        timing: bool,
        ram_base: int = 0,
    ) -> None:
        self._native = native.load(self.arch)
        self._failure: BaseException | None = None
        self._config = config
        missing = self._native.engine_interpose(binding.uclib._name.encode())  # noqa: SLF001  the very library in use
        if missing:
            version = unicorn.__version__
            raise UnknownEngine(
                f"the engine (unicorn {version}) lacks {missing.decode()}; install unicorn 2.1.4"
            )
        self._uc: Any = self.layout.open_engine()
        self._uc.ctl_exits_enabled(True)  # and none is set: the engine would translate each after a run
        self.ram_base = ram_base
        self.ram_bytes = ram_bytes
        self.ram = mmap.mmap(-1, ram_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        with contextlib.suppress(OSError):  # a host without large pages does without
            self.ram.madvise(mmap.MADV_HUGEPAGE)
        self._ram_address = ctypes.addressof(ctypes.c_char.from_buffer(self.ram))
        self._uc.mem_map_ptr(self.ram_base, ram_bytes, constants.UC_PROT_ALL, self._ram_address)
        self._callbacks = make_callbacks(
            handlers,
            self._guard,
            decode=self._decode_block,
            stack_fault=self._stack_fault,
            invalid=self._invalid,
        )
        error = ctypes.c_char_p()
        self._timing = timing
        self._core = self._native.core_new(self._callbacks, config, timing, ctypes.byref(error))
        if not self._core:
            raise ValueError((error.value or b"the native core could not be built").decode())
        self.allow_charger(len(os.sched_getaffinity(0)) > 1)
        self._decode = make_decoder(self._native.core_decoded(self._core))
        self._map_devices()
        self._attach()
        self._prove_short_cuts(make_decoder)

    # ---- construction ----

    def _guard(self, function: Callable[..., Any], otherwise: object) -> Callable[..., Any]:
        """Keep an exception for ``run`` to raise: it cannot cross native frames."""

        def guarded(*arguments: Any) -> Any:  # noqa: ANN401  whatever the handler takes
            try:
                return function(*arguments)
            except BaseException as failure:  # noqa: BLE001  kept, and raised again by run()
                self._failure = failure
                self._native.core_stop(self._core, True)
                return otherwise

        return guarded

    def _map_devices(self) -> None:
        """Everything that is not RAM is one device, which the machine dispatches."""

        def read(_: object, offset: int, size: int, base: int) -> int:
            return int(self._callbacks.mmio_read(base + offset, size))

        def write(_: object, offset: int, size: int, value: int, base: int) -> None:
            self._callbacks.mmio_write(base + offset, size, value)

        ram_end = self.ram_base + self.ram_bytes
        for start, end in (
            (0, self.ram_base),
            (ram_end, FOUR_GIB),
            (max(FOUR_GIB, ram_end), 1 << self.physical_bits),
        ):
            if end > start:
                self._uc.mmio_map(start, end - start, read, start, write, start)

    def _attach(self) -> None:
        """Install the hooks before anything is translated; then learn where the engine's state is."""
        library, handle = binding.uclib, self._uc._uch  # noqa: SLF001  the raw handle is what the core works with
        hooks = (
            (constants.UC_HOOK_BLOCK, "core_on_block"),
            (constants.UC_HOOK_INTR, "core_on_exception"),
            (constants.UC_HOOK_INSN_INVALID, "core_on_invalid"),
        )
        begin, end = 1, 0  # everywhere
        user_data = None
        for kind, name in hooks:
            hook = ctypes.c_size_t()
            function = ctypes.cast(getattr(self._native, name), ctypes.c_void_p)
            library.uc_hook_add(
                handle,
                ctypes.byref(hook),
                kind,
                function,
                ctypes.c_void_p(self._core),
                ctypes.c_uint64(begin),
                ctypes.c_uint64(end),
            )
            if kind == constants.UC_HOOK_BLOCK:
                user_data = self._find_user_data(hook.value)
        problem = self._native.core_attach(
            self._core, handle, self._ram_address, self.ram_base, self.ram_bytes, user_data
        )
        if problem:
            raise UnknownEngine(problem.decode())
        self._uc.ctl_flush_tb()
        layout = self.layout.find_layout(self._uc, self._native.core_env(self._core))
        names = self.layout.FIELDS
        if 4 * len(names) != self._native.core_env_layout_size():
            raise UnknownEngine("the native core and its Python side differ; run `make build`")
        place = (ctypes.c_uint32 * len(names)).from_address(self._native.core_env_layout())
        place[:] = [layout[name] for name in names]
        self.state_layout = layout

    # ---- short cuts ----

    def _prove_short_cuts(self, make_decoder: MakeDecoder) -> None:
        """Run a small program with and without the short cuts; take them only if both show the same."""
        if not self._native.core_found_short_cuts():
            self.slow_because = "the short cuts through the engine were not found"
        else:
            decode, state = self._decode, self._uc.context_save()
            seen = []
            for allowed in (False, True):
                seen.append(self._try_out(make_decoder, short_cuts=allowed))
                self._uc.context_restore(state)
                self._native.core_flush_translations(self._core)
            self._decode = decode
            if seen[0] != seen[1]:
                self.slow_because = "a short cut through the engine gave another result than the long way"
        self.allow_short_cuts(self.slow_because is None)

    def _try_out(self, make_decoder: MakeDecoder, *, short_cuts: bool) -> tuple[int, bytes, bytes]:
        """Run cpu/ARCH/proof.py on a core of its own; return how it ended, its books and its memory."""
        error = ctypes.c_char_p()
        core = self._native.core_new(self._callbacks, self._config, self._timing, ctypes.byref(error))
        if not core:
            raise ValueError((error.value or b"the native core could not be built").decode())
        self._decode = make_decoder(self._native.core_decoded(core))
        self._native.core_share(core, self._core)
        self._native.core_allow_short_cuts(core, short_cuts)
        self._uc.ctl_flush_tb()
        before = self.ram[:PROOF_END]
        program = self.proof.PROGRAM
        self.ram[PAGE : PAGE + len(program)] = program
        self.ram[2 * PAGE : PROOF_END] = PROOF_DATA
        self.set_register(self.program_counter, self.ram_base + PAGE)
        stop = int(self._native.core_run(core, PROOF_CYCLES, NOWHERE))
        words = 2 * (len(native.counter_names()) + len(native.cause_names()))
        books = ctypes.string_at(self._native.core_books(core), 8 * words)
        seen = (stop, books, self.ram[:PROOF_END])
        self.ram[:PROOF_END] = before
        self._native.core_free(core)
        return seen

    def allow_short_cuts(self, allowed: bool) -> None:
        """Go through the engine by the short ways or by the long ones; the results are the same."""
        self._native.core_allow_short_cuts(self._core, allowed)
        self._uc.ctl_flush_tb()

    def allow_charger(self, allowed: bool) -> None:
        """Let a second thread charge what long runs execute, from now on or never; the results are the same.

        It is started when there is enough to do and stays until ``close``.
        """
        self._native.core_allow_charger(self._core, allowed)

    @property
    def has_charger(self) -> bool:
        """Whether there is such a thread."""
        return bool(self._native.core_has_charger(self._core))

    def _find_user_data(self, hook: int) -> int:
        """Return the address of the hook's user-data word: the block hook's own argument (translate.c)."""
        words = (ctypes.c_uint64 * 16).from_address(hook)
        found = [i for i, word in enumerate(words) if word == self._core]
        if len(found) != 1:
            raise UnknownEngine("the engine's hooks are not laid out as known")
        return hook + 8 * found[0]

    def _decode_block(self, pc: int, address: int, length: int, page: int, mode: int) -> None:
        self._decode(pc, address, length, page, mode)

    def close(self) -> None:
        """Free the core. The engine and RAM go with the object."""
        if self._core:
            self._native.core_free(self._core)
            self._core = None

    # ---- running ----

    def run(self, until: int = NOWHERE, steps: int | None = None) -> Stop:
        """Run to simulated time ``until`` (cycles) or for ``steps`` instructions, and say why it stopped."""
        if (steps is not None and not self._stepping) or (steps is None and self._stepping):
            self._uc.ctl_flush_tb()
        self._stepping = steps is not None
        if self._native.core_wants_flush(self._core):
            self._uc.ctl_flush_tb()
            self._native.core_forget_blocks(self._core)
        stop = Stop(self._native.core_run(self._core, until, NOWHERE if steps is None else steps))
        if self._failure is not None:
            failure, self._failure = self._failure, None
            self._native.core_stop(self._core, False)
            raise failure
        return stop

    _stepping = False

    def stop(self, requested: bool = True) -> None:
        """Ask the run to end at the next block boundary; False withdraws it."""
        self._native.core_stop(self._core, requested)

    def set_next_event(self, due: int | None) -> None:
        """Tell when (in cycles of simulated time) the next device event is due."""
        self._native.core_set_next_event(self._core, NOWHERE if due is None else due)

    def set_interrupt(self, pending: bool) -> None:
        """Set the level of the interrupt pin."""
        self._native.core_set_interrupt(self._core, pending)

    def forget_code(self) -> None:
        """Note that a device wrote to memory: translated code there must not run again."""
        self._native.core_forget_code(self._core)

    def skip_idle(self, until: int) -> None:
        """Let simulated time pass while the processor sleeps."""
        self._native.core_skip_idle(self._core, until)

    # ---- tracing ----

    def start_trace(self, capacity: int, probe: int, call_register: int, full: Callable[[], None]) -> None:
        """Gather events in a buffer, and call ``full`` to have it emptied; see native/trace.h.

        Raises MemoryError.
        """
        self._trace_full = native.TRACE_FULL(self._guard(full, None))
        if not self._native.core_trace_start(self._core, capacity, probe, call_register, self._trace_full):
            raise MemoryError
        self.tracing = True

    tracing = False  # whether events are being gathered

    def take_trace(self) -> bytes:
        """Return the events gathered since the last time, each as ``struct trace_event``."""
        events = ctypes.c_void_p()
        count = self._native.core_trace_take(self._core, ctypes.byref(events))
        return ctypes.string_at(events, count * self._native.core_trace_event_size()) if count else b""

    def stop_trace(self) -> None:
        """Gather no more."""
        self._native.core_trace_stop(self._core)
        self.tracing = False

    # ---- reading ----

    @property
    def time(self) -> int:
        """Simulated time in cycles: those worked and those slept."""
        return int(self._native.core_time(self._core))

    @property
    def idle(self) -> int:
        """Cycles slept."""
        return int(self._native.core_idle(self._core))

    @property
    def lateness(self) -> int:
        """The longest time in cycles from a device event's due cycle to its turn."""
        return int(self._native.core_lateness(self._core))

    @property
    def library(self) -> ctypes.CDLL:
        """The library that the core belongs to."""
        return self._native

    @property
    def core(self) -> int:
        """The native core, for those who read its books (books.py)."""
        return int(self._core)

    def register(self, name: str) -> int:
        """Return a register by its name in lower case."""
        return int(self._uc.reg_read(self.layout.register_number(name)))

    def set_register(self, name: str, value: int) -> None:
        """Write a register."""
        self._uc.reg_write(self.layout.register_number(name), value)

    @property
    @abc.abstractmethod
    def interrupt_wakes(self) -> bool:
        """Whether a pending interrupt ends the processor's sleep."""

    @property
    def nmi_pending(self) -> bool:
        """Whether a non-maskable interrupt waits and none is being handled."""
        return False

    @property
    def shutdown_pc(self) -> int:
        """Where the exception that led to a triple fault was raised."""
        return int(self._native.core_shutdown_pc(self._core))

    @property
    def engine_error(self) -> str:
        """Why the engine gave up, in its words."""
        return str(unicorn.UcError(self._native.core_engine_error(self._core)))

    def _stack_fault(self, pc: int) -> int:
        """Say whether a fault is one of the stack; only x86 asks."""
        del pc
        return 0

    def _invalid(self, pc: int) -> int:
        """Answer an undefined instruction; 0 leaves it to the guest."""
        del pc
        return 0
