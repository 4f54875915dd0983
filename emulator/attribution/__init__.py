# SPDX-License-Identifier: GPL-2.0-or-later
"""Where everything counted was spent: by instruction, and by the way that led there."""
