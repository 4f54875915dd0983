# SPDX-License-Identifier: GPL-2.0-or-later
"""A run saved by one command and gone on with by another is one run: console, counters, status."""

from __future__ import annotations

import json
import subprocess

import pytest

from ringscope.bootimage.bundled import bundled_image
from ringscope.emulator.snapshot import load
from tests.machine import small_kernels
from tests.machine.command_line import TIMEOUT, command, environment, ringscope

LIMIT, MIDDLE = 12_000_000, 2_000_000
ARCHITECTURES = ("x86_64", "aarch64")


def counted(folder, *words, name: str):
    """Run ``stat`` to LIMIT in the folder; return what it said, and the JSON but for what was asked."""
    said = ringscope("stat", *words, "--limit-cycles", LIMIT, "--json", name, folder=folder)
    found = json.loads((folder / name).read_text())
    return said, {key: value for key, value in found.items() if key not in ("image", "host")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("snapshots")
    for name in ("echo", "exit-3", "serial", "write-disk"):
        small_kernels.write(name, made)
    return made


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_bundled_system_goes_on_from_its_snapshot_with_the_counters_of_one_run(arch: str, folder) -> None:
    image = bundled_image(arch)
    plain, expected = counted(folder, image, name="plain")
    options = ("--save-snapshot", f"saved-{arch}", "--at-cycle", MIDDLE)
    first, saving = counted(folder, image, *options, name="saving")
    assert (first.out, first.status, saving) == (plain.out, plain.status, expected)
    second, restored = counted(folder, "--from-snapshot", f"saved-{arch}", name="restored")
    assert (second.status, restored) == (plain.status, expected)
    assert plain.out.endswith(second.out)
    assert load(folder / f"saved-{arch}").cycle in range(MIDDLE, MIDDLE + 10_000)


def test_a_run_ends_with_the_guest_s_status_wherever_it_was_begun(folder) -> None:
    saved = ringscope("boot", "exit-3.bin", "--save-snapshot", "end", folder=folder)
    gone_on = ringscope("boot", "--from-snapshot", "end", folder=folder)
    assert (saved.status, gone_on.status) == (3, 3)
    assert (saved.err, gone_on.err) == ("", "")


def test_what_was_not_typed_yet_is_typed_after_the_snapshot(folder) -> None:
    """The echo ends at a q; a cycle in its middle leaves some bytes, read from the pipe and not given."""
    whole = ringscope("boot", "echo.bin", typed=b"hello q", folder=folder)
    options = ("--save-snapshot", "typing", "--at-cycle", "1M", "--limit-cycles", "2M")
    first = ringscope("boot", "echo.bin", *options, typed=b"hello ", folder=folder)
    assert first.status == 124
    rest = ringscope("boot", "--from-snapshot", "typing", typed=b"q", folder=folder)
    assert (whole.status, rest.status) == (7, 7)
    assert whole.out.endswith(rest.out)
    assert 1 < len(rest.out) < len(whole.out)


def test_an_end_before_the_cycle_is_said_and_saved(folder) -> None:
    said = ringscope("boot", "exit-3.bin", "--save-snapshot", "early", "--at-cycle", "1G", folder=folder)
    assert said.status == 3
    assert "before --at-cycle 1000000000; the snapshot is of its end" in said.err
    assert ringscope("boot", "--from-snapshot", "early", folder=folder).status == 3


def test_a_snapshot_asked_for_at_ctrl_c_is_of_where_the_run_was(folder) -> None:
    small_kernels.write("chatter", folder)
    with subprocess.Popen(
        command("boot", "chatter.bin", "--save-snapshot", "interrupted"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env=environment(folder),
    ) as run:
        assert run.stdout.read(100)
        run.send_signal(subprocess.signal.SIGINT)
        run.communicate(timeout=TIMEOUT)
    assert run.returncode == 130
    assert load(folder / "interrupted").cycle > 0


REFUSED = {
    ("--from-snapshot", "absent"): "snapshot absent cannot be read: No such file or directory",
    ("--from-snapshot", "exit-3.bin"): "snapshot exit-3.bin is damaged, or no snapshot at all",
    ("--from-snapshot", "."): "snapshot . cannot be read: Is a directory",
    ("--from-snapshot", "end", "exit-3.bin"): "--from-snapshot goes on with what was booted; "
    "leave out what to boot",
    ("--from-snapshot", "end", "-append", "x"): "--from-snapshot goes on with what was booted; "
    "leave out what to boot",
    ("--from-snapshot", "end", "-m", "32M"): "snapshot end: it was made with 67108864 bytes of memory, "
    "and this machine has 33554432 bytes of memory",
    ("--from-snapshot", "end", "--fidelity", "functional"): "snapshot end: it was made with fidelity timing, "
    "and this machine has fidelity functional",
    ("--from-snapshot", "end", "--arch", "aarch64"): "snapshot end: it was made with architecture x86_64, "
    "and this machine has architecture aarch64",
    ("--from-snapshot", "end", "--cpu", "zen4"): "snapshot end: it was made with profile skylake, "
    "and this machine has profile zen4",
    ("--from-snapshot", "end", "-hda", "exit-3.bin"): "snapshot end: it was made without a disk, "
    "and this machine has one; leave it out",
    ("exit-3.bin", "--at-cycle", "1M"): "--at-cycle says when to save; give --save-snapshot too",
    ("exit-3.bin", "--save-snapshot", "x", "--at-cycle", "2M", "--limit-cycles", "1M"): "--at-cycle is not "
    "before --limit-cycles: it never comes",
    ("exit-3.bin", "--save-snapshot", "absent/x"): "snapshot absent/x cannot be written: "
    "No such file or directory",
    (
        "exit-3.bin",
        "--save-snapshot",
        ".",
    ): "snapshot . cannot be written: there is something that is not a file",
}


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_a_snapshot_that_cannot_be_used_is_refused_in_one_sentence(words, folder) -> None:
    if not (folder / "end").exists():
        assert ringscope("boot", "exit-3.bin", "--save-snapshot", "end", folder=folder).status == 3
    said = ringscope("boot", *words, folder=folder)
    assert (said.status, said.out) == (2, "")
    assert said.err.splitlines()[0] == f"ringscope: {REFUSED[words]}"


def test_a_disk_is_the_same_and_what_was_written_to_it_is_kept(folder) -> None:
    (folder / "disk").write_bytes(bytes(512 * 8))
    first = ringscope("boot", "write-disk.bin", "-hda", "disk", "--save-snapshot", "with-disk", folder=folder)
    sectors = dict(load(folder / "with-disk").state["parts"]["board"]["state"])
    assert sectors["disk"]["state"]["disk"]["state"]["overlay"]["dict"]
    assert (folder / "disk").read_bytes() == bytes(512 * 8)
    again = ringscope("boot", "--from-snapshot", "with-disk", "-hda", "disk", folder=folder)
    assert (again.status, again.err) == (first.status, first.err)
    (folder / "disk").write_bytes(b"x" * 512 * 8)
    refused = ringscope("boot", "--from-snapshot", "with-disk", "-hda", "disk", folder=folder)
    assert refused.status == 2
    assert "it was made with a disk that held something else than disk does" in refused.err
