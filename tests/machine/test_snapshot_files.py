# SPDX-License-Identifier: GPL-2.0-or-later
"""A snapshot in a file comes back as it was; a file that is damaged or something else is refused."""

from __future__ import annotations

import errno
import json
import os
import zipfile

import pytest

from ringscope.bootimage import BootRequest
from ringscope.emulator.devices.disk_image import SECTOR, DiskImage
from ringscope.emulator.machine import Machine, MachineConfig
from ringscope.emulator.snapshot import SnapshotError, check_writable, file, load, save
from tests.guest import catalogue
from tests.guest.machines import disk_content
from tests.machine import whole

GUESTS = ("system_call", "aarch64/system_call")
STOP_CYCLE = 400_000


def image(name: str):
    return catalogue.build(catalogue.by_name(name))


@pytest.fixture
def machine():
    observed = whole.Observed(image("system_call"))
    assert observed.machine.run_until_cycle(STOP_CYCLE) is None
    yield observed.machine
    observed.machine.engine.close()


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A snapshot's file, as bytes."""
    observed = whole.Observed(image("system_call"))
    observed.machine.run_until_cycle(STOP_CYCLE)
    path = tmp_path_factory.mktemp("kept") / "kept"
    save(observed.machine.snapshot(), path)
    observed.machine.engine.close()
    return path.read_bytes()


@pytest.mark.parametrize("name", GUESTS)
def test_a_run_goes_on_from_a_file_as_it_would_have(name: str, tmp_path) -> None:
    expected = whole.run(image(name), whole.freely)
    observed = whole.Observed(image(name))
    assert observed.machine.run_until_cycle(STOP_CYCLE) is None
    save(observed.machine.snapshot(), tmp_path / "saved")
    observed.machine.engine.close()
    other = Machine(observed.machine.config, observed._print)
    other.restore(load(tmp_path / "saved"))
    end = None
    while end is None:
        end = other.advance()
    assert (end, bytes(observed.output)) == (expected.exit, expected.output)
    assert (other.books(), other.ledger(), other.engine.time) == (
        expected.books,
        expected.ledger,
        expected.time,
    )
    other.engine.close()


def test_a_file_holds_all_that_a_snapshot_holds_but_what_was_written_to_memory_at_the_boot(
    machine, tmp_path
) -> None:
    saved = machine.snapshot()
    save(saved, tmp_path / "saved")
    found = load(tmp_path / "saved")
    assert (found.configuration, found.state, found.parts) == (saved.configuration, saved.state, saved.parts)
    assert (found.pages, found.cycle) == (saved.pages, saved.cycle)
    assert found.image.kernel_elf == saved.image.kernel_elf
    assert found.image.modules == saved.image.modules
    assert found.image.writes == ()


def test_equal_machines_give_equal_files(machine, tmp_path, kept) -> None:
    save(machine.snapshot(), tmp_path / "saved")
    assert (tmp_path / "saved").read_bytes() == kept


# ---- files that are none ----


def test_every_way_of_cutting_a_file_short_is_noticed(kept, tmp_path) -> None:
    path = tmp_path / "short"
    for length in (0, 1, 100, len(kept) // 2, len(kept) - 1):
        path.write_bytes(kept[:length])
        with pytest.raises(SnapshotError, match="is damaged, or no snapshot at all"):
            load(path)


def changed(kept, path, at: int):
    path.write_bytes(kept[:at] + bytes((kept[at] ^ 0x5A,)) + kept[at + 1 :])


@pytest.mark.parametrize("member", [file.MANIFEST, file.STATE, file.RAM, "core/books[0]", "kernel"])
def test_a_byte_changed_in_a_member_is_noticed(kept, tmp_path, member: str) -> None:
    (tmp_path / "kept").write_bytes(kept)
    with zipfile.ZipFile(tmp_path / "kept") as archive:
        entry = archive.getinfo(member)
    behind_header = entry.header_offset + 30 + len(member) + 20  # and the sizes of a large member
    changed(kept, tmp_path / "changed", behind_header + entry.compress_size // 2)
    with pytest.raises(SnapshotError, match="is damaged"):
        load(tmp_path / "changed")


def test_a_byte_changed_anywhere_never_gives_another_machine(kept, tmp_path) -> None:
    (tmp_path / "kept").write_bytes(kept)
    true = load(tmp_path / "kept")
    noticed = 0
    for at in range(17, len(kept), len(kept) // 50):
        changed(kept, tmp_path / "changed", at)
        try:
            found = load(tmp_path / "changed")
        except SnapshotError:
            noticed += 1
        else:  # in what a zip says twice, or of no importance
            assert (found.state, found.parts, found.pages) == (true.state, true.parts, true.pages)
    assert noticed > 40


def another_zip(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme", "no snapshot")


def rewritten(kept, path, change):
    """Write a snapshot whose manifest was changed."""
    (path.parent / "original").write_bytes(kept)
    with zipfile.ZipFile(path.parent / "original") as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == file.MANIFEST:
                manifest = json.loads(data)
                change(manifest)
                data = json.dumps(manifest).encode()
            new.writestr(name, data)


def test_another_zip_is_no_snapshot(tmp_path) -> None:
    another_zip(tmp_path / "zip")
    with pytest.raises(SnapshotError, match="no snapshot at all"):
        load(tmp_path / "zip")


@pytest.mark.parametrize("key", ["format", "version"])
def test_a_file_of_another_version_is_refused_with_that_version(kept, tmp_path, key: str) -> None:
    def older(manifest):
        if key == "format":
            manifest["format"] += 1
        manifest["configuration"]["version"] = "0.0.7"

    rewritten(kept, tmp_path / "older", older)
    with pytest.raises(SnapshotError, match=r"was made by ringscope 0\.0\.7, and this is"):
        load(tmp_path / "older")


def test_pages_that_the_manifest_does_not_count_are_noticed(kept, tmp_path) -> None:
    rewritten(kept, tmp_path / "fewer", lambda manifest: manifest["pages"].pop())
    with pytest.raises(SnapshotError, match="damaged"):
        load(tmp_path / "fewer")


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path) -> None:
    with pytest.raises(SnapshotError, match="cannot be read: No such file"):
        load(tmp_path / "none")


def test_a_state_that_names_no_chip_of_the_machine_is_refused(machine, kept, tmp_path) -> None:
    (tmp_path / "kept").write_bytes(kept)
    saved = load(tmp_path / "kept")
    saved.state["events"].append([1, 99, "board.cookie:bake"])
    with pytest.raises(SnapshotError, match="is damaged"):
        machine.restore(saved)


# ---- places to write to ----


def test_a_disk_that_is_full_leaves_the_file_that_was_there_and_nothing_else(
    machine, tmp_path, monkeypatch
) -> None:
    path = tmp_path / "saved"
    path.write_text("before")

    def full(_descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SnapshotError, match="cannot be written: No space left"):
        save(machine.snapshot(), path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["saved"]
    assert path.read_text() == "before"


def test_a_link_stays_a_link_to_the_file_that_is_written(machine, tmp_path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    save(machine.snapshot(), tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert load(tmp_path / "target").cycle == machine.engine.time


def test_a_device_or_a_folder_is_not_replaced(tmp_path) -> None:
    for path in (tmp_path, type(tmp_path)("/dev/null")):
        with pytest.raises(SnapshotError, match="not a file"):
            check_writable(path)


def test_a_folder_that_is_not_there_is_noticed_before_the_run(tmp_path) -> None:
    with pytest.raises(SnapshotError, match="cannot be written: No such file"):
        check_writable(tmp_path / "none" / "saved")


# ---- disks ----

SECTORS = 64
BOARDS = ("x86_64", "aarch64")


def disk_machine(path, arch: str = "x86_64", *, writable: bool = False) -> Machine:
    return Machine(MachineConfig(arch=arch), lambda _: None, DiskImage(path, writable=writable))


@pytest.fixture
def disk(tmp_path):
    path = tmp_path / "disk"
    path.write_bytes(b"".join(bytes((number,)) * SECTOR for number in range(SECTORS)))
    return path


@pytest.mark.parametrize("arch", BOARDS)
def test_sectors_written_over_a_file_are_in_the_snapshot(arch: str, disk, tmp_path) -> None:
    machine = disk_machine(disk, arch)
    machine.disk.write(5, b"\xee" * SECTOR)
    save(machine.snapshot(), tmp_path / "saved")
    other = disk_machine(disk, arch)
    other.restore(load(tmp_path / "saved"))
    assert other.disk.read(5) == b"\xee" * SECTOR
    assert other.disk.read(6) == b"\x06" * SECTOR
    for each in (machine, other):
        each.engine.close()


def test_a_disk_that_holds_something_else_now_is_refused(disk, tmp_path) -> None:
    machine = disk_machine(disk)
    save(machine.snapshot(), tmp_path / "saved")
    machine.engine.close()
    disk.write_bytes(bytes(SECTORS * SECTOR))
    other = disk_machine(disk)
    with pytest.raises(SnapshotError, match="a disk that held something else"):
        other.restore(load(tmp_path / "saved"))
    other.engine.close()


def test_a_disk_that_the_guest_wrote_to_is_known_again_as_it_was_left(disk, tmp_path) -> None:
    machine = disk_machine(disk, writable=True)
    machine.disk.write(5, b"\xee" * SECTOR)
    save(machine.snapshot(), tmp_path / "saved")
    machine.disk.close()
    machine.engine.close()
    other = disk_machine(disk)
    other.restore(load(tmp_path / "saved"))
    assert other.disk.read(5) == b"\xee" * SECTOR
    other.engine.close()


def test_a_machine_whose_disk_was_written_since_cannot_go_back(disk) -> None:
    machine = disk_machine(disk, writable=True)
    saved = machine.snapshot()
    machine.disk.write(5, b"\xee" * SECTOR)
    with pytest.raises(SnapshotError, match="which cannot be undone"):
        machine.restore(saved)
    machine.engine.close()


@pytest.mark.parametrize(
    ("with_disk", "said"), [(True, "this machine has none"), (False, "this machine has one")]
)
def test_a_disk_too_many_or_too_few_is_refused(disk, with_disk: bool, said: str) -> None:
    bare, full = Machine(MachineConfig(), lambda _: None), disk_machine(disk)
    saved, other = (full, bare) if with_disk else (bare, full)
    with pytest.raises(SnapshotError, match=said):
        other.restore(saved.snapshot())
    for each in (bare, full):
        each.engine.close()


@pytest.mark.parametrize("name", ["disk", "aarch64/disk"])
def test_a_transfer_in_its_middle_is_finished_by_the_machine_that_takes_over(name: str, tmp_path) -> None:
    """Handed on so often that some of them lie within a command."""
    program = catalogue.by_name(name)
    contents = tmp_path / "disk"
    contents.write_bytes(disk_content())

    def start():
        arch = "aarch64" if name.startswith("aarch64") else "x86_64"
        output = bytearray()
        return Machine(MachineConfig(whole.RAM_BYTES, arch=arch), output.extend, DiskImage(contents)), output

    alone, printed = start()
    alone.load(alone.system.read_image(BootRequest(catalogue.build(program))))
    end = alone.run(program.limit_cycles)
    cycles = [alone.engine.time * part // 40 for part in range(1, 40)]
    machine, output = start()
    machine.load(machine.system.read_image(BootRequest(catalogue.build(program))))
    busy = 0
    for cycle in cycles:
        assert machine.run_until_cycle(cycle) is None
        busy += machine.board.disk.expecting
        saved, so_far = machine.snapshot(), bytes(output)
        machine.engine.close()
        machine, output = start()
        output += so_far
        machine.restore(saved)
    assert machine.run(program.limit_cycles) == end
    assert (bytes(output), machine.books()) == (bytes(printed), alone.books())
    assert busy
