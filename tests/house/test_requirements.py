# SPDX-License-Identifier: GPL-2.0-or-later
"""What is installed, from where it is written down."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement

#: The core knows the insides of the first three, and a build that another compiler makes is another build.
EXACT = ("unicorn", "capstone", "keystone-engine", "pyelftools", "ziglang", "setuptools")


@pytest.fixture(scope="module")
def groups(root):
    """Every list of requirements in pyproject.toml, by where it stands."""
    whole = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    project = whole["project"]
    lists = {"build": whole["build-system"]["requires"], "run": project["dependencies"]}
    lists |= project["optional-dependencies"]
    return {name: [Requirement(text) for text in texts] for name, texts in lists.items()}


def _pins(groups):
    pins = {}
    for requirements in groups.values():
        for requirement in requirements:
            pins.setdefault(requirement.name, set()).add(str(requirement.specifier))
    return pins


def test_a_requirement_that_stands_twice_is_pinned_alike(groups):
    assert not {name: pins for name, pins in _pins(groups).items() if len(pins) > 1}


@pytest.mark.parametrize("name", EXACT)
def test_what_the_core_relies_on_is_pinned_to_one_version(groups, name):
    assert re.fullmatch(r"==\d+(\.\d+)+", next(iter(_pins(groups)[name])))


def test_every_requirement_has_an_upper_bound(groups):
    loose = {name for name, pins in _pins(groups).items() for pin in pins if not re.search(r"==|<", pin)}
    assert not loose
