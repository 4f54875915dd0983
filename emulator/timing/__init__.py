# SPDX-License-Identifier: GPL-2.0-or-later
"""What an instruction, an access or a crossing costs: profiles of processors, and what models are told."""
