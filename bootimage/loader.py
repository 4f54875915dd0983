# SPDX-License-Identifier: GPL-2.0-or-later
"""Load a kernel as a Multiboot loader does, into a list of writes.

``load`` reads the files, lets the kernel claim its places, puts modules and the unallocated sections above
it, and builds the information structure last. Nothing here touches a machine: the caller makes the writes,
sets eax and ebx, and enters 32-bit protected mode at ``entry``.

Command lines begin with the file's name, as QEMU's do, but without its folder: where a file lies must not
change what the guest computes. Other loaders differ (GRUB 2 leaves the name out), so no kernel should rely on
that word.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ringscope.bootimage import (
    container,
    elf,
    files,
    header,
    information,
    kernel,
    multiboot1,
    multiboot2,
    packed,
)
from ringscope.bootimage.placement import ONE_MIB, Space
from ringscope.bootimage.types import (
    BootRequest,
    ImageError,
    LoadedImage,
    LoadedModule,
    MemoryLayout,
    ModuleSpec,
    Protocol,
)

if TYPE_CHECKING:
    from ringscope.bootimage.header import Header1, Header2


@dataclass(frozen=True)
class _Plan:
    """What the header decided: where the kernel goes and what it is to be told."""

    protocol: Protocol
    parts: kernel.KernelParts
    text_console: bool
    load_base: int | None = None


@dataclass(frozen=True)
class _Modules:
    """Modules in memory, and what of them the loader itself must announce and write."""

    loaded: tuple[LoadedModule, ...]
    announced: tuple[LoadedModule, ...] = ()
    lines: tuple[bytes, ...] = ()
    writes: tuple[tuple[int, bytes], ...] = field(default=(), repr=False)


def load(request: BootRequest, layout: MemoryLayout) -> LoadedImage:
    """Return what must be in memory and in the registers for ``request``. Raises ImageError."""
    name = str(request.kernel)
    data = files.read(request.kernel)
    space = Space(layout)
    plan = _plan(data, name, request.protocol, space)
    space.claim(plan.parts, name)
    file = _elf(data, name)
    content = packed.read(file) if file is not None else None
    if content is not None:
        _check_packed(request, plan, name)
        modules = _packed_modules(content)
        file = _elf(content.kernel, f"{name}: section {container.KERNEL_SECTION}")
    else:
        modules = _place_modules(request.modules, space)
    sections, section_writes = information.place_sections(file, space) if file is not None else (None, [])
    command_line = _command_line(request, content)
    info = information.Information(
        layout,
        files.zero_terminated(command_line, name),
        modules.announced,
        modules.lines,
        sections,
        plan.text_console,
        plan.load_base,
    )
    protocol = multiboot1 if plan.protocol == "multiboot1" else multiboot2
    base = space.take(len(protocol.build(info, 0)), f"{name}: the information structure")
    writes = [(part.base, part.data + bytes(part.size - len(part.data))) for part in plan.parts.parts]
    writes += [*modules.writes, *section_writes, (base, protocol.build(info, base))]
    return LoadedImage(
        protocol=plan.protocol,
        entry=plan.parts.entry,
        eax=protocol.MAGIC,
        ebx=base,
        writes=tuple(sorted(write for write in writes if write[1])),
        modules=modules.loaded,
        kernel_elf=file.data if file is not None else None,
        command_line=command_line,
    )


def parse_initrd(text: str) -> tuple[ModuleSpec, ...]:
    """Read QEMU's ``-initrd "FILE ARGS,FILE ARGS"``; a doubled comma stands for one that does not separate.

    Raises ImageError for an entry without a file.
    """
    if not text.strip():
        return ()
    specs = []
    for entry in text.replace(",,", "\0").split(","):
        line = entry.replace("\0", ",").strip(" ")
        file, _, arguments = line.partition(" ")
        if not file:
            raise ImageError(f"-initrd {text!r}: an entry names no file; write 'FILE ARGS,FILE ARGS'")
        path = Path(file)
        specs.append(ModuleSpec(path, f"{path.name} {arguments}" if arguments else path.name))
    return tuple(specs)


def _plan(data: bytes, name: str, protocol: Protocol | None, space: Space) -> _Plan:
    """Read the header of the protocol asked for, or of the first there is. Multiboot 1 goes first."""
    complaint = None
    if protocol != "multiboot2":
        try:
            found1 = header.find_header1(data, name)
        except ImageError as error:
            complaint, found1 = error, None
        if found1 is not None:
            return _plan1(data, name, found1)
    if protocol != "multiboot1" and (found2 := header.find_header2(data, name)) is not None:
        return _plan2(data, name, found2, space)
    if complaint is not None:
        raise complaint
    wanted = {"multiboot1": "Multiboot 1", "multiboot2": "Multiboot 2", None: "Multiboot 1 or 2"}[protocol]
    raise ImageError(
        f"{name}: no {wanted} header in the first {'8192' if protocol == 'multiboot1' else '32768'} bytes; "
        "this is not a kernel that a Multiboot loader can boot"
    )


def _plan1(data: bytes, name: str, found: Header1) -> _Plan:
    return _Plan("multiboot1", kernel.parts1(data, name, found), found.video is not None)


def _plan2(data: bytes, name: str, found: Header2, space: Space) -> _Plan:
    wanted = multiboot2.requirements(found, name)
    if wanted.addresses is not None and wanted.entry is not None:
        parts = kernel.from_addresses(data, name, found.offset, wanted.addresses, wanted.entry)
    else:
        parts = kernel.from_elf(elf.parse(data, name), wanted.entry)
    if wanted.relocation is None:
        return _Plan("multiboot2", parts, wanted.text_console)
    parts = _relocated(parts, wanted.relocation, space, name)
    return _Plan("multiboot2", parts, wanted.text_console, parts.base)


def _relocated(
    parts: kernel.KernelParts, wanted: multiboot2.Relocation, space: Space, name: str
) -> kernel.KernelParts:
    """Move the image to where it prefers to be; without a preference it stays as linked if it can."""
    size, align = parts.end - parts.base, max(wanted.align, 1)
    bounds = (max(wanted.minimum, ONE_MIB), wanted.maximum + 1)
    base = None
    if wanted.preference not in {multiboot2.LOWEST, multiboot2.HIGHEST}:
        here = (max(bounds[0], parts.base), min(bounds[1], parts.end))
        base = space.find(size, here, align)
    if base is None:
        base = space.find(size, bounds, align, highest=wanted.preference == multiboot2.HIGHEST)
    if base is None:
        raise ImageError(
            f"{name}: relocatable tag: no {size:#x} bytes of usable RAM between min_addr {wanted.minimum:#x} "
            f"and max_addr {wanted.maximum:#x}; give the machine more memory"
        )
    moved = tuple(replace(part, base=part.base - parts.base + base) for part in parts.parts)
    return kernel.KernelParts(moved, parts.entry - parts.base + base)


def _elf(data: bytes, name: str) -> elf.ElfFile | None:
    """Return the ELF file that says what the kernel's symbols are, None for a flat kernel."""
    return elf.parse(data, name) if elf.is_elf(data) else None


def _check_packed(request: BootRequest, plan: _Plan, name: str) -> None:
    if plan.protocol != "multiboot1":
        raise ImageError(f"{name}: a packed image is a Multiboot 1 kernel; boot it as one")
    if request.modules:
        raise ImageError(
            f"{name}: a packed image brings its modules with it; boot the unpacked kernel to give it others"
        )


def _packed_modules(content: packed.Packed) -> _Modules:
    return _Modules(
        tuple(
            LoadedModule(
                module.command_line.partition(" ")[0],
                module.command_line,
                module.start,
                module.end,
                module.data,
            )
            for module in content.modules
        )
    )


def _place_modules(specs: tuple[ModuleSpec, ...], space: Space) -> _Modules:
    loaded, lines = [], []
    for spec in specs:
        content = files.read(spec.path)
        line = spec.command_line or spec.path.name
        lines.append(files.zero_terminated(line, str(spec.path)))
        start = space.take(len(content), f"{spec.path}: the module")
        loaded.append(LoadedModule(spec.path.name, line, start, start + len(content), content))
    modules = tuple(loaded)
    return _Modules(modules, modules, tuple(lines), tuple((module.start, module.data) for module in modules))


def _command_line(request: BootRequest, content: packed.Packed | None) -> str:
    if not request.command_line and content is not None and content.command_line:
        return content.command_line
    return f"{request.kernel.name} {request.command_line}".rstrip(" ")
