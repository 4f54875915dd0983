# SPDX-License-Identifier: GPL-2.0-or-later
"""MC146818 real-time clock and CMOS memory, at ports 0x70 (index) and 0x71 (data).

After the Motorola data sheet and the PC's customs (century in 0x32, memory sizes, checksum). The clock shows
a fixed date at power-on and runs on simulated cycles alone. The update cycle is that of a 32.768 kHz time
base: UIP rises 2,228 us before the second changes (244 us of warning and 1,984 us of update) and falls as it
does. Flags that no interrupt is enabled for are found out when register C is read, from the time of the last
look.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import TYPE_CHECKING

from ringscope.emulator.devices.state import Stateful

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ringscope.emulator.devices.interfaces import Clock, Event, Line

REG_A, REG_B, REG_C, REG_D, REG_CENTURY = 0x0A, 0x0B, 0x0C, 0x0D, 0x32
TIME_REGISTERS = (0x00, 0x02, 0x04, 0x06, 0x07, 0x08, 0x09)
ALARM_REGISTERS = (0x01, 0x03, 0x05)
A_UPDATING, A_DIVIDER_RESET = 0x80, 0x60
B_SET, B_PERIODIC, B_ALARM, B_UPDATE, B_BINARY, B_24_HOURS = 0x80, 0x40, 0x20, 0x10, 0x04, 0x02
C_REQUEST, C_PERIODIC, C_ALARM, C_UPDATED = 0x80, 0x40, 0x20, 0x10
UPDATE_MICROSECONDS = 244 + 1984
TIME_BASE = 32_768  # Hz
DAY = 86_400
DONT_CARE = 0xC0


class CmosRtc(Stateful):
    """One chip at ports `base` and `base`+1, its interrupt on `line`."""

    __slots__ = (
        "_clock",
        "_event",
        "_line",
        "_seen",
        "_stopped",
        "base",
        "date",
        "index",
        "memory",
        "phase",
        "ports",
    )
    STATE = ("_event", "_line", "_seen", "_stopped", "date", "index", "memory", "phase")
    port_width = 1

    def __init__(self, clock: Clock, base: int, line: Line, start: datetime) -> None:
        """Show `start`, in whole seconds, at the current cycle; registers A and B as firmware leaves them."""
        self._clock = clock
        self._line = line
        self.base = base
        self.ports = (range(base, base + 2),)
        self.index = 0
        self.memory = bytearray(128)
        self.memory[REG_A] = 0x26
        self.memory[REG_B] = B_24_HOURS
        self.memory[REG_D] = 0x80  # the battery is good
        self.phase: int | None = (
            clock.cycle
        )  # a cycle at which a second began; None while the divider is held
        self.date = start.replace(tzinfo=UTC)  # the time shown at `phase`
        self._stopped = False
        self._seen = clock.cycle  # the flags of register C are up to date to this cycle
        self._event: Event | None = None
        self._store_time()

    def set_memory_size(self, ram_bytes: int) -> None:
        """Fill in what firmware keeps about the memory, and the checksum that covers it."""
        base_kib = min(640, ram_bytes >> 10)
        above_1m = min(0xFFFF, max(0, ram_bytes - 0x100000) >> 10)
        above_16m = min(0xFFFF, max(0, min(ram_bytes, 0xC0000000) - 0x1000000) >> 16)
        for register, value in ((0x15, base_kib), (0x17, above_1m), (0x30, above_1m), (0x34, above_16m)):
            self.memory[register : register + 2] = value.to_bytes(2, "little")
        self.memory[0x14] = 0x06  # equipment: mathematics coprocessor, mouse port
        self.memory[0x2E:0x30] = sum(self.memory[0x10:0x2E]).to_bytes(2, "big")

    @property
    def expecting(self) -> bool:
        """Whether an interrupt is due some time."""
        return self._event is not None

    # --- ports ----------------------------------------------------------------------------------------------

    def read_port(self, port: int, size: int) -> int:
        """Read the selected register; the index port cannot be read."""
        del size
        if port == self.base:
            return 0xFF
        register = self.index
        self._bring_up_to_date()
        if register == REG_A:
            return self.memory[REG_A] | (A_UPDATING if self._updating() else 0)
        if register == REG_C:
            flags = self.memory[REG_C]
            self.memory[REG_C] = 0
            self._update_line()
            return flags
        return self.memory[register]

    def write_port(self, port: int, size: int, value: int) -> None:
        """Select a register (bit 7 is the NMI mask, which nothing here needs), or write the one selected."""
        del size
        if port == self.base:
            self.index = value & 0x7F
            return
        self._bring_up_to_date()
        if self.index in (REG_C, REG_D):
            return
        if self.index == REG_A:
            value &= 0x7F
        self.memory[self.index] = value
        if self.index in (REG_A, REG_B):
            self._control_written()
        elif (self.index in TIME_REGISTERS or self.index == REG_CENTURY) and not self._stopped:
            self.date = self._load_time()
        self._update_line()

    def _control_written(self) -> None:
        """Stop or start the clock: SET keeps the phase of the seconds, the divider's reset loses it."""
        held = self.memory[REG_A] & 0x70 >= A_DIVIDER_RESET
        stopped = held or bool(self.memory[REG_B] & B_SET)
        if self.memory[REG_B] & B_SET:
            self.memory[REG_B] &= ~B_UPDATE
        if stopped and not self._stopped:
            self._store_time()
        elif self._stopped and not stopped:
            self._restart()
        if held:
            self.phase = None
        self._stopped = stopped
        if not stopped:
            self._store_time()  # in the format that register B asks for now

    def _restart(self) -> None:
        """Go on from what the registers say."""
        now, hz = self._clock.cycle, self._clock.hz
        if self.phase is None:
            self.phase = now - hz // 2  # the first update comes half a second after the divider's reset
        else:
            self.phase += (now - self.phase) // hz * hz
        self.date = self._load_time()

    # --- time -----------------------------------------------------------------------------------------------

    def _bring_up_to_date(self) -> None:
        """Move time to now: the time registers and the flags of register C."""
        now = self._clock.cycle
        before, self._seen = self._seen, now
        flags = 0
        if self._period() and now // self._period() > before // self._period():
            flags |= C_PERIODIC
        if not self._stopped and self.phase is not None:
            seconds = (now - self.phase) // self._clock.hz
            if seconds:
                flags |= C_UPDATED
                alarm = self._seconds_to_alarm()
                if alarm is not None and alarm <= seconds:
                    flags |= C_ALARM
                self.phase += seconds * self._clock.hz
                self.date += timedelta(seconds=seconds)
                self._store_time()
        self.memory[REG_C] |= flags

    def _updating(self) -> bool:
        if self._stopped or self.phase is None:
            return False
        left = self.phase + self._clock.hz - self._clock.cycle
        return left * 1_000_000 <= UPDATE_MICROSECONDS * self._clock.hz

    def _period(self) -> int:
        """Return the cycles between periodic interrupts, 0 when they are off."""
        rate = self.memory[REG_A] & 15
        if not rate:
            return 0
        if rate < 3:
            rate += 7  # the two slots that a 32.768 kHz base leaves over
        return max(1, self._clock.hz * (1 << (rate - 1)) // TIME_BASE)

    def _seconds_to_alarm(self) -> int | None:
        """Return in how many seconds (1..86400) the alarm matches next, None when it matches no time."""
        raw = [self.memory[register] for register in reversed(ALARM_REGISTERS)]
        if all(value >= DONT_CARE for value in raw):
            return 1
        fields: list[Sequence[int]] = [
            range(count) if value >= DONT_CARE else [decode(value)]
            for value, count, decode in zip(
                raw, (24, 60, 60), (self._decode_hour, self._decode, self._decode), strict=True
            )
        ]
        now = self.date.hour * 3600 + self.date.minute * 60 + self.date.second
        times = [h * 3600 + m * 60 + s for h, m, s in product(*fields) if h < 24 and m < 60 and s < 60]
        if not times:
            return None
        return min((time - now - 1) % DAY + 1 for time in times)

    # --- the guest's formats --------------------------------------------------------------------------------

    def _encode(self, value: int) -> int:
        return value if self.memory[REG_B] & B_BINARY else value // 10 << 4 | value % 10

    def _decode(self, raw: int) -> int:
        return raw if self.memory[REG_B] & B_BINARY else (raw >> 4) * 10 + (raw & 15)

    def _encode_hour(self, hour: int) -> int:
        if self.memory[REG_B] & B_24_HOURS:
            return self._encode(hour)
        return self._encode((hour - 1) % 12 + 1) | (0x80 if hour >= 12 else 0)

    def _decode_hour(self, raw: int) -> int:
        if self.memory[REG_B] & B_24_HOURS:
            return self._decode(raw)
        return self._decode(raw & 0x7F) % 12 + (12 if raw & 0x80 else 0)

    def _store_time(self) -> None:
        date = self.date
        values = (
            date.second,
            date.minute,
            0,
            date.isoweekday() % 7 + 1,
            date.day,
            date.month,
            date.year % 100,
        )
        for register, value in zip(TIME_REGISTERS, values, strict=True):
            self.memory[register] = self._encode(value)
        self.memory[0x04] = self._encode_hour(date.hour)
        self.memory[REG_CENTURY] = self._encode(date.year // 100)

    def _load_time(self) -> datetime:
        """Return what the registers say; a day or time beyond its month or minute runs on into the next."""
        year = self._decode(self.memory[REG_CENTURY]) * 100 + self._decode(self.memory[0x09])
        month = self._decode(self.memory[0x08])
        start = datetime(min(9000, max(1, year)), min(12, max(1, month)), 1, tzinfo=UTC)
        return start + timedelta(
            days=self._decode(self.memory[0x07]) - 1,
            hours=self._decode_hour(self.memory[0x04]),
            minutes=self._decode(self.memory[0x02]),
            seconds=self._decode(self.memory[0x00]),
        )

    # --- interrupts -----------------------------------------------------------------------------------------

    def _update_line(self) -> None:
        """Drive the line, and ask to be called when an enabled source is next due while none is pending."""
        if self.memory[REG_C] & self.memory[REG_B] & (C_PERIODIC | C_ALARM | C_UPDATED):
            self.memory[REG_C] |= C_REQUEST
        pending = bool(self.memory[REG_C] & C_REQUEST)
        self._line.set(pending)
        if self._event is not None:
            self._clock.cancel(self._event)
            self._event = None
        due = None if pending else self._next_due()
        if due is not None:
            self._event = self._clock.at(due, self._on_due)

    def _next_due(self) -> int | None:
        enabled = self.memory[REG_B]
        dues = []
        if enabled & B_PERIODIC and self._period():
            dues.append((self._seen // self._period() + 1) * self._period())
        if not self._stopped and self.phase is not None:
            if enabled & B_UPDATE:
                dues.append(self.phase + self._clock.hz)
            alarm = self._seconds_to_alarm() if enabled & B_ALARM else None
            if alarm is not None:
                dues.append(self.phase + alarm * self._clock.hz)
        return min(dues, default=None)

    def _on_due(self, due: int) -> None:
        del due
        self._event = None
        self._bring_up_to_date()
        self._update_line()
