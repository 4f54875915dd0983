# SPDX-License-Identifier: GPL-2.0-or-later
"""What a profile must say, and how a bad one is refused."""

from __future__ import annotations

import pytest

from ringscope.emulator.timing import profile as profiles
from ringscope.emulator.timing.native_config import fields, native_config, needed
from ringscope.emulator.timing.parameters import ISSUE_UNITS_PER_CYCLE, ProfileError

SKYLAKE = (profiles.PROFILES / "skylake.toml").read_text(encoding="utf-8")


@pytest.fixture
def refusal(tmp_path):
    """Load the bundled profile with one text replaced; return the sentence that refuses it."""

    def load(old: str, new: str) -> str:
        assert SKYLAKE.count(old) >= 1
        path = tmp_path / "odd.toml"
        path.write_text(SKYLAKE.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(ProfileError) as error:
            profiles.load(path)
        return str(error.value).removeprefix(f"{path}: ")

    return load


@pytest.mark.parametrize("name", profiles.available())
def test_every_bundled_profile_loads_and_fills_the_native_configuration(library, name) -> None:
    profile = profiles.load(name)
    assert profile.name == name
    assert fields(profile).keys() == needed(library, profile.arch)
    assert native_config(library, profile)


def test_the_default_profile_is_there() -> None:
    assert "skylake" in profiles.available()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("l1d.sets", 64),
        ("l1d.ways", 8),
        ("l2.sets", 1024),
        ("llc.sets", 8192),
        ("dtlb.small.entries", 64),
        ("stlb.small.entries", 1536),
        ("stlb.large_in_small", 1),
        ("cost.syscall", 82),  # SkyBridge, EuroSys 2019
        ("cost.swapgs", 26),
        ("cost.sysret", 75),
        ("cost.mov_cr3_pcid", 186),
        ("by_l2.walk", 12),  # Intel optimisation manual
        ("by_llc.walk", 44),
        ("by_memory.walk", 42 + 204),  # 51 ns at 4 GHz
        ("by_l2.load", 8),  # 12 - 4
        ("walk.l1_read", 4),
        ("frequency_khz", 4_000_000),
    ],
)
def test_skylake_reaches_the_native_models_with_its_published_figures(skylake, field, value) -> None:
    assert skylake[field] == value


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("cortex-a53", "l1d.ways", 4),  # the technical reference manuals
        ("cortex-a53", "itlb.small.entries", 10),
        ("cortex-a53", "stlb.small.entries", 512),
        ("cortex-a53", "llc.sets", 0),
        ("cortex-a53", "walk.l1_read", 3),  # LLVM's scheduling models
        ("cortex-a53", "predictor.mispredict", 9),
        ("cortex-a57", "l1i.ways", 3),
        ("cortex-a57", "l1i.sets", 256),
        ("cortex-a57", "dtlb.small.entries", 32),
        ("cortex-a57", "predictor.mispredict", 14),
        ("cortex-a72", "stlb.small.entries", 1024),
    ],
)
def test_the_arm_cores_reach_the_native_models_with_their_published_figures(name, field, value) -> None:
    assert fields(profiles.load(name))[field] == value


def test_a_null_call_of_the_kernel_stays_below_the_bound_that_was_measured() -> None:
    cost = profiles.load("cortex-a53").cost
    assert cost["svc"] + cost["eret"] < 230  # l4re.org, with a null path through the kernel


def test_a_processor_of_another_architecture_is_refused_with_those_there_are() -> None:
    with pytest.raises(
        ProfileError, match=r"^skylake: a processor of x86_64, and aarch64 is wanted; there are: c"
    ):
        profiles.load("skylake", "aarch64")
    assert profiles.load("cortex-a72", "aarch64").name == "cortex-a72"


def test_a_price_of_another_architectures_event_is_refused(library, tmp_path) -> None:
    path = tmp_path / "odd.toml"
    svc = "svc = { value = 1, unit = 'cycles', source = 'x' }"
    path.write_text(SKYLAKE.replace("\nhlt =", f"\n{svc}\nhlt ="), encoding="utf-8")
    with pytest.raises(
        ProfileError, match=r"gives cost\.svc, which the native core does not know for x86_64"
    ):
        native_config(library, profiles.load(path))


def test_every_number_has_a_source_and_the_share_of_estimates_is_told() -> None:
    profile = profiles.load("skylake")
    estimates = [path for path, source in profile.sources.items() if source.startswith("estimate")]
    assert profile.share("assumed") == 0
    assert profile.estimate_share == len(estimates) / len(profile.sources)
    assert 0 < profile.estimate_share < 1
    assert profile.sources["cost.syscall"] == "SkyBridge"


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("i486", "cost.int_gate", 71),  # Liedtke, SOSP'95
        ("i486", "cost.iret", 36),
        ("i486", "cost.mov_cr3", 36),
        ("i486", "by_memory.load", 3),
        ("i486", "by_memory.fetch", 3),
        ("i486", "l1i.sets", 0),
        ("i486", "l1d.write_through", 1),
        ("i486", "l1d.write_allocate", 0),
        ("i486", "itlb.small.entries", 0),
        ("i486", "stlb.small.entries", 0),
        ("pentium", "itlb.small.entries", 32),
        ("pentium", "dtlb.small.entries", 64),
        ("zen4", "walk.l1_read", 4),  # AMD's optimisation guide
        ("zen4", "predictor.mispredict", 13),
        ("zen4", "llc.inclusion", 2),
        ("cortex-a9", "walk.l1_read", 4),  # 7-cpu.com
        ("cortex-a9", "by_l2.walk", 23),
        ("cortex-a9", "by_memory.walk", 23 + 110),
        ("cortex-a9", "walk.stlb_hit", 7),
        ("cortex-a9", "stlb.small.entries", 128),
    ],
)
def test_the_other_cores_reach_the_native_models_with_their_published_figures(name, field, value) -> None:
    assert fields(profiles.load(name))[field] == value


@pytest.mark.parametrize("entries", [1, 14, 90, 96])
def test_a_tlb_miss_costs_the_i486_and_the_pentium_nine_when_its_two_reads_hit(entries) -> None:
    for profile in map(profiles.load, ("i486", "pentium")):
        assert entries * (profile.walk.base + 2 * profile.latency.l1) == 9 * entries  # SOSP'95: 96 are 864


@pytest.mark.parametrize(
    ("name", "lacking"),
    [
        ("i486", {"syscall": "int_gate", "sysenter": "int_gate", "sysret": "iret", "sysexit": "iret"}),
        ("pentium", {"syscall": "int_gate", "sysenter": "int_gate", "sysret": "iret", "sysexit": "iret"}),
        ("cortex-a9", {"eret": "svc"}),
    ],
)
def test_what_a_core_lacks_takes_the_price_of_what_it_has_and_says_so(name, lacking) -> None:
    profile = profiles.load(name)
    for absent, present in lacking.items():
        assert profile.cost[absent] == profile.cost[present]
        assert profile.sources[f"cost.{absent}"].startswith("assumed: the core ")


@pytest.mark.parametrize("name", profiles.available())
def test_a_core_of_another_instruction_set_is_a_what_if_and_no_other_assumes_anything(name) -> None:
    profile = profiles.load(name)
    foreign = {"i486": "IA-32", "pentium": "IA-32", "cortex-a9": "ARMv7-A"}
    assert profile.isa == foreign.get(name)
    assert (profile.what_if is None) == (profile.isa is None) == (profile.share("assumed") == 0)
    assert profile.label == (name if profile.isa is None else f"{name} (what-if)")


def test_every_instruction_costs_the_i486_one_cycle_and_six_tenths() -> None:
    assert {units * 5 for units in profiles.load("i486").issue.values()} == {8 * ISSUE_UNITS_PER_CYCLE}


def test_an_unknown_name_lists_the_profiles_there_are() -> None:
    with pytest.raises(ProfileError, match=r"pentium9: no such processor profile; there are: .*skylake"):
        profiles.load("pentium9")


def test_a_file_that_is_missing_or_not_toml_is_named(tmp_path) -> None:
    with pytest.raises(ProfileError, match=r"none\.toml: cannot be read: No such file"):
        profiles.load(tmp_path / "none.toml")
    odd = tmp_path / "odd.toml"
    odd.write_text("[[[", encoding="utf-8")
    with pytest.raises(ProfileError, match=r"odd\.toml: is not TOML"):
        profiles.load(odd)


def test_a_file_that_is_not_text_is_not_toml(tmp_path) -> None:
    (tmp_path / "odd.toml").write_bytes(b"\x7fELF\xff")
    with pytest.raises(ProfileError, match=r"odd\.toml: is not TOML: it is not text$"):
        profiles.load(tmp_path / "odd.toml")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            'value = 32768, unit = "bytes"',
            'value = 32768, unit = "KiB"',
            "l1i.size: unit must be 'bytes', not 'KiB'",
        ),
        (
            'value = 82, unit = "cycles"',
            'value = 8.2, unit = "cycles"',
            "must be a whole number of cycles, not 8.2",
        ),
        ("value = 82,", "value = -1,", "cost.syscall: value must be from 0 to 4294967295 cycles, not -1"),
        (', source = "SkyBridge" }', " }", "must have exactly value, unit and source (look at: source)"),
        ('source = "SkyBridge" }', 'source = "" }', "cost.syscall: source must say where the value is from"),
        ('source = "SkyBridge" }', 'source = "estimate:" }', "cost.syscall: an estimate needs its reason"),
        (
            'value = "lru"',
            'value = "plru"',
            "l1i.replacement: must be one of lru, tree-plru, random, not 'plru'",
        ),
        ("[l1d]", "[l1d]\nseed = 0", "l1d.seed: must be a whole number from 1 to 4294967295, not 0"),
        (
            "[l1d]",
            '[l1d]\nwrite = { value = "around", unit = "policy", source = "x" }',
            "l1d.write: must be one of write-back, write-through, not 'around'",
        ),
        (
            "[l1d]",
            '[l1d]\ninclusion = { value = "inclusive", unit = "policy", source = "x" }',
            "l1d.inclusion: must be neither: there is no level before the first",
        ),
        (
            "value = 32768",
            "value = 30000",
            "l1i.size: size / (ways * line), the sets, must be a power of two",
        ),
        (
            "value = 64, unit",
            "value = 32, unit",
            "l1i.line: must be a power of two and the same at every level",
        ),
        (
            "value = 1536",
            "value = 1500",
            "stlb.small.ways: entries / ways, the number of sets, must be a power of two",
        ),
        ("value = 44,", "value = 11,", "latency: must not fall from level to level"),
        (
            "history_bits = { value = 0",
            "history_bits = { value = 15",
            "predictor.history_bits: must not exceed table_bits",
        ),
        (
            "tagged_bits = { value = 11",
            "tagged_bits = { value = 0",
            "predictor.tagged_bits: must not be 0 where there are tagged tables",
        ),
        (
            "tagged_history = { value = 4",
            "tagged_history = { value = 10",
            "predictor.tagged_history: doubled for each table but the first must be from 1 to 64, not 160",
        ),
        ("large_in_small = true", "large_in_small = 1", "stlb.large_in_small: must be true or false, not 1"),
        ("[walk]", "[wlak]", "wlak: is not a part of a profile"),
        ("stlb_hit =", "stlb_hits =", "walk.stlb_hits: is not a field of a profile"),
        ("alu = { value = 16", "alu = { value = 15", "issue.class.alu: is cheaper than a width of 4 allows"),
        ("alu = { value = 16", "alu = { value = 13108", "issue.class.alu: must be at most 204 cycles"),
        ('"cycles/64"', '"cycles/3"', "issue.class.alu: unit must be 'cycles/64', not 'cycles/3'"),
        ('name = "skylake"', "", "name: must be a text"),
        ('arch = "x86_64"', 'arch = "x86_64"\nisa = 3', "isa: must be a text"),
        (
            'source = "SkyBridge" }',
            'source = "assumed: it has none" }',
            "cost.syscall: a value is assumed for what a core lacks: say of what isa the core is",
        ),
        (
            'source = "SkyBridge" }',
            'source = "assumed:" }',
            'cost.syscall: an assumption needs its reason: "assumed: reason"',
        ),
    ],
)
def test_a_bad_profile_is_refused_by_field_and_reason(refusal, old, new, sentence) -> None:
    assert sentence in refusal(old, new)


def test_a_missing_field_is_named(refusal) -> None:
    line = next(line for line in SKYLAKE.splitlines() if line.startswith("pde_cached"))
    assert refusal(line, "") == "walk.pde_cached: the table is missing"


def test_a_price_that_the_native_core_needs_or_does_not_know_is_named(library, tmp_path) -> None:
    path = tmp_path / "odd.toml"
    path.write_text(SKYLAKE.replace("\nhlt =", "\nhalt ="), encoding="utf-8")
    with pytest.raises(ProfileError, match=r"lacks cost\.hlt, which the native core needs"):
        native_config(library, profiles.load(path))
    path.write_text(
        SKYLAKE.replace("\nhlt =", "\nvmlaunch = { value = 1, unit = 'cycles', source = 'x' }\nhlt =")
    )
    with pytest.raises(ProfileError, match=r"gives cost\.vmlaunch, which the native core does not know"):
        native_config(library, profiles.load(path))
