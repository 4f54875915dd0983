// SPDX-License-Identifier: GPL-2.0-or-later
// tree.c: enough of a flattened device tree: find a node by what it is compatible with, and one property of it.
#include "parrot.h"

#define NODE 1
#define NODE_END 2
#define PROP 3
#define TREE_END 9

static const u8 *blob;

u32 be32(const u8 *p)
{
    return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

u64 be64(const u8 *p)
{
    return (u64)be32(p) << 32 | be32(p + 4);
}

int equal(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

int tree_open(const u8 *at)
{
    blob = at;
    return be32(blob) == 0xd00dfeed;
}

// Walks the tree; in each node, `what` (a property's name and a value that one of its strings must have) marks the node
// as the wanted one, and `name` is remembered. Returns the value of the wanted node's property, or 0.
const u8 *tree_find(const char *what, const char *value, const char *name)
{
    const u8 *p = blob + be32(blob + 8);
    const char *strings = (const char *)blob + be32(blob + 12);
    const u8 *kept = 0;
    int wanted = 0;

    for (;;) {
        u32 token = be32(p);
        p += 4;
        if (token == NODE || token == NODE_END || token == TREE_END) {
            if (wanted && kept)
                return kept;
            kept = 0;
            wanted = 0;
            if (token == TREE_END)
                return 0;
            if (token == NODE) {
                const u8 *start = p;
                while (*p++)
                    ;
                p = start + ((u64)(p - start) + 3) / 4 * 4;
            }
        } else if (token == PROP) {
            u32 size = be32(p);
            const char *key = strings + be32(p + 4);
            const u8 *content = p + 8;

            if (equal(key, name))
                kept = content;
            if (equal(key, what) && (!value || equal((const char *)content, value)))
                wanted = 1;
            p = content + (size + 3) / 4 * 4;
        }
    }
}
