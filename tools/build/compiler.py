# SPDX-License-Identifier: GPL-2.0-or-later
"""Compile and link C and assembly, only where something changed.

One compiler serves every purpose: ``ziglang`` from PyPI, which needs nothing else on the machine, has its own
linker, and builds freestanding code for every guest architecture. A translation unit is compiled again when
its command line, the compiler's version or any file it includes changed (the compiler writes the list,
``-MMD``). Objects live under ``build/``; nothing is written beside a source.
"""

from __future__ import annotations

import concurrent.futures
import functools
import hashlib
import importlib.metadata
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Werror")
FREESTANDING = (
    "-std=c11",
    "-O2",
    "-g",
    "-ffreestanding",
    "-nostdlib",
    "-fno-sanitize=all",
    "-fno-stack-protector",
    "-fno-pic",
    "-fno-omit-frame-pointer",
    "-fno-asynchronous-unwind-tables",
    "-fno-unwind-tables",  # so that the compiler writes .debug_frame, which no image carries, for debuggers
    # Where the checkout and its environment lie must decide no program's length: it decides where modules go.
    f"-ffile-prefix-map={ROOT}=.",
    f"-ffile-prefix-map={sys.prefix}=.venv",
    "-fdebug-compilation-dir=.",
)
#: Flags that make the compiler's output the machine's baseline x86-64, with no FPU state of its own.
#: ``-mno-sse`` alone has no effect: the driver's own ``-mcpu`` comes after it and decides.
X86_64_KERNEL = (
    "-target",
    "x86_64-freestanding-none",
    "-mcpu=x86_64-mmx-sse-sse2-x87+soft_float",
    "-mno-red-zone",
)
X86_64_USER = ("-target", "x86_64-freestanding-none", "-mcpu=x86_64")
#: The same for the baseline of 64-bit ARM.
AARCH64_KERNEL = ("-target", "aarch64-freestanding-none", "-mcpu=generic-neon-fp_armv8")
AARCH64_USER = ("-target", "aarch64-freestanding-none", "-mcpu=generic")
X86_32 = ("-target", "x86-freestanding-none", "-mcpu=i686-mmx-sse-sse2-x87+soft_float")


class BuildError(Exception):
    """A compiler run failed; the message is the compiler's own."""


@dataclass(frozen=True)
class Program:
    """One linked file.

    ``sources`` and ``include`` are paths from the project's root; ``flags`` go to every compilation and the
    link, ``link`` to the link alone. ``output`` is below the build folder.
    """

    output: str
    sources: tuple[str, ...]
    flags: tuple[str, ...]
    link: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    depends: tuple[str, ...] = ()  # files besides the objects that the link reads, such as a linker script


def guest_program(
    output: str,
    sources: tuple[str, ...],
    flags: tuple[str, ...],
    script: str,
    *,
    entry: str = "_start",
    include: tuple[str, ...] = (),
) -> Program:
    """Return a freestanding static ELF linked by ``script`` and entered at ``entry``."""
    return Program(
        output=output,
        sources=sources,
        flags=(*FREESTANDING, *WARNINGS, *flags),
        link=("-static", f"-Wl,-T,{ROOT / script}", "-Wl,--build-id=none", f"-Wl,-e,{entry}"),
        include=include,
        depends=(script,),
    )


def _environment(build: Path) -> dict[str, str]:
    cache = str(build / "zig-cache")
    return {**os.environ, "ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache}


def _run(command: list[str], build: Path) -> None:
    done = subprocess.run(command, env=_environment(build), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"{' '.join(command)}\n{done.stdout}{done.stderr}".rstrip())


def _prerequisites(depfile: Path) -> list[Path]:
    text = depfile.read_text(encoding="utf-8").replace("\\\n", " ")
    words = re.split(r"(?<!\\)\s+", text.partition(": ")[2].strip())
    return [Path(word.replace("\\ ", " ")) for word in words]


@functools.cache
def _version() -> str:
    return importlib.metadata.version("ziglang")


def _stamp(command: list[str]) -> str:
    """Return what decides a command's output besides its inputs: not which Python starts the compiler."""
    return "\n".join([f"ziglang {_version()}", *command[1:]])


def _is_fresh(target: Path, stamp: str, prerequisites: list[Path]) -> bool:
    stamp_file = target.with_suffix(target.suffix + ".cmd")
    if not target.exists() or not stamp_file.exists() or stamp_file.read_text(encoding="utf-8") != stamp:
        return False
    age = target.stat().st_mtime_ns
    return all(path.exists() and path.stat().st_mtime_ns <= age for path in prerequisites)


def _compile(source: Path, target: Path, command: list[str], build: Path) -> None:
    depfile = target.with_suffix(".d")
    stamp = _stamp(command)
    if depfile.exists() and _is_fresh(target, stamp, [source, *_prerequisites(depfile)]):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    _run(command, build)
    target.with_suffix(target.suffix + ".cmd").write_text(stamp, encoding="utf-8")


def build_program(program: Program, build: Path, *, root: Path = ROOT) -> Path:
    """Compile what changed, link if anything did, and return the linked file.

    Programs with the same flags share the objects of the sources that they have in common.
    """
    zig = [sys.executable, "-m", "ziglang", "cc"]
    include = [f"-I{root / folder}" for folder in program.include]
    key = hashlib.sha256(repr((program.flags, program.include)).encode()).hexdigest()[:12]
    objects: list[Path] = []
    jobs: list[tuple[Path, Path, list[str]]] = []
    for name in program.sources:
        source = root / name if not Path(name).is_absolute() else Path(name)
        target = build / "obj" / key / (name.strip("/") + ".o")
        objects.append(target)
        jobs.append(
            (source, target, [*zig, *program.flags, *include, "-MMD", "-c", str(source), "-o", str(target)])
        )
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        running = [pool.submit(_compile, *job, build) for job in jobs]
        try:
            for done in running:
                done.result()
        finally:
            pool.shutdown(cancel_futures=True)  # after an error or Ctrl-C nothing more is begun
    output = build / program.output
    command = [*zig, *program.flags, *map(str, objects), *program.link, "-o", str(output)]
    stamp = _stamp(command)
    if not _is_fresh(output, stamp, [*objects, *(root / name for name in program.depends)]):
        output.parent.mkdir(parents=True, exist_ok=True)
        _run(command, build)
        output.with_suffix(output.suffix + ".cmd").write_text(stamp, encoding="utf-8")
    return output
