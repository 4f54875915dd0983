# SPDX-License-Identifier: GPL-2.0-or-later
"""The processor: the engine that executes, and what each architecture adds to it."""
