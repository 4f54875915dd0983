# SPDX-License-Identifier: GPL-2.0-or-later
"""The page as text: the template with its style, its program and the run's data put in."""

from __future__ import annotations

import html
import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ringscope.tools.ledger_table import THEORY

if TYPE_CHECKING:
    from collections.abc import Mapping

SCRIPTS = ("figures.js", "timeline.js")


def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


def page(
    title: str, head: Mapping[str, Any], document: Mapping[str, Any] | None, timeline: Mapping[str, Any]
) -> str:
    """Return the page.

    ``head`` has the architecture, the processor and the clock (``arch``, ``cpu``, ``hz``), and of a run its
    cycles of simulated time and by cause (``time``, ``cycles_by_cause``); ``document`` is what ``ringscope
    stat --json`` writes, None where only a trace is known; ``timeline`` is ``Timeline.data()``.
    """
    theory = {each.operation: each.reason for each in THEORY}
    data = {"title": title, "head": head, "document": document, "timeline": timeline, "theory": theory}
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=True).replace("<", "\\u003c")
    scripts = "\n".join(_read(name) for name in SCRIPTS)
    parts = {
        "@TITLE@": html.escape(title),
        "@STYLE@": _read("page.css"),
        "@SCRIPTS@": scripts,
        "@DATA@": text,
    }
    whole = _read("page.html")
    for place, part in parts.items():
        before, _, after = whole.partition(place)
        whole = before + part + after
    return whole
