# SPDX-License-Identifier: GPL-2.0-or-later
"""What has to be compiled: the native core and the guest. Used by the Makefile and by setup.py alike."""
