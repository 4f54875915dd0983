/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * predictor.c: directions, targets and returns (see predictor.h)
 */
#include "predictor.h"

#include <stdlib.h>
#include <string.h>

const char *predictor_init(struct predictor *p, const struct predictor_config *config)
{
    memset(p, 0, sizeof *p);
    const char *refused = direction_init(&p->direction, config);
    if (refused)
        return refused;
    if (config->btb_sets == 0 || (config->btb_sets & (config->btb_sets - 1)) != 0 || config->btb_sets > 1u << 20)
        return "predictor: btb_sets must be a power of two, at most 2^20";
    if (config->btb_ways == 0 || config->btb_ways > 64)
        return "predictor: btb_ways must be from 1 to 64";
    if (config->return_depth == 0 || config->return_depth > 1024)
        return "predictor: return_depth must be from 1 to 1024";
    p->btb_set_mask = config->btb_sets - 1ull;
    p->btb_ways = config->btb_ways;
    p->depth = config->return_depth;
    p->mispredict = config->mispredict;
    p->redirect = config->redirect;
    size_t btb_bytes = (size_t)config->btb_sets * config->btb_ways * sizeof *p->btb;
    p->btb = malloc(btb_bytes);
    p->stack = calloc(p->depth, sizeof *p->stack);
    if (!p->btb || !p->stack) {
        predictor_free(p);
        return "predictor: no memory for the tables";
    }
    memset(p->btb, 0xff, btb_bytes);
    return NULL;
}

void predictor_free(struct predictor *p)
{
    direction_free(&p->direction);
    free(p->btb);
    free(p->stack);
    p->btb = NULL;
    p->stack = NULL;
}

/* Whether the BTB had this target for pc; afterwards it has, as the newest entry of its set. */
static bool learn_target(struct predictor *p, uint64_t pc, uint64_t target)
{
    struct btb_entry *set = predictor_btb_set(p, pc);
    if (set->pc == pc && set->target == target)
        return true;
    uint64_t way = 0;
    while (way < p->btb_ways - 1 && set[way].pc != pc)
        way++;
    bool foreseen = set[way].pc == pc && set[way].target == target;
    memmove(set + 1, set, way * sizeof *set);
    set[0] = (struct btb_entry){.pc = pc, .target = target};
    return foreseen;
}

static void push_return(struct predictor *p, uint64_t address)
{
    p->stack[p->top] = address;
    p->top = p->top + 1 == p->depth ? 0 : p->top + 1;
    if (p->used < p->depth)
        p->used++;
}

static bool pop_return(struct predictor *p, uint64_t target)
{
    if (p->used == 0)
        return false;
    p->used--;
    p->top = p->top == 0 ? p->depth - 1 : p->top - 1;
    return p->stack[p->top] == target;
}

static enum foresight mispredicted(struct account *a)
{
    account_count(a, COUNTER_BRANCH_MISSES);
    return MISPREDICTED;
}

enum foresight predictor_steer(struct predictor *p, struct account *a, uint64_t pc, uint64_t target, bool taken, bool foreseen)
{
    bool had = !taken || learn_target(p, pc, target);
    if (!foreseen)
        return mispredicted(a);
    return had ? FORESEEN : REDIRECTED;
}

enum foresight predictor_follow(struct predictor *p, struct account *a, enum branch_kind kind, uint64_t pc, uint64_t next,
                                uint64_t target)
{
    if (kind == BRANCH_RETURN)
        return pop_return(p, target) ? FORESEEN : mispredicted(a);
    bool had = learn_target(p, pc, target);
    if (kind != BRANCH_INDIRECT)
        push_return(p, next);
    if (had)
        return FORESEEN;
    return kind == BRANCH_CALL ? REDIRECTED : mispredicted(a);
}
