# SPDX-License-Identifier: GPL-2.0-or-later
"""One page that shows a run: its timeline, where the cycles went, and every figure. It needs no network."""

from ringscope.tools.page.builder import page
from ringscope.tools.page.timeline import Timeline

__all__ = ["Timeline", "page"]
