# SPDX-License-Identifier: GPL-2.0-or-later
"""The Python API as its page shows it, on both machines, and what it says of what cannot be done."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import pytest

from ringscope.emulator import ConfigError, ImageError, PlaceError, boot
from ringscope.emulator.debug.probes import find
from ringscope.emulator.machine import DEFAULT_CPU
from tests.guest import catalogue
from tests.machine import small_kernels
from tests.machine.command_line import ringscope

PAGE = Path(__file__).resolve().parents[2] / "emulator" / "API.md"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
ARCH_LINE = 'arch = "x86_64"  # or "aarch64"\n'


def blocks() -> list[str]:
    return BLOCK.findall(PAGE.read_text("utf-8"))


@pytest.mark.parametrize("arch", DEFAULT_CPU)
def test_every_bundled_example_of_the_page_runs_in_order(arch: str, capsys) -> None:
    """The examples of the pytest plugin are run by its own tests."""
    names: dict[str, object] = {}
    examples = [block for block in blocks() if "def test_" not in block]
    assert sum(ARCH_LINE in block for block in examples) == 1
    for example in examples:
        source = example.replace(ARCH_LINE, f"arch = {arch!r}\n")
        exec(compile(source, str(PAGE), "exec"), names)  # noqa: S102  the project's own page
    assert "cycles of simulated time" in capsys.readouterr().out


@pytest.fixture(scope="module", params=DEFAULT_CPU)
def bundled(request):
    """A run of the bundled system to its end, and its architecture."""
    with boot(arch=request.param) as run:
        run.to_end()
    return run, request.param


def test_a_bundled_run_counts_what_the_command_counts(bundled, tmp_path) -> None:
    run, arch = bundled
    file = tmp_path / "counters.json"
    ringscope("ipc", "--arch", arch, "--json", file)
    document = json.loads(file.read_text("utf-8"))
    for name in run.counters.names:
        assert run.counters[name] == document["counters"][name]
        assert run.counters.user[name] == document["counters"][f"{name}:u"]
    assert [(cost.name, cost.count, cost.causes) for cost in run.ledger.values()] == [
        (
            entry["name"],
            entry["count"],
            {cause: cycles / entry["count"] for cause, cycles in entry["cycles_by_cause"].items()},
        )
        for entry in document["ledger"]
    ]
    assert {name: float(figure) for name, figure in run.ledger["ping-pong"].items()} == {
        name: value for name, value in document["ledger"][0]["per_op"].items() if ":" not in name
    }


def test_a_bundled_run_prints_what_the_command_prints(bundled) -> None:
    run, arch = bundled
    assert run.console == ringscope("boot", "--arch", arch).out


def test_a_counter_that_a_bundled_run_lacks_is_no_attribute() -> None:
    with boot(fidelity="functional") as run:
        with pytest.raises(AttributeError, match="no counter L2_loads"):
            _ = run.counters.L2_loads
        with pytest.raises(KeyError, match="no counter L2-loads; there are cycles"):
            _ = run.counters["L2-loads"]


def test_an_operation_that_no_bundled_program_has_is_named_with_those_there_are(bundled) -> None:
    with pytest.raises(KeyError, match="no operation pong was carried out; there are ping-pong"):
        _ = bundled[0].ledger["pong"]


def test_a_stopped_and_probed_bundled_run_counts_the_same(bundled) -> None:
    with boot(arch=bundled[1]) as run:
        run.until_text("started echo")
        run.probe("frame_take")
        run.until_cycle(run.cycle + 5000)
        run.probe("print", program="client")
        run.to_end()
    assert run.counters == bundled[0].counters
    assert run.ledger["ping-pong"].total == bundled[0].ledger["ping-pong"].total


@pytest.mark.parametrize("arch", DEFAULT_CPU)
def test_a_bundled_program_is_probed_in_its_own_space_alone(arch: str) -> None:
    """All bundled programs are linked at the same address and begin with the same code."""
    with boot(arch=arch) as run:
        started = {
            name: run.probe("program_main", program=name) for name in ("root", "pager", "echo", "client")
        }
        run.to_end()
    assert {name: probe.entries for name, probe in started.items()} == dict.fromkeys(started, 1)


def test_a_function_of_a_foreign_kernel_is_probed_without_a_change() -> None:
    """Each task prints and yields five times, and ends; the last of these calls ends the machine instead."""
    with boot(catalogue.build_foreign("pae_tasks")) as run:
        calls = run.probe("system_call")
        start = run.probe("kmain", until="go_user")
        run.to_end()
    assert (calls.entries, run.ledger["system_call"].count) == (22, 21)
    assert (start.entries, run.ledger["kmain..go_user"].count) == (1, 1)


@pytest.mark.parametrize("arch", DEFAULT_CPU)
def test_a_run_stops_at_a_symbol_of_one_bundled_program(arch: str) -> None:
    with boot(arch=arch) as run:
        assert run.until_symbol("program_main", program="client")
        printed, place = run.console, run.control.pc
        assert not run.until_symbol("program_main", program="client")
    assert "started client" in printed
    assert "client: my quota" not in printed
    assert place == find(run.image, "program_main", "client").address
    assert run.exit.reason == "guest"


@pytest.mark.parametrize("arch", DEFAULT_CPU)
def test_a_run_stops_at_each_crossing_of_a_bundled_system(arch: str) -> None:
    with boot(arch=arch) as run:
        run.until_symbol("program_main", program="client")
        seen = [run.until_event("crossing") for _ in range(6)]
    assert [(event.from_user, event.to_user) for event in seen] == [(True, False), (False, True)] * 3
    assert all(before.time < after.time for before, after in itertools.pairwise(seen))


def test_a_limit_ends_a_wait_and_not_the_bundled_run() -> None:
    with boot() as run:
        assert not run.until_symbol("frame_take", limit=1000)
        assert (run.exit.reason, run.exit.status) == ("limit", 124)
        assert run.until_event("ipc", limit=2000) is None
        assert run.to_end().reason == "guest"


def test_what_is_typed_reaches_a_kernel_that_polls_for_it(tmp_path) -> None:
    with boot(small_kernels.write("echo", tmp_path)) as run:
        assert run.until_cycle(100_000)
        run.type("abc")
        assert run.until_text("abc", limit=1_000_000_000)
        run.type("q")
        assert run.to_end(limit=2_000_000_000).status == 7
    assert run.console == ">abcq\n"


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"kernel": "no-such-file"}, ImageError, "no-such-file: cannot be read"),
        ({"kernel": __file__}, ImageError, "no Multiboot 1 or 2 header"),
        ({"memory_mib": 1}, ConfigError, "memory of 1048576 bytes"),
        ({"arch": "vax"}, ConfigError, "architecture vax"),
    ],
)
def test_what_cannot_be_booted_is_refused_with_a_sentence(options, error, sentence) -> None:
    with pytest.raises(error, match=sentence):
        boot(**options)


def test_places_that_a_bundled_system_lacks_are_refused_with_a_sentence() -> None:
    with boot() as run:
        with pytest.raises(PlaceError, match="kernel has no such symbol; did you mean frame_take"):
            run.probe("frame_tale")
        with pytest.raises(PlaceError, match="no module has that name; there are root"):
            run.probe("main", program="shell")
        with pytest.raises(PlaceError, match="has no code at 0x10"):
            run.probe(0x10, program="echo")
        with pytest.raises(ConfigError, match=r"\(: not a regular expression"):
            run.until_text("(")


def test_a_closed_run_of_the_bundled_system_runs_no_further() -> None:
    run = boot()
    run.close()
    run.close()
    with pytest.raises(ValueError, match="this run is closed"):
        run.to_end()
