# SPDX-License-Identifier: GPL-2.0-or-later
"""What happened in a run, event by event: recorded by the native core, named, kept in files."""
