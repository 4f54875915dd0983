# SPDX-License-Identifier: GPL-2.0-or-later
"""What the processor asks of the machine, and how those questions cross from native code.

The native core calls back through ``struct callbacks`` (native/core.h). ``Handlers`` is the machine's side of
it in Python's terms; ``make_callbacks`` translates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from ringscope.emulator.native import library as native

if TYPE_CHECKING:
    import ctypes
    from collections.abc import Callable


class GeneralProtection(Exception):
    """Raised by a handler: the guest's access is answered with #GP."""


def _absent(*arguments: object) -> NoReturn:
    """Stand for a handler that the other architecture has; the core of this one never calls it."""
    raise AssertionError(f"no handler for {arguments}")


@dataclass(frozen=True)
class Handlers:
    """What the machine does when the guest does something rare. Sizes in bytes, times in cycles.

    ``cpuid`` returns eax, ebx, ecx, edx. ``msr_read`` returns None and ``msr_write`` False for a register
    that the engine keeps itself; both raise GeneralProtection for one that does not exist.
    """

    events: Callable[[], None]
    acknowledge: Callable[[], int]
    mmio_read: Callable[[int, int], int]
    mmio_write: Callable[[int, int, int], None]
    # x86
    port_in: Callable[[int, int], int] = _absent
    port_out: Callable[[int, int, int], None] = _absent
    cpuid: Callable[[int, int], tuple[int, int, int, int]] = _absent
    msr_read: Callable[[int], int | None] = _absent
    msr_write: Callable[[int, int], bool] = _absent
    task_priority: Callable[[], int] = _absent
    set_task_priority: Callable[[int], None] = _absent
    # AArch64: firmware calls, and the generic timer's registers by their encoding in MRS
    firmware: Callable[[int, int, int], int] = _absent
    timer_read: Callable[[int], int] = _absent
    timer_write: Callable[[int, int], None] = _absent


class Guard(Protocol):
    """Wraps a handler so that an exception in it is kept and ``otherwise`` returned."""

    def __call__(self, function: Callable[..., Any], otherwise: object) -> Callable[..., Any]:
        """Return the wrapped handler."""
        ...


def make_callbacks(
    given: Handlers,
    guard: Guard,
    decode: Callable[[int, int, int, int, int], None],
    stack_fault: Callable[[int], int],
    invalid: Callable[[int], int],
) -> native.Callbacks:
    """Return the ``struct callbacks`` that calls the handlers; it must outlive the core."""

    def cpuid(leaf: int, subleaf: int, out: ctypes._Pointer[ctypes.c_uint32]) -> None:
        for i, word in enumerate(given.cpuid(leaf, subleaf)):
            out[i] = word

    def msr_read(index: int, out: ctypes._Pointer[ctypes.c_uint64]) -> int:
        try:
            value = given.msr_read(index)
        except GeneralProtection:
            return -1
        if value is None:
            return 0
        out[0] = value
        return 1

    def msr_write(index: int, value: int) -> int:
        try:
            return int(given.msr_write(index, value))
        except GeneralProtection:
            return -1

    return native.Callbacks(
        decode=native.DECODE(guard(decode, None)),
        events=native.EVENTS(guard(given.events, None)),
        acknowledge=native.ACKNOWLEDGE(guard(given.acknowledge, -1)),
        port_in=native.PORT_IN(guard(given.port_in, 0)),
        port_out=native.PORT_OUT(guard(given.port_out, None)),
        mmio_read=native.MMIO_READ(guard(given.mmio_read, 0)),
        mmio_write=native.MMIO_WRITE(guard(given.mmio_write, None)),
        cpuid=native.CPUID(guard(cpuid, None)),
        msr_read=native.MSR_READ(guard(msr_read, 0)),
        msr_write=native.MSR_WRITE(guard(msr_write, 0)),
        task_priority=native.TASK_PRIORITY(guard(given.task_priority, 0)),
        set_task_priority=native.SET_TASK_PRIORITY(guard(given.set_task_priority, None)),
        firmware=native.FIRMWARE(guard(given.firmware, 0)),
        timer_read=native.TIMER_READ(guard(given.timer_read, 0)),
        timer_write=native.TIMER_WRITE(guard(given.timer_write, None)),
        stack_fault=native.STACK_FAULT(guard(stack_fault, 0)),
        invalid=native.INVALID(guard(invalid, 0)),
    )
