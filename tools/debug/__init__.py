# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope debug``: the commands of a debugging session, one file for each group of them."""
