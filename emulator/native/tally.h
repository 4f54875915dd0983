/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * tally.h: sums of what was booked, by place. See attribution.h, which says what a place is.
 */
#ifndef RINGSCOPE_TALLY_H
#define RINGSCOPE_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "account.h"
#include "slots.h"

/* What the books of one ring can change by, in their order: counters, then cycles by cause. */
enum { COST_WORDS = (int)COUNTER_COUNT + (int)CAUSE_COUNT };
struct cost_sum {
    uint64_t word[COST_WORDS];
};

static inline void cost_add(struct cost_sum *sum, const struct cost_sum *more)
{
    for (int i = 0; i < COST_WORDS; i++)
        sum->word[i] += more->word[i];
}

/* Read by Python (emulator/attribution/recorder.py). */
struct tally_entry {
    uint64_t place; /* its number */
    struct cost_sum cost;
};

struct tally {
    struct tally_entry *entry;
    struct slots slots;
    uint32_t count, capacity;
};

/* False: no memory, and nothing was added. */
bool tally_add(struct tally *tally, uint32_t place, const struct cost_sum *cost);
bool tally_merge(struct tally *tally, const struct tally *more);
void tally_clear(struct tally *tally);
void tally_free(struct tally *tally);

#endif
