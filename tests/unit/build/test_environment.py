# SPDX-License-Identifier: GPL-2.0-or-later
"""How ``make`` keeps its environment: what is installed again, and what is made anew."""

from __future__ import annotations

import errno

import pytest

from ringscope.tools.build import environment


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A checkout with a virtual environment, where installing is only written down."""
    for name in ("pyproject.toml", "setup.py"):
        (tmp_path / name).write_bytes((environment.ROOT / name).read_bytes())
    venv = tmp_path / ".venv"
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "VENV", venv)
    monkeypatch.setattr(environment, "INTERRUPTED", venv / "interrupted")
    monkeypatch.setattr(environment, "_works", (venv / "python").exists)
    return Place(tmp_path, venv, monkeypatch)


class Place:
    """A checkout under test; ``done`` lists what happened."""

    def __init__(self, root, venv, monkeypatch):
        self.root, self.venv, self.stamp = root, venv, venv / "stamp"
        self.done = []
        self.failure = None
        monkeypatch.setattr(environment, "_create", self.create)
        monkeypatch.setattr(environment, "_install", self.install)

    def create(self):
        self.done.append("create")
        self.venv.mkdir(exist_ok=True)
        for path in self.venv.iterdir():
            path.unlink()
        (self.venv / "python").touch()

    def install(self, *arguments):
        if self.failure is not None:
            raise self.failure
        self.done.append("project" if "--editable" in arguments else "requirements")

    def prepare(self, extra=""):
        self.done.clear()
        environment.prepare(self.stamp, extra)
        return self.done


def test_a_fresh_checkout_gets_an_environment_the_build_requirements_and_the_project(place):
    assert place.prepare() == ["create", "requirements", "project"]
    assert place.stamp.exists()


def test_the_tools_for_tests_come_without_installing_the_project_again(place):
    place.prepare()
    place.stamp = place.venv / "stamp-dev"
    assert place.prepare("dev") == ["requirements"]


def test_nothing_is_installed_where_nothing_changed(place):
    place.prepare()
    assert place.prepare() == []


def test_a_changed_requirement_is_installed(place):
    place.prepare()
    with (place.root / "pyproject.toml").open("a") as project:
        project.write("# changed\n")
    assert place.prepare() == ["requirements", "project"]


def test_an_environment_whose_python_is_gone_is_made_anew(place):
    place.prepare()
    (place.venv / "python").unlink()
    assert place.prepare() == ["create", "requirements", "project"]


def test_a_failed_install_leaves_no_stamp_and_is_tried_again(place):
    place.failure = environment.EnvironmentRefused("no network")
    with pytest.raises(environment.EnvironmentRefused, match="no network"):
        place.prepare()
    assert not place.stamp.exists()
    place.failure = None
    assert place.prepare() == ["requirements", "project"]


def test_what_a_kill_left_half_made_is_made_anew(place):
    place.prepare()
    environment.INTERRUPTED.touch()
    assert place.prepare() == ["create", "requirements", "project"]


def test_an_environment_that_was_moved_is_installed_again(place, monkeypatch):
    place.prepare()
    (place.root / "moved").mkdir()
    for name in ("pyproject.toml", "setup.py"):
        (place.root / "moved" / name).write_bytes((place.root / name).read_bytes())
    monkeypatch.setattr(environment, "ROOT", place.root / "moved")
    assert place.prepare() == ["requirements", "project"]


def test_what_pip_cannot_install_is_named_with_a_hint(monkeypatch, tmp_path):
    false = tmp_path / "pip"
    false.write_text("#!/bin/sh\nexit 1\n")
    false.chmod(0o755)
    monkeypatch.setattr(environment, "PIP", (str(false),))
    with pytest.raises(environment.EnvironmentRefused, match="could not install nothing==1"):
        environment._install("nothing==1")


@pytest.fixture
def main(monkeypatch, tmp_path):
    """A function that runs the script's main function, in which preparing ends with an exception."""

    def run(exception):
        def prepare(*_):
            raise exception

        monkeypatch.setattr(environment, "ROOT", tmp_path)
        monkeypatch.setattr(environment, "prepare", prepare)
        monkeypatch.setattr("sys.argv", ["environment.py", "stamp"])
        return environment.main()

    return run


def test_a_place_that_cannot_be_written_is_one_sentence(main, capsys):
    assert main(PermissionError(errno.EACCES, "Permission denied", ".venv")) == 2
    assert capsys.readouterr().err == "ringscope: .venv: Permission denied\n"


def test_ctrl_c_while_installing_leaves_without_a_word(main, capsys):
    assert main(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == ""
