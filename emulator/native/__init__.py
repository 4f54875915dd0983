# SPDX-License-Identifier: GPL-2.0-or-later
"""The native core and its Python side (library.py)."""
