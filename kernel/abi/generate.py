# SPDX-License-Identifier: GPL-2.0-or-later
"""Write ``abi.h`` from ``abi.toml``: ``python -m ringscope.abi.generate``.

Constants become macros, so that assembly can include the header too; structs become C structs whose size is
asserted.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from ringscope.abi.layout import struct_size

HERE = Path(__file__).resolve().parent
C_TYPES = {"u64": "uint64_t", "u32": "uint32_t", "char": "char"}
#: Tables of abi.toml that are plain names and numbers, in the header's order.
GROUPS = (
    "object",
    "object_frames",
    "right",
    "kind",
    "access",
    "fault",
    "fault_reply",
    "root_handle",
    "mark",
    "bootinfo",
)
HEAD = """\
/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * abi.h: what the kernel promises to user mode.
 *
 * Generated from abi.toml by `python -m ringscope.abi.generate`; change that file, not this one. SPEC.md says
 * in prose what the names mean. Assembly sees the macros only.
 */
#ifndef RINGSCOPE_ABI_H
#define RINGSCOPE_ABI_H
"""


def _define(name: str, value: int, text: str = "") -> str:
    number = f"{value:#x}" if value > 0xFFFF else str(value)
    return f"#define {name.upper()} {number}" + (f" /* {text} */" if text else "")


def _calls(calls: list[dict[str, Any]]) -> list[str]:
    lines = []
    for call in calls:
        lines += [
            f"/* {call['name']}({', '.join(call.get('arguments', []))}): {call['text']} */",
            _define(f"call_{call['name']}", call["number"]),
        ]
    return [*lines, _define("call_count", len(calls))]


def _tag(fields: dict[str, dict[str, int]]) -> list[str]:
    lines = []
    for name, field in fields.items():
        mask = (1 << field["bits"]) - 1
        lines += [_define(f"tag_{name}_shift", field["shift"]), _define(f"tag_{name}_mask", mask)]
    return lines


def _structs(structs: dict[str, dict[str, Any]]) -> list[str]:
    lines = []
    for name, struct in structs.items():
        lines += [f"/* {struct['text']} */", f"struct {name} {{"]
        for field in struct["fields"]:
            kind = C_TYPES.get(field["type"], f"struct {field['type']}")
            extent = f"[{field['count']}]" if "count" in field else ""
            comment = f" /* {field['text']} */" if "text" in field else ""
            lines.append(f"\t{kind} {field['name']}{extent};{comment}")
        size = struct_size(name, structs)
        lines += ["};", f'_Static_assert(sizeof(struct {name}) == {size}, "the layout of {name}");', ""]
    return lines


def header(abi: dict[str, Any]) -> str:
    """Return the text of ``abi.h`` for a parsed ``abi.toml``."""
    structs = {struct["name"]: struct for struct in abi["struct"]}
    lines = [_define(f"abi_{name}", value) for name, value in abi["abi"].items()]
    lines += ["", *_calls(abi["call"]), ""]
    lines += [_define(f"error_{name}", e["number"], e["text"]) for name, e in abi["error"].items()]
    lines += ["", *_tag(abi["tag"])]
    for group in GROUPS:
        lines += ["", *(_define(f"{group}_{name}", value) for name, value in abi[group].items())]
    lines += ["", "#ifndef __ASSEMBLER__", "#include <stdint.h>", ""]
    lines += [*_structs(structs), "#endif", "#endif", ""]
    return HEAD + "\n" + "\n".join(lines)


def main() -> None:
    """Rewrite ``abi.h`` beside ``abi.toml``."""
    abi = tomllib.loads((HERE / "abi.toml").read_text(encoding="utf-8"))
    (HERE / "abi.h").write_text(header(abi), encoding="utf-8")


if __name__ == "__main__":
    main()
