# SPDX-License-Identifier: GPL-2.0-or-later
"""A recording is read as it was written, and a damaged one is refused in one sentence."""

from __future__ import annotations

import pytest

from ringscope.emulator.attribution import recording
from ringscope.emulator.attribution.costs import PLACE, WAY, Kind, Place, Way, entry_layout
from ringscope.emulator.attribution.recorder import RawAttribution
from ringscope.emulator.trace.recording import RecordingError

COLUMNS = ("cycles", "instructions", "issue", "trap")
HEAD = recording.Head(
    arch="x86_64",
    cpu="skylake",
    what_if=None,
    fidelity="timing",
    hz=4_000_000_000,
    image="kernel.elf",
    reason="guest",
    status=3,
    columns=COLUMNS,
    causes=2,
    counters=("cycles", "instructions"),
    totals=((7, 3, 5, 2), (4, 4, 4, 0)),
    operations=(("call", 2),),
    programs={0x1000: "server.elf", 0x2000: None},
)
ENTRY = entry_layout(len(COLUMNS))
RAW = RawAttribution(
    places=PLACE.pack(0x1000, 0x400000, 0, 1) + PLACE.pack(0x1000, 0x100000, 1, 0),
    ways=WAY.pack(0, 0, 0, 0, 0, 0, 0) + WAY.pack(0x400004, 0x100000, 0x1000, 9, 0, 2, 1),
    costs=ENTRY.pack(0, 0, 4, 4, 0) + ENTRY.pack(1, 0, 3, 5, 2),
    operations={"call": ENTRY.pack(1, 0, 1, 1, 0)},
)
MODULES = [("server.elf", b"\x7fELF server"), ("text", b"no program")]


@pytest.fixture
def content():
    return recording.write(HEAD, RAW, b"\x7fELF kernel", MODULES)


def read(tmp_path, content):
    (tmp_path / "data").write_bytes(content)
    return recording.read(tmp_path / "data")


def test_a_recording_is_read_as_it_was_written(tmp_path, content):
    found = read(tmp_path, content)
    assert found.head == HEAD
    assert found.attribution.places == (Place(0x1000, 0x400000, 0, True), Place(0x1000, 0x100000, 1, False))
    assert found.attribution.ways[1] == Way(0x400004, 0x100000, 0x1000, 9, 0, Kind.INTERRUPT, True)
    assert found.kernel == b"\x7fELF kernel"


def test_cycles_are_the_sum_of_their_causes(tmp_path, content):
    attribution = read(tmp_path, content).attribution
    assert attribution.costs == {0: (4, 4, 4, 0), 1: (7, 3, 5, 2)}
    assert attribution.operations == {"call": {1: (1, 1, 1, 0)}}


def test_programs_alone_are_kept_of_the_modules(tmp_path, content):
    assert read(tmp_path, content).modules == (("server.elf", b"\x7fELF server"),)


def test_a_kernel_without_a_file_is_none(tmp_path):
    assert read(tmp_path, recording.write(HEAD, RAW, None, [])).kernel is None


def test_a_recording_cut_anywhere_is_refused(tmp_path, content):
    for length in range(0, len(content), 3):
        with pytest.raises(RecordingError, match="not a recording of ringscope record, or a damaged one"):
            read(tmp_path, content[:length])


def test_a_recording_changed_anywhere_is_read_or_refused(tmp_path, content):
    for at in range(len(content)):
        try:
            read(tmp_path, content[:at] + bytes((content[at] ^ 0xFF,)) + content[at + 1 :])
        except RecordingError:
            continue


def test_another_version_is_refused_by_its_number(tmp_path, content, monkeypatch):
    monkeypatch.setattr(recording, "VERSION", 2)
    with pytest.raises(RecordingError, match="a recording of version 1, and this is version 2"):
        read(tmp_path, content)
