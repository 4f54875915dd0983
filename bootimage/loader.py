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

from dataclasses import dataclass, field
from pathlib import Path

from ringscope.bootimage import (
    container,
    elf,
    files,
    information,
    multiboot1,
    multiboot2,
    packed,
    plans,
)
from ringscope.bootimage.placement import Space
from ringscope.bootimage.types import (
    BootRequest,
    ImageError,
    LoadedImage,
    LoadedModule,
    MemoryLayout,
    ModuleSpec,
)


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
    plan = plans.make(data, name, request.protocol, space)
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


def _elf(data: bytes, name: str) -> elf.ElfFile | None:
    """Return the ELF file that says what the kernel's symbols are, None for a flat kernel."""
    return elf.parse(data, name) if elf.is_elf(data) else None


def _check_packed(request: BootRequest, plan: plans.Plan, name: str) -> None:
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
