/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * direction.c: see direction.h
 *
 * What the guest's branches do, the host's predictor cannot foresee either: few branches here depend on it.
 */
#include "direction.h"

#include <stdlib.h>
#include <string.h>

enum { COUNTER_MAX = 7, COUNTER_TAKEN = 4, USEFUL_MAX = 3, FOLD_BITS = 32 };

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
    d->index_bits = config->tagged_bits;
    for (uint32_t i = 0; i < d->tables; i++) {
        d->length[i] = config->tagged_history << i;
        d->end[i] = 1u << d->length[i] % FOLD_BITS;
    }
    d->table = malloc(d->table_mask + 1);
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

static inline uint8_t toward(uint8_t counter, bool taken, uint8_t most)
{
    return (uint8_t)(counter + (taken & (counter < most)) - (!taken & (counter > 0)));
}

/* ---- history ---- */

/* A folded history turns by one bit for each outcome: that one enters, the oldest leaves at `end`. All there could be of
 * tables, so that the compiler takes several at once. */
static inline void remember(struct direction *d, bool taken)
{
    uint32_t oldest[TAGGED_TABLES_MAX] = {0};

    d->history = (d->history << 1 | taken) & d->history_mask;
    for (uint32_t i = 0; i < d->tables; i++)
        oldest[i] = d->outcome[(d->newest - d->length[i] + 1) % TAGGED_HISTORY_MAX];
    for (uint32_t i = 0; i < TAGGED_TABLES_MAX; i++)
        d->fold[i] = (d->fold[i] << 1 | d->fold[i] >> (FOLD_BITS - 1)) ^ taken ^ (d->end[i] & (0u - oldest[i]));
    d->newest = (d->newest + 1) % TAGGED_HISTORY_MAX;
    d->outcome[d->newest] = taken;
}

/* ---- tagged tables ---- */

struct lookup {
    struct tagged_entry *entry[TAGGED_TABLES_MAX];
    uint16_t tag[TAGGED_TABLES_MAX];
    struct tagged_entry *provider, *alternate; /* NULL: the base */
    uint32_t behind; /* the first table of longer history than the provider's */
};

static inline void look_up(const struct direction *d, uint64_t pc, struct lookup *at)
{
    uint32_t place = (uint32_t)(pc * DIRECTION_MIX >> 32);
    struct tagged_entry *table = d->tagged, *provider = NULL, *alternate = NULL;
    uint32_t behind = 0;

    for (uint32_t i = 0; i < d->tables; i++) {
        uint64_t mixed = (place ^ d->fold[i]) * DIRECTION_MIX;
        uint16_t tag = (mixed >> 32) & ((1u << TAG_BITS) - 1);
        struct tagged_entry *entry = table + (mixed >> (64 - d->index_bits));
        at->tag[i] = tag;
        at->entry[i] = entry;
        bool has = entry->tag == tag;
        alternate = has ? provider : alternate;
        provider = has ? entry : provider;
        behind = has ? i + 1 : behind;
        table += (size_t)1 << d->index_bits;
    }
    at->provider = provider;
    at->alternate = alternate;
    at->behind = behind;
}

static void allocate(const struct direction *d, const struct lookup *at, bool taken)
{
    uint32_t i = at->behind;

    while (i < d->tables && at->entry[i]->useful)
        i++;
    if (i < d->tables)
        *at->entry[i] = (struct tagged_entry){at->tag[i], taken ? COUNTER_TAKEN : COUNTER_TAKEN - 1, 0};
    for (uint32_t j = at->behind; i == d->tables && j < i; j++)
        at->entry[j]->useful--;
}

bool direction_learn(struct direction *d, uint64_t pc, bool taken)
{
    uint8_t *base = &d->table[(pc ^ d->history) & d->table_mask];
    bool predicted = *base >= 2;

    if (!d->tables) {
        *base = toward(*base, taken, 3);
        d->history = (d->history << 1 | taken) & d->history_mask;
        return predicted == taken;
    }
    struct lookup at;
    look_up(d, pc, &at);
    struct tagged_entry *provider = at.provider, *alternate = at.alternate;
    if (!provider) {
        *base = toward(*base, taken, 3);
    } else {
        bool other = alternate ? alternate->counter >= COUNTER_TAKEN : predicted;
        bool its = provider->counter >= COUNTER_TAKEN, fresh = !provider->useful;
        bool weak = (provider->counter == COUNTER_TAKEN) | (provider->counter == COUNTER_TAKEN - 1);
        predicted = (fresh & weak) ? other : its;
        provider->counter = toward(provider->counter, taken, COUNTER_MAX);
        if (fresh && alternate)
            alternate->counter = toward(alternate->counter, taken, COUNTER_MAX);
        else if (fresh)
            *base = toward(*base, taken, 3);
        if (its != other)
            provider->useful = toward(provider->useful, its == taken, USEFUL_MAX);
    }
    if (predicted != taken)
        allocate(d, &at, taken);
    remember(d, taken);
    return predicted == taken;
}
