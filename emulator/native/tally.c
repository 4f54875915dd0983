/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * tally.c: sums of what was booked, by place. See tally.h.
 */
#include "tally.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY_MIN = 32 };

static uint32_t *find(const struct tally *tally, uint32_t place)
{
    uint32_t at = place * 0x9e3779b1u;

    for (;; at++) {
        uint32_t *slot = &tally->slots.slot[at & tally->slots.mask];
        if (!*slot || tally->entry[*slot - 1].place == place)
            return slot;
    }
}

static bool grow(struct tally *tally)
{
    struct tally_entry *entry = slots_grow(&tally->slots, tally->entry, sizeof(*entry), &tally->capacity, CAPACITY_MIN);

    if (!entry)
        return false;
    tally->entry = entry;
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
    slots_clear(&tally->slots);
}

void tally_free(struct tally *tally)
{
    free(tally->entry);
    free(tally->slots.slot);
    memset(tally, 0, sizeof(*tally));
}
