/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * direction.h: whether a conditional branch is taken: a table of counters, and tagged tables of ever longer history
 *
 * Base: 2^table_bits two-bit saturating counters, at first 1 (weakly not taken), indexed by pc XOR the outcomes of the
 * last history_bits conditional branches (newest in bit 0).
 *
 * Tagged tables (Seznec and Michaud, "A case for (partially) TAgged GEometric history length branch prediction", 2006):
 * table i of `tagged_tables`, from 0 on, has 2^tagged_bits entries and looks at the last `tagged_history` << i outcomes.
 * These, newest in bit 0, exclusive or pc * DIRECTION_MIX, times DIRECTION_MIX again (modulo 2^64) gives the index, its
 * topmost bits, and the tag, its bits from 32 on. An entry is a tag of TAG_BITS, a three-bit counter (from 4 on: taken)
 * and a two-bit count of how useful it was.
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

enum { TAGGED_TABLES_MAX = 8, TAGGED_HISTORY_MAX = 64, TAG_BITS = 12, NO_TAG = 0xffff };
#define DIRECTION_MIX 0x9e3779b97f4a7c15ull /* 2^64 divided by the golden ratio: Knuth's multiplicative hash */

struct tagged_entry {
    uint16_t tag;
    uint8_t counter, useful;
};

struct direction {
    uint8_t *table;
    uint64_t table_mask, history_mask;
    uint64_t history; /* of outcomes, newest in bit 0 */
    struct tagged_entry *tagged; /* table after table */
    uint32_t tables, tagged_entries, index_shift;
    /* Of table i in element i + 1: where it begins, and what it sees of the history. */
    struct tagged_entry *first[TAGGED_TABLES_MAX + 1];
    uint64_t seen[TAGGED_TABLES_MAX + 1];
    uint64_t ahead; /* the branch that was foreseen, ~0: none, and what its place in table i is made of, in element i + 1 */
    uint64_t mixed[TAGGED_TABLES_MAX + 1];
};

/* Without tables there is an entry that nobody looks at. */
static inline size_t direction_tagged_bytes(const struct direction *d)
{
    return (size_t)d->tagged_entries * sizeof(*d->tagged);
}

/* NULL, or a sentence. */
const char *direction_init(struct direction *d, const struct predictor_config *config);
void direction_free(struct direction *d);

/* The next branch will be that at pc: its entries are looked for, so that the host has them in its cache by then. */
void direction_foresee(struct direction *d, uint64_t pc);

/* Whether the direction was foreseen; the tables and the history learn it. */
bool direction_learn(struct direction *d, uint64_t pc, bool taken);

#endif
