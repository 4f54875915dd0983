# SPDX-License-Identifier: GPL-2.0-or-later
"""Power State Coordination Interface 1.0 (ARM DEN 0022): the firmware of a machine with one processor.

The guest calls by HVC with the function in w0 and its arguments in x1 to x3; the answer goes to x0. Turning
the only processor off ends the machine as SYSTEM_OFF does, for nothing could turn it on again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

VERSION, CPU_SUSPEND, CPU_OFF, CPU_ON, AFFINITY_INFO = (0x8400_0000 + index for index in range(5))
MIGRATE_INFO_TYPE, SYSTEM_OFF, SYSTEM_RESET, FEATURES = 0x8400_0006, 0x8400_0008, 0x8400_0009, 0x8400_000A
SMC64 = 0x4000_0000  # the bit that names the same function with 64-bit arguments
WITH_64_BITS = {CPU_SUSPEND, CPU_ON, AFFINITY_INFO}
SUCCESS, NOT_SUPPORTED, INVALID_PARAMETERS, ALREADY_ON = 0, -1, -2, -4
VERSION_1_0 = 0x0001_0000
NO_TRUSTED_SYSTEM = 2  # nothing has to migrate
POWER_DOWN = 1 << 16  # StateType in a power state
AFFINITY_MASK = 0xFF_00FF_FFFF


class Psci:
    """`on_off` and `on_reset` are called with the name of the function that asked for it."""

    __slots__ = ("_functions", "_on_off", "_on_reset")

    def __init__(self, on_off: Callable[[str], None], on_reset: Callable[[str], None]) -> None:
        """Take whom to tell."""
        self._on_off = on_off
        self._on_reset = on_reset
        self._functions: dict[int, Callable[[int, int], int]] = {
            VERSION: lambda _first, _second: VERSION_1_0,
            CPU_SUSPEND: self._suspend,
            CPU_OFF: lambda _first, _second: self._off("PSCI CPU_OFF"),
            CPU_ON: self._cpu_on,
            AFFINITY_INFO: self._affinity_info,
            MIGRATE_INFO_TYPE: lambda _first, _second: NO_TRUSTED_SYSTEM,
            SYSTEM_OFF: lambda _first, _second: self._off("PSCI SYSTEM_OFF"),
            SYSTEM_RESET: self._reset,
            FEATURES: self._features,
        }

    def call(self, function: int, args: Sequence[int]) -> int:
        """Do what a function asks and return its result: negative for an error, to be sign-extended.

        Missing arguments are 0. A function that there is not gives NOT_SUPPORTED, as the calling convention
        wants of every unknown one.
        """
        first, second = (*args, 0, 0)[:2]
        serve = self._functions.get(_name(function))
        return NOT_SUPPORTED if serve is None else serve(first, second)

    def _suspend(self, power_state: int, _entry: int) -> int:
        """End a standby at once, which firmware may; there is no state that loses context."""
        return INVALID_PARAMETERS if power_state & POWER_DOWN else SUCCESS

    def _cpu_on(self, target: int, _entry: int) -> int:
        return INVALID_PARAMETERS if target & AFFINITY_MASK else ALREADY_ON

    def _affinity_info(self, target: int, level: int) -> int:
        """Return 0, which means on, for the one processor."""
        return INVALID_PARAMETERS if target & AFFINITY_MASK or level else SUCCESS

    def _features(self, function: int, _second: int) -> int:
        return SUCCESS if _name(function) in self._functions else NOT_SUPPORTED

    def _off(self, source: str) -> int:
        self._on_off(source)
        return SUCCESS

    def _reset(self, _first: int, _second: int) -> int:
        self._on_reset("PSCI SYSTEM_RESET")
        return SUCCESS


def _name(function: int) -> int:
    """Return the 32-bit name of a function that has one for 64-bit arguments too."""
    function &= 0xFFFF_FFFF
    narrow = function & ~SMC64
    return narrow if narrow in WITH_64_BITS else function
