# SPDX-License-Identifier: GPL-2.0-or-later
"""A small reader of flattened device trees, written from the specification and not from our writer."""

from __future__ import annotations

import struct


class Tree:
    """`properties` are bytes by "/path/of/node:name"; `reserved` and the header's words are kept too."""

    def __init__(self, blob):
        words = struct.unpack(">10I", blob[:40])
        names = "magic total structure strings reservations version compatible boot_cpu strings_size size"
        self.header = dict(zip(names.split(), words, strict=True))
        self.properties = {}
        self.nodes = []
        self.reserved = self._reserved(blob)
        self._walk(blob)

    def _reserved(self, blob):
        found, at = [], self.header["reservations"]
        while (entry := struct.unpack_from(">QQ", blob, at)) != (0, 0):
            found.append(entry)
            at += 16
        return found

    def _walk(self, blob):
        at, path = self.header["structure"], []
        end = at + self.header["size"]
        while True:
            (token,) = struct.unpack_from(">I", blob, at)
            at += 4
            if token == 1:
                stop = blob.index(b"\0", at)
                path.append(blob[at:stop].decode())
                self.nodes.append("/".join(path) or "/")
                at = stop + 1 + 3 & ~3
            elif token == 2:
                path.pop()
            elif token == 3:
                length, name_at = struct.unpack_from(">II", blob, at)
                name_at += self.header["strings"]
                name = blob[name_at : blob.index(b"\0", name_at)].decode()
                self.properties[f"{'/'.join(path) or '/'}:{name}"] = blob[at + 8 : at + 8 + length]
                at = at + 8 + length + 3 & ~3
            elif token == 9:
                assert (at, path) == (end, [])
                return
            else:
                assert token == 4, f"token {token}"

    def cells(self, key):
        value = self.properties[key]
        return list(struct.unpack(f">{len(value) // 4}I", value))

    def pairs(self, key):
        value = self.properties[key]
        return list(struct.unpack(f">{len(value) // 8}Q", value))

    def text(self, key):
        assert self.properties[key].endswith(b"\0")
        return self.properties[key][:-1].decode().split("\0")

    def by_compatible(self, wanted):
        """The paths of the nodes that are compatible with one of the bindings, in order."""
        return [
            path
            for path in self.nodes
            if wanted in self.properties.get(f"{path}:compatible", b"").split(b"\0")
        ]
