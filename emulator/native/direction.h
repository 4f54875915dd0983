/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * direction.h: whether a conditional branch is taken: a table of counters, and tagged tables of ever longer history
 *
 * Base: 2^table_bits two-bit saturating counters, at first 1 (weakly not taken), indexed by pc XOR the outcomes of the
 * last history_bits conditional branches (newest in bit 0).
 *
 * Tagged tables (Seznec and Michaud, "A case for (partially) TAgged GEometric history length branch prediction", 2006):
 * table i of `tagged_tables`, from 0 on, has 2^tagged_bits entries and looks at the last `tagged_history` << i outcomes.
 * They are folded: the exclusive or of their pieces of 32, newest outcome in bit 0. That, exclusive or the upper half of
 * pc * DIRECTION_MIX_PC, is multiplied by DIRECTION_MIX. Its bits from 20 on are the index, those from 32 on the tag. An
 * entry is a tag of TAG_BITS, a three-bit counter (from 4 on: taken) and a two-bit count of how useful it was.
 *   prediction   that of the table of longest history whose entry has the tag, the provider; the alternate is the next
 *                such table, or the base. An entry that was never useful and whose counter is weak (3, 4) is passed over
 *                for the alternate.
 *   learning     the provider's counter; the alternate's too while the provider was never useful. Where the two
 *                disagreed, the provider becomes more useful if it was right and less if it was wrong.
 *   allocation   after a wrong prediction the first table of longer history than the provider whose entry is not useful
 *                gives it up, with a weak counter. If none does, all of them become less useful.
 */
#ifndef RINGSCOPE_DIRECTION_H
#define RINGSCOPE_DIRECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model_config.h"

enum { TAGGED_TABLES_MAX = 8, TAGGED_HISTORY_MAX = 1024, TAG_BITS = 12, NO_TAG = 0xffff };
/* 2^32 and 2^64 divided by the golden ratio, the nearest odd number: Knuth's multiplicative hash. */
#define DIRECTION_MIX 0x9e3779b1ull
#define DIRECTION_MIX_PC 0x9e3779b97f4a7c15ull

struct tagged_entry {
    uint16_t tag;
    uint8_t counter, useful;
};

struct direction {
    uint8_t *table;
    uint64_t table_mask, history, history_mask;
    struct tagged_entry *tagged; /* table after table */
    uint32_t tables, tagged_entries;
    uint32_t first[TAGGED_TABLES_MAX];  /* where each table begins */
    uint32_t index_mask[TAGGED_TABLES_MAX]; /* 0: there is no such table */
    uint32_t fold[TAGGED_TABLES_MAX];   /* the history of each table */
    uint32_t end[TAGGED_TABLES_MAX];    /* the bit of it at which the oldest outcome leaves */
    uint32_t length[TAGGED_TABLES_MAX]; /* outcomes */
    uint8_t outcome[TAGGED_HISTORY_MAX]; /* a ring */
    uint32_t newest;                     /* in it */
};

/* Without tables there is an entry that nobody looks at. */
static inline size_t direction_tagged_bytes(const struct direction *d)
{
    return (size_t)d->tagged_entries * sizeof(*d->tagged);
}

/* NULL, or a sentence. */
const char *direction_init(struct direction *d, const struct predictor_config *config);
void direction_free(struct direction *d);

/* Whether the direction was foreseen; the tables and the history learn it. */
bool direction_learn(struct direction *d, uint64_t pc, bool taken);

#endif
