/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * direction.c: see direction.h
 */
#include "direction.h"

#include <stdlib.h>
#include <string.h>

enum { COUNTER_MAX = 7, COUNTER_TAKEN = 4, USEFUL_MAX = 3, TAG_SHIFT = 32 };

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
        (config->tagged_history == 0 || config->tagged_history > TAGGED_HISTORY_MAX >> (config->tagged_tables - 1)))
        return "predictor: the longest history, tagged_history doubled for each table but the first, must be from 1 to 64";
    d->table_mask = (1ull << config->table_bits) - 1;
    d->history_mask = (1ull << config->history_bits) - 1;
    d->tables = config->tagged_tables;
    d->index_shift = 64 - config->tagged_bits;
    d->table = malloc(d->table_mask + 1);
    d->tagged_entries = d->tables ? d->tables << config->tagged_bits : 1;
    d->tagged = malloc(direction_tagged_bytes(d));
    if (!d->table || !d->tagged) {
        direction_free(d);
        return "predictor: no memory for the tables";
    }
    d->ahead = ~0ull;
    d->first[0] = d->tagged;
    for (uint32_t i = 0; i < d->tables; i++) {
        d->first[i + 1] = d->tagged + ((size_t)i << config->tagged_bits);
        d->seen[i + 1] = ~0ull >> (TAGGED_HISTORY_MAX - (config->tagged_history << i));
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

static inline uint8_t toward(uint8_t counter, bool taken, uint8_t most)
{
    return (uint8_t)(counter + (taken & (counter < most)) - (!taken & (counter > 0)));
}

/* ---- tagged tables ---- */

/* The entries that a branch meets, one of each table. A *slot* is the number of a table and 1; 0 is nobody's, for the
 * base, and for what is to be written nowhere. */
struct lookup {
    struct tagged_entry nobody;
    uint32_t provider, alternate; /* slots */
};

static inline uint16_t tag_of(uint64_t mixed) { return (uint16_t)(mixed >> TAG_SHIFT) & ((1u << TAG_BITS) - 1); }

void direction_foresee(struct direction *d, uint64_t pc)
{
    uint64_t place = pc * DIRECTION_MIX;

    d->ahead = pc;
    for (uint32_t slot = 1; slot <= d->tables; slot++) {
        d->mixed[slot] = (place ^ (d->history & d->seen[slot])) * DIRECTION_MIX;
        __builtin_prefetch(&d->first[slot][d->mixed[slot] >> d->index_shift]);
    }
}

static inline void look_up(struct direction *d, uint64_t pc, struct lookup *at)
{
    uint32_t provider = 0, alternate = 0;

    if (d->ahead != pc)
        direction_foresee(d, pc);
    d->ahead = ~0ull; /* its history is about to change */
    for (uint32_t slot = 1; slot <= d->tables; slot++) {
        uint64_t mixed = d->mixed[slot];
        bool has = d->first[slot][mixed >> d->index_shift].tag == tag_of(mixed);
        alternate = has ? provider : alternate;
        provider = has ? slot : provider;
    }
    at->nobody = (struct tagged_entry){0};
    at->provider = provider;
    at->alternate = alternate;
}

static inline struct tagged_entry *entry_of(const struct direction *d, struct lookup *at, uint32_t slot)
{
    struct tagged_entry *entry = &d->first[slot][d->mixed[slot] >> d->index_shift];
    return slot ? entry : &at->nobody;
}

static void allocate(const struct direction *d, struct lookup *at, bool taken)
{
    uint32_t slot = at->provider + 1;

    while (slot <= d->tables && entry_of(d, at, slot)->useful)
        slot++;
    if (slot <= d->tables)
        *entry_of(d, at, slot) =
            (struct tagged_entry){tag_of(d->mixed[slot]), taken ? COUNTER_TAKEN : COUNTER_TAKEN - 1, 0};
    else
        while (--slot > at->provider)
            entry_of(d, at, slot)->useful--;
}

/* Without a branch of the host's but for what was foreseen wrongly: it would foresee it no better. */
bool direction_learn(struct direction *d, uint64_t pc, bool taken)
{
    uint8_t *base = &d->table[(pc ^ (d->history & d->history_mask)) & d->table_mask];
    bool by_base = *base >= 2;

    if (!d->tables) {
        *base = toward(*base, taken, 3);
        d->history = d->history << 1 | taken;
        return by_base == taken;
    }
    struct lookup at;
    look_up(d, pc, &at);
    struct tagged_entry *provider = entry_of(d, &at, at.provider), *alternate = entry_of(d, &at, at.alternate);
    bool other = at.alternate ? alternate->counter >= COUNTER_TAKEN : by_base;
    bool its = at.provider ? provider->counter >= COUNTER_TAKEN : by_base;
    bool fresh = !provider->useful;
    bool weak = (provider->counter == COUNTER_TAKEN) | (provider->counter == COUNTER_TAKEN - 1);
    bool predicted = (fresh & weak) ? other : its, learns_base = !at.provider | (fresh & !at.alternate);

    *base = learns_base ? toward(*base, taken, 3) : *base;
    alternate->counter = fresh ? toward(alternate->counter, taken, COUNTER_MAX) : alternate->counter;
    provider->counter = toward(provider->counter, taken, COUNTER_MAX);
    provider->useful = its != other ? toward(provider->useful, its == taken, USEFUL_MAX) : provider->useful;
    if (predicted != taken)
        allocate(d, &at, taken);
    d->history = d->history << 1 | taken;
    return predicted == taken;
}
