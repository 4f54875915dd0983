# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that run on the host and on the machine, cycles against cycles: ``ringscope cpu validate``."""
