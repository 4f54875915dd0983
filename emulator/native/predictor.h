/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * predictor.h: branch prediction: directions, a branch target buffer, a return stack
 *
 * Directions: see direction.h. Targets: a set-associative BTB with true LRU, set by
 * the low bits of pc, filled by every taken branch but returns. Returns: a circular stack of return_depth addresses;
 * a push onto a full one loses the oldest. Everything is keyed by virtual address with no regard to address spaces:
 * they disturb each other, as on hardware without barriers.
 *
 * Mispredicted (counted in branch-misses; the front end comes `mispredict` cycles late):
 *   conditional       the direction was wrong
 *   indirect jump or call   the BTB had no entry for pc, or another target
 *   return            the stack was empty, or its top was another address
 *   direct jump or call     never: the decoder knows the target
 * A taken conditional, direct jump or direct call predicted so far but absent from the BTB (or there with another
 * target) is not a miss; the front end comes `redirect` cycles late, as the decoder steers it.
 *
 * Contract: called once per executed near branch, in program order. Far transfers (int, iret, syscall, far jump, call
 * and return) are not branches here.
 */
#ifndef RINGSCOPE_PREDICTOR_H
#define RINGSCOPE_PREDICTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "account.h"
#include "direction.h"
#include "model_config.h"

enum branch_kind {
    BRANCH_CONDITIONAL, /* jcc, jcxz, loop */
    BRANCH_DIRECT,
    BRANCH_INDIRECT,
    BRANCH_CALL,
    BRANCH_INDIRECT_CALL,
    BRANCH_RETURN,
};

struct btb_entry {
    uint64_t pc, target; /* pc ~0: free; no jump begins in the last byte there is */
};

struct predictor {
    struct btb_entry *btb; /* set by set, the newest entry first */
    uint64_t btb_set_mask, btb_ways;
    uint64_t *stack;
    uint32_t depth, top, used;
    uint32_t mispredict, redirect; /* prices in cycles */
    struct direction direction;
};

/* NULL, or a sentence. */
const char *predictor_init(struct predictor *p, const struct predictor_config *config);
void predictor_free(struct predictor *p);

/* How the front end came to where a branch led. */
enum foresight {
    FORESEEN,
    REDIRECTED,   /* by the decoder */
    MISPREDICTED, /* when it was known where the branch goes */
};

/* By how many cycles it came late. */
static inline uint32_t predictor_price(const struct predictor *p, enum foresight foresight)
{
    return foresight == MISPREDICTED ? p->mispredict : foresight == REDIRECTED ? p->redirect : 0;
}

static inline struct btb_entry *predictor_btb_set(const struct predictor *p, uint64_t pc)
{
    return p->btb + (pc & p->btb_set_mask) * p->btb_ways;
}

/* The rest of predictor_branch(). Of a conditional or a direct jump: its direction was not `foreseen`, or it went where the
 * newest entry of its set does not say. Then of the other kinds. */
enum foresight predictor_steer(struct predictor *p, struct account *a, uint64_t pc, uint64_t target, bool taken, bool foreseen);
enum foresight predictor_follow(struct predictor *p, struct account *a, enum branch_kind kind, uint64_t pc, uint64_t next,
                                uint64_t target);

/* `next` is the address behind the branch, what a call pushes; `target` where a taken branch goes (ignored if not
 * taken, which only a conditional can be). Counts and learns. */
static inline __attribute__((always_inline)) enum foresight predictor_branch(struct predictor *p, struct account *a,
                                                                             enum branch_kind kind, uint64_t pc, uint64_t next,
                                                                             uint64_t target, bool taken)
{
    account_count(a, COUNTER_BRANCHES);
    if (kind != BRANCH_CONDITIONAL && kind != BRANCH_DIRECT)
        return predictor_follow(p, a, kind, pc, next, target);
    bool foreseen = kind == BRANCH_DIRECT || direction_learn(&p->direction, pc, taken);
    const struct btb_entry *newest = predictor_btb_set(p, pc);
    bool elsewhere = (newest->pc != pc) | (newest->target != target);
    if (foreseen & !(taken & elsewhere))
        return FORESEEN;
    return predictor_steer(p, a, pc, target, taken, foreseen);
}

#endif
