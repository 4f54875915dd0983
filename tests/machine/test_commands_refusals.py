# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad input and usage: one clear sentence that names what is wrong, status 2, nothing on stdout."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ringscope.tools.main import main
from tests.machine import command_line, small_kernels
from tests.machine.command_line import TIMEOUT, Said, command, environment

TRY_HELP = "Try 'ringscope boot --help'."


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a kernel, an empty file and a text."""
    made = tmp_path_factory.mktemp("refusals")
    small_kernels.write("exit-3", made)
    (made / "empty").write_bytes(b"")
    (made / "text").write_text("no kernel and no log")
    (made / "log").write_text("ringscope-input 1 hz=4000000000\n100 61\n50 62\n")
    (made / "profile.toml").write_text('name = "mine"\n')
    return made


@pytest.fixture
def ringscope(folder, capfd, monkeypatch):
    """A function that runs the command line in this process and in the folder."""

    def run(*words):
        monkeypatch.chdir(folder)
        status = main(list(words))
        return Said(status, *capfd.readouterr())

    return run


KERNEL = "exit-3.bin"
LONG = "x" * 300  # file systems end at 255
USAGE = {
    ("boot", "--frobnicate"): "unknown option --frobnicate",
    ("boot", "-smp", "2"): "unknown option -smp",
    ("boot", "-cpu", "skylake"): "unknown option -cpu; there is --cpu",
    ("boot", "--kernel", "a"): "unknown option --kernel; there is -kernel",
    ("boot", "--cpu", ""): "argument --cpu: an empty name names nothing",
    ("boot", KERNEL, KERNEL): f"'{KERNEL}' is one argument too many",
    ("boot", ""): "argument IMAGE: an empty name is no file",
    ("boot", "-kernel", "a", "-kernel", "b"): "-kernel is given twice; give it once",
    ("boot", "-append"): "argument -append: expected one argument",
    ("boot", "-m", "64X"): "argument -m: '64X' is not a size; write 64M, 2G, or a number of MiB",
    ("boot", "--limit-cycles", "0"): "argument --limit-cycles: '0' is not a number of cycles; "
    "write 500000, 10M or 2G",
    ("boot", "--limit-cycles", "-5"): "argument --limit-cycles: '-5' is not a number of cycles; "
    "write 500000, 10M or 2G",
    ("boot", "-serial", "mon"): "argument --serial/-serial: 'mon' is not one of stdio, none",
    ("boot", "--gdb", "1234"): "argument --gdb/-gdb: '1234' is no place for gdb; write :PORT, HOST:PORT or "
    "a path",
    ("boot", "--fidelity", "perfect"): "argument --fidelity: 'perfect' is not one of timing, functional",
}
INPUT = {
    ("boot", "-S"): "-S waits for gdb, which cannot come; say where it may attach, by -s or --gdb",
    (
        "boot",
        "-s",
        "--save-snapshot",
        "x",
    ): "--save-snapshot saves a run that nobody stops, and gdb stops it; give one of them",
    ("debug", "-s"): "-s and --gdb let gdb steer the machine, and here commands do; try them with boot",
    ("boot", "-s", "--gdb", ":1234"): "-s and --gdb name two places for gdb; give one of them",
    ("boot", "--gdb", "nowhere/x"): "gdb cannot be waited for at nowhere/x: No such file or directory; "
    "take another place",
    ("boot", KERNEL, "--arch", "aarch64"): f"{KERNEL}: a kernel for x86_64, and --arch says aarch64; "
    "leave that out",
    (
        "boot",
        "-m",
        "1M",
        KERNEL,
    ): "memory of 1048576 bytes: give a whole number of MiB from 2 to 3072, as in -m 64M",
    ("boot", "-m", "4G", KERNEL): "memory of 4294967296 bytes: give a whole number of MiB from 2 to 3072, "
    "as in -m 64M",
    ("boot", LONG): f"{LONG}: File name too long",
    ("boot", "-hda", LONG): f"disk image {LONG} cannot be read: File name too long",
    ("boot", "nowhere"): "nowhere: cannot be read: No such file or directory",
    ("boot", "/"): "/: cannot be read: Is a directory",
    ("boot", "empty"): "empty: no Multiboot 1 or 2 header in the first 32768 bytes; "
    "this is not a kernel that a Multiboot loader can boot",
    ("boot", KERNEL, "-kernel", KERNEL): "IMAGE and -kernel name two things to boot; give one of them",
    ("boot", KERNEL, "-initrd", "text"): "-initrd brings modules for a -kernel; give that too",
    ("boot", "-kernel", KERNEL, "-initrd", ","): "-initrd ',': an entry names no file; "
    "write 'FILE ARGS,FILE ARGS'",
    ("boot", "-kernel", KERNEL, "-initrd", "absent x"): "absent: cannot be read: No such file or directory",
    (
        "boot",
        KERNEL,
        "--cpu",
        "i9",
    ): "i9: no such processor profile; there are: cortex-a53, cortex-a57, cortex-a72, "
    "cortex-a9, i486, pentium, skylake, zen4, or give a .toml file",
    ("boot", KERNEL, "--cpu", "cortex-a57"): "cortex-a57: a processor of aarch64, and x86_64 is wanted; "
    "there are: i486, pentium, skylake, zen4",
    ("boot", KERNEL, "--cpu", "absent.toml"): "absent.toml: cannot be read: No such file or directory",
    ("boot", KERNEL, "-hda", "absent"): "disk image absent cannot be read: No such file or directory",
    ("boot", KERNEL, "-hda", "/dev/zero"): "disk image /dev/zero is neither a file nor a disk",
    ("boot", KERNEL, "-hda", "/"): "disk image / cannot be read: Is a directory",
    ("boot", KERNEL, "-hda", "empty"): "disk image empty is empty; give it at least one sector of 512 bytes",
    ("boot", KERNEL, "--disk-write"): "--disk-write is about the disk of -hda; give that too",
    (
        "boot",
        KERNEL,
        "-hda",
        "text",
        "--disk-write",
        "-snapshot",
    ): "-snapshot and --disk-write contradict each other; give one",
    ("boot", KERNEL, "--exit-on", "("): "--exit-on (: not a regular expression: missing ), unterminated "
    "subpattern at position 0",
    ("boot", KERNEL, "--exit-on", ""): "--exit-on '' matches before anything is printed; "
    "give one that needs some text",
    ("boot", KERNEL, "--exit-on", "x*"): "--exit-on 'x*' matches before anything is printed; "
    "give one that needs some text",
    ("boot", KERNEL, "--exit-on", "\udcff"): "--exit-on holds bytes that are not UTF-8; write them as \\xNN",
    ("boot", "/dev/zero"): "/dev/zero: cannot be read: it is neither a file nor a pipe",
    ("boot", KERNEL, "--replay", "text"): "input log text, line 1: not the header of a log "
    "(ringscope-input 1 hz=...)",
    (
        "boot",
        KERNEL,
        "--replay",
        "log",
    ): "input log log, line 3: expected a later CYCLE and HEX or 'end': '50 62'",
    ("boot", KERNEL, "--replay", "log", "--log-input", "x"): "--replay types what a log says: "
    "there is no input to log",
    ("boot", KERNEL, "--replay", "log", "--serial", "none"): "--replay types at the console, "
    "which --serial none takes away",
    ("boot", KERNEL, "--log-input", "x", "--serial", "none"): "--log-input logs what is typed, "
    "and --serial none takes no input",
    ("stat", KERNEL, "-x", ""): "-x needs something to put between the fields, as in -x,",
    ("stat", KERNEL, "--json", "nowhere/file"): "nowhere/file: cannot be written: No such file or directory",
    ("stat", KERNEL, "-o", "/"): "/: cannot be written: Is a directory",
    ("stat", KERNEL, "-o", "x", "--json", "x"): "--json and -o name one file, x; give two",
    (
        "cpu",
        "show",
        "i9",
    ): "i9: no such processor profile; there are: cortex-a53, cortex-a57, cortex-a72, "
    "cortex-a9, i486, pentium, skylake, zen4, or give a .toml file",
}


@pytest.mark.parametrize("words", USAGE, ids=" ".join)
def test_a_command_line_that_makes_no_sense_is_one_sentence_and_a_hint(words, ringscope):
    said = ringscope(*words)
    assert (said.status, said.out) == (2, "")
    assert said.err == f"ringscope: {USAGE[words]}\n{TRY_HELP}\n"


@pytest.mark.parametrize("words", INPUT, ids=" ".join)
def test_input_that_cannot_be_used_is_one_sentence(words, ringscope):
    said = ringscope(*words)
    assert (said.status, said.out) == (2, "")
    assert said.err == f"ringscope: {INPUT[words]}\n"


def test_a_profile_with_a_hole_is_named_with_the_hole(ringscope):
    said = ringscope("boot", KERNEL, "--cpu", "profile.toml")
    assert said.status == 2
    assert said.err.startswith("ringscope: profile.toml: ")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(("words", "missing"), [((), "ringscope"), (("cpu",), "ringscope cpu")])
def test_a_missing_command_is_said_with_where_to_read_of_them(words, missing, ringscope):
    said = ringscope(*words)
    assert said.status == 2
    assert said.err == f"ringscope: the following arguments are required: COMMAND\nTry '{missing} --help'.\n"


@pytest.mark.parametrize(
    "words", [("--help",), ("boot", "-help"), ("stat", "-h"), ("ipc", "--help")], ids=" ".join
)
def test_help_is_short_and_on_stdout(words, ringscope):
    said = ringscope(*words)
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith("usage: ringscope")
    assert len(said.out.splitlines()) < 75


def test_a_log_of_typing_needs_a_terminal(folder, tmp_path):
    said = command_line.ringscope("boot", KERNEL, "--log-input", tmp_path / "log", typed=b"x", folder=folder)
    assert (said.status, said.out) == (2, "")
    assert said.err == (
        "ringscope: --log-input logs what is typed at a terminal, and standard input is none; "
        "what comes from a file or a pipe is the same in every run without a log\n"
    )
    assert not (tmp_path / "log").exists()


def test_input_that_cannot_be_read_is_one_sentence(folder):
    with Path("/dev/null").open("wb") as unreadable:
        done = subprocess.run(
            command("boot", KERNEL),
            stdin=unreadable,
            capture_output=True,
            check=False,
            timeout=TIMEOUT,
            cwd=folder,
            env=environment(folder),
        )
    assert done.returncode == 2
    assert done.stderr.startswith(b"ringscope: standard input cannot be read: Bad file descriptor")


def test_a_replay_that_the_guest_does_not_listen_to_is_one_sentence(folder, ringscope):
    (folder / "early").write_text("ringscope-input 1 hz=4000000000\n1000 61\n")
    said = ringscope("boot", str(small_kernels.write("spin", folder)), "--replay", "early")
    assert said.status == 2
    assert "early, line 2: the guest does not listen at cycle 1000" in said.err
    assert "Traceback" not in said.err
