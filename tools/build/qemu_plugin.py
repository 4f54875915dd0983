# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU's `cache` plugin, compiled from Debian's source of the QEMU installed here.

Everything is fetched by apt from the sources that the host is configured with, through an apt configuration
of its own below a scratch folder: the host's is only read.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

PACKAGE = "qemu-system-x86"
TOOLS = ("apt-get", "dpkg-deb", "dpkg-query")
WANTED = ("contrib/plugins/cache.c", "include/qemu/qemu-plugin.h")
SOURCES = (Path("/etc/apt/sources.list"), Path("/etc/apt/sources.list.d"))


class PluginMissing(Exception):
    """The plugin cannot be built here; the message says why."""


def _run(command: list[str], folder: Path, config: Path | None = None) -> str:
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    if config is not None:
        environment["APT_CONFIG"] = str(config)
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=600
    )
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise PluginMissing(f"`{' '.join(command[:2])}` failed: {' '.join(last)}")
    return done.stdout


def _with_sources(text: str) -> str:
    """Return an apt source file, of either form, that has source packages too."""
    lines = []
    for line in text.splitlines():
        lines.append(line.replace("Types: deb", "Types: deb deb-src") if line == "Types: deb" else line)
        if line.startswith("deb "):
            lines.append(f"deb-src {line.removeprefix('deb ')}")
    return "\n".join(lines) + "\n"


def _configure_apt(folder: Path) -> Path:
    parts = folder / "sources"
    for needed in (parts, folder / "lists" / "partial", folder / "cache" / "archives" / "partial"):
        needed.mkdir(parents=True, exist_ok=True)
    listed, directory = SOURCES
    files = [listed, *(sorted(directory.iterdir()) if directory.is_dir() else [])]
    for file in files:
        if file.is_file() and file.suffix in (".list", ".sources"):
            (parts / file.name).write_text(_with_sources(file.read_text(encoding="utf-8")), encoding="utf-8")
    config = folder / "apt.conf"
    config.write_text(
        f'Dir::Etc::sourcelist "/dev/null";\nDir::Etc::sourceparts "{parts}";\n'
        f'Dir::State::lists "{folder / "lists"}";\nDir::Cache "{folder / "cache"}";\n'
        'APT::Sandbox::User "";\n',
        encoding="utf-8",
    )
    return config


def _extract(folder: Path) -> Path:
    """Take the two files out of the source archive; return the folder they are in."""
    archive = next(folder.glob("qemu_*.orig.tar.xz"), None)
    if archive is None:
        raise PluginMissing("the source package has no archive")
    with tarfile.open(archive) as source:
        for member in source:
            if member.name.partition("/")[2] in WANTED:
                member.name = member.name.partition("/")[2]
                source.extract(member, folder / "source", filter="data")
    if not all((folder / "source" / name).exists() for name in WANTED):
        raise PluginMissing("the source package has no cache plugin")
    return folder / "source"


def cache_plugin(scratch: Path) -> Path:
    """Return the built plugin, for the QEMU installed here. Raises PluginMissing."""
    absent = [tool for tool in TOOLS if shutil.which(tool) is None]
    if absent:
        raise PluginMissing(f"{absent[0]} is not installed")
    scratch.mkdir(parents=True, exist_ok=True)
    version = _run(["dpkg-query", "-W", "-f", "${source:Version}", PACKAGE], scratch)
    folder = scratch / f"qemu-{version.replace(':', '-')}"
    plugin = folder / "libcache.so"
    if plugin.exists():
        return plugin
    folder.mkdir(exist_ok=True)
    config = _configure_apt(folder)
    _run(["apt-get", "update"], folder, config)
    _run(["apt-get", "source", "--download-only", f"qemu={version}"], folder, config)
    _run(["apt-get", "download", "libglib2.0-dev"], folder, config)
    package = next(folder.glob("libglib2.0-dev_*.deb"))
    _run(["dpkg-deb", "-x", str(package), "glib"], folder)
    source, glib = _extract(folder), folder / "glib" / "usr"
    headers = [
        glib / "include" / "glib-2.0",
        *glib.glob("lib/*/glib-2.0/include"),
        source / "include" / "qemu",
    ]
    compiler = [sys.executable, "-m", "ziglang", "cc", "-shared", "-fPIC", "-O2", "-fno-sanitize=all"]
    include = [f"-I{header}" for header in headers]
    # What it needs of GLib, QEMU itself has loaded.
    made = [*include, "-Wl,-z,undefs", str(source / WANTED[0]), "-o", str(folder / "built.so")]
    caches = ("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR")
    environment = dict.fromkeys(caches, str(folder / "zig-cache"))
    done = subprocess.run([*compiler, *made], env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PluginMissing(f"it does not compile: {done.stderr.strip().splitlines()[0]}")
    (folder / "built.so").rename(plugin)
    return plugin
