# SPDX-License-Identifier: GPL-2.0-or-later
"""A run in which all that is booked is attributed, for the commands that tell where it was spent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ringscope.emulator.attribution.names import Names
from ringscope.emulator.attribution.recorder import Recorder
from ringscope.emulator.debug.spaces import AddressSpaces
from ringscope.tools.options import UsageError

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Callable, Iterable, Mapping

    from ringscope.emulator.attribution.recorder import RawAttribution
    from ringscope.emulator.machine import Machine
    from ringscope.tools.options import BootOptions
    from ringscope.tools.session import Image

#: Where sources are looked for that were compiled by a relative name: ours are named from the checkout.
SOURCES = (Path(), Path(__file__).resolve().parents[1])


def names(
    programs: Mapping[int, str | None], kernel: bytes | None, modules: Iterable[tuple[str, bytes]]
) -> Names:
    """Return the names of a run's places."""
    return Names(programs, kernel, modules, SOURCES)


def refuse_to_save(options: BootOptions) -> None:
    """Raise UsageError where a run that is to be attributed is to be saved too."""
    if options.save is not None:
        raise UsageError(
            "--save-snapshot saves no run whose costs are attributed to instructions; save it in a run "
            "of its own, which is the same"
        )


class Watcher:
    """Attributes a run; ``raw`` and ``programs`` (by address space) are there when it has ended."""

    raw: RawAttribution
    programs: Mapping[int, str | None]

    def __init__(self, check: Callable[[Machine], None] | None = None) -> None:
        """``check`` may refuse the machine once it is loaded."""
        self._check = check

    def __call__(self, machine: Machine, image: Image, stack: contextlib.ExitStack) -> Callable[[], None]:
        """Begin, with the machine loaded."""
        if self._check is not None:
            self._check(machine)
        engine = machine.engine
        spaces = AddressSpaces.on(engine, [(module.name, module.data) for module in image.modules])
        self.programs = spaces.program
        recorder = stack.enter_context(Recorder(engine, machine.mark_names, spaces.learn))
        stack.callback(self._finish, recorder)
        return recorder.look

    def _finish(self, recorder: Recorder) -> None:
        self.raw = recorder.read()
