# SPDX-License-Identifier: GPL-2.0-or-later
"""The GDB remote serial protocol: bytes in packet.py, meaning in stub.py, sockets in server.py."""
