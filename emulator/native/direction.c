/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * direction.c: see direction.h
 *
 * Which way a branch goes, and which table knows it, the host's own predictor can often foresee no better. So the only
 * branch of the host's that depends on them asks whether it was foreseen: looking up is conditional moves, and what becomes of
 * the states is read from tables that direction_init() makes of the rules. Tags, which every look-up reads, lie close together,
 * apart from the states, of which it reads two.
 */
#include "direction.h"

#include <stdlib.h>
#include <string.h>

enum {
    COUNTER_MAX = 7,
    BASE_COUNTER_MAX = 3,
    TAG_SHIFT = 32,
    ENTRY_AT_FIRST = 0,
    BASE_AT_FIRST = DIRECTION_BASE + DIRECTION_BASE_STEP,
    WEAKLY_TAKEN = DIRECTION_TAKEN,
    WEAKLY_NOT = DIRECTION_TAKEN - DIRECTION_ENTRY_STEP,
};
_Static_assert(DIRECTION_TAKEN * 2 == DIRECTION_ENTRY_STEP * (COUNTER_MAX + 1) &&
                   DIRECTION_TAKEN * 2 == DIRECTION_BASE_STEP * (BASE_COUNTER_MAX + 1),
               "the upper half of a counter says taken");

/* ---- the rules: see direction.h ---- */

static bool is_base(uint8_t state) { return state >= DIRECTION_BASE; }

static uint8_t with_counter_moved(uint8_t state, bool taken)
{
    int least = is_base(state) ? DIRECTION_BASE : state & DIRECTION_USEFUL;
    int step = is_base(state) ? DIRECTION_BASE_STEP : DIRECTION_ENTRY_STEP;
    int most = least + step * (is_base(state) ? BASE_COUNTER_MAX : COUNTER_MAX);
    int moved = taken ? state + step : state - step;
    return (uint8_t)(moved < least ? least : moved > most ? most : moved);
}

static uint8_t with_usefulness_moved(uint8_t state, bool up)
{
    uint8_t useful = state & DIRECTION_USEFUL;
    return (uint8_t)(up ? state + (useful < DIRECTION_USEFUL) : state - (useful > 0));
}

static void make_rules(struct direction_rules *rules, bool taken)
{
    for (int i = 0; i < DIRECTION_STATES; i++) {
        uint8_t state = (uint8_t)i, moved = with_counter_moved(state, taken);
        bool its = state & DIRECTION_TAKEN, passed_over = state == WEAKLY_TAKEN || state == WEAKLY_NOT;
        for (int other = 0; other < 2; other++) {
            bool decisive = its != other && !is_base(state);
            rules->foreseen[other][i] = (passed_over ? other : its) == taken;
            rules->provider[other][i] = decisive ? with_usefulness_moved(moved, its == taken) : moved;
        }
        for (int useful = 0; useful <= DIRECTION_USEFUL; useful++)
            rules->alternate[useful][i] = useful ? state : moved;
    }
}

/* ---- building ---- */

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
    d->base_mask = (1ull << config->table_bits) - 1;
    d->history_mask = (1ull << config->history_bits) - 1;
    d->tables = config->tagged_tables;
    d->index_bits = config->tagged_bits;
    d->index_shift = 64 - config->tagged_bits;
    d->tagged_entries = d->tables << config->tagged_bits;
    d->state = malloc(direction_states(d));
    d->tag = malloc(direction_tag_bytes(d));
    if (!d->state || !d->tag) {
        direction_free(d);
        return "predictor: no memory for the tables";
    }
    for (uint32_t i = 0; i < d->tables; i++) {
        d->first[i] = i << config->tagged_bits;
        d->seen[i] = ~0ull >> (TAGGED_HISTORY_MAX - (config->tagged_history << i));
    }
    for (size_t i = 0; i < direction_tag_bytes(d) / sizeof *d->tag; i++)
        d->tag[i] = NO_TAG;
    memset(d->state, ENTRY_AT_FIRST, d->tagged_entries);
    memset(d->state + d->tagged_entries, BASE_AT_FIRST, d->base_mask + 1);
    d->ahead = ~0ull;
    make_rules(&d->rules[false], false);
    make_rules(&d->rules[true], true);
    return NULL;
}

void direction_free(struct direction *d)
{
    free(d->tag);
    free(d->state);
    d->tag = NULL;
    d->state = NULL;
}

/* ---- looking up ---- */

/* A branch's place in a table: the number of its entry, and the tag that it has if it is the branch's. */
struct place {
    uint32_t number;
    uint16_t tag;
};

static inline struct place place_in(const struct direction *d, uint32_t table, uint64_t mixed_pc)
{
    uint64_t mixed = (mixed_pc ^ (d->history & d->seen[table])) * DIRECTION_MIX;
    return (struct place){
        .number = d->first[table] + (uint32_t)(mixed >> d->index_shift),
        .tag = (uint16_t)(mixed >> TAG_SHIFT & ((1u << TAG_BITS) - 1)),
    };
}

/* From the shortest history to the longest, so that the last two that have it stay. */
static inline __attribute__((always_inline)) void look_up(struct direction *d, uint64_t pc, uint32_t tables)
{
    uint64_t mixed_pc = pc * DIRECTION_MIX;
    uint32_t provider = d->tagged_entries + (uint32_t)((pc ^ (d->history & d->history_mask)) & d->base_mask);
    uint32_t alternate = provider;

    for (uint32_t table = 0; table < tables; table++) {
        struct place at = place_in(d, table, mixed_pc);
        uint16_t differs = d->tag[at.number] ^ at.tag;
        alternate = differs ? alternate : provider;
        provider = differs ? provider : at.number;
    }
    __builtin_prefetch(&d->state[provider]);
    __builtin_prefetch(&d->state[alternate]);
    d->ahead = pc;
    d->provider = provider;
    d->alternate = alternate;
}

static __attribute__((noinline)) void look_up_in_any_number(struct direction *d, uint64_t pc) { look_up(d, pc, d->tables); }

void direction_foresee(struct direction *d, uint64_t pc)
{
    enum { USUAL = 5 }; /* of the profiles that have any: the loop is unrolled for them */
    if (d->tables == USUAL)
        look_up(d, pc, USUAL);
    else
        look_up_in_any_number(d, pc);
}

/* ---- learning ---- */

void direction_allocate(struct direction *d, uint64_t pc, bool taken)
{
    uint32_t first = d->provider < d->tagged_entries ? (d->provider >> d->index_bits) + 1 : 0;
    uint64_t mixed_pc = pc * DIRECTION_MIX;

    for (uint32_t table = first; table < d->tables; table++) {
        struct place at = place_in(d, table, mixed_pc);
        if (d->state[at.number] & DIRECTION_USEFUL)
            continue;
        d->tag[at.number] = at.tag;
        d->state[at.number] = taken ? WEAKLY_TAKEN : WEAKLY_NOT;
        return;
    }
    for (uint32_t table = first; table < d->tables; table++)
        d->state[place_in(d, table, mixed_pc).number]--; /* by one less useful */
}
