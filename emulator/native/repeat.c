/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * repeat.c: string instructions that a fault or an interrupt cut between two elements. They were counted when they began,
 * and are known again when they go on: by their flow of control and how far they have come.
 */
#include "core.h"

#include <string.h>

static struct repeat repeat_here(const struct core *c, uint64_t pc)
{
    struct repeat here = {.flow = arch_flow_key(c)};
    here.flow.pc = pc;
    arch_repeat_state(c, here.state);
    return here;
}

void core_remember_repeat(struct core *c, uint64_t pc)
{
    if (c->repeats == REPEATS_MAX) {
        memmove(&c->repeat[0], &c->repeat[1], (REPEATS_MAX - 1) * sizeof(c->repeat[0]));
        c->repeats--;
    }
    c->repeat[c->repeats++] = repeat_here(c, pc);
}

bool core_forget_repeat(struct core *c, uint64_t pc)
{
    struct repeat here = repeat_here(c, pc);
    for (uint32_t i = 0; i < c->repeats; i++) {
        if (!memcmp(&c->repeat[i], &here, sizeof(here))) {
            c->repeat[i] = c->repeat[--c->repeats];
            return true;
        }
    }
    return false;
}
