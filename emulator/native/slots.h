/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * slots.h: an index over entries of an array that only grows: a hash table of their numbers, by whatever key they have.
 *
 * A slot holds 1 + an entry's number, or 0: free. There are twice as many slots as there is room for entries, a power of
 * two, and whoever looks for a key goes on from slot to slot until it finds its entry or a free one.
 */
#ifndef RINGSCOPE_SLOTS_H
#define RINGSCOPE_SLOTS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS_PER_ENTRY = 2 };

struct slots {
    uint32_t *slot;
    uint32_t mask;
};

/* Doubles the room for entries of so many bytes, or makes room for `least`. Returns where the entries are now; no slot names
 * one yet. NULL: no memory, and nothing has changed. */
static inline void *slots_grow(struct slots *slots, void *entry, size_t bytes, uint32_t *capacity, uint32_t least)
{
    uint32_t more = *capacity ? 2 * *capacity : least;
    uint32_t *slot = calloc((size_t)more * SLOTS_PER_ENTRY, sizeof(*slot));
    void *grown = slot ? realloc(entry, more * bytes) : NULL;

    if (!grown) {
        free(slot);
        return NULL;
    }
    free(slots->slot);
    *slots = (struct slots){slot, more * SLOTS_PER_ENTRY - 1};
    *capacity = more;
    return grown;
}

static inline void slots_clear(struct slots *slots)
{
    if (slots->slot)
        memset(slots->slot, 0, (slots->mask + 1ull) * sizeof(*slots->slot));
}

#endif
