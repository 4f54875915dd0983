# SPDX-License-Identifier: GPL-2.0-or-later
"""The bundled system recorded once for all tests that read a recording."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.machine.command_line import ringscope

if TYPE_CHECKING:
    from pathlib import Path

#: With little memory, of which the kernel looks at every page as it boots.
SYSTEM = ("-m", "8M")


class Recorded:
    """Its recording in every form, its report, and its counters from a run without."""

    def __init__(self, folder: Path, arch: str) -> None:
        self.data, self.folded, self.callgrind = (folder / name for name in ("data", "folded", "callgrind"))
        forms = ("-o", self.data, "--folded", self.folded, "--callgrind", self.callgrind)
        self.said = ringscope("record", "--arch", arch, *SYSTEM, *forms)
        counted = folder / "stat.json"
        self.plain = ringscope("stat", "--arch", arch, *SYSTEM, "--json", counted)
        self.counters = json.loads(counted.read_text())["counters"]
        self.report = json.loads(ringscope("report", self.data, "--json", "-").out)
