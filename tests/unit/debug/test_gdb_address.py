# SPDX-License-Identifier: GPL-2.0-or-later
"""Where gdb may attach, as users write it."""

from __future__ import annotations

import socket

import pytest

from ringscope.emulator.debug.gdb.address import Address, BadAddress, Listener, parse


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (":1234", "127.0.0.1:1234"),
        ("tcp::1234", "127.0.0.1:1234"),
        ("localhost:99", "localhost:99"),
        ("tcp:10.0.0.1:5", "10.0.0.1:5"),
        ("unix:here", "here"),
        ("a/b", "a/b"),
    ],
)
def test_a_place_is_a_port_or_a_path(text, shown) -> None:
    assert str(parse(text)) == shown


@pytest.mark.parametrize("text", ["", ":", "1234", ":x", ":70000", "host:", ":-1", ":1²"])
def test_what_is_no_place_is_refused(text) -> None:
    with pytest.raises(BadAddress, match="write :PORT"):
        parse(text)


def test_a_path_must_not_be_empty() -> None:
    with pytest.raises(BadAddress, match="names no socket"):
        parse("unix:")


def test_port_0_is_any_that_is_free() -> None:
    listener = Listener(parse(":0"))
    assert listener.address.port > 0
    listener.close()


def test_a_port_that_is_taken_is_refused_with_the_reason() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BadAddress, match=f"127.0.0.1:{port}: Address already in use"):
            Listener(Address(port=port))


def test_a_file_in_the_way_of_a_socket_is_left_alone(tmp_path) -> None:
    (tmp_path / "s").write_text("mine")
    with pytest.raises(BadAddress, match="already in use"):
        Listener(Address(path=tmp_path / "s"))
    assert (tmp_path / "s").read_text() == "mine"


def test_a_socket_in_the_file_system_goes_with_its_listener(tmp_path) -> None:
    listener = Listener(Address(path=tmp_path / "s"))
    assert (tmp_path / "s").is_socket()
    listener.close()
    assert not (tmp_path / "s").exists()
