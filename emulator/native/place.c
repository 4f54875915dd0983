/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * place.c: the places that something was booked at, numbered. See place.h.
 */
#include "place.h"

#include <stdlib.h>
#include <string.h>

#include "callpath.h"

enum { PLACES_MIN = 1024 };

static uint32_t *find(const struct places *places, const struct place *place)
{
    uint64_t key = ((place->address * 31 + place->node) * 31 + place->space) * 2 + place->ring;
    uint32_t at = (uint32_t)((key * 0x9e3779b97f4a7c15u) >> 32);

    for (;; at++) {
        uint32_t *slot = &places->slots.slot[at & places->slots.mask];
        if (!*slot || !memcmp(&places->place[*slot - 1], place, sizeof(*place)))
            return slot;
    }
}

static bool grow(struct places *places)
{
    struct place *place = slots_grow(&places->slots, places->place, sizeof(*place), &places->capacity, PLACES_MIN);

    if (!place)
        return false;
    places->place = place;
    for (uint32_t i = 0; i < places->count; i++)
        *find(places, &places->place[i]) = i + 1;
    return true;
}

bool place_number(struct places *places, struct place place, uint32_t *number)
{
    if (places->count == places->capacity && !grow(places))
        return false;
    uint32_t *slot = find(places, &place);
    if (!*slot && places->count >= PLACES_WITH_WAYS_MAX) {
        place.node = PATH_ROOT;
        slot = find(places, &place);
    }
    if (!*slot) {
        places->place[places->count] = place;
        *slot = ++places->count;
    }
    *number = *slot - 1;
    return true;
}

void places_free(struct places *places)
{
    free(places->place);
    free(places->slots.slot);
    memset(places, 0, sizeof(*places));
}
