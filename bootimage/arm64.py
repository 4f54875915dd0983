# SPDX-License-Identifier: GPL-2.0-or-later
"""Load a kernel by the arm64 boot protocol, into a list of writes.

The kernel is an arm64 Image or an AArch64 ELF file. It is entered at EL1 with MMU and caches off, x0 the
address of the device tree, x1 to x3 zero; source: the kernel project's "Booting AArch64 Linux". An Image goes
where QEMU's ``virt`` puts it, so that one that relies on the place works on both. One module becomes the
initrd that the device tree names.

Two kinds of kernel get more: a packed image brings its modules with it, and an ELF file finds all of its
modules in the table that ``arm64_image.py`` describes, whose stub sets x1 on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from ringscope.bootimage import arm64_header, arm64_image, arm64_packed, elf, files
from ringscope.bootimage.kernel import KernelParts, Part
from ringscope.bootimage.placement import PAGE, Space
from ringscope.bootimage.types import (
    FOUR_GIB,
    USABLE,
    BootRequest,
    ImageError,
    LoadedModule,
    MemoryLayout,
)

if TYPE_CHECKING:
    from pathlib import Path

    from ringscope.bootimage.types import ModuleSpec

#: (first address of the initrd, first address after it, command line) -> the device tree.
MakeDeviceTree = Callable[[int | None, int | None, str], bytes]
Arch = Literal["x86_64", "aarch64"]

DEVICE_TREE_LIMIT: Final = 2 << 20
HEAD_BYTES: Final = 4096  # of a file, which tell what it is
_GZIP: Final = b"\x1f\x8b"


@dataclass(frozen=True)
class LoadedArm64:
    """Everything that must be true before the first instruction of the guest.

    ``writes`` are (physical address, bytes) that do not overlap; what a segment or an Image has beyond its
    bytes in the file is covered by zeroes. ``x0`` is the address of the device tree. ``kernel_elf`` is the
    ELF file to read symbols from, None for a flat kernel; ``command_line`` is the one in force.
    """

    entry: int
    x0: int
    writes: tuple[tuple[int, bytes], ...]
    modules: tuple[LoadedModule, ...]
    kernel_elf: bytes | None
    command_line: str


@dataclass(frozen=True)
class _Plan:
    """Where the kernel goes, with the modules it brings or is handed; ``line`` is its own default."""

    parts: KernelParts
    modules: tuple[LoadedModule, ...] = ()
    kernel_elf: bytes | None = field(default=None, repr=False)
    line: str = ""


def architecture(data: bytes) -> Arch:
    """Return for which architecture the kernel ``data`` is; x86_64 for whatever does not say."""
    if arm64_header.is_image(data):
        return "aarch64"
    machine = int.from_bytes(data[18:20], "little") if elf.is_elf(data) else None
    return "aarch64" if machine == elf.EM_AARCH64 else "x86_64"


def architecture_of(kernel: Path) -> Arch | None:
    """Return for which architecture a kernel's file is; None if it cannot be read: who loads it says why."""
    try:
        with kernel.open("rb") as file:
            return architecture(file.read(HEAD_BYTES))
    except OSError:
        return None


def load_arm64(request: BootRequest, layout: MemoryLayout, make_device_tree: MakeDeviceTree) -> LoadedArm64:
    """Return what must be in memory and in the registers for ``request``.

    ``make_device_tree`` is given the initrd's place, None twice where there is none, and the command line.
    Raises ImageError.
    """
    name = str(request.kernel)
    if request.protocol is not None:
        raise ImageError(
            f"{name}: an AArch64 kernel does not boot by {request.protocol}; leave the protocol out"
        )
    data = files.read(request.kernel)
    modules = _read_modules(request.modules)
    plan = _plan(data, name, modules, layout)
    space = Space(layout)
    space.claim(plan.parts, name)
    writes = [(part.base, part.data + bytes(part.size - len(part.data))) for part in plan.parts.parts]
    loaded, initrd = plan.modules, None
    if modules and not loaded:
        loaded = (_place(modules[0], space),)
        writes.append((loaded[0].start, loaded[0].data))
    if len(modules) == 1:
        initrd = loaded[0]
    line = request.command_line
    files.zero_terminated(line, name)
    start, end = (initrd.start, initrd.end) if initrd is not None else (None, None)
    tree = make_device_tree(start, end, line)
    x0 = _place_tree(tree, space, name)
    writes.append((x0, tree))
    return LoadedArm64(
        entry=plan.parts.entry,
        x0=x0,
        writes=tuple(sorted(write for write in writes if write[1])),
        modules=loaded,
        kernel_elf=plan.kernel_elf,
        command_line=line or plan.line,
    )


def _read_modules(specs: tuple[ModuleSpec, ...]) -> list[tuple[str, str, bytes]]:
    """Return each module's name, command line and content."""
    return [(spec.path.name, spec.command_line or spec.path.name, files.read(spec.path)) for spec in specs]


def _plan(data: bytes, name: str, modules: list[tuple[str, str, bytes]], layout: MemoryLayout) -> _Plan:
    if elf.is_elf(data):
        return _plan_elf(data, name, modules)
    if not arm64_header.is_image(data):
        hint = "; it is compressed: unpack it with gunzip first" if data[:2] == _GZIP else ""
        raise ImageError(
            f"{name}: neither an arm64 Image (no magic 'ARM\\x64' at 0x38) nor an AArch64 ELF file{hint}"
        )
    header = arm64_header.parse(data, name)
    packed = arm64_packed.read(data, header, name)
    base = _image_base(header, layout, name)
    if packed is not None:
        return _plan_packed(data[: header.image_size], name, modules, packed, base)
    if len(modules) > 1:
        raise ImageError(
            f"{name}: an arm64 Image takes one module, its initrd, and {len(modules)} are given; "
            "pack the kernel and its modules into one image"
        )
    size = max(header.image_size, len(data))
    part = Part(base, size, 7, "arm64 Image header: text_offset puts it at", data)
    return _Plan(KernelParts((part,), base))


def _plan_elf(data: bytes, name: str, modules: list[tuple[str, str, bytes]]) -> _Plan:
    parts = arm64_image.parts(elf.parse(data, name))
    if not modules:
        return _Plan(parts, kernel_elf=data)
    lines = [(line, content) for _, line, content in modules]
    above = arm64_image.hand_over(parts, lines, "", base=parts.base)
    pieces = [Part(at, len(content), 7, f"{what} at", content) for at, content, what in above.pieces]
    places = [piece.base for piece in pieces[2:]]
    loaded = [
        LoadedModule(file, line, start, start + len(content), content)
        for (file, line, content), start in zip(modules, places, strict=True)
    ]
    return _Plan(KernelParts((*parts.parts, *pieces), above.stub), tuple(loaded), data)


def _plan_packed(
    image: bytes,
    name: str,
    modules: list[tuple[str, str, bytes]],
    packed: arm64_packed.PackedArm64,
    base: int,
) -> _Plan:
    if modules:
        raise ImageError(
            f"{name}: a packed image brings its modules with it; boot the unpacked kernel to give it others"
        )
    if packed.base != base:
        raise ImageError(
            f"{name}: module table: base {packed.base:#x} is not {base:#x}, where RAM and the arm64 Image "
            "header's text_offset put the image; pack it again"
        )
    loaded = tuple(
        LoadedModule(
            module.command_line.partition(" ")[0], module.command_line, module.start, module.end, module.data
        )
        for module in packed.modules
    )
    part = Part(base, len(image), 7, "arm64 Image header: text_offset puts it at", image)
    return _Plan(KernelParts((part,), base), loaded, packed.kernel, packed.command_line)


def _image_base(header: arm64_header.ImageHeader, layout: MemoryLayout, name: str) -> int:
    ram = next((region.base for region in layout.regions if region.kind == USABLE), None)
    if ram is None:
        raise ImageError(f"{name}: the machine has no RAM to put it in; give it some")
    if header.text_offset % PAGE:
        raise ImageError(
            f"{name}: arm64 Image header: text_offset {header.text_offset:#x} is not a multiple of {PAGE:#x}"
        )
    return arm64_header.place(header, ram)


def _place(module: tuple[str, str, bytes], space: Space) -> LoadedModule:
    file, line, content = module
    start = space.take(len(content), f"{file}: the initrd")
    return LoadedModule(file, line, start, start + len(content), content)


def _place_tree(tree: bytes, space: Space, name: str) -> int:
    """Return the device tree's address: 2 MiB of its own, or any place that no multiple of 2 MiB cuts."""
    if len(tree) > DEVICE_TREE_LIMIT:
        raise ImageError(
            f"{name}: the device tree has {len(tree):#x} bytes, but 2 MiB is the most a kernel maps"
        )
    small = max(PAGE, 1 << (len(tree) - 1).bit_length())
    wishes = (
        (DEVICE_TREE_LIMIT, space.floor, arm64_header.TWO_MIB),
        (small, space.floor, small),
        (small, 0, small),
    )
    for size, above, align in wishes:
        address = space.find(size, (above, FOUR_GIB), align)
        if address is not None:
            space.taken.append((address, address + size))
            return address
    raise ImageError(
        f"{name}: the device tree of {len(tree):#x} bytes does not fit in the RAM that the kernel and the "
        "rest leave free; give the machine more memory"
    )
