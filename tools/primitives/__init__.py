# SPDX-License-Identifier: GPL-2.0-or-later
"""Microbenchmarks: what single operations cost on the machine, read from its ledger as a user would."""
