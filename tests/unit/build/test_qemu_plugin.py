# SPDX-License-Identifier: GPL-2.0-or-later
"""What the build of QEMU's plugin reads of apt's configuration, and how it refuses."""

from __future__ import annotations

import pytest

from ringscope.tools.build import qemu_plugin


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Types: deb\nSuites: stable\n", "Types: deb deb-src\nSuites: stable\n"),
        ("Types: deb deb-src\n", "Types: deb deb-src\n"),
        ("deb cdrom:/ stable main\n", "deb cdrom:/ stable main\ndeb-src cdrom:/ stable main\n"),
        ("# deb cdrom:/ stable main\n", "# deb cdrom:/ stable main\n"),
    ],
)
def test_a_source_of_packages_becomes_one_of_sources_too(before: str, after: str) -> None:
    assert qemu_plugin._with_sources(before) == after


def test_without_apt_the_refusal_names_what_is_missing(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(qemu_plugin.PluginMissing, match="apt-get is not installed"):
        qemu_plugin.cache_plugin(tmp_path)
