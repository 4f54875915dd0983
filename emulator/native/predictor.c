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
    p->btb_set_mask = config->btb_sets - 1;
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

static inline struct btb_entry *btb_set(const struct predictor *p, uint64_t pc)
{
    return p->btb + (pc & p->btb_set_mask) * p->btb_ways;
}

static inline bool is_newest_target(const struct predictor *p, uint64_t pc, uint64_t target)
{
    const struct btb_entry *newest = btb_set(p, pc);
    return (newest->pc == pc) & (newest->target == target);
}

/* Whether the BTB had this target for pc; afterwards it has, as the newest entry of its set. */
static bool learn_target(struct predictor *p, uint64_t pc, uint64_t target)
{
    struct btb_entry *set = btb_set(p, pc);
    if (is_newest_target(p, pc, target))
        return true;
    uint32_t way = 0;
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

struct foresight predictor_branch(struct predictor *p, struct account *a, enum branch_kind kind, uint64_t pc, uint64_t next,
                                  uint64_t target, bool taken)
{
    bool foreseen = true;
    bool late = false; /* foreseen, but only by the decoder */
    account_count(a, COUNTER_BRANCHES);
    if (kind == BRANCH_CONDITIONAL) {
        foreseen = direction_learn(&p->direction, pc, taken);
        if (taken & !is_newest_target(p, pc, target))
            late = !learn_target(p, pc, target);
    } else if (kind == BRANCH_RETURN) {
        foreseen = pop_return(p, target);
    } else {
        bool had = learn_target(p, pc, target), direct = (kind == BRANCH_DIRECT) | (kind == BRANCH_CALL);
        late = !had & direct;
        foreseen = had | direct;
        if ((kind == BRANCH_CALL) | (kind == BRANCH_INDIRECT_CALL))
            push_return(p, next);
    }
    a->now->n[COUNTER_BRANCH_MISSES] += !foreseen;
    return (struct foresight){.late = !foreseen ? p->mispredict : late ? p->redirect : 0, .missed = !foreseen};
}
