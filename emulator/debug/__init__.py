# SPDX-License-Identifier: GPL-2.0-or-later
"""Looking at a machine from outside: symbols, backtraces, what a processor held when it gave up."""
