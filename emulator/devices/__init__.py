# SPDX-License-Identifier: GPL-2.0-or-later
"""The chips of the board, one a file.

A chip is a set of registers, a clock it may ask for the simulated cycle, and lines it drives. It knows
neither the processor nor the board: whoever wires it hands it what it needs. All state is in slotted
attributes of plain types.
"""
