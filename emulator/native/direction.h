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

/* A *state* is one byte. That of a tagged entry is DIRECTION_ENTRY_STEP times its counter plus how useful it was, that of a
 * counter of the base DIRECTION_BASE plus DIRECTION_BASE_STEP times itself. So both say which way in the same bit, and the base
 * counts as useful. */
enum {
    DIRECTION_USEFUL = 3,
    DIRECTION_ENTRY_STEP = 4,
    DIRECTION_BASE_STEP = 8,
    DIRECTION_TAKEN = 16,
    DIRECTION_BASE = 32 + DIRECTION_USEFUL,
    DIRECTION_STATES = 64,
};

/* What an outcome makes of the states: of the provider's, by what the alternate says, and whether that was foreseen; of the
 * alternate's, by how useful the provider was. */
struct direction_rules {
    uint8_t provider[2][DIRECTION_STATES];
    bool foreseen[2][DIRECTION_STATES];
    uint8_t alternate[DIRECTION_USEFUL + 1][DIRECTION_STATES];
};

struct direction {
    /* A state is known by its number, in whichever table it is: the tagged ones one after another, then the base. */
    uint8_t *state;
    uint16_t *tag; /* of the tagged entries */
    uint64_t base_mask, history_mask;
    uint64_t history; /* of outcomes, newest in bit 0 */
    uint32_t tables, tagged_entries, index_bits, index_shift;
    /* Of each tagged table: the number of its first entry, and what it sees of the history. */
    uint32_t first[TAGGED_TABLES_MAX];
    uint64_t seen[TAGGED_TABLES_MAX];
    /* What was foreseen: the branch (~0: none), and the numbers of its provider and alternate, the base's where there is none. */
    uint64_t ahead;
    uint32_t provider, alternate;
    struct direction_rules rules[2]; /* by the outcome */
};

static inline size_t direction_states(const struct direction *d) { return d->tagged_entries + d->base_mask + 1; }

/* There is one more, which nobody looks at: without tables, too, there are tags. */
static inline size_t direction_tag_bytes(const struct direction *d)
{
    return (d->tagged_entries + 1ull) * sizeof(*d->tag);
}

/* NULL, or a sentence. */
const char *direction_init(struct direction *d, const struct predictor_config *config);
void direction_free(struct direction *d);

/* The next branch will be that at pc: it is looked up in all tables, so that learning need not wait for the host's caches. */
void direction_foresee(struct direction *d, uint64_t pc);

/* It was foreseen wrongly: an entry of a longer history than the provider's is to know better. */
void direction_allocate(struct direction *d, uint64_t pc, bool taken);

/* Whether the direction was foreseen; the tables and the history learn it. */
static inline __attribute__((always_inline)) bool direction_learn(struct direction *d, uint64_t pc, bool taken)
{
    if (d->ahead != pc)
        direction_foresee(d, pc);
    d->ahead = ~0ull; /* its history is about to change */
    const struct direction_rules *rules = &d->rules[taken];
    uint8_t *provider = &d->state[d->provider], *alternate = &d->state[d->alternate];
    uint8_t its = *provider, other = *alternate;
    bool other_way = other & DIRECTION_TAKEN, foreseen = rules->foreseen[other_way][its];

    *alternate = rules->alternate[its & DIRECTION_USEFUL][other];
    *provider = rules->provider[other_way][its]; /* the last word, where both are the base's */
    if (!foreseen)
        direction_allocate(d, pc, taken);
    d->history = d->history << 1 | taken;
    return foreseen;
}

#endif
