# SPDX-License-Identifier: GPL-2.0-or-later
"""``make bench ARGS=--scale`` judges what a run takes beside the guest's RAM."""

from __future__ import annotations

import ctypes
import mmap

import pytest

from ringscope.tools.bench_scale import MOST_BEYOND_RAM, beside, scale

MIB = 1 << 20


def held(size: int) -> mmap.mmap:
    """Memory of which every page is in use, as a machine's RAM is mapped."""
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    ctypes.memset(ctypes.addressof(ctypes.c_char.from_buffer(memory)), 1, size)
    return memory


def test_the_pages_of_the_guest_are_not_counted() -> None:
    small, large = held(16 * MIB), held(96 * MIB)
    assert beside(small) - beside(large) == pytest.approx(80, abs=1)


@pytest.mark.parametrize(("most", "status"), [(MOST_BEYOND_RAM, 0), (MOST_BEYOND_RAM + 1, 1)])
def test_a_run_that_takes_more_than_was_promised_fails(most, status, capsys) -> None:
    lengths = []

    def measure(name: str, millions: int) -> dict[str, float]:
        lengths.append((name, millions))
        return {"seconds": 1.0, "instructions": 1e6 * millions, "beside_ram": most if millions > 10 else 1}

    assert scale(["one"], measure, 8) == status
    assert lengths == [("one", 10), ("one", 100)]
    assert ("promised" in capsys.readouterr().out) == bool(status)
