# SPDX-License-Identifier: GPL-2.0-or-later
"""Intel 8254 programmable interval timer: three 16-bit counters on a 1.193182 MHz crystal.

After the data sheet (order 231164). Nothing counts while nobody looks: a counter keeps the tick at which its
count was loaded, and every read, output level and next edge follows from that in closed form. A count written
at tick t is loaded by the next clock, at t + 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.emulator.devices.oscillator import Oscillator
from ringscope.emulator.devices.state import Stateful

if TYPE_CHECKING:
    from ringscope.emulator.devices.interfaces import Clock, Event, Line

FREQUENCY = 1_193_182  # Hz: 14.31818 MHz / 12
LOW_BYTE, HIGH_BYTE, BOTH_BYTES = 1, 2, 3
TRIGGERED_MODES = (1, 5)
PERIODIC_MODES = (2, 3)
STROBE_MODES = (4, 5)


class Counter8254(Stateful):
    """One counter. Every method takes the current tick; ticks never go backwards."""

    __slots__ = (
        "_first_byte",
        "_high_byte_next",
        "access",
        "bcd",
        "fired",
        "gate",
        "high_half",
        "latched_count",
        "latched_status",
        "loaded",
        "mode",
        "next_reload",
        "paused",
        "reload",
        "start",
    )
    STATE = tuple(
        """
        _first_byte _high_byte_next access bcd fired gate high_half latched_count latched_status loaded
        mode next_reload paused reload start
    """.split()
    )

    def __init__(self) -> None:
        """Start with no mode set, no count and the gate high."""
        self.gate = True
        self.set_mode(0, BOTH_BYTES, bcd=False)

    def set_mode(self, mode: int, access: int, *, bcd: bool) -> None:
        """Write a control word: the counter stops until a count is written."""
        self.mode = mode
        self.access = access
        self.bcd = bcd
        self.loaded = False  # a count is in the counting element
        self.reload = 0
        self.next_reload: int | None = None  # written, but not yet in the counting element
        self.start = 0  # tick of the load; mode 3: of the current half cycle
        self.high_half = True  # mode 3: which half
        self.fired = False  # mode 4: the strobe lies behind, whatever the gate did since
        self.paused: int | None = None  # ticks counted before the gate fell, while it is low
        self.latched_count: int | None = None
        self.latched_status: int | None = None
        self._first_byte: int | None = None  # low byte waiting for the high one
        self._high_byte_next = False

    # --- writing --------------------------------------------------------------------------------------------

    def write(self, tick: int, value: int) -> None:
        """Write one byte of a count."""
        if self.access == LOW_BYTE:
            self._write_count(tick, value)
        elif self.access == HIGH_BYTE:
            self._write_count(tick, value << 8)
        elif self._first_byte is None:
            self._first_byte = value
            if self.mode == 0:
                self.loaded = False  # the first byte stops the counting
        else:
            count = value << 8 | self._first_byte
            self._first_byte = None
            self._write_count(tick, count)

    def _write_count(self, tick: int, written: int) -> None:
        count = self._binary(written) or self._modulus
        self._advance(tick)
        if self.mode in TRIGGERED_MODES or (self.mode in PERIODIC_MODES and self.loaded):
            self.next_reload = count  # takes effect with the next trigger, or with the next (half) cycle
            return
        self._load(tick + 1, count)
        if not self.gate:
            self.paused = 0

    def _load(self, tick: int, count: int) -> None:
        self.loaded = True
        self.reload = count
        self.next_reload = None
        self.start = tick
        self.high_half = True
        self.fired = False
        self.paused = None

    def set_gate(self, tick: int, level: bool) -> None:
        """Drive GATE: its level enables counting, or its rising edge triggers, as the mode says."""
        if level == self.gate:
            return
        self._advance(tick)
        self.gate = level
        if self.mode in TRIGGERED_MODES:
            if level and (self.loaded or self.next_reload is not None):
                self._load(tick + 1, self.next_reload or self.reload)
        elif not self.loaded:
            return
        elif not level:
            self.paused = max(0, tick - self.start)
            self.fired = self.paused >= self.reload
        elif self.mode in PERIODIC_MODES:
            self._load(tick + 1, self.next_reload or self.reload)
        elif self.paused is not None:
            self.start = max(self.start, tick - self.paused)
            self.paused = None

    # --- what the counter is now ----------------------------------------------------------------------------

    @property
    def _modulus(self) -> int:
        return 10_000 if self.bcd else 0x10000

    def _binary(self, value: int) -> int:
        if not self.bcd:
            return value
        return sum((value >> 4 * digit & 15) * 10**digit for digit in range(4))

    def _coded(self, value: int) -> int:
        if not self.bcd:
            return value
        return sum(value // 10**digit % 10 << 4 * digit for digit in range(4))

    def _elapsed(self, tick: int) -> int:
        return self.paused if self.paused is not None else max(0, tick - self.start)

    def _half(self) -> int:
        """Return the ticks of mode 3's current half: the high one is longer when the count is odd."""
        return (self.reload + self.high_half) // 2

    def _advance(self, tick: int) -> None:
        """Bring a periodic counter to `tick`: start a new count when its turn comes, drop whole periods."""
        if self.mode not in PERIODIC_MODES or not self.loaded or self.paused is not None:
            return
        while self.next_reload is not None:
            length = self.reload if self.mode == 2 else self._half()
            if tick < self.start + max(1, length):
                return
            self.start += max(1, length)
            self.high_half = not self.high_half
            self.reload = self.next_reload
            self.next_reload = None
        if tick < self.start:
            return
        self.start += (tick - self.start) // self.reload * self.reload
        if self.mode == 3 and tick - self.start >= self._half():
            self.start += self._half()
            self.high_half = not self.high_half

    def count(self, tick: int) -> int:
        """Return the counting element's value, coded as the guest reads it (0 for the modulus)."""
        self._advance(tick)
        if not self.loaded:
            return 0
        elapsed = self._elapsed(tick)
        if self.mode == 2:
            value = self.reload - elapsed
        elif self.mode == 3:
            value = (self.reload & ~1) - 2 * elapsed
        else:
            value = self.reload - elapsed
        return self._coded(value % self._modulus)

    def output(self, tick: int) -> bool:
        """Return the level of OUT."""
        self._advance(tick)
        if not self.loaded:
            return self.mode != 0
        elapsed = self._elapsed(tick)
        match self.mode:
            case 0:
                return elapsed >= self.reload
            case 1:
                return not self.start <= tick < self.start + self.reload
            case 2:
                return not self.gate or elapsed != self.reload - 1 or self.reload == 1
            case 3:
                return not self.gate or self.high_half
            case _:
                return elapsed != self.reload or self.fired

    def next_edge(self, tick: int) -> int | None:
        """Return the tick after `tick` at which OUT may change next, None if it stays."""
        self._advance(tick)
        if not self.loaded or self.paused is not None:
            return None
        edges: tuple[int, ...]
        match self.mode:
            case 0:
                edges = (self.start + self.reload,)
            case 1:
                edges = (self.start, self.start + self.reload)
            case 2:
                edges = (self.start + self.reload - 1, self.start + self.reload)
            case 3:
                edges = (self.start + max(1, self._half()),)
            case _:
                edges = (self.start + self.reload, self.start + self.reload + 1)
        return next((edge for edge in edges if edge > tick), None)

    # --- reading --------------------------------------------------------------------------------------------

    def latch_count(self, tick: int) -> None:
        """Hold the count until it is read; a second latch before that is ignored."""
        if self.latched_count is None:
            self.latched_count = self.count(tick)

    def latch_status(self, tick: int) -> None:
        """Hold the status byte: OUT, null count, access, mode, BCD."""
        if self.latched_status is None:
            null_count = not self.loaded or self.next_reload is not None or tick < self.start
            self.latched_status = (
                self.output(tick) << 7 | null_count << 6 | self.access << 4 | self.mode << 1 | self.bcd
            )

    def read(self, tick: int) -> int:
        """Read one byte: of the latched status, else of the latched count, else of the running count."""
        if self.latched_status is not None:
            status, self.latched_status = self.latched_status, None
            return status
        count = self.latched_count if self.latched_count is not None else self.count(tick)
        high = self.access == HIGH_BYTE or (self.access == BOTH_BYTES and self._high_byte_next)
        if self.access == BOTH_BYTES:
            self._high_byte_next = not self._high_byte_next
        if self.access != BOTH_BYTES or high:
            self.latched_count = None
        return count >> 8 if high else count & 0xFF


class Pit8254(Stateful):
    """The chip: ports `base`..`base`+3, OUT0 on `line`. OUT2 and GATE2 belong to system control port B."""

    __slots__ = ("_clock", "_edge", "_event", "_line", "_oscillator", "base", "counters", "ports")
    STATE = ("_edge", "_event", "_line", "counters")
    port_width = 1

    def __init__(self, clock: Clock, base: int, line: Line) -> None:
        """Start with counter 0 as firmware leaves it: mode 2, 65,536 ticks, 18.2 interrupts a second."""
        self._clock = clock
        self._oscillator = Oscillator(clock, FREQUENCY)
        self._line = line
        self._event: Event | None = None
        self._edge: int | None = None  # tick of the event
        self.base = base
        self.ports = (range(base, base + 4),)
        self.counters = tuple(Counter8254() for _ in range(3))
        self.counters[0].set_mode(2, BOTH_BYTES, bcd=False)
        tick = self._oscillator.now
        for byte in (0, 0):
            self.counters[0].write(tick, byte)
        self.counters[2].set_gate(tick, level=False)
        self._follow(tick)

    def read_port(self, port: int, size: int) -> int:
        """Read a counter; the control word cannot be read."""
        del size
        index = port - self.base
        tick = self._caught_up()
        return 0xFF if index == 3 else self.counters[index].read(tick)

    def write_port(self, port: int, size: int, value: int) -> None:
        """Write a byte of a count, or a control word."""
        del size
        index = port - self.base
        tick = self._caught_up()
        if index == 3:
            self._control(tick, value)
        else:
            self.counters[index].write(tick, value)
        self._follow(tick)

    def _control(self, tick: int, value: int) -> None:
        select, access, mode = value >> 6, value >> 4 & 3, value >> 1 & 7
        if select == 3:
            for index, counter in enumerate(self.counters):
                if value & 2 << index:
                    if not value & 0x20:
                        counter.latch_count(tick)
                    if not value & 0x10:
                        counter.latch_status(tick)
        elif access == 0:
            self.counters[select].latch_count(tick)
        else:
            self.counters[select].set_mode(mode & 3 if mode > 5 else mode, access, bcd=bool(value & 1))

    @property
    def expecting(self) -> bool:
        """Whether OUT0 will move by itself."""
        return self._edge is not None

    def set_speaker_gate(self, level: bool) -> None:
        """Drive GATE2."""
        self.counters[2].set_gate(self._oscillator.now, level)

    @property
    def speaker_output(self) -> bool:
        """The level of OUT2."""
        return self.counters[2].output(self._oscillator.now)

    @property
    def refresh_toggle(self) -> bool:
        """The level that flips with every memory refresh request, 18 ticks (15 us) apart."""
        return bool(self._oscillator.now // 18 & 1)

    def _caught_up(self) -> int:
        """Return the current tick, every edge of OUT0 up to it having been passed on."""
        tick = self._oscillator.now
        while self._edge is not None and self._edge <= tick:
            self._follow(self._edge)
        return tick

    def _follow(self, tick: int) -> None:
        """Drive the line as OUT0 is at `tick` and ask to be called at its next edge."""
        counter = self.counters[0]
        self._line.set(counter.output(tick))
        if self._event is not None:
            self._clock.cancel(self._event)
            self._event = None
        self._edge = counter.next_edge(tick)
        if self._edge is not None:
            self._event = self._clock.at(self._oscillator.cycle_of(self._edge), self._on_edge)

    def _on_edge(self, due: int) -> None:
        self._follow(self._oscillator.ticks(due))
