# SPDX-License-Identifier: GPL-2.0-or-later
"""Running a machine while gdb may attach to it, look, steer and let go, again and again.

Simulated time stands still while gdb holds the machine. The socket is looked at between two slices of the
guest, so when a machine stops because gdb asks for it depends on the host; what it computes does not.
"""

from __future__ import annotations

import contextlib
import select
from typing import TYPE_CHECKING

from ringscope.emulator.debug import kernel_view, our_kernel
from ringscope.emulator.debug.control import Control
from ringscope.emulator.debug.gdb.connection import Connection
from ringscope.emulator.debug.gdb.files import Files
from ringscope.emulator.debug.gdb.monitor import Monitor
from ringscope.emulator.debug.gdb.processes import Processes
from ringscope.emulator.debug.gdb.stub import KERNEL_FILE, Leave, Motion, Stub, Way
from ringscope.emulator.debug.gdb.threads import KernelThreads
from ringscope.emulator.debug.gdb.view import FAILED
from ringscope.emulator.debug.halt import Halt, Why
from ringscope.emulator.debug.history import History
from ringscope.emulator.debug.programs import Programs
from ringscope.emulator.debug.spaces import AddressSpaces
from ringscope.emulator.machine import EXIT_STATUS, Exit, Machine
from ringscope.emulator.snapshot import can_be_taken
from ringscope.emulator.trace.event import read, user_spaces
from ringscope.emulator.trace.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringscope.bootimage import LoadedImage
    from ringscope.bootimage.arm64 import LoadedArm64
    from ringscope.emulator.debug.gdb.address import Listener

WAIT_SECONDS = 0.1  # until the host's signals are looked at while gdb holds the machine
PARTING_LOOKS = 50  # for so many times WAIT_SECONDS a client may say good-bye when the run has ended
KILLED = Exit("interrupted", EXIT_STATUS["interrupted"], "gdb killed the run")


class Server:
    """A machine that is run for gdb. ``limit`` is the cycle at which the run ends, if any."""

    def __init__(
        self,
        machine: Machine,
        image: LoadedImage | LoadedArm64,
        listener: Listener,
        limit: int | None = None,
    ) -> None:
        """``image`` is what the machine was loaded with."""
        self._machine = machine
        self._listener = listener.socket
        self._history: History | None = None
        self._control = Control(machine, limit)
        self._client: Connection | None = None
        self._parting: Connection | None = None
        self._drain: Callable[[], None] = _nothing
        self._moves = False
        self._others: Callable[[], None] = _nothing
        self._files = {f"/{module.name}": module.data for module in image.modules}
        if image.kernel_elf is not None:
            self._files[KERNEL_FILE] = image.kernel_elf
        modules = [(module.name, module.data) for module in image.modules]
        self._names = AddressSpaces.on(machine.engine, modules)
        ours = our_kernel.of(machine.engine, Programs(image.kernel_elf, modules))
        threads = None if ours is None else KernelThreads(machine.engine, ours)
        self._processes = Processes(self._names.program.get, threads)
        self._call_register = kernel_view.CUSTOM[machine.engine.arch]

    def run(self, *, frozen: bool) -> Exit:
        """Run to the end. ``frozen``: not before gdb lets the guest go."""
        self._others = self._machine.on_slice or _nothing
        self._machine.on_slice = self._between_slices
        end = self._hold() if frozen else None
        while end is None:
            if self._client is None:
                self._moves = True
                halt = self._control.resume()
                self._moves = False
                end = halt.detail if isinstance(halt.detail, Exit) else None
            else:
                end = self._converse(self._client)
        for _ in range(PARTING_LOOKS):
            if self._parting is not None:
                self._part(self._parting, WAIT_SECONDS)
        for client in (self._client, self._parting):
            if client is not None:
                client.close()
        self._machine.system.finish()
        return end

    def _hold(self) -> Exit | None:
        """Wait for the first client; return the end if the host ends the run before."""
        while self._client is None and self._machine.ending is None:
            select.select([self._listener], [], [], WAIT_SECONDS)
            self._between_slices()
        return None if self._client is not None else self._machine.ending

    # ---- between two slices ----

    def _between_slices(self) -> None:
        self._others()
        self._look()

    def _look(self) -> None:
        """See who comes, who goes, and what the client wants of the running machine."""
        self._drain()
        if self._parting is not None:
            self._part(self._parting)
        if select.select([self._listener], [], [], 0)[0]:
            client, _ = self._listener.accept()
            if self._client is not None:
                client.close()  # one at a time
            else:
                self._client = Connection(client)
                if self._moves:
                    self._control.interrupt()
        if self._client is not None:
            self._client.poll(0)
            if self._moves and (self._client.interrupts or not self._client.open):
                self._client.interrupts = False
                self._control.interrupt()

    def _part(self, client: Connection, seconds: float = 0) -> None:
        """Let a client that has let the guest go detach from what else it knows, until it closes its end."""
        client.poll(seconds)
        while (payload := client.next_payload()) is not None:
            client.send(b"OK" if payload.startswith(b"D") else FAILED)
        if not client.open:
            self._parting = None

    def _learn(self, chunk: bytes) -> None:
        """Take note of the address spaces that run user code."""
        if user_spaces(chunk) - self._names.program.keys():
            for event in read(chunk):
                if event.from_user:
                    self._know(event.space, event.source)

    def _know(self, root: int, pc: int) -> None:
        space = self._control.engine.space_of(root)
        self._names.learn(space, pc)
        self._processes.of(space)

    # ---- with a client ----

    def _converse(self, client: Connection) -> Exit | None:
        """Serve a client until it is gone; return the end of the run if it ended."""
        if self._control.engine.in_user_mode:
            self._know(self._control.space, self._control.pc)
        if can_be_taken(self._machine):
            self._history = History(self._control)
        stub = Stub(
            self._control,
            self._processes,
            Files(self._files),
            Monitor(self._control, self._processes),
            goes_back=self._history is not None,
        )
        with contextlib.ExitStack() as stack:
            if not self._machine.engine.tracing:
                recorder = Recorder(self._machine.engine, (self._learn,), 0, self._call_register)
                stack.enter_context(recorder)
                stub.before_telling = self._drain = recorder.drain
            end = self._serve(client, stub)
            self._drain = _nothing
        stub.places.withdraw()
        stub.places.apply()
        self._client, self._parting = None, client if client.open else None
        return end or self._control.ended

    def _serve(self, client: Connection, stub: Stub) -> Exit | None:
        while client.open:
            if self._machine.ending is not None and self._control.ended is None:
                return self._machine.ending  # the host ends the run
            payload = client.next_payload()
            if payload is None:
                client.poll(WAIT_SECONDS)
                self._between_slices()
                continue
            answer = stub.answer(payload)
            leave = None
            if isinstance(answer, Motion):
                self._moves = True
                halt = self._move(answer)
                self._moves = False
                answer = [stub.stopped(halt)] if client.open else []
            elif isinstance(answer, tuple):
                answer, leave = answer
            for said in answer:
                client.send(said)
            client.acknowledges = stub.acknowledges
            if leave is not None:
                return KILLED if leave is Leave.KILL else None
        return None

    def _move(self, motion: Motion) -> Halt:
        control, history = self._control, self._history
        match motion.way:
            case Way.STEP:
                return control.step()
            case Way.RANGE:
                return self._step_within(motion.within)
            case Way.STEP_BACK if history is not None:
                return history.step_back()
            case Way.RESUME_BACK if history is not None:
                return history.resume_back()
            case _:
                return control.resume()

    def _step_within(self, addresses: range) -> Halt:
        while (halt := self._control.step()).why is Why.STEP and halt.pc in addresses:
            pass
        return halt


def _nothing() -> None:
    """Nobody else looks between two slices."""
