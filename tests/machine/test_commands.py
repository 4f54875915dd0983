# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope boot``: what goes where, and every way to end."""

from __future__ import annotations

import fcntl
import itertools
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ringscope.bootimage import BootRequest, load
from ringscope.emulator.machine import Machine, MachineConfig
from tests.guest import catalogue
from tests.machine import small_kernels
from tests.machine.command_line import TIMEOUT, command, environment, ringscope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECTOR = 512


@pytest.fixture
def kernel(tmp_path: Path) -> Callable[[str], Path]:
    """A function that writes a small kernel and returns its file."""
    return lambda name: small_kernels.write(name, tmp_path)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """A function that starts ``ringscope WORDS`` and leaves it running, at most until the test ends."""
    started = []

    def run(*words: object) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            command(*words), stdin=pipe, stdout=pipe, stderr=pipe, env=environment(tmp_path)
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def test_the_exit_status_is_what_the_guest_wrote_to_its_exit_port(kernel):
    said = ringscope("boot", kernel("exit-3"))
    assert (said.status, said.out, said.err) == (3, "", "")


def test_piped_input_reaches_the_guest_and_its_console_is_stdout(kernel):
    said = ringscope("boot", kernel("echo"), typed=b"abcq")
    assert (said.status, said.out, said.err) == (7, ">abcq\n", "")


def test_a_guest_that_waits_for_more_than_was_piped_runs_into_the_limit(kernel):
    said = ringscope("boot", kernel("echo"), "--limit-cycles", "20M", typed=b"ab")
    assert (said.status, said.out) == (124, ">ab")


def test_the_limit_is_a_cycle_of_simulated_time(kernel):
    said = ringscope("boot", kernel("spin"), "--limit-cycles", "2M")
    assert (said.status, said.err) == (124, "ringscope: the limit was reached at cycle 2000000\n")


def test_output_that_matches_ends_the_run(kernel):
    said = ringscope("boot", kernel("chatter"), "--exit-on", r"(\.\n){5}")
    assert said.status == 0
    assert said.out.startswith(".\n" * 5)


def test_a_halted_guest_ends_with_0_and_a_word_on_stderr(kernel):
    said = ringscope("boot", kernel("halt"))
    assert (said.status, said.out) == (0, "")
    assert said.err == "ringscope: the guest halted and no interrupt can wake it\n"


def test_a_reset_ends_the_run_and_names_who_asked(kernel):
    said = ringscope("boot", kernel("reset"))
    assert said.status == 0
    assert "reset through the keyboard controller" in said.err


def test_a_triple_fault_names_the_calls_that_led_there():
    said = ringscope("boot", catalogue.build(catalogue.by_name("triple_fault")))
    lines = said.err.splitlines()
    assert said.status == 126
    assert lines[0].startswith("ringscope: triple fault at cycle ")
    assert lines[1].startswith("raised: #UD at guest_main+0x")
    assert any("rip " in line and "rflags " in line for line in lines)
    assert any("cr0 " in line and "cr3 " in line for line in lines)
    calls = [line for line in lines if line.startswith("#")]
    assert calls[0].startswith("#0 guest_main+0x")
    assert calls[1].startswith("#1 start_long+0x")


def test_a_triple_fault_before_long_mode_shows_32_bit_registers(kernel):
    said = ringscope("boot", kernel("triple-fault"))
    assert said.status == 126
    assert f"eip {small_kernels.ENTRY:08x}" in said.err
    assert f"#0 unknown ({small_kernels.ENTRY:#x})" in said.err


END_OF_CHAIN = "#DF, then #GP(0x43)"  # its gate is beyond the empty IDT too


@pytest.mark.parametrize(
    ("name", "raised"),
    [
        ("triple-fault", f"#UD at 0x100020, then #GP(0x33), then #GP(0x6b), then {END_OF_CHAIN}"),
        ("wild-jump", f"#UD at 0xd0000000, then #GP(0x33), then #GP(0x6b), then {END_OF_CHAIN}"),
        ("divide-by-zero", f"#DE at 0x100022, then #GP(0x3), then {END_OF_CHAIN}"),
        ("software-interrupt", f"int 0x30 at 0x100020, then #GP(0x182), then #GP(0x6b), then {END_OF_CHAIN}"),
        ("no-page", f"#PF(0) for 0x100030 at 0x100030, then #GP(0x73), then {END_OF_CHAIN}"),
    ],
)
def test_a_triple_fault_says_what_was_raised_one_upon_another(name, raised, kernel):
    assert ringscope("boot", kernel(name)).err.splitlines()[1] == f"raised: {raised}"


def test_modules_and_command_lines_reach_an_unpacked_kernel(kernel, tmp_path):
    (tmp_path / "one").write_bytes(b"content of one")
    (tmp_path / "two").write_bytes(b"content of two")
    initrd = f"{tmp_path / 'one'} with an,,argument,{tmp_path / 'two'}"
    said = ringscope("boot", "-kernel", kernel("lines"), "-initrd", initrd, "-append", "-v root=1")
    assert said.status == 0
    assert said.out.splitlines() == [
        "lines.bin -v root=1",
        "one with an,argument",
        "content of one",
        "two",
        "content of two",
    ]


def test_a_kernel_option_that_looks_like_ours_goes_to_the_kernel(kernel):
    assert ringscope("boot", "-kernel", kernel("lines"), "-append", "-s").out == "lines.bin -s\n"


def test_without_serial_only_the_debug_console_speaks(kernel):
    assert ringscope("boot", kernel("serial")).out == "sd"
    assert ringscope("boot", kernel("serial"), "--serial", "none").out == "d"


@pytest.mark.parametrize(
    ("options", "letter"),
    [((), b"A"), (("-snapshot",), b"A"), (("--disk-write",), b"B")],
    ids=["by default", "-snapshot", "--disk-write"],
)
def test_the_disk_file_is_written_only_when_asked(kernel, tmp_path, options, letter):
    disk = tmp_path / "disk"
    disk.write_bytes(b"A" * 2 * SECTOR)
    said = ringscope("boot", kernel("write-disk"), "-hda", disk, *options, "--limit-cycles", "1G")
    assert said.status == 0
    assert disk.read_bytes() == letter * SECTOR + b"A" * SECTOR


@pytest.mark.parametrize("name", ["spin", "wide", "chatter"])
@pytest.mark.parametrize("fidelity", ["timing", "functional"])
def test_ctrl_c_ends_a_busy_guest(kernel, start, name, fidelity):
    process = start("boot", kernel(name), "--fidelity", fidelity)
    process.stdout.read(1)  # the guest runs
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 130
    assert b"ringscope: interrupted at cycle " in err


@pytest.mark.parametrize("name", ["spin", "wide"])
@pytest.mark.parametrize("fidelity", ["timing", "functional"])
def test_signals_are_looked_at_every_fifth_of_a_second(kernel, name, fidelity):
    machine = Machine(MachineConfig(fidelity=fidelity), lambda _: None)
    machine.load(load(BootRequest(kernel(name)), machine.system.memory_layout()))
    looks = [time.thread_time()]
    machine.on_slice = lambda: looks.append(time.thread_time())
    machine.run(20_000_000)
    assert max(after - before for before, after in itertools.pairwise(looks)) < 0.2


def test_ctrl_c_ends_a_guest_that_waits_for_a_silent_pipe(kernel, start):
    process = start("boot", kernel("echo"))
    assert process.stdout.read(1) == b">"  # printed before the wait, though no line has ended
    process.send_signal(signal.SIGINT)
    process.wait(timeout=TIMEOUT)
    assert process.returncode == 130


def test_ctrl_c_ends_a_guest_whose_reader_has_paused(kernel, start):
    process = start("boot", kernel("chatter"))
    full = fcntl.fcntl(process.stdout, fcntl.F_GETPIPE_SZ) - 4096
    while struct.unpack("i", fcntl.ioctl(process.stdout, termios.FIONREAD, bytes(4)))[0] < full:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.wait(timeout=TIMEOUT)
    assert process.returncode == 130


def test_a_request_to_end_has_the_status_of_its_signal(kernel, start):
    process = start("boot", kernel("spin"))
    process.stdout.read(1)
    process.terminate()
    process.wait(timeout=TIMEOUT)
    assert process.returncode == 128 + signal.SIGTERM


def test_a_reader_that_has_had_enough_ends_the_run_quietly(kernel, start):
    process = start("boot", kernel("chatter"))
    assert process.stdout.readline() == b".\n"
    process.stdout.close()
    process.wait(timeout=TIMEOUT)
    assert process.returncode == 128 + signal.SIGPIPE
    assert process.stderr.read() == b""


def test_standard_descriptors_that_are_closed_are_no_ones_files(kernel, tmp_path):
    disk = tmp_path / "disk"
    disk.write_bytes(b"A" * SECTOR)
    words = [*command("boot", kernel("chatter"), "-hda", disk, "--disk-write", "--limit-cycles", "1M")]
    done = subprocess.run(["sh", "-c", '"$@" <&- >&- 2>&-', "sh", *words], check=False, timeout=TIMEOUT)
    assert done.returncode == 124
    assert disk.read_bytes() == b"A" * SECTOR


def test_a_full_disk_under_stdout_is_one_sentence(kernel):
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command("boot", kernel("chatter")),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=TIMEOUT,
        )
    assert done.returncode == 2
    sentence = b"ringscope: the console's output cannot be written: No space left on device\n"
    assert done.stderr == sentence
