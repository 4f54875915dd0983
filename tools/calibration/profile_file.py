# SPDX-License-Identifier: GPL-2.0-or-later
"""A profile of this host from the figures measured on it: values in place of those of a bundled profile.

What was not measured keeps the bundled value and says so: it is an estimate here, whatever it was there.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ringscope.emulator.timing import profile as profiles
from ringscope.tools.calibration.snippets import CODE_LINE, COMPARED

if TYPE_CHECKING:
    from collections.abc import Mapping

UNITS = 64  # of "cycles/64"
TLB_STEP = 3  # cycles by which a load is longer when its page is not in the first level
SYSFS = Path("/sys/devices/system/cpu/cpu0/cache")
LEVELS = {(1, "Data"): "l1d", (1, "Instruction"): "l1i", (2, "Unified"): "l2", (3, "Unified"): "llc"}
SIZE_UNITS = {"K": 1 << 10, "M": 1 << 20}
#: By maker, as CPUID and the host's kernel name it: the profile whose values stand for what is not measured.
BASES = {"AuthenticAMD": "zen4"}
OTHER_BASE = "skylake"
HEADER = """# SPDX-License-Identifier: GPL-2.0-or-later
# A profile that `ringscope cpu calibrate` measured on a host. What user mode cannot measure is an estimate.
"""


def base_of(description: str) -> str:
    """Return the bundled profile nearest to a host, from what ``/proc/cpuinfo`` says of its processors."""
    fields = (line.partition(":") for line in description.splitlines())
    maker = next((value.strip() for name, _, value in fields if name.strip() == "vendor_id"), "")
    return BASES.get(maker, OTHER_BASE)


def _geometry() -> dict[str, tuple[int, str]]:
    """Return the sizes of the caches as the host's kernel has them from the processor."""
    found: dict[str, tuple[int, str]] = {}
    for folder in sorted(SYSFS.glob("index*")):
        read = {name: (folder / name).read_text().strip() for name in ("level", "type", "size")}
        name = LEVELS.get((int(read["level"]), read["type"]))
        if name is None:
            continue
        size = int(read["size"][:-1]) * SIZE_UNITS[read["size"][-1]]
        ways = int((folder / "ways_of_associativity").read_text())
        line = int((folder / "coherency_line_size").read_text())
        source = "measured: by the host's kernel, from the processor's own description"
        found |= {
            f"{name}.size": (size, source),
            f"{name}.ways": (ways, source),
            f"{name}.line": (line, source),
        }
    return found


def _mispredict(branches: Mapping[str, float], load: float) -> float:
    """Return the cycles from a branch's answer to the first instruction where it leads.

    Of the random branches every second one is not foreseen. The round behind it takes those cycles, then its
    load, the comparison and its branch; the other rounds take what a foreseen one does.
    """
    foreseen, unforeseen = branches["foreseen"], branches["unforeseen"]
    return 2 * unforeseen - foreseen - load - COMPARED


def _measured(figures: Mapping[str, Any]) -> dict[str, tuple[int, str]]:
    """Return value and source of what was measured, by its path in a profile."""
    latency, throughput, ladder = figures["latency"], figures["throughput"], figures["ladder"]
    frequency = round(figures["frequency"] / 1e6) * 1_000_000
    width = max(1, round(1 / throughput["nop"]))
    values = {
        "core.frequency": (
            frequency,
            "measured: a chain of additions, one a cycle, against the host's clock",
        ),
        "issue.width": (width, "measured: NOPs in a cycle"),
        "predictor.mispredict": (
            round(_mispredict(figures["branches"], ladder["l1"])),
            "measured: random against foreseen branches, less what they wait for",
        ),
        "pipeline.forward": (max(1, round(figures["forward"])), "measured: a load behind the store it reads"),
        "pipeline.taken_interval": (max(1, round(figures["taken_interval"])), "measured: jumps"),
        "pipeline.call_interval": (max(1, round(figures["call_interval"])), "measured: calls that return"),
    }
    for name, cycles in figures["stores"].items():
        values[f"pipeline.{name}"] = (round(cycles * UNITS), "measured: independent stores")
    loads = figures["loads"]
    crosses = figures["crossing"] > figures["taken_interval"] + 0.5  # of a cycle more, whether it takes one
    values["pipeline.code_line"] = (
        CODE_LINE if crosses else 0,
        "measured: whether jumps to the end of a line of so many bytes take a cycle more",
    )
    values["pipeline.scaled_index"] = (
        max(0, round(loads["scaled_index"] - ladder["l1"])),
        "measured: a chain of such loads, less one of others",
    )
    values["pipeline.latency.load_vector"] = (
        round(loads["load_vector"] - latency["sse_move"]),
        "measured: a chain of such loads and moves, less the moves",
    )
    sweep = figures["sweep"]
    values["pipeline.line_interval"] = (
        round(sweep["l2"]),
        "measured: lines of the second level, one behind the other",
    )
    values["pipeline.fill_buffers"] = (
        max(1, round((ladder["llc"] - ladder["l1"]) / sweep["llc"])),
        "measured: lines of the third level that come while one is waited for, prefetched ones among them",
    )
    far = round(ladder["memory"])
    llc = min(round(ladder["llc"]), far)
    for name, cycles in (("l1", ladder["l1"]), ("l2", ladder["l2"]), ("llc", llc), ("memory", llc)):
        values[f"latency.{name}"] = (round(cycles), "measured: a ring of loads that fits this level")
    beyond = round((far - llc) * 1e9 / frequency)
    values["latency.memory_beyond"] = (
        beyond,
        "measured: a ring of loads that fits no cache, less latency.memory",
    )
    for name, cycles in latency.items():
        values[f"pipeline.latency.{name}"] = (round(cycles), "measured: a chain")
    for name, cycles in throughput.items():
        units = max(round(cycles * UNITS), math.ceil(UNITS / width))
        values[f"issue.class.{name}"] = (units, "measured: independent ones")
    pages = {int(count): cycles for count, cycles in figures["pages"].items()}
    reach = max((count for count, cycles in pages.items() if cycles < ladder["l1"] + TLB_STEP), default=0)
    if reach and not reach & (reach - 1):
        source = "measured: pages up to which loads are no longer"
        values |= {
            "dtlb.small.entries": (reach, source),
            "dtlb.small.ways": (reach, "estimate: any place will do"),
        }
        behind = next((cycles for count, cycles in pages.items() if count > reach), ladder["l1"])
        values["walk.stlb_hit"] = (
            round(behind - ladder["l1"]),
            "measured: a load of the next page beyond them",
        )
    return values


def document(figures: Mapping[str, Any], base: str, name: str, description: str) -> str:
    """Return the profile as TOML: the figures, and for what they do not say the profile ``base``'s values."""
    tables = profiles.document(base)
    tables |= {"name": name, "description": description}
    values = _geometry() | _measured(figures)
    lines = [HEADER]
    _write(tables, "", values, lines, f"estimate: as {base}; not measured")
    return "\n".join(lines) + "\n"


def _write(
    table: Mapping[str, Any],
    path: str,
    values: Mapping[str, tuple[int, str]],
    lines: list[str],
    otherwise: str,
) -> None:
    prefix = f"{path}." if path else ""
    for key, entry in table.items():
        if not isinstance(entry, dict):
            lines.append(f"{key} = {json.dumps(entry)}")
        elif "value" in entry:
            value, source = values.get(prefix + key, (entry["value"], otherwise))
            fields = {"value": value, "unit": entry["unit"], "source": source}
            inside = ", ".join(f"{name} = {json.dumps(field)}" for name, field in fields.items())
            lines.append(f"{key} = {{ {inside} }}")
    for key, entry in table.items():
        if isinstance(entry, dict) and "value" not in entry:
            lines.extend(["", f"[{prefix}{key}]"])
            _write(entry, prefix + key, values, lines, otherwise)
