/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * direction.h: whether a conditional branch is taken: a table of counters, and tagged tables of ever longer history
 *
 * Base: 2^table_bits two-bit saturating counters, at first 1 (weakly not taken), indexed by pc XOR the outcomes of the
 * last history_bits conditional branches (newest in bit 0).
 *
 * Tagged tables (Seznec and Michaud, "A case for (partially) TAgged GEometric history length branch prediction", 2006):
 * table i of `tagged_tables`, from 0 on, has 2^tagged_bits entries and looks at the last `tagged_history` << i outcomes.
 * The history is folded: the exclusive or of its pieces of so many bits as the index or the tag has. An entry is a tag of
 * TAG_BITS, a three-bit counter (from 4 on: taken) and a two-bit count of how useful it was.
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

struct tagged_entry {
    uint16_t tag;
    uint8_t counter, useful;
};

struct direction {
    uint8_t *table;
    uint64_t table_mask, history, history_mask;
    struct tagged_entry *tagged; /* table after table */
    uint32_t tables, index_bits;
    /* The history of each table, folded to the index, to the tag, and to one bit less for the tag again. */
    uint32_t index_fold[TAGGED_TABLES_MAX], tag_fold[TAGGED_TABLES_MAX], tag_fold_2[TAGGED_TABLES_MAX];
    uint32_t length[TAGGED_TABLES_MAX];
    /* The bit of each at which the oldest outcome leaves. */
    uint32_t index_end[TAGGED_TABLES_MAX], tag_end[TAGGED_TABLES_MAX], tag_end_2[TAGGED_TABLES_MAX];
    uint8_t outcome[TAGGED_HISTORY_MAX]; /* a ring */
    uint32_t newest;                     /* in it */
};

/* How long `tagged` is; without tables there is an entry that nobody looks at. */
static inline size_t direction_tagged_bytes(const struct direction *d)
{
    return (d->tables ? (size_t)d->tables << d->index_bits : 1) * sizeof(*d->tagged);
}

/* NULL, or a sentence. */
const char *direction_init(struct direction *d, const struct predictor_config *config);
void direction_free(struct direction *d);

/* Whether the direction was foreseen; the tables and the history learn it. */
bool direction_learn(struct direction *d, uint64_t pc, bool taken);

#endif
