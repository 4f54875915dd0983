# SPDX-License-Identifier: GPL-2.0-or-later
"""Input from the host enters as bytes with a cycle, the same in every run."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import pytest

from ringscope.emulator.devices.host_input import (
    InputLog,
    InputLogError,
    PipedInput,
    TerminalInput,
    byte_interval,
)
from ringscope.emulator.devices.input_router import InputRouter
from ringscope.emulator.devices.replay_input import ReplayInput
from ringscope.emulator.devices.typed_input import TypedInput

HZ = 3_000_000_000
INTERVAL = 1000


class Guest:
    """A receiver that is ready when told so, and remembers what came when."""

    def __init__(self):
        self.ready = True
        self.listening = True
        self.got = []
        self.cycle = 0

    def receive(self, byte):
        self.got.append((self.cycle, byte))


@pytest.fixture
def guest():
    return Guest()


def run(source, guest, until, busy=()):
    """Poll the source whenever it is due; the guest is not ready at the cycles in `busy`."""
    while (due := source.next_due()) is not None and due <= until:
        guest.cycle = due
        guest.ready = due not in busy
        source.poll(due)


@pytest.fixture
def piped():
    """A function that returns a descriptor from which some bytes and the end can be read."""
    opened = []

    def make(contents):
        reading, writing = os.pipe()
        os.write(writing, contents)
        os.close(writing)
        opened.append(reading)
        return reading

    yield make
    for descriptor in opened:
        os.close(descriptor)


def test_the_byte_interval_is_one_frame_at_115200_baud():
    assert byte_interval(HZ) == 260_416


def test_piped_bytes_come_one_an_interval(guest, piped):
    run(PipedInput(piped(b"abc"), guest, INTERVAL), guest, 10_000)
    assert guest.got == [(1000, 97), (2000, 98), (3000, 99)]


def test_a_guest_that_is_not_ready_gets_the_byte_at_the_next_instant(guest, piped):
    run(PipedInput(piped(b"ab"), guest, INTERVAL), guest, 10_000, busy={1000, 3000, 4000})
    assert guest.got == [(2000, 97), (6000, 98)]  # two misses in a row: the second waits for two intervals


def test_a_guest_that_never_listens_is_asked_every_16_intervals_at_most(guest, piped):
    source, instants = PipedInput(piped(b"a"), guest, INTERVAL), []
    guest.ready = False
    while source.next_due() <= 70_000:
        instants.append(source.next_due())
        source.poll(instants[-1])
    assert instants == [1000, 2000, 4000, 8000, 16_000, 32_000, 48_000, 64_000]


def test_nothing_is_read_from_the_pipe_before_the_guest_listens(guest, piped):
    descriptor = piped(b"a")
    guest.ready = False
    PipedInput(descriptor, guest, INTERVAL).poll(INTERVAL)
    assert os.read(descriptor, 9) == b"a"


def test_a_slow_writer_is_waited_for_without_time_passing(guest, pipe):
    writer = threading.Timer(0.15, os.write, (pipe[1], b"x"))
    writer.start()
    run(PipedInput(pipe[0], guest, INTERVAL), guest, INTERVAL)
    assert guest.got == [(1000, ord("x"))]
    writer.join()
    os.close(pipe[1])


def test_a_wait_that_is_interrupted_gives_up_and_loses_nothing(guest, pipe):
    interrupted = True
    source = PipedInput(pipe[0], guest, INTERVAL, lambda: interrupted)
    source.poll(INTERVAL)
    assert (guest.got, source.exhausted) == ([], False)
    os.write(pipe[1], b"x")
    os.close(pipe[1])
    run(source, guest, 3 * INTERVAL)
    assert [byte for _, byte in guest.got] == [ord("x")]


def test_instants_do_not_depend_on_how_late_the_machine_was(guest, piped):
    source = PipedInput(piped(b"ab"), guest, INTERVAL)
    guest.cycle = 1437
    source.poll(1437)
    assert source.next_due() == 2000


def test_at_the_end_of_the_input_nothing_more_arrives(guest, piped):
    source = PipedInput(piped(b"a"), guest, INTERVAL)
    run(source, guest, 10_000)
    assert source.exhausted
    assert source.next_due() is None
    assert [byte for _, byte in guest.got] == [97]


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)


def test_a_terminal_is_never_waited_for(guest, pipe):
    source = TerminalInput(pipe[0], guest, INTERVAL)
    run(source, guest, 5000)
    assert guest.got == []
    assert source.next_due() > 5000
    os.close(pipe[1])


def test_a_typed_byte_arrives_when_the_guest_is_ready_and_is_logged_with_that_cycle(guest, pipe):
    file = io.StringIO()
    source = TerminalInput(pipe[0], guest, INTERVAL, InputLog(file, HZ))
    os.write(pipe[1], b"hi")
    os.close(pipe[1])
    run(source, guest, 10_000, busy={1000})
    assert guest.got == [(2000, ord("h")), (3000, ord("i"))]
    assert file.getvalue() == f"ringscope-input 1 hz={HZ}\n2000 68\n3000 69\n4000 end\n"
    assert source.exhausted


def test_a_poll_between_the_instants_delivers_at_its_own_cycle(guest, pipe):
    source = TerminalInput(pipe[0], guest, INTERVAL)
    os.write(pipe[1], b"x")
    guest.cycle = 777
    source.poll(777)
    assert guest.got == [(777, ord("x"))]
    assert source.next_due() == 1000
    os.close(pipe[1])


def test_a_replay_delivers_the_same_bytes_at_the_same_cycles(guest, tmp_path):
    log = tmp_path / "session.log"
    with log.open("w") as file:
        writer = InputLog(file, HZ)
        for cycle, byte in ((777, 0x68), (2000, 0x0A)):
            writer.byte(cycle, byte)
        writer.end(3000)
    source = ReplayInput(log, guest, HZ)
    run(source, guest, 10_000)
    assert guest.got == [(777, 0x68), (2000, 0x0A)]
    assert source.exhausted


def test_a_replay_into_a_guest_that_does_not_listen_says_so(guest, tmp_path):
    log = tmp_path / "session.log"
    log.write_text(f"ringscope-input 1 hz={HZ}\n777 68\n")
    guest.ready = False
    with pytest.raises(InputLogError, match=r"line 2: the guest does not listen at cycle 777"):
        ReplayInput(log, guest, HZ).poll(777)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "line 1: not the header"),
        ("hello\n", "line 1: not the header"),
        (f"ringscope-input 1 hz={'9' * 5000}\n", "line 1: not the header"),
        (f"ringscope-input 1 hz={HZ}\n{'9' * 5000} 41\n", "line 2"),
        ("ringscope-input 1 hz=5\n", "made at 5 Hz"),
        (f"ringscope-input 1 hz={HZ}\n5 zz\n", "line 2"),
        (f"ringscope-input 1 hz={HZ}\n5 41\n4 41\n", "line 3"),
    ],
)
def test_a_file_that_is_no_log_is_refused_with_its_line(guest, tmp_path, text, complaint):
    log = tmp_path / "session.log"
    log.write_text(text)
    with pytest.raises(InputLogError, match=complaint):
        ReplayInput(log, guest, HZ)


def test_a_missing_log_is_named(guest, tmp_path):
    with pytest.raises(InputLogError, match=r"log .*/none cannot be read: No such file or directory$"):
        ReplayInput(tmp_path / "none", guest, HZ)


def test_a_file_that_is_not_text_is_not_a_log(guest, tmp_path):
    (tmp_path / "session.log").write_bytes(b"\x7fELF\xff")
    with pytest.raises(InputLogError, match=r"session\.log is not a log: it is not text$"):
        ReplayInput(tmp_path / "session.log", guest, HZ)


def test_a_log_is_not_looked_for_in_a_device(guest):
    with pytest.raises(InputLogError, match="it is neither a file nor a pipe"):
        ReplayInput(Path("/dev/zero"), guest, HZ)


class TestRouter:
    """Which chip gets the byte."""

    def test_the_first_chip_that_is_listened_to_gets_it(self):
        serial, keyboard = Guest(), Guest()
        serial.listening = False
        InputRouter((serial, keyboard)).receive(65)
        assert (serial.got, keyboard.got) == ([], [(0, 65)])

    def test_a_busy_chip_that_is_listened_to_holds_the_byte_back(self):
        serial, keyboard = Guest(), Guest()
        serial.ready = False
        assert not InputRouter((serial, keyboard)).ready

    def test_with_nobody_listening_it_is_not_ready(self):
        serial = Guest()
        serial.listening = False
        assert not InputRouter((serial,)).ready


# ---- going back, and going on elsewhere ----


def test_a_piped_input_that_went_back_gives_the_same_bytes_at_the_same_cycles(guest, piped):
    source = PipedInput(piped(b"abcd"), guest, INTERVAL)
    run(source, guest, 1500)
    before = source.position()
    run(source, guest, 10_000, busy={3000, 4000})
    first = guest.got[1:]
    source.rewind(before)
    guest.got.clear()
    run(source, guest, 10_000, busy={3000, 4000})
    assert guest.got == first
    assert source.exhausted


def test_what_a_pipe_was_read_ahead_goes_with_the_position_to_another_input(guest, piped):
    source = PipedInput(piped(b"abc"), guest, INTERVAL)
    run(source, guest, 1500)
    other = PipedInput(piped(b"de"), guest, INTERVAL)
    other.take_over(source.position(), 1500)
    run(other, guest, 10_000)
    assert guest.got == [(1000 * (n + 1), byte) for n, byte in enumerate(b"abcde")]


def test_an_input_at_its_end_stays_at_its_end_in_another_whose_pipe_has_ended(guest, piped):
    source = PipedInput(piped(b""), guest, INTERVAL)
    run(source, guest, 2000)
    empty, full = (PipedInput(piped(contents), guest, INTERVAL) for contents in (b"", b"x"))
    for other in (empty, full):
        other.take_over(source.position(), 2000)
    assert (empty.exhausted, full.exhausted) == (True, False)


def test_a_terminal_that_went_back_types_what_was_typed_when_it_was_typed_and_logs_it_once(guest, pipe):
    reading, writing = pipe
    log = io.StringIO()
    source = TerminalInput(reading, guest, INTERVAL, InputLog(log, HZ))
    before = source.position()
    os.write(writing, b"a")
    guest.cycle = 350  # woken by the key
    source.poll(350)
    os.write(writing, b"b")
    run(source, guest, 5000)
    first, logged = list(guest.got), log.getvalue()
    source.rewind(before)
    guest.got.clear()
    assert source.repeats_at() == 350
    assert source.fileno() is None
    guest.cycle = 350
    source.poll(350)
    run(source, guest, 5000)
    assert guest.got == first
    assert log.getvalue() == logged
    assert source.fileno() == reading


def test_a_replayed_log_goes_on_in_another_input_behind_what_was_given(guest, tmp_path):
    log = tmp_path / "log"
    log.write_text(f"ringscope-input 1 hz={HZ}\n100 61\n200 62\n300 63\n")
    source = ReplayInput(log, guest, HZ)
    run(source, guest, 200)
    other = ReplayInput(log, guest, HZ)
    other.take_over(source.position(), 250)
    run(other, guest, 1000)
    assert [byte for _, byte in guest.got] == [0x61, 0x62, 0x63]


def test_what_a_program_typed_arrives_again_at_the_same_cycles_after_going_back(guest):
    source = TypedInput(guest, INTERVAL)
    before = source.position()
    for cycle, text in ((2500, b"a"), (7300, b"bc")):
        source.type(text, cycle)
        run(source, guest, 12_000, busy={3000, 8000})
    source.rewind(before)
    first = list(guest.got)
    guest.got.clear()
    run(source, guest, 12_000, busy={3000, 8000})
    assert guest.got == first == [(5000, 0x61), (10_000, 0x62), (11_000, 0x63)]
    assert source.exhausted


def test_what_a_program_typed_and_no_guest_read_goes_on_in_another_input(guest):
    source, other = TypedInput(guest, INTERVAL), TypedInput(guest, INTERVAL)
    source.type(b"ab", 100)
    run(source, guest, 1500)
    other.take_over(source.position(), 1500)
    run(other, guest, 5000)
    assert guest.got == [(1000, 0x61), (2000, 0x62)]
