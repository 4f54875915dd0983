# SPDX-License-Identifier: GPL-2.0-or-later
"""Every chip says what of it changes, and forgets nothing.

Looked at is the source: what a class assigns outside of its construction, or what others assign to it,
changes while the machine runs. What only holds other chips, wires and functions is not state.
"""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Callable
from pathlib import Path

import pytest

from ringscope.emulator.devices.disk_image import DiskImage
from ringscope.emulator.devices.state import Stateful, parts_of
from ringscope.emulator.machine import Machine, MachineConfig

FOLDERS = ("emulator/devices", "emulator/platforms")
#: Called while a chip is built, by itself or by the one that it belongs to.
CONSTRUCTION = {"__init__", "connect"}
#: Hooks that the machine sets once, when it has been built.
HOOKS = {"on_interrupt_change", "on_exit", "on_nmi", "on_cursor", "on_earlier", "cycle_source"}
#: Saved otherwise: how often a file was written, the clock's events one by one, the input as a position, a
#: request by its descriptors. A queue is a part of the transport, and a node of a device tree is complete
#: before the machine runs.
OTHERWISE = {
    "DiskImage": {"written"},
    "EventQueue": {"_heap", "_order"},
    "OfferInstants": {"_patience", "next"},
    "PipedInput": {"_given", "_read", "exhausted"},
    "TerminalInput": {"_given", "_repeated", "_typed", "exhausted"},
    "ReplayInput": {"_given"},
    "TypedInput": {"_given", "_typed"},
    "VirtioBlock": {"_queue", "_request"},
    "Node": {"children"},
}


def targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return [e for t in node.targets for e in (t.elts if isinstance(t, ast.Tuple) else [t])]
    return [node.target] if isinstance(node, ast.AugAssign | ast.AnnAssign) else []


def attribute(target: ast.expr) -> ast.Attribute | None:
    """Return the attribute that is assigned to, or into: `x.a = 1`, `x.a[0] = 1`."""
    while isinstance(target, ast.Subscript):
        target = target.value
    return target if isinstance(target, ast.Attribute) else None


MUTATORS = {"append", "popleft", "pop", "clear", "extend", "extendleft", "update"}


def changed_in(function: ast.AST) -> set[tuple[bool, str]]:
    """Return (whether of self, name) of each attribute that a function changes."""
    found = []
    for node in ast.walk(function):
        found += [attribute(target) for target in targets(node)]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
            found.append(attribute(node.func.value))
    return {(isinstance(a.value, ast.Name) and a.value.id == "self", a.attr) for a in found if a is not None}


@functools.cache
def sources() -> dict[str, ast.ClassDef]:
    root = Path(__file__).resolve().parents[2]
    trees = [
        ast.parse(path.read_text(encoding="utf-8"))
        for folder in FOLDERS
        for path in sorted((root / folder).glob("*.py"))
    ]
    return {node.name: node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}


def declared(node: ast.ClassDef) -> set[str]:
    """Return the attributes that a class assigns anywhere to itself."""
    return {name for method in node.body for own, name in changed_in(method) if own}


def changing(node: ast.ClassDef) -> set[str]:
    """Return those that change after its construction, by its own doing or by that of others."""
    methods = [m for m in node.body if isinstance(m, ast.FunctionDef) and m.name not in CONSTRUCTION]
    own = {name for method in methods for of_self, name in changed_in(method) if of_self}
    theirs = {
        name
        for other in sources().values()
        for method in other.body
        for of_self, name in changed_in(method)
        if not of_self
    }
    return (own | theirs & declared(node)) - HOOKS


def saved(name: str) -> set[str]:
    """Return what a class of that name says it is made of."""
    kinds = {kind.__name__: kind for kind in _kinds(Stateful)}
    return set(kinds[name].STATE) if name in kinds else set()


def _kinds(kind: type) -> list[type]:
    found = [below for direct in kind.__subclasses__() for below in (direct, *_kinds(direct))]
    return [below for below in found if below.__module__.startswith("ringscope.")]


@pytest.mark.parametrize("name", sorted(sources()))
def test_what_changes_in_a_chip_is_part_of_its_state(name: str) -> None:
    assert not changing(sources()[name]) - saved(name) - OTHERWISE.get(name, set())


@pytest.mark.parametrize("name", sorted(OTHERWISE))
def test_what_is_saved_otherwise_exists(name: str) -> None:
    assert not OTHERWISE[name] - declared(sources()[name])


@pytest.mark.parametrize("kind", _kinds(Stateful), ids=lambda kind: kind.__name__)
def test_a_chip_s_state_names_attributes_that_it_has(kind: type[Stateful]) -> None:
    held = {name for base in kind.__mro__ for name in getattr(base, "__slots__", ())}
    tree = ast.parse(inspect.getsource(kind))
    held |= {name for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for name in declared(node)}
    assert not set(kind.STATE) - held


@functools.cache
def built(arch: str) -> Machine:
    disk = DiskImage(Path(__file__))
    return Machine(MachineConfig(arch=arch), lambda _: None, disk)


@functools.cache
def reachable(arch: str) -> dict[int, str]:
    machine = built(arch)
    return {
        id(part): path for name, top in machine.system.parts().items() for path, part in parts_of(top, name)
    }


def held_by(part: Stateful) -> list[tuple[str, object]]:
    names = [name for base in type(part).__mro__ for name in getattr(base, "__slots__", ())]
    names += list(getattr(part, "__dict__", ()))
    values = [(name, getattr(part, name, None)) for name in names]
    return [
        (name, each) for name, value in values for each in (value if isinstance(value, tuple) else (value,))
    ]


@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
def test_every_chip_of_a_board_is_saved_as_a_part_of_another(arch: str) -> None:
    found = reachable(arch)
    tops = [part for top in built(arch).system.parts().values() for _, part in parts_of(top, "top")]
    assert not {
        f"{found[id(part)]}.{name}"
        for part in tops
        for name, value in held_by(part)
        if isinstance(value, Stateful) and id(value) not in found
    }


@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
def test_no_chip_holds_a_container_that_is_not_saved(arch: str) -> None:
    found = reachable(arch)
    tops = [part for top in built(arch).system.parts().values() for _, part in parts_of(top, "top")]
    assert not {
        f"{found[id(part)]}.{name}"
        for part in tops
        for name, value in held_by(part)
        if isinstance(value, list | dict | set | bytearray)
        and name not in part.STATE
        and not is_wiring(value)
    }


def is_wiring(value: object) -> bool:
    """Say whether a container holds functions or chips alone."""
    held = value.values() if isinstance(value, dict) else value
    return all(isinstance(each, Callable) or hasattr(each, "read_port") for each in held)
