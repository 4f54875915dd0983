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
    struct direction direction;
    struct btb_entry *btb;
    uint32_t btb_set_mask, btb_ways;
    uint64_t *stack;
    uint32_t depth, top, used;
    uint32_t mispredict, redirect; /* prices in cycles */
};

/* NULL, or a sentence. */
const char *predictor_init(struct predictor *p, const struct predictor_config *config);
void predictor_free(struct predictor *p);

/* By what the front end comes late to where a branch leads. */
struct foresight {
    uint32_t late; /* cycles */
    bool missed;   /* mispredicted: counted from when it is known where the branch goes */
};

/* `next` is the address behind the branch, what a call pushes; `target` where a taken branch goes (ignored if not
 * taken, which only a conditional can be). Counts and learns. */
struct foresight predictor_branch(struct predictor *p, struct account *a, enum branch_kind kind, uint64_t pc, uint64_t next,
                      uint64_t target, bool taken);

#endif
