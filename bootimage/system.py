# SPDX-License-Identifier: GPL-2.0-or-later
"""A system written down: which kernel and which modules make one image.

    arch = "aarch64"                 # optional; x86_64 where it is not said
    kernel = "kernel.elf"
    command_line = "..."             # optional; what the kernel gets where the loader is given none

    [[module]]
    file = "root.elf"
    args = "..."                     # optional

Paths are relative to the file that names them. The kernel finds each module with the line "FILE ARGS", FILE
without its folder. On x86_64 the kernel's own line begins with its file name too, as a Multiboot loader's
does; on aarch64 it does not, as a device tree's does not.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, get_args

from ringscope.bootimage import files
from ringscope.bootimage.arm64 import Arch, architecture
from ringscope.bootimage.arm64_image import wrap_arm64
from ringscope.bootimage.container import wrap
from ringscope.bootimage.types import ImageError, ModuleSpec

if TYPE_CHECKING:
    from pathlib import Path


_ARCHS: Final[tuple[Arch, ...]] = get_args(Arch)


@dataclass(frozen=True)
class System:
    """What a system file names; ``command_line`` is empty or what the kernel is to find."""

    kernel: Path
    modules: tuple[ModuleSpec, ...]
    command_line: str
    arch: Arch = "x86_64"


def read_system(path: Path) -> System:
    """Read the system file ``path``. Raises ImageError naming the key that is wrong."""
    text = files.read(path)
    try:
        values = tomllib.loads(text.decode())
    except UnicodeDecodeError as error:
        raise ImageError(f"{path}: not a system file in TOML: it is not text") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ImageError(f"{path}: not a system file in TOML: {error}") from error
    _only(values, {"arch", "kernel", "command_line", "module"}, f"{path}")
    arch = _arch(values, path)
    kernel = path.parent / _text(values, "kernel", f"{path}")
    line = _text(values, "command_line", f"{path}", "")
    entries = values.get("module", [])
    if not isinstance(entries, list):
        raise ImageError(f"{path}: module is not a list of tables; write [[module]]")
    modules = tuple(_module(entry, path, number) for number, entry in enumerate(entries, 1))
    if line and arch == "x86_64":
        line = f"{kernel.name} {line}"
    return System(kernel, modules, line, arch)


def pack(system_file: Path, output: Path) -> int:
    """Pack the system that ``system_file`` names into ``output`` and return its size in bytes.

    ``output`` appears only when it is complete. Raises ImageError.
    """
    system = read_system(system_file)
    modules = [(module.command_line, files.read(module.path)) for module in system.modules]
    kernel, name = files.read(system.kernel), str(system.kernel)
    inputs = (system_file, system.kernel, *(module.path for module in system.modules))
    if output.exists() and any(output.samefile(path) for path in inputs):
        raise ImageError(f"{output}: is one of the files to be packed; name another for the image")
    if system.arch == "x86_64" and architecture(kernel) == "aarch64":
        raise ImageError(f'{name}: a kernel for aarch64; say so in {system_file}: arch = "aarch64"')
    if system.arch == "aarch64":
        image = wrap_arm64(kernel, modules, system.command_line, name)
    else:
        image = wrap(kernel, modules, name, system.command_line)
    files.write_whole(output, image)
    return len(image)


def _arch(values: dict[str, object], path: Path) -> Arch:
    wanted = _text(values, "arch", f"{path}", "x86_64")
    for arch in _ARCHS:
        if wanted == arch:
            return arch
    raise ImageError(f"{path}: arch is {wanted!r}; known are {', '.join(_ARCHS)}")


def _module(entry: object, path: Path, number: int) -> ModuleSpec:
    where = f"{path}: module {number}"
    if not isinstance(entry, dict):
        raise ImageError(f"{where}: is not a table; write [[module]]")
    _only(entry, {"file", "args"}, where)
    file = path.parent / _text(entry, "file", where)
    return ModuleSpec(file, f"{file.name} {_text(entry, 'args', where, '')}".rstrip(" "))


def _only(values: dict[str, object], known: set[str], where: str) -> None:
    unknown = sorted(values.keys() - known)
    if unknown:
        raise ImageError(f"{where}: unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")


def _text(values: dict[str, object], key: str, where: str, default: str | None = None) -> str:
    value = values.get(key, default)
    if value is None:
        raise ImageError(f"{where}: the key {key!r} is missing")
    if not isinstance(value, str) or (default is None and not value):
        raise ImageError(f"{where}: {key} must be {'a non-empty' if default is None else 'a'} string")
    return value
