# SPDX-License-Identifier: GPL-2.0-or-later
"""A processor's profile: sizes, latencies and prices, each with its unit and source.

Profiles lie in ``profiles/NAME.toml``; a path to a file of the same form works as well. ``load`` is the
only way to get one, so every profile in use has been validated.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ringscope.bootimage.files import content
from ringscope.emulator.timing.parameters import (
    ASSUMED,
    ESTIMATE,
    ISSUE_UNITS,
    ISSUE_UNITS_PER_CYCLE,
    Cache,
    Core,
    Latency,
    Predictor,
    ProfileError,
    Reader,
    Tlb,
    TlbArray,
    Walk,
)
from ringscope.emulator.timing.pipeline import Pipeline, bundled_pipeline, read_pipeline

if TYPE_CHECKING:
    from collections.abc import Mapping

PROFILES = Path(__file__).parent / "profiles"
ISSUE_UNITS_MOST = 0xFFFF  # of one instruction (struct micro_op in pipeline.h)
LONGEST_HISTORY = 64  # outcomes (direction.h)
TABLES = frozenset("core l1i l1d l2 llc latency itlb dtlb stlb walk predictor cost issue pipeline".split())
TEXTS = frozenset({"name", "arch", "description"})
OPTIONAL_TEXT = "isa"


@dataclass(frozen=True)
class Profile:
    """One processor core.

    ``cost`` gives the price in cycles of each event of fixed price, by the names of native/costs.def.
    ``issue`` gives the reciprocal throughput of each instruction class in ISSUE_UNITS_PER_CYCLE, ``width``
    the instructions delivered per cycle at best, ``pipeline`` what else the issue model needs. ``sources``
    names where each value is from, by its dotted path in the file. ``arch`` is the machine whose
    instructions are priced. A core of another instruction set says so in ``isa``; it prices what it lacks by
    assumption, and whatever it prices is a what-if.
    """

    name: str
    arch: str
    description: str
    core: Core
    l1i: Cache
    l1d: Cache
    l2: Cache
    llc: Cache
    latency: Latency
    itlb: Tlb
    dtlb: Tlb
    stlb: Tlb
    walk: Walk
    predictor: Predictor
    cost: Mapping[str, int]
    width: int
    issue: Mapping[str, int]
    pipeline: Pipeline
    sources: Mapping[str, str]
    isa: str | None = None

    @property
    def frequency_hz(self) -> int:
        """The clock in Hz."""
        return self.core.frequency

    @property
    def memory_latency(self) -> int:
        """Cycles from a load's issue to its value when memory serves it."""
        beyond = self.latency.memory_beyond * self.core.frequency
        return self.latency.memory + (beyond + 500_000_000) // 1_000_000_000

    @property
    def what_if(self) -> str | None:
        """What is supposed in every figure of this profile; None for a core of the machine's own kind."""
        if self.isa is None:
            return None
        return f"what-if: {self.name}, a core of {self.isa}, prices the instructions of {self.arch}"

    @property
    def label(self) -> str:
        """The name as reports print it: with ``what-if`` beside it where that is what it prices."""
        return self.name if self.isa is None else f"{self.name} (what-if)"

    def share(self, *kinds: str) -> float:
        """Return the share of values, from 0 to 1, whose source is of these kinds: ESTIMATE, ASSUMED."""
        return sum(source.startswith(kinds) for source in self.sources.values()) / len(self.sources)

    @property
    def estimate_share(self) -> float:
        """The share of values, from 0 to 1, that nobody published: estimates and assumptions."""
        return self.share(ESTIMATE, ASSUMED)


def available() -> list[str]:
    """Return the names of the bundled profiles, sorted."""
    return sorted(path.stem for path in PROFILES.glob("*.toml"))


def find(name_or_path: str | Path) -> Path:
    """Return the file of the profile of that name, or the file named (recognised by ``.toml``).

    Raises ProfileError for a name that no profile has.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = PROFILES / f"{name_or_path}.toml"
        if not path.exists():
            known = ", ".join(available())
            raise ProfileError(
                f"{name_or_path}: no such processor profile; there are: {known}, or give a .toml file"
            )
    return path


def document(name_or_path: str | Path) -> dict[str, Any]:
    """Return the tables of a profile that has been loaded, with those of its pipeline."""
    own: dict[str, Any] = tomllib.loads(content(find(name_or_path)).decode())
    return bundled_pipeline(str(own["name"])) | own


def load(name_or_path: str | Path, arch: str | None = None) -> Profile:
    """Return the profile of that name, or the one in that file, which must be of ``arch`` if that is given.

    Raises ProfileError with the file, the field and the reason.
    """
    profile = _load(name_or_path)
    if arch not in (None, profile.arch):
        others = [name for name in available() if _load(name).arch == arch]
        raise ProfileError(
            f"{name_or_path}: a processor of {profile.arch}, and {arch} is wanted; "
            f"there {'is' if len(others) == 1 else 'are'}: {', '.join(others) or 'none'}"
        )
    return profile


def _load(name_or_path: str | Path) -> Profile:
    path = find(name_or_path)
    try:
        document = tomllib.loads(content(path).decode())
    except OSError as error:
        raise ProfileError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ProfileError(f"{path}: is not TOML: it is not text") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ProfileError(f"{path}: is not TOML: {error}") from error
    return _build(document, Reader(str(path)))


def _build(document: Mapping[str, object], reader: Reader) -> Profile:
    unknown = document.keys() - TABLES - TEXTS - {OPTIONAL_TEXT}
    if unknown:
        raise reader.refuse(min(unknown), "is not a part of a profile")
    texts = {key: document.get(key) for key in sorted(TEXTS)}
    for key, text in texts.items():
        if not isinstance(text, str) or not text:
            raise reader.refuse(key, "must be a text")
    isa = document.get(OPTIONAL_TEXT)
    if isa is not None and (not isinstance(isa, str) or not isa):
        raise reader.refuse(OPTIONAL_TEXT, "must be a text")
    issue = reader.table(document, "issue")
    profile = Profile(
        **{key: str(text) for key, text in texts.items()},
        core=reader.read(Core, document, "core"),
        l1i=reader.read(Cache, document, "l1i"),
        l1d=reader.read(Cache, document, "l1d"),
        l2=reader.read(Cache, document, "l2"),
        llc=reader.read(Cache, document, "llc"),
        latency=reader.read(Latency, document, "latency"),
        itlb=reader.read(Tlb, document, "itlb"),
        dtlb=reader.read(Tlb, document, "dtlb"),
        stlb=reader.read(Tlb, document, "stlb"),
        walk=reader.read(Walk, document, "walk"),
        predictor=reader.read(Predictor, document, "predictor"),
        cost=reader.integers(document, "cost", {"cycles": 1}),
        width=reader.integer(issue, "issue.width", "instructions", 1, 16),
        issue=reader.integers(issue, "issue.class", ISSUE_UNITS),
        pipeline=read_pipeline(document, str(texts["name"]), reader),
        sources=reader.sources,
        isa=isa,
    )
    _check(profile, reader)
    return profile


def _is_power_of_two(number: int) -> bool:
    return number > 0 and number & (number - 1) == 0


def _check(profile: Profile, reader: Reader) -> None:
    """Refuse what no single field shows."""
    assumed = [path for path, source in profile.sources.items() if source.startswith(ASSUMED)]
    if assumed and profile.isa is None:
        raise reader.refuse(
            assumed[0], "a value is assumed for what a core lacks: say of what isa the core is"
        )
    for name in ("l1i", "l1d", "l2", "llc"):
        _check_cache(name, getattr(profile, name), profile.l1d.line, reader)
    for name in ("itlb", "dtlb", "stlb"):
        _check_tlb(name, getattr(profile, name), reader)
    if profile.predictor.history_bits > profile.predictor.table_bits:
        raise reader.refuse("predictor.history_bits", "must not exceed table_bits")
    _check_tagged_tables(profile.predictor, reader)
    if not _is_power_of_two(profile.predictor.btb_sets):
        raise reader.refuse("predictor.btb_sets", "must be a power of two")
    steps = (profile.latency.l1, profile.latency.l2, profile.latency.llc, profile.memory_latency)
    if list(steps) != sorted(steps):
        raise reader.refuse("latency", f"must not fall from level to level: l1, l2, llc, memory are {steps}")
    for name, units in profile.issue.items():
        if name != "rep_element" and units * profile.width < ISSUE_UNITS_PER_CYCLE:
            raise reader.refuse(f"issue.class.{name}", f"is cheaper than a width of {profile.width} allows")
        if units > ISSUE_UNITS_MOST:
            most = ISSUE_UNITS_MOST // ISSUE_UNITS_PER_CYCLE
            raise reader.refuse(f"issue.class.{name}", f"must be at most {most} cycles")


def _check_tagged_tables(predictor: Predictor, reader: Reader) -> None:
    if not predictor.tagged_tables:
        return
    if not predictor.tagged_bits:
        raise reader.refuse("predictor.tagged_bits", "must not be 0 where there are tagged tables")
    longest = predictor.tagged_history << (predictor.tagged_tables - 1)
    if not 0 < longest <= LONGEST_HISTORY:
        raise reader.refuse(
            "predictor.tagged_history",
            f"doubled for each table but the first must be from 1 to {LONGEST_HISTORY}, not {longest}",
        )


def _check_cache(name: str, cache: Cache, line: int, reader: Reader) -> None:
    if not _is_power_of_two(cache.line) or cache.line != line:
        raise reader.refuse(f"{name}.line", "must be a power of two and the same at every level")
    if cache.size == 0 and name != "l1d":
        return
    if cache.replacement == "tree-plru" and not _is_power_of_two(cache.ways):
        raise reader.refuse(f"{name}.ways", "must be a power of two for tree-plru")
    if name in ("l1i", "l1d") and cache.inclusion != "neither":
        raise reader.refuse(f"{name}.inclusion", "must be neither: there is no level before the first")
    if cache.size % (cache.ways * cache.line) or not _is_power_of_two(cache.sets):
        raise reader.refuse(f"{name}.size", "size / (ways * line), the sets, must be a power of two")


def _check_tlb(name: str, tlb: Tlb, reader: Reader) -> None:
    for size in ("small", "large", "huge"):
        _check_array(f"{name}.{size}", getattr(tlb, size), reader)
    if name != "dtlb" and not any((tlb.small.entries, tlb.large.entries, tlb.huge.entries)):
        return
    if tlb.small.entries == 0:
        raise reader.refuse(f"{name}.small.entries", "must not be 0")
    if tlb.large_in_small and tlb.large.entries:
        raise reader.refuse(f"{name}.large.entries", "must be 0 with large_in_small, which shares the array")


def _check_array(path: str, array: TlbArray, reader: Reader) -> None:
    if array.entries == 0:
        return
    if array.ways == 0 or array.entries % array.ways or not _is_power_of_two(array.entries // array.ways):
        raise reader.refuse(f"{path}.ways", "entries / ways, the number of sets, must be a power of two")
