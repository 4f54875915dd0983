# SPDX-License-Identifier: GPL-2.0-or-later
"""The boards: which chips there are, where they are, how they are wired, and what firmware says of them."""
