# SPDX-License-Identifier: GPL-2.0-or-later
"""What pc.toml says, checked: unknown and missing keys, ranges, ports and interrupt lines used twice.

Errors name the key as the user wrote it, `[table] key`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT = Path(__file__).with_name("pc.toml")
RATES = ("instant", "programmed")


class BoardConfigError(ValueError):
    """A board description is wrong; the message says where and what would be right."""


@dataclass(frozen=True, slots=True)
class ClockConfig:
    """The date at power-on."""

    date: datetime


@dataclass(frozen=True, slots=True)
class PicConfig:
    """First port of each 8259 and of the ELCR."""

    master: int
    slave: int
    elcr: int


@dataclass(frozen=True, slots=True)
class TimerConfig:
    """A chip with one port base and one ISA interrupt request."""

    port: int
    irq: int


@dataclass(frozen=True, slots=True)
class ApicConfig:
    """Input clock of the local APIC's timer in Hz, identity of the I/O APIC."""

    timer_hz: int
    io_apic_id: int


@dataclass(frozen=True, slots=True)
class UartConfig:
    """First port, interrupt request, and whether bytes take time: "instant" or "programmed"."""

    port: int
    irq: int
    rate: str


@dataclass(frozen=True, slots=True)
class KeyboardConfig:
    """Interrupt request of the keyboard controller."""

    irq: int


@dataclass(frozen=True, slots=True)
class DiskConfig:
    """Interrupt request, microseconds before the first block of a command and before each further one."""

    irq: int
    access_us: int
    block_us: int


@dataclass(frozen=True, slots=True)
class DebugConfig:
    """Ports of the debug console and of the exit device."""

    console: int
    exit: int


@dataclass(frozen=True, slots=True)
class PcConfig:
    """The whole board. `com2` may be left out."""

    clock: ClockConfig
    pic: PicConfig
    pit: TimerConfig
    apic: ApicConfig
    com1: UartConfig
    rtc: TimerConfig
    keyboard: KeyboardConfig
    disk: DiskConfig
    acpi: TimerConfig
    debug: DebugConfig
    com2: UartConfig | None = None

    @classmethod
    def load(cls, path: Path = DEFAULT) -> PcConfig:
        """Read a board description. Raise BoardConfigError."""
        try:
            tables = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise BoardConfigError(f"board {path} cannot be read: {error.strerror}") from error
        except tomllib.TOMLDecodeError as error:
            raise BoardConfigError(f"board {path} is not TOML: {error}") from error
        return cls.from_tables(tables, str(path))

    @classmethod
    def from_tables(cls, tables: Mapping[str, object], name: str) -> PcConfig:
        """Check and convert parsed TOML; `name` is what errors call it."""
        unknown = set(tables) - set(_TABLES)
        if unknown:
            raise BoardConfigError(
                f"board {name}: unknown table [{min(unknown)}]; known: {', '.join(_TABLES)}"
            )
        parts: dict[str, object] = {}
        for table, kind in _TABLES.items():
            if table in tables:
                parts[table] = _part(name, table, kind, tables[table])
            elif table != "com2":
                raise BoardConfigError(f"board {name}: the table [{table}] is missing")
        config = cls(**parts)  # type: ignore[arg-type]  # _part made each of the kind that _TABLES pairs with its field
        _check_overlaps(name, config)
        return config


_TABLES: dict[str, type] = {
    "clock": ClockConfig,
    "pic": PicConfig,
    "pit": TimerConfig,
    "apic": ApicConfig,
    "com1": UartConfig,
    "com2": UartConfig,
    "rtc": TimerConfig,
    "keyboard": KeyboardConfig,
    "disk": DiskConfig,
    "acpi": TimerConfig,
    "debug": DebugConfig,
}
_RANGES = {
    "irq": (0, 15),
    "io_apic_id": (0, 15),
    "timer_hz": (1, 10**10),
    "access_us": (0, 10**7),
    "block_us": (0, 10**7),
}
_PORT_RANGE = (0, 0xFFF0)
_PORT_COUNTS = {
    "pic.master": 2,
    "pic.slave": 2,
    "pic.elcr": 2,
    "pit.port": 4,
    "com1.port": 8,
    "com2.port": 8,
    "rtc.port": 2,
    "acpi.port": 12,
    "debug.console": 1,
    "debug.exit": 4,
}


def _part(name: str, table: str, kind: type, values: object) -> object:
    """Return one table as its dataclass."""
    where = f"board {name}: [{table}]"
    if not isinstance(values, dict):
        raise BoardConfigError(f"{where} must be a table")
    keys = [field.name for field in fields(kind)]
    for key in values:
        if key not in keys:
            raise BoardConfigError(f"{where} has no key '{key}'; known: {', '.join(keys)}")
    for key in keys:
        if key not in values:
            raise BoardConfigError(f"{where} lacks the key '{key}'")
        _check_value(f"{where} {key}", key, values[key])
    made: object = kind(**values)
    return made


def _check_value(where: str, key: str, value: object) -> None:
    if key == "date":
        if not isinstance(value, datetime) or not 1980 <= value.year < 2200:
            raise BoardConfigError(f"{where} = {value}: must be a date and time like 2026-01-01T00:00:00")
    elif key == "rate":
        if value not in RATES:
            raise BoardConfigError(f"{where} = {value!r}: must be one of {', '.join(RATES)}")
    else:
        low, high = _RANGES.get(key, _PORT_RANGE)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise BoardConfigError(f"{where} = {value!r}: must be a whole number from {low} to {high}")
        if key == "irq" and value == 2:
            raise BoardConfigError(
                f"{where} = 2: that input of the interrupt controller carries the second one"
            )


def _check_overlaps(name: str, config: PcConfig) -> None:
    """Refuse two chips on one port or on one interrupt request."""
    ports: dict[int, str] = {}
    requests: dict[int, str] = {}
    for field in fields(config):
        part = getattr(config, field.name)
        for key in fields(part) if part is not None else ():
            place = f"[{field.name}] {key.name}"
            first = getattr(part, key.name)
            for number in range(_PORT_COUNTS.get(f"{field.name}.{key.name}", 0)):
                _claim(name, ports, first + number, place, f"port {first + number:#x}")
            if key.name == "irq":
                _claim(name, requests, first, place, f"interrupt request {first}")


def _claim(name: str, taken: dict[int, str], number: int, place: str, what: str) -> None:
    if number in taken:
        raise BoardConfigError(f"board {name}: {taken[number]} and {place} both take {what}")
    taken[number] = place
