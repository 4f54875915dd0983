/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cut.c: an exception ends a block in its middle. What was not executed is not counted, and what was is charged.
 */
#include "core.h"

bool core_cut_block(struct core *c, uint64_t pc)
{
    core_settle(c);
    const struct block *b = c->block;
    uint32_t done = 0;

    if (!b)
        return false;
    uint64_t offset = pc - c->block_pc;
    if (b->bytes ? offset >= b->bytes : offset) { /* complete: the fault is in fetching what follows */
        core_leave_block(c, pc);
        return false;
    }
    if (pc == c->repeat_pc && c->repeat_started) {
        core_remember_repeat(c, pc);
        if (c->timing)
            core_refund_element(c);
        done = b->insns;
    } else {
        while (b->bytes && done < b->insns && b->insn[done].end <= offset)
            done++;
    }
    if (c->settled)
        core_settle_block(c);
    else if (c->timing)
        core_charge_block(c, done);
    c->block = NULL;
    c->continue_pc = c->repeat_pc = NOWHERE;
    probe_cut(c, pc);
    if (c->timing)
        c->account.now->n[COUNTER_INSTRUCTIONS] -= b->insns - done;
    else
        c->account.cycles -= b->insns - done;
    if (c->attribution)
        attribution_cut(c, pc, done);
    return true;
}

void core_exception_taken(struct core *c, bool begun)
{
    core_settle(c);
    if (c->account.cycles == c->exception_cycles) {
        core_charge_cycles(c, CAUSE_TRAP, 1);
        c->credited++; /* this cycle is no instruction */
    }
    c->exception_cycles = c->account.cycles;
    if (c->stepping && !begun && c->steps_left)
        c->steps_left--;
    enum stop_reason why = c->debug.met                      ? (enum stop_reason)c->debug.met
                           : c->stop_requested               ? STOP_REQUEST
                           : core_now(c) >= c->stop_at       ? STOP_TIME
                           : c->stepping && !c->steps_left   ? STOP_STEPS
                                                             : STOP_NONE;
    if (why && !c->stop)
        core_stop_here(c, arch_pc(c), why);
}

void core_shut_down(struct core *c) { core_stop_here(c, arch_pc(c), STOP_TRIPLE_FAULT); }
