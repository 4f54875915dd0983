# SPDX-License-Identifier: GPL-2.0-or-later
"""What is written is whole or untouched, and what is no regular file stays one; what is read has an end."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from ringscope.bootimage import ImageError, files
from ringscope.bootimage.whole_file import WholeFile
from ringscope.emulator.machine import RAM_MOST


def test_a_file_appears_only_when_it_is_complete(tmp_path):
    with WholeFile(tmp_path / "image") as file:
        assert not (tmp_path / "image").exists()
        file.write(b"whole")
    assert (tmp_path / "image").read_bytes() == b"whole"
    assert len(list(tmp_path.iterdir())) == 1


def test_what_is_not_finished_leaves_the_old_content_and_nothing_else(tmp_path):
    (tmp_path / "image").write_bytes(b"old")
    with pytest.raises(KeyError), WholeFile(tmp_path / "image"):
        raise KeyError
    assert (tmp_path / "image").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_fifo_is_written_and_stays_a_fifo(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    read = []
    reader = threading.Thread(target=lambda: read.append(fifo.read_bytes()), daemon=True)
    reader.start()
    files.write_whole(fifo, b"through")
    reader.join(10)
    assert read == [b"through"]
    assert stat.S_ISFIFO(fifo.stat().st_mode)


def test_a_symbolic_link_stays_one_and_what_it_names_is_written(tmp_path):
    file, link = tmp_path / "there" / "image", tmp_path / "link"
    file.parent.mkdir()
    link.symlink_to(file)
    files.write_whole(link, b"first")
    files.write_whole(link, b"second")
    assert link.is_symlink()
    assert file.read_bytes() == b"second"
    assert len(list(file.parent.iterdir())) == 1


def test_a_file_keeps_the_permissions_of_the_one_it_replaces(tmp_path):
    file = tmp_path / "image"
    file.write_bytes(b"old")
    file.chmod(0o640)
    files.write_whole(file, b"new")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_new_file_has_the_permissions_that_the_user_gives_new_files(tmp_path):
    before = os.umask(0o027)
    try:
        files.write_whole(tmp_path / "image", b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "image").stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("name", "reason"), [("absent/image", "No such file or directory"), (".", "Is a directory")]
)
def test_what_cannot_be_written_is_one_sentence(name, reason, tmp_path):
    with pytest.raises(ImageError, match=f": cannot be written: {reason}$"):
        files.write_whole(tmp_path / name, b"")


@pytest.fixture
def largest(monkeypatch):
    """A limit of 8 bytes for what is read."""
    monkeypatch.setattr(files, "LARGEST", 8)


@pytest.mark.usefixtures("largest")
def test_a_file_as_large_as_the_limit_is_read(tmp_path):
    (tmp_path / "file").write_bytes(b"12345678")
    assert files.read(tmp_path / "file") == b"12345678"


@pytest.mark.usefixtures("largest")
def test_a_larger_file_is_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"123456789")
    with pytest.raises(ImageError, match=r"file: cannot be read: it is larger than 0 GiB, the most memory"):
        files.read(tmp_path / "file")


@pytest.mark.usefixtures("largest")
@pytest.mark.parametrize(("written", "is_read"), [(b"1234", True), (b"1234567890", False)])
def test_a_pipe_is_read_up_to_its_end_or_the_limit(written, is_read, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    threading.Thread(target=lambda: fifo.write_bytes(written), daemon=True).start()
    if is_read:
        assert files.read(fifo) == written
    else:
        with pytest.raises(ImageError, match="larger than"):
            files.read(fifo)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_device_is_refused_because_it_may_have_no_end(device):
    with pytest.raises(ImageError, match=f"^{device}: cannot be read: it is neither a file nor a pipe$"):
        files.read(Path(device))


def test_a_file_may_be_as_large_as_the_largest_memory():
    assert files.LARGEST == RAM_MOST
