# SPDX-License-Identifier: GPL-2.0-or-later
"""The pytest plugin: a kernel's tests boot it, and hold what its operations cost against budgets.

    def test_a_system_call_is_cheap(ringscope):
        run = ringscope.boot("build/kernel.elf", probes=["system_call"], exit_on="ready")
        assert run.ledger["system_call"].cycles <= 900

Installed with the package. The machine is imported when a test first boots something, not when pytest starts.
"""

from __future__ import annotations

import hashlib
import sys
from argparse import ArgumentTypeError
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringscope.emulator import Run
    from ringscope.tools.budgets import Budget

UPDATE = "--ringscope-update-budgets"
LIMIT_CYCLES, BUDGETS = "ringscope_limit_cycles", "ringscope_budgets"
DEFAULT_LIMIT, DEFAULT_BUDGETS = "10G", "budgets.toml"
LAST_LINES = 10  # of the console, shown when a run went wrong
#: Ways a run may end that no kernel means.
MISHAPS = {
    "limit": "the guest did not end within {limit:,} cycles",
    "triple-fault": "the guest could not handle an exception (triple fault)",
    "error": "the engine gave up",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option and the settings."""
    group = parser.getgroup("ringscope", "what kernels cost")
    group.addoption(UPDATE, action="store_true", help="write what was measured as the new budgets")
    parser.addini(BUDGETS, "the file of budgets, from the root folder", default=DEFAULT_BUDGETS)
    parser.addini(LIMIT_CYCLES, "cycles after which a run is given up", default=DEFAULT_LIMIT)


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to write one file from several processes."""
    if config.getoption(UPDATE) and hasattr(config, "workerinput"):
        raise pytest.UsageError(f"{UPDATE} writes a file that the workers of -n share; leave -n out")


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Explain a cost that failed a comparison: where its cycles went."""
    figures = sys.modules.get("ringscope.emulator.figures")
    found = [side for side in (left, right) if figures and isinstance(side, figures.Figure)]
    if not found:
        return None
    from ringscope.tools.budgets import breakdown  # noqa: PLC0415  not before something was booted

    ring = f" ({found[0].cost.ring})" if found[0].cost.ring else ""
    first = f"{left!r} {op} {right!r}: {found[0].name} of {found[0].cost.name}{ring}"
    return [first, *breakdown(found[0].cost)]


def _refuse(sentence: object) -> NoReturn:
    pytest.fail(f"ringscope: {sentence}", pytrace=False)


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return "unreadable"  # whoever loads it says why


class Ringscope:
    """What the fixture ``ringscope`` offers to tests."""

    def __init__(self, config: pytest.Config) -> None:
        """Nothing has been booted."""
        self._config = config
        self._runs: dict[object, Run] = {}
        self._live: list[Run] = []

    def _limit(self) -> int:
        from ringscope.tools.options import cycle_count  # noqa: PLC0415  imports the machine

        text = str(self._config.getini(LIMIT_CYCLES))
        try:
            return cycle_count(text)
        except ArgumentTypeError:
            _refuse(f"{LIMIT_CYCLES}: {text!r} is not a number of cycles; write 500000, 10M or 2G")

    def start(self, kernel: str | Path | None = None, **options: Any) -> Run:  # noqa: ANN401  as boot() has them
        """Return a system at power-on; it is closed when the session ends. Options are those of ``boot``."""
        from ringscope.emulator import ConfigError, ImageError, boot  # noqa: PLC0415  not at pytest's start
        from ringscope.emulator.cpu.markers import UnknownEngine  # noqa: PLC0415  and so these
        from ringscope.emulator.devices.disk_image import DiskImageError  # noqa: PLC0415
        from ringscope.emulator.native.library import LibraryMissing  # noqa: PLC0415
        from ringscope.emulator.timing.parameters import ProfileError  # noqa: PLC0415

        refusals = (ConfigError, ImageError, ProfileError, DiskImageError, LibraryMissing, UnknownEngine)
        try:
            run = boot(kernel, **options)
        except refusals as error:
            _refuse(error)
        self._live.append(run)
        return run

    def boot(
        self,
        kernel: str | Path | None = None,
        *,
        initrd: Iterable[str] = (),
        probes: Iterable[str] = (),
        typed: str = "",
        exit_on: str | None = None,
        limit: int | None = None,
        **options: Any,  # noqa: ANN401  as boot() has them
    ) -> Run:
        """Run a system to its end and return what it did; equal ones run once in a session.

        ``probes`` are symbols: ``"name"`` of the kernel, ``"program:name"`` of a module, ``"from..until"``;
        the ledger has them by these words. ``typed`` is typed at the console. ``exit_on`` is a regular
        expression that ends the run, ``limit`` a simulated time. A run that ends by the limit or by a triple
        fault fails the test.
        """
        modules, watched = tuple(initrd), tuple(probes)
        files = [Path(kernel)] if kernel is not None else []
        files += [Path(entry.strip().partition(" ")[0]) for entry in modules]
        files += [Path(options["disk"])] if options.get("disk") else []
        contents = tuple((str(file), _digest(file)) for file in files)
        key = (contents, modules, watched, typed, exit_on, limit, tuple(sorted(options.items())))
        if key not in self._runs:
            run = self.start(kernel, initrd=modules, **options)
            self._runs[key] = self._to_end(run, watched, typed, exit_on, limit or self._limit())
        return self._runs[key]

    def _to_end(self, run: Run, watched: tuple[str, ...], typed: str, exit_on: str | None, limit: int) -> Run:
        try:
            for words in watched:
                run.probe(words)
            if exit_on is not None:
                run.machine.exit_on(exit_on)
        except ValueError as error:  # ConfigError, PlaceError, or too many probes
            _refuse(error)
        if typed:
            run.type(typed)
        end = run.to_end(limit)
        run.close()
        if end.reason in MISHAPS:
            said = "\n".join(run.console.splitlines()[-LAST_LINES:]) or "(nothing)"
            _refuse(f"{MISHAPS[end.reason].format(limit=limit)}; the last that it printed:\n{said}")
        return run

    def budget(self, path: str | Path | None = None) -> Budget:
        """Return the budgets of a file; without a name those of the setting ``ringscope_budgets``."""
        from ringscope.tools.budgets import Budget, BudgetError  # noqa: PLC0415  not at pytest's start

        file = self._config.rootpath / str(path or self._config.getini(BUDGETS))
        try:
            return Budget(file, may_be_missing=bool(self._config.getoption(UPDATE)))
        except BudgetError as error:
            _refuse(error)

    def check(self, run: Run, path: str | Path | None = None) -> None:
        """Fail the test if an operation costs more than its budget, and say why; or write the new budgets."""
        from ringscope.bootimage import ImageError  # noqa: PLC0415  not at pytest's start
        from ringscope.tools.budgets import BudgetError  # noqa: PLC0415

        budget = self.budget(path)
        try:
            if self._config.getoption(UPDATE):
                budget.update(run.ledger)
            excesses = budget.excesses(run.ledger)
        except (BudgetError, ImageError) as error:
            _refuse(error)
        if excesses:
            pytest.fail(budget.explain(run.ledger, excesses), pytrace=False)

    def close(self) -> None:
        """Close whatever still runs."""
        for run in self._live:
            run.close()


@pytest.fixture(scope="session")
def ringscope(request: pytest.FixtureRequest) -> Iterator[Ringscope]:
    """Boot kernels, read what they cost, and hold it against budgets."""
    offer = Ringscope(request.config)
    yield offer
    offer.close()
