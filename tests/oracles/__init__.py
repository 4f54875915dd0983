# SPDX-License-Identifier: GPL-2.0-or-later
"""Clear, slow models in Python: what the fast native ones must agree with, count for count."""
