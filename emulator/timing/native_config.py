# SPDX-License-Identifier: GPL-2.0-or-later
"""A profile as the native models' configuration.

The library lists the fields of its ``struct model_config`` by name and offset (native/model_config.def);
what a profile does not supply, or supplies in vain, is an error. So neither layout nor list is written down
here.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

from ringscope.emulator.timing.parameters import Cache, ProfileError, Tlb

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringscope.emulator.timing.profile import Profile

ANY = "any"  # the architecture of an event that all have
#: enum replacement, enum inclusion and the flags of struct cache_config, by a profile's words.
POLICY = {
    "replacement": {"lru": 0, "tree-plru": 1, "random": 2},
    "write": {"write-back": 0, "write-through": 1},
    "allocation": {"no-write-allocate": 0, "write-allocate": 1},
    "inclusion": {"neither": 0, "inclusive": 1, "exclusive": 2},
}


def _cache(name: str, cache: Cache) -> dict[str, int]:
    return {
        f"{name}.sets": cache.sets,
        f"{name}.ways": cache.ways,
        f"{name}.line_bytes": cache.line,
        f"{name}.replacement": POLICY["replacement"][cache.replacement],
        f"{name}.seed": cache.seed,
        f"{name}.write_through": POLICY["write"][cache.write],
        f"{name}.write_allocate": POLICY["allocation"][cache.allocation],
        f"{name}.inclusion": POLICY["inclusion"][cache.inclusion],
    }


def _tlb(name: str, tlb: Tlb) -> dict[str, int]:
    values = {f"{name}.large_in_small": int(tlb.large_in_small)}
    for size in ("small", "large", "huge"):
        array = getattr(tlb, size)
        values |= {f"{name}.{size}.entries": array.entries, f"{name}.{size}.ways": array.ways}
    return values


def _served(profile: Profile, level: str, latency: int) -> dict[str, int]:
    """Return what a level adds to a hit in L1: what its latency exceeds L1's; all of it for a walk's read."""
    beyond = latency - profile.latency.l1
    return {
        **{f"by_{level}.{kind}": beyond for kind in ("fetch", "load", "store")},
        f"by_{level}.walk": latency,
    }


def fields(profile: Profile) -> dict[str, int]:
    """Return the value of every field of the native configuration, by its path."""
    walk = {
        name: getattr(profile.walk, name)
        for name in ("stlb_hit", "base", "pml4e_cached", "pdpte_cached", "pde_cached")
    }
    predictor = vars(profile.predictor)
    return {
        "frequency_khz": profile.frequency_hz // 1000,
        **_cache("l1i", profile.l1i),
        **_cache("l1d", profile.l1d),
        **_cache("l2", profile.l2),
        **_cache("llc", profile.llc),
        **_served(profile, "l2", profile.latency.l2),
        **_served(profile, "llc", profile.latency.llc),
        **_served(profile, "memory", profile.memory_latency),
        **_tlb("itlb", profile.itlb),
        **_tlb("dtlb", profile.dtlb),
        **_tlb("stlb", profile.stlb),
        **{f"walk.{name}": value for name, value in walk.items()},
        "walk.l1_read": profile.latency.l1,
        **{f"predictor.{name}": value for name, value in predictor.items()},
        **{f"pipeline.{name}": int(value) for name, value in vars(profile.pipeline.buffers).items()},
        **{f"cost.{name}": cycles for name, cycles in profile.cost.items()},
    }


def layout(library: ctypes.CDLL) -> dict[str, int]:
    """Return the offset in bytes of every field of ``struct model_config``, by its path, in order."""
    name = library.model_config_field_name
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.c_uint]
    offset = library.model_config_field_offset
    offset.restype, offset.argtypes = ctypes.c_size_t, [ctypes.c_uint]
    offsets: dict[str, int] = {}
    while (text := name(len(offsets))) is not None:
        offsets[text.decode()] = offset(len(offsets))
    return offsets


def cost_architectures(library: ctypes.CDLL) -> dict[str, str]:
    """Return whose profiles price each ``cost.NAME``, by its path and in order; ANY for all of them."""
    name = library.cost_architecture
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.c_uint]
    costs = [path for path in layout(library) if path.startswith("cost.")]
    return {path: name(number).decode() for number, path in enumerate(costs)}


def needed(library: ctypes.CDLL, arch: str) -> set[str]:
    """Return the paths of the fields that a profile of ``arch`` supplies."""
    other = {path for path, of in cost_architectures(library).items() if of not in (ANY, arch)}
    return layout(library).keys() - other


def pack(
    library: ctypes.CDLL, values: Mapping[str, int], arch: str = "x86_64"
) -> ctypes.Array[ctypes.c_char]:
    """Return a ``struct model_config`` of these values for a processor of ``arch``.

    The prices of other architectures' events stay 0. ProfileError names fields missing or unknown.
    """
    wanted = needed(library, arch)
    missing, unknown = wanted - values.keys(), values.keys() - wanted
    if missing:
        raise ProfileError(f"the profile lacks {', '.join(sorted(missing))}, which the native core needs")
    if unknown:
        raise ProfileError(
            f"the profile gives {', '.join(sorted(unknown))}, which the native core does not know for {arch}"
        )
    library.model_config_size.restype = ctypes.c_size_t
    buffer = ctypes.create_string_buffer(library.model_config_size())
    offsets = layout(library)
    for path, value in values.items():
        ctypes.c_uint32.from_buffer(buffer, offsets[path]).value = value
    return buffer


def native_config(library: ctypes.CDLL, profile: Profile) -> ctypes.Array[ctypes.c_char]:
    """Return the ``struct model_config`` of a profile, to be passed to ``models_init``."""
    return pack(library, fields(profile), profile.arch)
