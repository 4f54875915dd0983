# SPDX-License-Identifier: GPL-2.0-or-later
"""The bundled system recorded once for all tests that read a recording."""

from __future__ import annotations

import json
from dataclasses import astuple
from typing import TYPE_CHECKING

from tests.machine.command_line import Said, ringscope

if TYPE_CHECKING:
    from pathlib import Path

#: With little memory, of which the kernel looks at every page as it boots.
SYSTEM = ("-m", "8M")


FORMS = ("data", "folded", "callgrind")


def record(folder: Path, arch: str) -> None:
    """Record the system in every form, report it, and count it in a run without."""
    data, folded, callgrind = (folder / name for name in FORMS)
    forms = ("-o", data, "--folded", folded, "--callgrind", callgrind)
    said = ringscope("record", "--arch", arch, *SYSTEM, *forms)
    plain = ringscope("stat", "--arch", arch, *SYSTEM, "--json", folder / "stat.json")
    (folder / "report.json").write_text(ringscope("report", data, "--json", "-").out)
    (folder / "said.json").write_text(json.dumps([astuple(said), astuple(plain)]))


class Recorded:
    """What ``record`` made: the recording in every form, its report, and the counters of a run without."""

    def __init__(self, folder: Path) -> None:
        self.data, self.folded, self.callgrind = (folder / name for name in FORMS)
        self.said, self.plain = (Said(*parts) for parts in json.loads((folder / "said.json").read_text()))
        self.counters = json.loads((folder / "stat.json").read_text())["counters"]
        self.report = json.loads((folder / "report.json").read_text())
