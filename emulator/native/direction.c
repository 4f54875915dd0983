/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * direction.c: see direction.h
 *
 * What the guest's branches do, the host's predictor cannot foresee either: no branch here depends on it.
 */
#include "direction.h"

#include <stdlib.h>
#include <string.h>

enum { COUNTER_MAX = 7, COUNTER_TAKEN = 4, USEFUL_MAX = 3, USEFUL_SHIFT = 24, TAG_SHIFT = 12, FOLD_BITS = 32 };
_Static_assert(offsetof(struct tagged_entry, useful) * 8 == USEFUL_SHIFT, "as a word");

const char *direction_init(struct direction *d, const struct predictor_config *config)
{
    memset(d, 0, sizeof *d);
    if (config->table_bits == 0 || config->table_bits > 24)
        return "predictor: table_bits must be from 1 to 24";
    if (config->history_bits > config->table_bits)
        return "predictor: history_bits must not exceed table_bits";
    if (config->tagged_tables > TAGGED_TABLES_MAX)
        return "predictor: tagged_tables must be at most 8";
    if (config->tagged_tables && (config->tagged_bits == 0 || config->tagged_bits > 16))
        return "predictor: tagged_bits must be from 1 to 16";
    if (config->tagged_tables &&
        (config->tagged_history == 0 || config->tagged_history > TAGGED_HISTORY_MAX >> config->tagged_tables))
        return "predictor: the longest history, tagged_history doubled for each table but the first, must be from 1 to 512";
    d->table_mask = (1ull << config->table_bits) - 1;
    d->history_mask = (1ull << config->history_bits) - 1;
    d->tables = config->tagged_tables;
    for (uint32_t i = 0; i < d->tables; i++) {
        d->length[i] = config->tagged_history << i;
        d->end[i] = 1u << d->length[i] % FOLD_BITS;
        d->first[i] = i << config->tagged_bits;
        d->index_mask[i] = (1u << config->tagged_bits) - 1;
    }
    d->table = malloc(d->table_mask + 1);
    d->tagged_entries = d->tables ? d->tables << config->tagged_bits : 1;
    d->tagged = malloc(direction_tagged_bytes(d));
    if (!d->table || !d->tagged) {
        direction_free(d);
        return "predictor: no memory for the tables";
    }
    memset(d->table, 1, d->table_mask + 1);
    for (size_t i = 0; i < direction_tagged_bytes(d) / sizeof *d->tagged; i++)
        d->tagged[i] = (struct tagged_entry){.tag = NO_TAG};
    return NULL;
}

void direction_free(struct direction *d)
{
    free(d->table);
    free(d->tagged);
    d->table = NULL;
    d->tagged = NULL;
}

/* A number for each table. */
typedef uint32_t lanes __attribute__((vector_size(4 * TAGGED_TABLES_MAX)));
typedef uint64_t products __attribute__((vector_size(8 * TAGGED_TABLES_MAX)));

static inline lanes mix(lanes of)
{
    return __builtin_convertvector(__builtin_convertvector(of, products) * DIRECTION_MIX >> 20, lanes);
}

#define OF_EACH(what) {what(0), what(1), what(2), what(3), what(4), what(5), what(6), what(7)}

static inline uint32_t word_of(const struct tagged_entry *entry)
{
    uint32_t word;
    memcpy(&word, entry, sizeof word);
    return word;
}

/* Bit i says that lane i is all ones and not 0. */
static inline uint32_t bits_of(lanes truth)
{
    const lanes bit = {1, 2, 4, 8, 16, 32, 64, 128};
    lanes some = truth & bit;
    some |= __builtin_shufflevector(some, some, 4, 5, 6, 7, 0, 1, 2, 3);
    some |= __builtin_shufflevector(some, some, 2, 3, 0, 1, 6, 7, 4, 5);
    return some[0] | some[1];
}

static inline uint8_t toward(uint8_t counter, bool taken, uint8_t most)
{
    return (uint8_t)(counter + (taken & (counter < most)) - (!taken & (counter > 0)));
}

/* ---- history ---- */

/* A folded history turns by one bit for each outcome: that one enters, the oldest leaves at `end`. */
static inline void remember(struct direction *d, bool taken)
{
#define OLDEST(i) d->outcome[(d->newest - d->length[i] + 1) % TAGGED_HISTORY_MAX]
    lanes fold, end, oldest = OF_EACH(OLDEST);

    d->history = (d->history << 1 | taken) & d->history_mask;
    memcpy(&fold, d->fold, sizeof fold);
    memcpy(&end, d->end, sizeof end);
    fold = (fold << 1 | fold >> (FOLD_BITS - 1)) ^ (uint32_t)taken ^ (end & -oldest);
    memcpy(d->fold, &fold, sizeof fold);
    d->newest = (d->newest + 1) % TAGGED_HISTORY_MAX;
    d->outcome[d->newest] = taken;
}

/* ---- tagged tables ---- */

/* The entries that a branch meets, one of each table. A *slot* is the number of a table and 1; 0 is nobody's, for the
 * base, and for what is to be written nowhere. */
struct lookup {
    struct tagged_entry nobody;
    uint32_t place[TAGGED_TABLES_MAX], tag[TAGGED_TABLES_MAX]; /* in `tagged` */
    uint32_t holding; /* a bit for each table whose entry has the tag */
    uint32_t free;    /* and for each whose entry is not useful */
};

static inline void look_up(const struct direction *d, uint64_t pc, struct lookup *at)
{
    lanes fold, first, mask;

    memcpy(&fold, d->fold, sizeof fold);
    memcpy(&first, d->first, sizeof first);
    memcpy(&mask, d->index_mask, sizeof mask);
    lanes mixed = mix(fold ^ (uint32_t)(pc * DIRECTION_MIX_PC >> 32));
    lanes place = first + (mixed & mask), tag = mixed >> TAG_SHIFT & ((1u << TAG_BITS) - 1);
    memcpy(at->place, &place, sizeof place);
    memcpy(at->tag, &tag, sizeof tag);
#define WORD(i) word_of(&d->tagged[at->place[i]])
    lanes word = OF_EACH(WORD);
    at->nobody = (struct tagged_entry){0};
    at->holding = bits_of((lanes)((word & 0xffff) == tag) & (lanes)(mask != 0));
    at->free = bits_of((lanes)(word >> USEFUL_SHIFT == 0));
}

/* That of the highest bit. */
static inline uint32_t last_slot(uint32_t tables) { return 31 - (uint32_t)__builtin_clz(tables << 1 | 1); }

static inline struct tagged_entry *entry_of(const struct direction *d, struct lookup *at, uint32_t slot)
{
    struct tagged_entry *entry = &d->tagged[at->place[(slot - 1) % TAGGED_TABLES_MAX]];
    return slot ? entry : &at->nobody;
}

/* For a branch that was foreseen wrongly, in the tables from `behind` on. */
static inline void allocate(const struct direction *d, struct lookup *at, bool wrong, uint32_t behind, bool taken)
{
    uint32_t after = ((1u << d->tables) - 1) & ~0u << behind, free = at->free & after & (0u - wrong);
    uint32_t slot = free ? (uint32_t)__builtin_ctz(free | 1u << 31) + 1 : 0;

    *entry_of(d, at, slot) = (struct tagged_entry){(uint16_t)at->tag[(slot - 1) % TAGGED_TABLES_MAX],
                                                   taken ? COUNTER_TAKEN : COUNTER_TAKEN - 1, 0};
    for (uint32_t i = behind; (wrong & !free) && i < d->tables; i++)
        entry_of(d, at, i + 1)->useful--;
}

bool direction_learn(struct direction *d, uint64_t pc, bool taken)
{
    uint8_t *base = &d->table[(pc ^ d->history) & d->table_mask];
    bool by_base = *base >= 2;

    if (!d->tables) {
        *base = toward(*base, taken, 3);
        d->history = (d->history << 1 | taken) & d->history_mask;
        return by_base == taken;
    }
    struct lookup at;
    look_up(d, pc, &at);
    uint32_t provides = last_slot(at.holding), stands_by = last_slot(at.holding & ~(1u << provides >> 1));
    struct tagged_entry *provider = entry_of(d, &at, provides), *alternate = entry_of(d, &at, stands_by);
    bool other = stands_by ? alternate->counter >= COUNTER_TAKEN : by_base;
    bool its = provides ? provider->counter >= COUNTER_TAKEN : by_base;
    bool fresh = !provider->useful;
    bool weak = (provider->counter == COUNTER_TAKEN) | (provider->counter == COUNTER_TAKEN - 1);
    bool predicted = (fresh & weak) ? other : its, learns_base = !provides | (fresh & !stands_by);

    *base = learns_base ? toward(*base, taken, 3) : *base;
    alternate->counter = fresh ? toward(alternate->counter, taken, COUNTER_MAX) : alternate->counter;
    provider->counter = toward(provider->counter, taken, COUNTER_MAX);
    provider->useful = its != other ? toward(provider->useful, its == taken, USEFUL_MAX) : provider->useful;
    allocate(d, &at, predicted != taken, provides, taken);
    remember(d, taken);
    return predicted == taken;
}
