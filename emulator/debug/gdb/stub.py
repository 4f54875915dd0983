# SPDX-License-Identifier: GPL-2.0-or-later
"""What gdb's packets mean for a machine, and what is answered. No socket is known here.

``Stub.answer`` takes a payload and returns the answers to it, or what the machine is to do: a ``Motion``,
after which ``stopped`` says what gdb is told; ``Leave``, when gdb lets go. Source: Debugging with GDB,
appendix E.

A stop is told as one of a thread, and gdb holds each breakpoint for one process: so the stop at a breakpoint
belongs to the process through which it was set, that of a step to the process that was stepped, and any other
to the process of the ring that runs.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringscope.emulator.debug.gdb.description import DESCRIPTIONS
from ringscope.emulator.debug.gdb.packet import MOST, escape
from ringscope.emulator.debug.gdb.places import REASONS, Place, Places
from ringscope.emulator.debug.gdb.processes import MACHINE, Process, Processes, parse_thread
from ringscope.emulator.debug.gdb.view import View
from ringscope.emulator.debug.halt import Halt, WatchHit, Why
from ringscope.emulator.machine import Exit

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringscope.emulator.debug.control import Control
    from ringscope.emulator.debug.gdb.files import Files
    from ringscope.emulator.debug.gdb.monitor import Monitor

SIGINT, SIGTRAP, SIGABRT = 2, 5, 6  # as gdb numbers them
ERROR = b"E01"
CRASHES = ("triple-fault", "error")
#: Where gdb takes a watchpoint's stop to come before the access, makes a step by itself and looks then. The
#: access has been done: that step is not made.
STOPS_BEFORE_ACCESS = ("aarch64",)
KERNEL_FILE = "/kernel"
FEATURES = (
    f"PacketSize={MOST:x};QStartNoAckMode+;multiprocess+;swbreak+;hwbreak+;vContSupported+;"
    "qXfer:features:read+;qXfer:threads:read+;qXfer:exec-file:read+"
)
REVERSE_FEATURES = ";ReverseStep+;ReverseContinue+"


class Way(enum.Enum):
    """How the machine is to move."""

    STEP = enum.auto()
    RANGE = enum.auto()  # step while within addresses
    RESUME = enum.auto()
    STEP_BACK = enum.auto()
    RESUME_BACK = enum.auto()


STEPS = (Way.STEP, Way.STEP_BACK)


@dataclass(frozen=True)
class Motion:
    """What gdb wants the machine to do: for which process, and for RANGE within which addresses."""

    way: Way
    pid: int
    within: range = range(0)


class Leave(enum.Enum):
    """gdb lets go of the machine."""

    DETACH = enum.auto()  # it goes on
    KILL = enum.auto()  # the run ends


Answer = list[bytes] | Motion | tuple[list[bytes], Leave]


class Stub:
    """One conversation with gdb; ``goes_back`` says whether the machine can be moved backwards."""

    def __init__(
        self,
        control: Control,
        processes: Processes,
        files: Files,
        monitor: Monitor,
        *,
        goes_back: bool,
    ) -> None:
        """Begin with the machine standing still."""
        self._control = control
        self._processes = processes
        self._files = files
        self._monitor = monitor
        self._goes_back = goes_back
        self._description = DESCRIPTIONS[control.engine.arch]
        self.places = Places(control, processes)
        self.multiprocess = False
        self.acknowledges = True
        self._looked_at = self._thread_looked_at = MACHINE
        processes.moved()
        self._motion: Motion | None = None
        self._detached: set[int] = set()
        self._watch_told: Place | None = None
        self._known: list[int] = []  # processes that gdb was told of
        self._just_stopped = True
        self._told = self._running().pid
        self._last = self._stop(SIGTRAP, "", self._told)
        self._gone: list[int] | None = None  # processes whose end is still to be told, when the run is over
        self._exit: Exit | None = None
        self.before_telling: Callable[[], None] = _nothing  # processes may be found there
        self._verbs: tuple[tuple[bytes, Callable[[bytes], Answer]], ...] = (
            (b"qSupported", self._supported),
            (b"qXfer:", self._transfer),
            (b"qRcmd,", self._command),
            (b"qfThreadInfo", self._threads),
            (b"qsThreadInfo", lambda _: [b"l"]),
            (b"qAttached", lambda _: [b"1"]),
            (b"qC", lambda _: [b"QC" + self._thread(self._looked_at, self._thread_looked_at)]),
            (b"QStartNoAckMode", self._no_acknowledgements),
            (b"vCont?", lambda _: [b"vCont;c;C;s;S;r"]),
            (b"vCont;", self._continue),
            (b"vKill;", lambda _: ([b"OK"], Leave.KILL)),
            (b"vFile:", lambda rest: [self._files.answer(rest)]),
            (b"vMustReplyEmpty", lambda _: [b""]),
            (b"bs", lambda _: self._backwards(Way.STEP_BACK)),
            (b"bc", lambda _: self._backwards(Way.RESUME_BACK)),
            (b"H", self._look_at),
            (b"T", self._is_alive),
            (b"D", self._detach),
            (b"k", lambda _: ([], Leave.KILL)),
            (b"?", lambda _: [self._last]),
            (b"g", lambda _: [self._view().registers()]),
            (b"G", lambda rest: [self._view().set_registers(rest)]),
            (b"p", lambda rest: [self._view().register(rest)]),
            (b"P", lambda rest: [self._view().set_register(rest)]),
            (b"m", lambda rest: [self._view().read(rest)]),
            (b"M", lambda rest: [self._view().write_hex(rest)]),
            (b"X", lambda rest: [self._view().write_binary(rest)]),
            (b"Z", self._insert),
            (b"z", self._remove),
            (b"c", lambda _: self._move(Motion(Way.RESUME, self._looked_at))),
            (b"s", lambda _: self._move(Motion(Way.STEP, self._looked_at))),
        )

    def answer(self, payload: bytes) -> Answer:
        """Answer a packet; what is not known is answered with nothing, and what cannot be with an error."""
        for verb, carry_out in self._verbs:
            if payload.startswith(verb):
                try:
                    return carry_out(payload[len(verb) :])
                except (ValueError, KeyError, IndexError):
                    return [ERROR]
        return [b""]

    # ---- who ----

    def _running(self) -> Process:
        """Return the process of the ring that runs."""
        if self._control.engine.in_user_mode:
            return self._processes.of(self._control.space)
        return Process(MACHINE, None)

    def _thread(self, pid: int, number: int) -> bytes:
        return b"p%x.%x" % (pid, number) if self.multiprocess else b"%x" % number

    def _running_in(self, pid: int) -> int:
        """Return the thread of a process that is in the processor, or the first."""
        return self._processes.running(self._process(pid))

    def _process(self, pid: int | None = None) -> Process:
        process = self._processes.by_pid(self._looked_at if pid is None else pid)
        if process is None:
            raise ValueError("no such process")
        return process

    def _view(self) -> View:
        """Return what is seen of the thread looked at; of one that does not run, what it left user mode with.

        The one that a stop was told of is where the processor stands, in whichever ring.
        """
        process, number = self._process(), self._thread_looked_at
        in_force = process.space in (None, self._control.space)
        told = (process.pid, number) == (self._told, self._thread_told)
        runs = in_force and number == self._processes.running(process)
        left = None if told else self._processes.left_user(process, number)
        if told or (runs and (left is None or self._control.engine.in_user_mode)):
            return View(self._control, process.space)
        return View(self._control, process.space, left or {})

    def _look_at(self, text: bytes) -> Answer:
        pid, number = parse_thread(text[1:])
        if text[:1] == b"g":
            self._looked_at = self._told if pid is None else self._process(pid).pid
            told = self._thread_told if self._looked_at == self._told else self._running_in(self._looked_at)
            self._thread_looked_at = number or told
        return [b"OK"]

    def _is_alive(self, text: bytes) -> Answer:
        pid, number = parse_thread(text)
        process = None if pid is None else self._processes.by_pid(pid)
        known = pid is None or (process is not None and number in (None, *self._processes.threads(process)))
        return [b"OK" if known and pid not in self._detached else ERROR]

    def _listed(self) -> list[int]:
        """Return the processes to tell of when gdb asks for all.

        It asks by itself at each stop. If a new one is among them then, gdb (13.1) forgets which it was that
        stopped: so a new one is told of when gdb asks again, as ``info threads`` does.
        """
        if not self.multiprocess:
            return [MACHINE]
        if not self._just_stopped:
            self._known = [process.pid for process in self._processes]
        self._just_stopped = False
        return [pid for pid in self._known if pid not in self._detached]

    def _threads(self, _: bytes) -> Answer:
        listed = [(pid, number) for pid in self._listed() for number in self._numbers(pid)]
        return [b"m" + b",".join(self._thread(pid, number) for pid, number in listed)]

    def _numbers(self, pid: int) -> list[int]:
        return self._processes.threads(self._process(pid))

    def _detach(self, text: bytes) -> Answer:
        if not text:
            return [b"OK"], Leave.DETACH
        pid = int(text[1:], 16)
        self._detached.add(self._process(pid).pid)
        self.places.withdraw(pid)
        if pid == MACHINE or self._detached >= {process.pid for process in self._processes}:
            return [b"OK"], Leave.DETACH
        return [b"OK"]

    # ---- what there is ----

    def _supported(self, text: bytes) -> Answer:
        self.multiprocess = b"multiprocess+" in text
        self._last = self._stop(SIGTRAP, "", self._told)
        return [(FEATURES + (REVERSE_FEATURES if self._goes_back else "")).encode()]

    def _no_acknowledgements(self, _: bytes) -> Answer:
        self.acknowledges = False
        return [b"OK"]

    def _transfer(self, text: bytes) -> Answer:
        topic, read, annex, span = text.split(b":")
        offset, size = (int(word, 16) for word in span.split(b","))
        match (topic, read, annex):
            case (b"features", b"read", b"target.xml"):
                whole = self._description.xml.encode()
            case (b"threads", b"read", b""):
                whole = self._processes.xml(self._listed())
            case (b"exec-file", b"read", pid):
                whole = self._executable(int(pid, 16) if pid else self._looked_at)
            case _:
                return [b"E00"]
        part = whole[offset : offset + min(size, MOST // 2)]
        return [(b"m" if offset + len(part) < len(whole) else b"l") + escape(part)]

    def _executable(self, pid: int) -> bytes:
        process = self._process(pid)
        program = self._processes.program(process)
        path = KERNEL_FILE if program is None else f"/{program}"  # what every process has in it
        if path not in self._files.files:
            raise ValueError("nobody knows the file")
        return path.encode()

    def _command(self, text: bytes) -> Answer:
        line = bytes.fromhex(text.decode()).decode(errors="replace")
        said = self._monitor.answer(line, self._process().space).encode().hex().encode()
        most = MOST // 2
        return [*(b"O" + said[at : at + most] for at in range(0, len(said), most)), b"OK"]

    # ---- where to stop ----

    def _place(self, text: bytes) -> Place:
        kind, address, length = text.partition(b";")[0].split(b",")
        return Place(int(kind), self._looked_at, int(address, 16), int(length, 16))

    def _insert(self, text: bytes) -> Answer:
        self.places.insert(self._place(text))
        return [b"OK"]

    def _remove(self, text: bytes) -> Answer:
        self.places.wanted.discard(self._place(text))
        return [b"OK"]

    # ---- moving ----

    def _continue(self, text: bytes) -> Answer:
        """Take the first action: there is one processor."""
        action, _, thread = text.split(b";")[0].partition(b":")
        pid = parse_thread(thread)[0] or self._told
        match action[:1]:
            case b"s" | b"S":
                return self._move(Motion(Way.STEP, pid))
            case b"r":
                start, end = (int(word, 16) for word in action[1:].split(b","))
                return self._move(Motion(Way.RANGE, pid, range(start, end)))
            case b"c" | b"C":
                return self._move(Motion(Way.RESUME, pid))
            case _:
                raise ValueError("no such action")

    def _backwards(self, way: Way) -> Answer:
        if not self._goes_back:
            raise ValueError("there is no history")
        return self._move(Motion(way, self._looked_at))

    def _move(self, motion: Motion) -> Answer:
        if self._gone is not None:
            return [self._end()]
        told, self._watch_told = self._watch_told, None
        if told is not None and motion.way in STEPS and told not in self.places.wanted:
            return [self._last]
        self.places.apply()
        self._motion = motion
        return motion

    def stopped(self, halt: Halt) -> bytes:
        """Say to gdb where and why the machine stands still after a motion."""
        self._processes.moved()
        self.before_telling()
        self._last = self._tell(halt)
        return self._last

    def _tell(self, halt: Halt) -> bytes:
        pid = self._running().pid if self._motion is None else self._motion.pid
        match halt.why, halt.detail:
            case Why.BREAKPOINT, _:
                return self._tell_breakpoint(halt, pid)
            case Why.WATCHPOINT, WatchHit() as hit:
                return self._tell_watchpoint(hit)
            case Why.END, Exit() as end:
                return self._tell_end(end)
            case Why.INTERRUPTED, _:
                return self._stop(SIGINT, "", self._running().pid)
        return self._stop(SIGTRAP, "replaylog:begin;" if halt.why is Why.BEGINNING else "", pid)

    def _tell_breakpoint(self, halt: Halt, pid: int) -> bytes:
        places = self.places.at(halt.pc, halt.space)
        ours = [place for place in places if place.pid == pid]
        if ours or self._motion is None or self._motion.way in (Way.RESUME, Way.RESUME_BACK):
            place = (ours or places)[0]
            return self._stop(SIGTRAP, f"{REASONS[place.kind]}:;", place.pid)
        return self._stop(SIGTRAP, "", pid)

    def _tell_watchpoint(self, hit: WatchHit) -> bytes:
        """Tell of an access that has been done; on some architectures gdb takes it for one to come."""
        place = self.places.of(hit.watchpoint)
        if self._control.engine.arch in STOPS_BEFORE_ACCESS:
            self._watch_told = place
        return self._stop(SIGTRAP, f"{REASONS[place.kind]}:{hit.address:x};", place.pid)

    def _tell_end(self, end: Exit) -> bytes:
        """Tell that the run has ended; but show a guest that crashed as it is, before every process ends."""
        self._exit = end
        self._gone = [process.pid for process in self._processes if process.pid not in self._detached]
        if end.reason in CRASHES:
            return self._stop(SIGABRT, "", self._running().pid)
        return self._end()

    def _stop(self, signal: int, reason: str, pid: int) -> bytes:
        self._told = self._looked_at = pid
        self._thread_told = self._thread_looked_at = self._running_in(pid)
        self._just_stopped = True
        if pid not in self._known:
            self._known.append(pid)
        thread = self._thread(pid, self._thread_told)
        return b"T%02x" % signal + reason.encode() + b"thread:" + thread + b";"

    def _end(self) -> bytes:
        status = 0 if self._exit is None else self._exit.status
        if not self.multiprocess:
            return b"W%02x" % status
        pid = self._gone.pop(0) if self._gone else MACHINE
        self._detached.add(pid)
        self._last = b"W%02x;process:%x" % (status, pid)
        return self._last


def _nothing() -> None:
    """Nobody finds processes."""
