# SPDX-License-Identifier: GPL-2.0-or-later
"""What virt.toml says, checked: unknown and missing keys, ranges, windows and interrupts used twice.

Errors name the key as the user wrote it, `[table] key`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from ringscope.emulator.platforms.pc_config import RATES, BoardConfigError, ClockConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT = Path(__file__).with_name("virt.toml")
PAGE = 0x1000
GIC_WINDOW = 0x1_0000


@dataclass(frozen=True, slots=True)
class MemoryConfig:
    """Physical address of the first byte of RAM."""

    base: int


@dataclass(frozen=True, slots=True)
class GicConfig:
    """Windows of the interrupt controller, and how many shared interrupts it has."""

    distributor: int
    cpu_interface: int
    spis: int


@dataclass(frozen=True, slots=True)
class TimerConfig:
    """Rate of the counter in Hz, and the private interrupt of each timer."""

    hz: int
    secure_ppi: int
    physical_ppi: int
    virtual_ppi: int
    hypervisor_ppi: int


@dataclass(frozen=True, slots=True)
class UartConfig:
    """Window, interrupt, UARTCLK in Hz, and whether bytes take time: "instant" or "programmed"."""

    base: int
    spi: int
    clock_hz: int
    rate: str


@dataclass(frozen=True, slots=True)
class RtcConfig:
    """Window and interrupt."""

    base: int
    spi: int


@dataclass(frozen=True, slots=True)
class VirtioConfig:
    """The row of virtio windows: bytes in each, how many, and the interrupt of the first."""

    base: int
    stride: int
    slots: int
    spi: int


@dataclass(frozen=True, slots=True)
class DiskConfig:
    """The disk's slot, microseconds before the first sector of a request and before each further one."""

    slot: int
    access_us: int
    block_us: int


@dataclass(frozen=True, slots=True)
class VirtConfig:
    """The whole board."""

    clock: ClockConfig
    memory: MemoryConfig
    gic: GicConfig
    timer: TimerConfig
    uart: UartConfig
    rtc: RtcConfig
    virtio: VirtioConfig
    disk: DiskConfig

    @classmethod
    def load(cls, path: Path = DEFAULT) -> VirtConfig:
        """Read a board description. Raise BoardConfigError."""
        try:
            tables = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise BoardConfigError(f"board {path} cannot be read: {error.strerror}") from error
        except tomllib.TOMLDecodeError as error:
            raise BoardConfigError(f"board {path} is not TOML: {error}") from error
        return cls.from_tables(tables, str(path))

    @classmethod
    def from_tables(cls, tables: Mapping[str, object], name: str) -> VirtConfig:
        """Check and convert parsed TOML; `name` is what errors call it."""
        unknown = set(tables) - set(_TABLES)
        if unknown:
            raise BoardConfigError(
                f"board {name}: unknown table [{min(unknown)}]; known: {', '.join(_TABLES)}"
            )
        parts: dict[str, object] = {}
        for table, kind in _TABLES.items():
            if table not in tables:
                raise BoardConfigError(f"board {name}: the table [{table}] is missing")
            parts[table] = _part(name, table, kind, tables[table])
        config = cls(**parts)  # type: ignore[arg-type]  # _part made each of the kind that _TABLES pairs with its field
        _check_disk(name, config)
        _check_windows(name, config)
        _check_interrupts(name, config)
        return config

    def windows(self) -> dict[str, range]:
        """Return the physical addresses that each chip decodes, by the key that says where it begins."""
        return {
            "[gic] distributor": range(self.gic.distributor, self.gic.distributor + GIC_WINDOW),
            "[gic] cpu_interface": range(self.gic.cpu_interface, self.gic.cpu_interface + GIC_WINDOW),
            "[uart] base": range(self.uart.base, self.uart.base + PAGE),
            "[rtc] base": range(self.rtc.base, self.rtc.base + PAGE),
            "[virtio] base": range(
                self.virtio.base, self.virtio.base + self.virtio.stride * self.virtio.slots
            ),
        }


_TABLES: dict[str, type] = {
    "clock": ClockConfig,
    "memory": MemoryConfig,
    "gic": GicConfig,
    "timer": TimerConfig,
    "uart": UartConfig,
    "rtc": RtcConfig,
    "virtio": VirtioConfig,
    "disk": DiskConfig,
}
_PPI_RANGE = (0, 15)
_RANGES = {
    "spis": (32, 960),
    "spi": (0, 959),
    "hz": (1, 10**9),
    "secure_ppi": _PPI_RANGE,
    "physical_ppi": _PPI_RANGE,
    "virtual_ppi": _PPI_RANGE,
    "hypervisor_ppi": _PPI_RANGE,
    "clock_hz": (1, 10**9),
    "stride": (0x200, PAGE),
    "slots": (1, 256),
    "slot": (0, 255),
    "access_us": (0, 10**7),
    "block_us": (0, 10**7),
}
_ADDRESS_RANGE = (0, (1 << 40) - PAGE)
_MULTIPLES = {"spis": 32, "stride": 0x200}


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
        if not isinstance(value, datetime) or not 1970 <= value.year < 2106:
            raise BoardConfigError(f"{where} = {value}: must be a date and time like 2026-01-01T00:00:00")
        return
    if key == "rate":
        if value not in RATES:
            raise BoardConfigError(f"{where} = {value!r}: must be one of {', '.join(RATES)}")
        return
    low, high = _RANGES.get(key, _ADDRESS_RANGE)
    multiple = _MULTIPLES.get(key, 1 if key in _RANGES else PAGE)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high or value % multiple:
        kind = f"a multiple of {multiple:#x}" if multiple > 1 else "a whole number"
        raise BoardConfigError(f"{where} = {value!r}: must be {kind} from {low:#x} to {high:#x}")


def _check_disk(name: str, config: VirtConfig) -> None:
    last = config.virtio.slots - 1
    if config.disk.slot > last:
        raise BoardConfigError(
            f"board {name}: [disk] slot = {config.disk.slot}: [virtio] has slots 0 to {last}"
        )


def _check_windows(name: str, config: VirtConfig) -> None:
    """Refuse chips that share addresses, parts of pages, and chips where RAM may be."""
    windows = sorted(config.windows().items(), key=lambda item: item[1].start)
    for (first, before), (second, after) in pairwise(windows):
        if after.start < before.stop:
            raise BoardConfigError(f"board {name}: {first} and {second} both take address {after.start:#x}")
    for place, window in windows:
        if window.stop > config.memory.base:
            raise BoardConfigError(f"board {name}: {place} reaches into memory at {config.memory.base:#x}")
        if window.stop % PAGE:
            raise BoardConfigError(f"board {name}: {place}: stride times slots must fill whole pages")


def _check_interrupts(name: str, config: VirtConfig) -> None:
    """Refuse two users of one interrupt, and shared ones that the controller lacks."""
    timer = config.timer
    private = {key: getattr(timer, key) for key in _RANGES if key.endswith("_ppi")}
    shared = {"[uart] spi": config.uart.spi, "[rtc] spi": config.rtc.spi}
    shared |= {f"[virtio] spi + {slot}": config.virtio.spi + slot for slot in range(config.virtio.slots)}
    _check_distinct(name, "private interrupt", {f"[timer] {key}": number for key, number in private.items()})
    _check_distinct(name, "shared interrupt", shared)
    last = config.gic.spis - 1
    for place, number in shared.items():
        if number > last:
            raise BoardConfigError(
                f"board {name}: {place} = {number}: [gic] has shared interrupts 0 to {last}"
            )


def _check_distinct(name: str, what: str, users: Mapping[str, int]) -> None:
    taken: dict[int, str] = {}
    for place, number in users.items():
        if number in taken:
            raise BoardConfigError(f"board {name}: {taken[number]} and {place} both take {what} {number}")
        taken[number] = place
