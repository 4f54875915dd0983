# SPDX-License-Identifier: GPL-2.0-or-later
"""Measures of this very host, from which ``ringscope cpu calibrate`` writes a profile."""
