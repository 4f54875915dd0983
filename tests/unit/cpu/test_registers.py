# SPDX-License-Identifier: GPL-2.0-or-later
"""Model-specific registers and CPUID, as tables."""

from __future__ import annotations

import dataclasses
import struct
from types import SimpleNamespace

import pytest

from ringscope.emulator.cpu.handlers import GeneralProtection
from ringscope.emulator.cpu.x86_64.cpuid import Cpuid
from ringscope.emulator.cpu.x86_64.msr import KEPT_BY_ENGINE, ModelSpecificRegisters
from ringscope.emulator.timing import profile

PROFILE = profile.load("skylake")


class Engine:
    """As much of an engine as the registers reach."""

    def __init__(self) -> None:
        self.time_stamp = 1000
        self.tsc_aux: int | None = None

    def set_time_stamp(self, value: int) -> None:
        self.time_stamp = value

    def set_tsc_aux(self, value: int) -> None:
        self.tsc_aux = value


class Apic:
    """A local APIC that refuses one value."""

    apic_base = 0xFEE00900

    def __init__(self) -> None:
        self.timer = SimpleNamespace(deadline=0)

    def write_apic_base(self, value: int) -> bool:
        self.apic_base = value
        return value != 0xBAD

    def write_tsc_deadline(self, value: int) -> None:
        self.timer.deadline = value


@pytest.fixture
def msrs() -> ModelSpecificRegisters:
    return ModelSpecificRegisters(Engine(), Apic())


@pytest.mark.parametrize("index", sorted(KEPT_BY_ENGINE))
def test_what_the_engine_keeps_is_left_to_it(msrs, index: int) -> None:
    assert msrs.read(index) is None
    assert msrs.write(index, 0) is False


@pytest.mark.parametrize("index", [0, 0x11, 0x1C, 0xC0000085, 0xC0000104, 0xFFFFFFFF])
def test_what_nobody_keeps_is_a_protection_fault(msrs, index: int) -> None:
    with pytest.raises(GeneralProtection):
        msrs.read(index)
    with pytest.raises(GeneralProtection):
        msrs.write(index, 0)


@pytest.mark.parametrize(("index", "value"), [(0x10, 5), (0x1B, 0xFEE00100), (0x6E0, 77), (0xC0000103, 3)])
def test_what_the_machine_keeps_reads_back(msrs, index: int, value: int) -> None:
    assert msrs.write(index, value) is True
    assert msrs.read(index) == value


def test_each_reaches_the_part_that_it_belongs_to() -> None:
    engine, apic = Engine(), Apic()
    msrs = ModelSpecificRegisters(engine, apic)
    for index, value in ((0x10, 1), (0x6E0, 2), (0xC0000103, 3)):
        msrs.write(index, value)
    assert (engine.time_stamp, apic.timer.deadline, engine.tsc_aux) == (1, 2, 3)


def test_a_value_that_the_apic_refuses_is_a_protection_fault(msrs) -> None:
    with pytest.raises(GeneralProtection):
        msrs.write(0x1B, 0xBAD)


@pytest.fixture
def cpuid() -> Cpuid:
    return Cpuid(PROFILE, PROFILE.frequency_hz)


def test_the_highest_leaves_are_the_ones_that_answer(cpuid) -> None:
    basic, extended = cpuid(0, 0)[0], cpuid(0x80000000, 0)[0]
    assert any(cpuid(basic, 0))
    assert any(cpuid(extended, 0))
    assert cpuid(basic + 1, 0) == cpuid(extended + 1, 0) == (0, 0, 0, 0)


def test_the_brand_names_the_profile(cpuid) -> None:
    brand = b"".join(struct.pack("<4I", *cpuid(leaf, 0)) for leaf in (0x80000002, 0x80000003, 0x80000004))
    assert brand.rstrip(b"\0") == b"ringscope skylake"


@pytest.mark.parametrize(("subleaf", "name"), list(enumerate(("l1d", "l1i", "l2", "llc"))))
def test_leaf_4_describes_the_profiles_caches(cpuid, subleaf: int, name: str) -> None:
    cache = getattr(PROFILE, name)
    eax, ebx, ecx, _ = cpuid(4, subleaf)
    line, ways, sets = (ebx & 0xFFF) + 1, (ebx >> 22) + 1, ecx + 1
    assert line * ways * sets == cache.size
    assert (line, ways) == (cache.line, cache.ways)
    assert eax & 31 == {"l1d": 1, "l1i": 2}.get(name, 3)
    assert eax >> 5 & 7 == {"l1d": 1, "l1i": 1, "l2": 2, "llc": 3}[name]


def test_after_the_last_cache_leaf_4_is_empty(cpuid) -> None:
    assert cpuid(4, 4)[0] & 31 == 0


def test_a_profile_without_a_last_level_cache_names_none() -> None:
    smaller = dataclasses.replace(PROFILE, llc=dataclasses.replace(PROFILE.llc, size=0))
    assert Cpuid(smaller, smaller.frequency_hz)(4, 3) == (0, 0, 0, 0)


def test_one_first_level_for_code_and_data_is_a_unified_cache_and_no_gap_follows_it() -> None:
    unified = dataclasses.replace(PROFILE, l1i=dataclasses.replace(PROFILE.l1i, size=0))
    cpuid = Cpuid(unified, unified.frequency_hz)
    assert [cpuid(4, subleaf)[0] & 0xFF for subleaf in range(4)] == [3 | 1 << 5, 3 | 2 << 5, 3 | 3 << 5, 0]


def test_the_clock_leaves_give_the_frequency_of_the_time_stamp_counter(cpuid) -> None:
    denominator, numerator, crystal, _ = cpuid(0x15, 0)
    assert crystal * numerator // denominator == PROFILE.frequency_hz
    assert cpuid(0x16, 0)[0] == PROFILE.frequency_hz // 1_000_000
