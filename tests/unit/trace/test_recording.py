# SPDX-License-Identifier: GPL-2.0-or-later
"""Events as bytes, kept in memory and in files."""

from __future__ import annotations

import pytest

from ringscope.emulator.native import library as native
from ringscope.emulator.trace.event import KIND_BYTE, LAYOUT, Kind, read, user_spaces
from ringscope.emulator.trace.recorder import LastEvents
from ringscope.emulator.trace.recording import Head, Recording, RecordingError, RecordingWriter
from tests.unit.trace.event_bytes import event, packed

HEAD = Head("x86_64", "skylake", 4_000_000_000)
EVENTS = [event(Kind.RETURN, time, space=time % 3) for time in range(10)]


def write(path, *, finish=True):
    with path.open("wb") as file:
        writer = RecordingWriter(file.write)
        writer.begin(HEAD)
        writer.take(packed(*EVENTS[:4]))
        writer.take(packed(*EVENTS[4:]))
        if finish:
            writer.finish({0x1000: "echo", 0x2000: None}, {7: "ping"})
    return path


def everything(recording):
    return [one for chunk in recording.chunks() for one in read(chunk)]


@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
def test_an_event_is_as_long_as_the_native_core_says(arch):
    assert native.load(arch).core_trace_event_size() == LAYOUT.size


def test_what_was_packed_is_read_again():
    assert list(read(packed(*EVENTS))) == EVENTS


def test_spaces_in_which_only_the_kernel_ran_are_not_users():
    kernel, user = event(Kind.RETURN, space=1), event(Kind.SYSTEM_CALL, space=2, user=1, to_user=0)
    assert user_spaces(packed(kernel, user)) == {2}


@pytest.mark.parametrize(("most", "first"), [(3, 7), (10, 0), (20, 0), (1, 9)])
def test_the_newest_events_are_kept(most, first):
    kept = LastEvents(most)
    for at in range(0, 10, 4):
        kept.take(packed(*EVENTS[at : at + 4]))
    assert [one for chunk in kept.chunks() for one in read(chunk)] == EVENTS[first:]
    assert kept.dropped == first


def test_no_more_than_a_chunk_beyond_what_is_asked_for_is_held():
    kept = LastEvents(4)
    for one in EVENTS:
        kept.take(packed(one))
    assert len(kept._kept) == 4


def test_a_recording_holds_the_events_and_what_the_run_showed(tmp_path):
    recording = Recording(write(tmp_path / "trace"))
    assert recording.head == HEAD
    assert everything(recording) == EVENTS
    assert recording.programs == {0x1000: "echo", 0x2000: None}
    assert recording.marks == {7: "ping"}


@pytest.mark.parametrize("torn", [0, 1, 40])
def test_a_recording_that_was_cut_off_has_its_whole_events_and_no_names(tmp_path, torn):
    path = write(tmp_path / "trace", finish=False)
    with path.open("ab") as file:
        file.write(bytes(torn))
    recording = Recording(path)
    assert everything(recording) == EVENTS
    assert recording.programs == {}
    assert not recording.is_whole


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "not a recording of ringscope trace"),
        (b"\x7fELF" + bytes(100), "not a recording of ringscope trace"),
        (b"[1, 2]\n", "not a recording of ringscope trace"),
        (b'{"format": "other"}\n', "not a recording of ringscope trace"),
        (b'{"format": "ringscope-trace", "version": 99}\n', "of version 99, and this is version 1"),
        (b'{"format": "ringscope-trace", "version": 1}\n', "not a recording of ringscope trace"),
    ],
)
def test_what_is_no_recording_is_refused_with_a_sentence(tmp_path, content, complaint):
    path = tmp_path / "trace"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=complaint):
        Recording(path)


def test_a_file_that_cannot_be_read_is_refused_with_the_reason(tmp_path):
    with pytest.raises(RecordingError, match="cannot be read: No such file or directory"):
        Recording(tmp_path / "nowhere")


def test_a_damaged_last_line_is_refused(tmp_path):
    path = write(tmp_path / "trace")
    content = bytearray(path.read_bytes())
    content[-17] = 0  # the last brace
    path.write_bytes(content)
    with pytest.raises(RecordingError, match="its last line is damaged"):
        Recording(path)


@pytest.mark.parametrize("kept", [1, 30, 60])
def test_a_recording_that_was_cut_off_in_its_last_line_has_its_events_all_the_same(tmp_path, kept):
    begun = write(tmp_path / "begun", finish=False).read_bytes()
    path = write(tmp_path / "trace")
    path.write_bytes(path.read_bytes()[: len(begun) + kept])
    recording = Recording(path)
    assert everything(recording) == EVENTS
    assert not recording.is_whole


def test_a_damaged_event_is_refused(tmp_path):
    path = write(tmp_path / "trace")
    content = bytearray(path.read_bytes())
    content[content.index(b"\n") + 1 + KIND_BYTE] = 200
    path.write_bytes(content)
    with pytest.raises(RecordingError, match="an event in it is damaged; record it again"):
        everything(Recording(path))
