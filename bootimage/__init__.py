# SPDX-License-Identifier: GPL-2.0-or-later
"""The boot image: Multiboot 1 and 2, ELF, modules, packed images."""
