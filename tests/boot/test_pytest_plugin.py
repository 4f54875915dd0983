# SPDX-License-Identifier: GPL-2.0-or-later
"""The pytest plugin as a kernel's developer has it: budgets kept, exceeded, written; refusals in a sentence.

The kernel under test is a stranger's: two tasks that print by turns, which takes 22 system calls.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.guest import catalogue
from tests.machine import small_kernels

pytest_plugins = ["pytester"]

PAGE = Path(__file__).resolve().parents[2] / "emulator" / "API.md"
CALLS = 'run = ringscope.boot("kernel.elf", probes=["system_call"], exit_on="are done")'


@pytest.fixture
def project(pytester):
    """A folder with the stranger's kernel, in which tests are run."""
    shutil.copyfile(catalogue.build_foreign("pae_tasks"), pytester.path / "kernel.elf")
    return pytester


def run(project, body: str, *options: str):
    """Run one test of some lines, as a user's own file."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    project.makepyfile(f"def test_cost(ringscope):\n{lines}")
    return project.runpytest("-p", "no:cacheprovider", *options)


def text(result) -> str:
    return result.stdout.str()


def test_a_cost_within_its_budget_passes(project) -> None:
    body = f'{CALLS}\nassert run.exit.reason == "matched"\nassert run.ledger["system_call"].cycles <= 5000'
    run(project, body).assert_outcomes(passed=1)


def test_a_cost_above_its_budget_shows_where_the_cycles_went(project) -> None:
    result = run(project, f'{CALLS}\nassert run.ledger["system_call"].cycles <= 1')
    result.assert_outcomes(failed=1)
    assert re.search(r"[\d.]+ <= 1: cycles of system_call", text(result))
    assert re.search(r"system_call: [\d,.]+ cycles per execution, of 21 executions", text(result))
    assert re.search(r"cycles:k +[\d,.]+", text(result))
    assert re.search(r"serialisation +[\d,.]+", text(result))


BUDGET = "# what a call may cost\n[system_call]\ncycles = {cycles}\n'instructions:k' = 100\n"


def test_the_budgets_of_a_file_are_kept(project) -> None:
    (project.path / "budgets.toml").write_text(BUDGET.format(cycles=5000))
    run(project, f"{CALLS}\nringscope.check(run)").assert_outcomes(passed=1)


def test_what_exceeds_the_budgets_of_a_file_is_told_with_the_cause_and_what_moved(project) -> None:
    """The file says that it took 5 issue cycles and 3 instructions fewer once."""
    file = project.path / "costs.toml"
    file.write_text(BUDGET.format(cycles=5))
    run(project, f'{CALLS}\nringscope.check(run, "costs.toml")', "--ringscope-update-budgets")
    written = tomllib.loads(file.read_text())["system_call"]
    was, name = written["was"], "instructions"
    then = {"issue": was["issue"] + 5, name: was[name] + 3, "branches": was["branches"]}
    lines = "".join(f"{key} = {value}\n" for key, value in then.items())
    file.write_text(f"[system_call]\ncycles = 5\n[system_call.was]\n{lines}")

    result = run(project, f'{CALLS}\nringscope.check(run, "costs.toml")')
    result.assert_outcomes(failed=1)
    said = text(result)
    assert re.search(r"system_call: [\d,.]+ cycles, and the budget is 5, [\d.]+ % over", said)
    assert re.search(r"issue +[\d,.]+ +was [\d,.]+", said)
    assert re.search(r"counters that moved\n +instructions +[\d,.]+ +was [\d,.]+\n", said)
    assert "branches" not in said
    assert "pytest_plugin.py" not in said


def test_new_budgets_are_written_and_hold(project) -> None:
    file = project.path / "budgets.toml"
    file.write_text(BUDGET.format(cycles=5))
    body = f"{CALLS}\nringscope.check(run)"
    run(project, body, "--ringscope-update-budgets").assert_outcomes(passed=1)
    written = tomllib.loads(file.read_text())["system_call"]
    assert file.read_text().startswith("# what a call may cost\n")
    assert set(written) == {"cycles", "instructions:k", "was"}
    assert written["was"]["cycles"] <= written["cycles"] < written["was"]["cycles"] + 1
    run(project, body).assert_outcomes(passed=1)


def test_a_file_that_is_not_there_yet_gets_every_operation(project) -> None:
    run(project, f"{CALLS}\nringscope.check(run)", "--ringscope-update-budgets").assert_outcomes(passed=1)
    written = tomllib.loads((project.path / "budgets.toml").read_text())
    assert {name: set(table) for name, table in written.items()} == {
        "system_call": {"cycles", "instructions", "was"}
    }


def test_equal_runs_are_run_once(project) -> None:
    body = (
        f'{CALLS}\nfirst = run\n{CALLS}\nassert run is first\nassert ringscope.boot("kernel.elf") is not run'
    )
    run(project, body).assert_outcomes(passed=1)


def test_another_kernel_in_the_same_file_is_another_run(project) -> None:
    other = small_kernels.kernel("exit-3").hex()
    body = (
        f"{CALLS}\nfrom pathlib import Path\n"
        f'Path("kernel.elf").write_bytes(bytes.fromhex("{other}"))\n'
        'assert ringscope.boot("kernel.elf").exit.status == 3'
    )
    run(project, body).assert_outcomes(passed=1)


def test_what_is_typed_is_answered(project) -> None:
    small_kernels.write("echo", project.path)
    body = 'run = ringscope.boot("echo.bin", typed="hello q")\nassert "hello" in run.console'
    run(project, body).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (
            'ringscope.boot("missing.elf")',
            "ringscope: missing.elf: cannot be read: No such file or directory",
        ),
        ('ringscope.boot("test_cost*.py")', "cannot be read"),
        ('ringscope.boot("kernel.elf", initrd=["gone a=1"])', "ringscope: gone: cannot be read"),
        ('ringscope.boot("kernel.elf", cpu="vax")', "vax"),
        ('ringscope.boot("kernel.elf", probes=["system_cal"])', "did you mean system_call"),
        ('ringscope.boot("kernel.elf", exit_on="(")', "not a regular expression"),
        ('ringscope.boot("kernel.elf", limit=1000)', "the guest did not end within 1,000 cycles"),
        (f"{CALLS}\nringscope.check(run)", "budgets.toml: cannot be read: No such file or directory"),
    ],
)
def test_what_cannot_be_done_fails_with_a_sentence_and_no_traceback(project, body, sentence) -> None:
    result = run(project, body)
    result.assert_outcomes(failed=1)
    assert sentence in text(result)
    assert "Traceback" not in text(result)
    assert "pytest_plugin.py" not in text(result)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[system_call\n", "budgets.toml: not a budget: "),
        ("system_call = 3\n", "system_call is no table"),
        ("[system_call]\ncycles = 'few'\n", "system_call.cycles = 'few': give a number"),
        ("[system_call]\nmisses = 3\n", "system_call.misses: this run has no such counter"),
        ("[call]\ncycles = 3\n", "call was not carried out in this run; there are system_call"),
    ],
)
def test_a_bad_budget_fails_with_a_sentence_and_no_traceback(project, content, sentence) -> None:
    (project.path / "budgets.toml").write_text(content)
    result = run(project, f"{CALLS}\nringscope.check(run)")
    result.assert_outcomes(failed=1)
    assert sentence in text(result)
    assert "pytest_plugin.py" not in text(result)


def test_a_guest_that_hangs_is_given_up_after_the_cycles_of_the_setting(project) -> None:
    small_kernels.write("spin", project.path)
    project.makeini("[pytest]\nringscope_limit_cycles = 2M\n")
    result = run(project, 'ringscope.boot("spin.bin")')
    result.assert_outcomes(failed=1)
    assert "the guest did not end within 2,000,000 cycles" in text(result)


def test_a_setting_that_is_no_number_is_refused(project) -> None:
    project.makeini("[pytest]\nringscope_limit_cycles = soon\n")
    assert "'soon' is not a number of cycles" in text(run(project, 'ringscope.boot("kernel.elf")'))


def test_pytest_starts_without_the_machine(project) -> None:
    """The plugin is loaded, and neither the engine nor our own packages behind it are."""
    program = (
        "import sys, pytest\n"
        "class Look:\n"
        "    def pytest_configure(self, config):\n"
        "        ours = ('ringscope.', 'unicorn')\n"
        "        loaded = sorted(each for each in sys.modules if each.startswith(ours))\n"
        "        print('LOADED', loaded)\n"
        "pytest.main(['--version', '--version', '-p', 'no:cacheprovider'], plugins=[Look()])\n"
        "pytest.main(['--collect-only', '-q', '-p', 'no:cacheprovider'], plugins=[Look()])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=project.path, capture_output=True, text=True, check=True
    )
    loaded = re.findall(r"LOADED (.*)", done.stdout)[-1]
    assert loaded == "['ringscope.tools', 'ringscope.tools.pytest_plugin']"


def test_the_worked_example_of_the_page_runs(project) -> None:
    page = PAGE.read_text("utf-8")
    source = next(
        block
        for block in re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
        if "def test_" in block
    )
    (budgets,) = re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (project.path / "budgets.toml").write_text(budgets)
    project.makepyfile(test_costs=source)
    project.runpytest("-p", "no:cacheprovider").assert_outcomes(passed=2)
