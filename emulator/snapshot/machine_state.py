# SPDX-License-Identifier: GPL-2.0-or-later
"""Taking a machine apart into a snapshot, and putting it together again.

An event of the clock is a call of a chip's method: it is saved as the chip's path and the method's name
(``board.pit:_on_edge``), and the chips that hold one know it by its number. The machine itself asks for one
kind, its look at the host's input.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringscope.emulator.devices.host_input import Position
from ringscope.emulator.devices.interfaces import Event
from ringscope.emulator.devices.state import Loader, Saver, parts_of
from ringscope.emulator.snapshot import core_parts, disk_state, ram_pages
from ringscope.emulator.snapshot.contents import Configuration, Snapshot, SnapshotError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ringscope.emulator.machine import Machine

MACHINE = "machine"  # the path of the machine itself, for its own events
LOOK_AT_INPUT = f"{MACHINE}:_poll_input"


def can_be_taken(machine: Machine) -> bool:
    """Return whether a machine can be saved: not while its costs are attributed."""
    return not machine.engine.library.core_is_attributing(machine.engine.core)


def take(machine: Machine, before: Snapshot | None = None) -> Snapshot:
    """Save a machine between two runs. Pages of RAM that are as in ``before`` are shared with it."""
    engine, clock = machine.engine, machine.clock
    parts = core_parts.read(engine)
    if before is not None:
        parts = {name: shared(before.parts.get(name), data) for name, data in parts.items()}
    pending = clock.pending()
    saver = Saver({id(event): number for _, number, event in pending})
    paths = {id(owner): path for path, owner in _owners(machine).items()}
    source = machine.host_input
    state = {
        "registers": machine.system.registers.read(),
        "block": core_parts.read_block(engine),
        "ring": engine.library.core_state_ring(engine.core),
        "parts": {name: saver.save(part) for name, part in machine.system.parts().items()},
        "events": [[cycle, number, _name(event, paths)] for cycle, number, event in pending],
        "asked": clock.asked,
        "input": None if source is None else saver.save(tuple(source.position())),
        "disk": disk_state.read(machine.disk),
        "machine": machine.state(saver),
    }
    pages = ram_pages.read(engine.ram, {} if before is None else before.pages)
    configuration = Configuration.of(machine, parts)
    return Snapshot(configuration, state, parts, pages, machine.image, engine.time, made_by=machine)


def shared(before: bytes | None, now: bytes) -> bytes:
    """Return the older of two equal pieces: what is kept once takes room once."""
    return before if before is not None and before == now else now


def _owners(machine: Machine) -> dict[str, object]:
    """Return every chip by its path, and the machine by its own."""
    chips = (parts_of(part, name) for name, part in machine.system.parts().items())
    return {MACHINE: machine} | {path: part for below in chips for path, part in below}


def _name(event: Event, paths: Mapping[int, str]) -> str:
    owner = getattr(event.action, "__self__", None)
    return f"{paths[id(owner)]}:{event.action.__name__}"


def restore(machine: Machine, snapshot: Snapshot) -> None:
    """Make a machine what was saved. Raises SnapshotError where it cannot be; then it is good for nothing."""
    engine = machine.engine
    snapshot.configuration.refuse_unless(Configuration.of(machine, core_parts.read(engine)))
    disk_state.check(machine, snapshot)
    try:
        _restore(machine, snapshot)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise SnapshotError(f"what it says of the machine is damaged: {error!r}") from error


def _restore(machine: Machine, snapshot: Snapshot) -> None:
    engine, state = machine.engine, snapshot.state
    ram_pages.write(engine.ram, snapshot.pages)
    core_parts.write(engine, snapshot.parts)
    core_parts.write_block(engine, state["block"])
    machine.system.registers.write(state["registers"])
    engine.library.core_state_done(engine.core, state["ring"])
    owners = _owners(machine)
    events = {number: Event(cycle, _action(owners, name)) for cycle, number, name in state["events"]}
    loader = Loader(events)
    for name, part in machine.system.parts().items():
        loader.load(state["parts"][name], part)
    machine.set_state(state["machine"], loader)
    saved = state["input"]
    if saved is not None and machine.host_input is not None:
        position = Position(*loader.load(saved, None))
        if snapshot.made_by is machine:
            machine.host_input.rewind(position)
        else:
            machine.host_input.take_over(position, snapshot.cycle)
    _replace_events(machine, state, events)
    engine.set_next_event(machine.clock.next_due())


def _replace_events(machine: Machine, state: Mapping[str, Any], events: Mapping[int, Event]) -> None:
    """Have the clock do what was pending. Another input than before may want to be looked at otherwise."""
    source = machine.host_input
    due = None if source is None else source.next_due()
    looks = {number for _, number, name in state["events"] if name == LOOK_AT_INPUT}
    unfit = set() if source is None else {number for number in looks if events[number].cycle != due}
    kept = [(event.cycle, number, event) for number, event in events.items() if number not in unfit]
    machine.clock.replace(kept, state["asked"])
    if source is not None and unfit == looks:
        machine.schedule_input()


def _action(owners: Mapping[str, object], name: str) -> Callable[[int], None]:
    path, _, method = name.partition(":")
    action: Callable[[int], None] = getattr(owners[path], method)
    return action
