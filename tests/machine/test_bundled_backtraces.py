# SPDX-License-Identifier: GPL-2.0-or-later
"""Backtraces of the bundled systems across the ring crossing, held against what was seen on both sides."""

from __future__ import annotations

import pytest

from ringscope.bootimage import BootRequest
from ringscope.bootimage.bundled import bundled_image
from ringscope.emulator.debug import kernel_view
from ringscope.emulator.debug import registers as names
from ringscope.emulator.debug.our_kernel import OurKernel
from ringscope.emulator.debug.programs import Programs
from ringscope.emulator.debug.spaces import AddressSpaces
from ringscope.emulator.debug.unwind import Unwinder
from ringscope.emulator.machine import Machine, MachineConfig

ARCHITECTURES = ("x86_64", "aarch64")
IDLE = 40_000_000  # cycles; no system needs as many for what is looked at here


class Looked:
    """A bundled system that is stepped, with everything that a debugger knows of it."""

    def __init__(self, arch):
        self.machine = Machine(MachineConfig(arch=arch), lambda _: None)
        self.engine = self.machine.engine
        image = self.machine.system.read_image(BootRequest(bundled_image(arch)))
        self.machine.load(image)
        modules = [(module.name, module.data) for module in image.modules]
        self.programs = Programs(image.kernel_elf, modules)
        self.spaces = AddressSpaces(
            lambda space, at, size: self.engine.read_virtual(at, size, space), modules
        )
        self.ours = OurKernel(self.engine, self.programs, kernel_view.view(arch, image.kernel_elf))
        self.unwinder = Unwinder(self.engine, self.programs, self.spaces.program.get, self.ours)

    @property
    def known(self):
        return names.in_force(self.engine)

    def run_to(self, symbol):
        """Run to the first instruction of a symbol."""
        place, _ = self.programs.find(symbol)
        self.engine.set_breakpoints([place.address])
        while True:
            stop = self.engine.run(self.engine.time + IDLE)
            if self.engine.register(self.known.program_counter) == place.address and self.is_in(
                place.program
            ):
                break
            assert self.machine.judge(stop) is None
            self.engine.step_over_breakpoint()
        self.engine.set_breakpoints([])
        self.engine.step_over_breakpoint()

    def is_in(self, program):
        return program is None or (self.user and self.program() == program)

    def step(self):
        self.machine.step()

    @property
    def user(self):
        return self.engine.in_user_mode

    def program(self):
        root = self.engine.space
        if self.user:
            self.spaces.learn(root, self.engine.register(self.known.program_counter))
        return self.spaces.program.get(root)

    def state(self):
        """The registers by which a user's frame is known."""
        known = names.in_force(self.engine)
        return tuple(
            self.engine.register(name)
            for name in (known.program_counter, known.stack_pointer, known.frame_pointer)
        )

    def left(self):
        """The same of the first user frame in the backtrace; None where there is none."""
        known = names.in_force(self.engine)
        for frame in self.unwinder.backtrace():
            if frame.user:
                names_ = (known.program_counter, known.stack_pointer, known.frame_pointer)
                return tuple(frame.registers[name] for name in names_)
        return None

    def functions(self):
        root = self.engine.space
        program = self.spaces.program.get(root)
        frames = self.unwinder.backtrace()
        said = (self.programs.describe(each.looked_up, program, user=each.user) for each in frames)
        return [(name or "?").partition("+")[0] for name in said]


@pytest.fixture(params=ARCHITECTURES)
def looked(request):
    """A bundled system whose client has begun to call the echo server."""
    system = Looked(request.param)
    system.run_to("echo:program_main")
    system.run_to("client:program_main")
    yield system
    system.machine.engine.close()


def crossings(looked, count):
    """Step through some stays in the kernel; yield (state before, user frames seen inside, state after)."""
    while count:
        before = looked.state()
        looked.step()
        if looked.user:
            continue
        count -= 1
        inside = []
        while not looked.user:
            inside.append((looked.ours.current, looked.left()))
            looked.step()
        yield before, inside, looked.state()


def test_under_the_kernel_lies_the_user_code_that_entered_and_then_the_one_that_is_returned_to(looked):
    """Instruction by instruction, over system calls, page faults and what else comes."""
    width = 2 if looked.engine.arch == "x86_64" else 4  # bytes of SYSCALL, of SVC
    switched = 0
    for before, inside, after in crossings(looked, 24):
        threads = [thread for thread, _ in inside]
        entered, returned = threads[0], threads[-1]
        came = {frame for thread, frame in inside if thread == entered}
        assert None not in came
        again, behind = before, (before[0] + width, *before[1:])  # a fault's place, a call's
        if entered == returned:
            assert came <= {again, behind}
        else:
            switched += 1
            first = {frame for thread, frame in inside[: threads.index(returned)] if thread == entered}
            assert first <= {again, behind}
            assert {frame for thread, frame in inside if thread == returned} == {after}
    assert switched >= 2


def test_a_call_through_all_layers_is_one_backtrace(looked):
    looked.run_to("kernel:fastpath_call")
    functions = looked.functions()
    assert functions[0] == "fastpath_call"
    assert functions[-1] == "client: _start"
    assert "client: program_main" in functions


def test_the_frame_of_a_function_that_has_just_begun_or_is_about_to_end_is_its_callers(looked):
    """Step through client code: the caller never changes while the innermost function stays."""
    callers = {}
    for _ in range(300):
        looked.step()
        if looked.user and looked.program() == "client.elf":
            function, *rest = looked.functions()
            callers.setdefault((function, len(rest)), set()).add(tuple(rest))
    assert callers
    assert all(
        rests and all(rest[-1] == "client: _start" for rest in rests if rest) for rests in callers.values()
    )


def test_every_thread_of_the_system_is_found_with_its_state(looked):
    threads = looked.ours.threads()
    running = [thread for thread in threads if thread.state == "running"]
    assert [thread.address for thread in running] == [looked.ours.current]
    states = {
        looked.spaces.program.get(thread.space): thread.state
        for thread in threads
        if thread.state != "running"
    }
    assert states["pager.elf"] == "receiving"
    assert states["console.elf"] == "receiving"
    assert len(threads) == 5
