# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope image pack`` makes one bootable file of a system, ``image inspect`` shows what is in one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from ringscope import bootimage
from ringscope.bootimage.whole_file import STDOUT, is_open_as
from ringscope.tools.console import ResultConsole
from ringscope.tools.options import file_path

if TYPE_CHECKING:
    import argparse

    from rich.console import Console

BAD_INPUT = 2


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``image`` and its two commands; each sets ``func`` to take the namespace and return the status."""
    image = subparsers.add_parser(
        "image", help="pack a kernel and its modules into one file, or look into one"
    )
    commands = image.add_subparsers(dest="image_command", metavar="COMMAND", required=True)
    pack = commands.add_parser("pack", help="make one bootable file of the system that SYSTEM.toml names")
    pack.add_argument(
        "system",
        metavar="SYSTEM.toml",
        type=file_path,
        help="kernel = FILE, if need be arch and command_line, and a [[module]] with file and args for each",
    )
    pack.add_argument(
        "-o", "--output", metavar="FILE", type=file_path, required=True, help="the image to write"
    )
    pack.set_defaults(func=pack_image)
    inspect = commands.add_parser("inspect", help="show headers, segments, modules and symbols of a file")
    inspect.add_argument(
        "image", metavar="IMAGE", type=file_path, help="a packed image, a kernel, or another ELF program"
    )
    inspect.set_defaults(func=inspect_image)


def pack_image(arguments: argparse.Namespace) -> int:
    """Run ``image pack`` and return the exit status."""
    try:
        size = bootimage.pack(arguments.system, arguments.output)
    except bootimage.ImageError as error:
        return _refuse(error)
    packed_to_stdout = is_open_as(arguments.output, STDOUT)
    print(f"{arguments.output}: {size} bytes", file=sys.stderr if packed_to_stdout else sys.stdout)
    return 0


def inspect_image(arguments: argparse.Namespace) -> int:
    """Run ``image inspect`` and return the exit status."""
    try:
        found = bootimage.inspect(arguments.image)
    except bootimage.ImageError as error:
        return _refuse(error)
    _print(found, ResultConsole())
    return 0


def _refuse(error: bootimage.ImageError) -> int:
    print(f"ringscope: {error}", file=sys.stderr)
    return BAD_INPUT


def _print(found: bootimage.Description, console: Console) -> None:
    machine = f"ELF{found.bits} {found.machine}" if found.bits else found.machine
    what = f"{found.kind}, {machine}" if machine else found.kind
    _line(console, f"{found.name}: {what}, {found.size} bytes, entry {found.entry:#x}")
    for header in found.headers:
        requests = ", ".join(header.requests) or "nothing"
        _line(console, f"Multiboot {header.version} header at {header.offset:#x}, asks for: {requests}")
    if found.arm64 is not None:
        arm64 = found.arm64
        _line(
            console,
            f"arm64 Image header: text_offset {arm64.text_offset:#x}, image_size {arm64.image_size:#x}, "
            f"pages: {arm64.page_size}",
        )
    if found.kernel is not None:
        kept = found.kernel
        machine = f", ELF{kept.bits} {kept.machine}" if kept.bits else ""
        _line(
            console, f"holds the kernel whole: {kept.kind}{machine}, {kept.size} bytes, entry {kept.entry:#x}"
        )
    symbols = "none kept" if found.symbols is None else f"{found.symbols} kept"
    _line(console, f"symbols: {symbols}")
    if found.command_line:
        _line(console, f"command line: {found.command_line}")
    _print_segments(found, console)
    if found.modules:
        _print_modules(found, console)


def _line(console: Console, text: str) -> None:
    console.print(Text(text), soft_wrap=True)


def _print_segments(found: bootimage.Description, console: Console) -> None:
    table = Table("paddr", "vaddr", "in file", "in memory", "access", "content", title="segments", box=None)
    for segment in found.segments:
        table.add_row(
            f"{segment.paddr:#x}",
            f"{segment.vaddr:#x}",
            str(segment.file_size),
            str(segment.memory_size),
            segment.access,
            Text(segment.content),
        )
    console.print(table)


def _print_modules(found: bootimage.Description, console: Console) -> None:
    table = Table("module", "paddr", "bytes", "symbols", title="modules", box=None)
    for module in found.modules:
        symbols = "" if module.symbols is None else str(module.symbols)
        table.add_row(Text(module.command_line), f"{module.start:#x}", str(module.size), symbols)
    console.print(table)
