# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run's end is called, on stderr; a guest that ended by itself says nothing."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

from ringscope.tools.host_signals import STATUS_BASE

if TYPE_CHECKING:
    from ringscope.emulator.cpu.engine import Engine
    from ringscope.tools.session import Outcome

NOBODY_READS = STATUS_BASE + signal.SIGPIPE
STATUSES = (
    "Exit status: the guest's own (the value written to port 0xf4), 0 for --exit-on's match and for a guest "
    "that halted, 2 bad input or usage, 124 the limit, 125 an internal error, 126 a triple fault, 130 "
    "Ctrl-C; 'ringscope --help' has them all."
)
ALL_STATUSES = """\
exit status:
  0-255  the guest's own: the byte it wrote to port 0xf4 (from v, QEMU's isa-debug-exit makes 2v + 1);
         an AArch64 guest has no such port and switches the power off
  0      --exit-on matched, or the guest halted, asked for a reset or switched the power off
  1      'compare' found that something moved since its --baseline
  2      bad input or usage
  124    --limit-cycles reached
  125    an internal error: a bug in ringscope
  126    triple fault; on AArch64 an exception whose handler cannot be executed
  129    the terminal hung up (SIGHUP)
  130    Ctrl-C (SIGINT)
  131    Ctrl-\\ (SIGQUIT)
  141    nobody reads the output any more (SIGPIPE)
  143    SIGTERM
A guest may end with any of them; "reason" in the JSON of 'ringscope stat' says who did.
"""


def explain(outcome: Outcome) -> None:
    """Say on stderr of what the run is a what-if, and how it ended if the exit status does not say it."""
    what_if = outcome.machine.profile.what_if
    if what_if is not None:
        print(f"ringscope: {what_if}", file=sys.stderr)
    _warn_of_lost_marks(outcome)
    sentence = _sentence(outcome)
    if not sentence:
        return
    print(f"ringscope: {sentence}", file=sys.stderr)
    if outcome.exit.reason in ("triple-fault", "error"):
        _report_fault(outcome)


def _report_fault(outcome: Outcome) -> None:
    # Imported where something went wrong: a run that did not does without.
    from ringscope.emulator.debug import fault_report, raised  # noqa: PLC0415
    from ringscope.emulator.debug.symbols import SymbolTable  # noqa: PLC0415

    modules = ((module.name, module.data) for module in outcome.image.modules)
    symbols = SymbolTable(outcome.image.kernel_elf, modules)
    engine = outcome.machine.engine
    if outcome.exit.reason == "triple-fault" and engine.arch == "x86_64":
        print(raised.chain(engine, symbols), file=sys.stderr)
    elif (taken := fault_report.raised(engine, symbols)) is not None:
        print(taken, file=sys.stderr)
    print("\n".join(fault_report.report(engine, symbols)), file=sys.stderr)


def _warn_of_lost_marks(outcome: Outcome) -> None:
    lost = outcome.machine.dropped_marks
    if lost:
        marks = "1 mark" if lost == 1 else f"{lost} marks"
        print(
            f"ringscope: {marks} could not be booked: an operation was begun again before its end, ended "
            "without a beginning, or too many were open at once",
            file=sys.stderr,
        )


def _no_handler(engine: Engine) -> str:
    """Say that no exception can be delivered any more, in the architecture's words."""
    if engine.arch == "x86_64":
        return "triple fault"
    return f"an exception found no handler: nothing can be executed at {engine.register('pc'):#x},"


def _sentence(outcome: Outcome) -> str:
    machine, end = outcome.machine, outcome.exit
    when = f"at cycle {machine.engine.time}"
    match end.reason:
        case "limit":
            return f"the limit was reached {when}"
        case "interrupted" if end.status == NOBODY_READS:
            return ""
        case "interrupted":
            return f"interrupted {when}"
        case "triple-fault":
            return f"{_no_handler(machine.engine)} {when}"
        case "error":
            return f"{end.detail}, {when}; this is a bug in ringscope: please report it with the image"
        case _:
            return end.detail if end.detail.startswith("the guest") else ""
