/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * place.h: the places that something was booked at, numbered. See attribution.h, which says what a place is.
 */
#ifndef RINGSCOPE_PLACE_H
#define RINGSCOPE_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "slots.h"

/* Places beyond which new ones are on no way, but for the root. */
enum { PLACES_WITH_WAYS_MAX = 1 << 19 };

/* Read by Python (emulator/attribution/recorder.py). */
struct place {
    uint64_t space, address;
    uint32_t node, ring;
};

struct places {
    struct place *place;
    struct slots slots;
    uint32_t count, capacity;
};

/* The place's number, a new one if it is new. False: no memory. */
bool place_number(struct places *places, struct place place, uint32_t *number);
void places_free(struct places *places);

#endif
