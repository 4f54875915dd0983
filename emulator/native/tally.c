/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * tally.c: sums of what was booked, by place. See tally.h.
 */
#include "tally.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY_MIN = 32, SLOTS_PER_ENTRY = 2 };

static uint32_t *find(const struct tally *tally, uint32_t place)
{
    uint32_t at = place * 0x9e3779b1u;

    for (;; at++) {
        uint32_t *slot = &tally->slot[at & tally->mask];
        if (!*slot || tally->entry[*slot - 1].place == place)
            return slot;
    }
}

static bool grow(struct tally *tally)
{
    uint32_t capacity = tally->capacity ? 2 * tally->capacity : CAPACITY_MIN;
    struct tally_entry *entry = realloc(tally->entry, capacity * sizeof(*entry));

    if (!entry)
        return false;
    tally->entry = entry;
    uint32_t *slot = calloc((size_t)capacity * SLOTS_PER_ENTRY, sizeof(*slot));
    if (!slot)
        return false;
    free(tally->slot);
    tally->slot = slot;
    tally->capacity = capacity;
    tally->mask = capacity * SLOTS_PER_ENTRY - 1;
    for (uint32_t i = 0; i < tally->count; i++)
        *find(tally, (uint32_t)tally->entry[i].place) = i + 1;
    return true;
}

bool tally_add(struct tally *tally, uint32_t place, const struct cost_sum *cost)
{
    if (tally->count == tally->capacity && !grow(tally))
        return false;
    uint32_t *slot = find(tally, place);
    if (!*slot) {
        tally->entry[tally->count] = (struct tally_entry){.place = place};
        *slot = ++tally->count;
    }
    cost_add(&tally->entry[*slot - 1].cost, cost);
    return true;
}

bool tally_merge(struct tally *tally, const struct tally *more)
{
    for (uint32_t i = 0; i < more->count; i++)
        if (!tally_add(tally, (uint32_t)more->entry[i].place, &more->entry[i].cost))
            return false;
    return true;
}

void tally_clear(struct tally *tally)
{
    tally->count = 0;
    if (tally->slot)
        memset(tally->slot, 0, (size_t)tally->capacity * SLOTS_PER_ENTRY * sizeof(*tally->slot));
}

void tally_free(struct tally *tally)
{
    free(tally->entry);
    free(tally->slot);
    memset(tally, 0, sizeof(*tally));
}
