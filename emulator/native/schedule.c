/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * schedule.c: when the block hook has more to do than to count, and the run loop around it. See core.h.
 */
#include "core.h"

/* Translations that count without the hook look at `quiet_until` alone, and the hook's own short way at the backlog's limit:
 * they stand for all that may lie between two blocks, or in the middle of one. */
void core_quieten(struct core *c)
{
    bool routine = c->short_cuts && !c->stop && !c->retrying && !c->stepping && !c->debug.active && !c->debug.met &&
                   !c->attribution && c->continue_pc == NOWHERE && c->repeat_pc == NOWHERE;

    c->quiet_until = routine ? c->due : 0;
    c->quiet = routine && c->timing;
    c->backlog.limit = c->backlog.left = 0;
}

void core_rearm(struct core *c)
{
    uint64_t at = c->next_event < c->stop_at ? c->next_event : c->stop_at;
    bool now = c->interrupt_pending || arch_is_urgent(c) || c->stop_requested || c->code_changed || c->tlb_grows ||
               at <= c->idle;
    c->due = now ? 0 : at == NOWHERE ? NOWHERE : at - c->idle;
    core_quieten(c);
}

void core_grow_tlb(struct core *c)
{
    c->tlb_grows = true;
    core_rearm(c);
}

/* ---- the run ---- */

enum stop_reason core_run(struct core *c, uint64_t stop_at, uint64_t steps)
{
    c->stop = STOP_NONE;
    c->stop_at = stop_at;
    c->stepping = steps != NOWHERE;
    c->steps_left = steps;
    c->halted = false;
    charger_know_process(&c->charger);
    debug_begin(c);
    if (c->stepping && steps && c->block && arch_pc(c) == c->repeat_pc && c->continue_pc == NOWHERE)
        c->steps_left--; /* the rest of a string instruction is one */
    core_rearm(c);
    running = c;
    core_claim_accesses(c);
    do {
        if (c->wants_accesses && !c->sees_accesses)
            core_watch_accesses(c);
        if (c->stop)
            engine.control(c->uc, ENGINE_FLUSH_TRANSLATIONS);
        c->stop = STOP_NONE;
        core_rearm(c);
        c->engine_error = engine.emu_start(c->uc, arch_start(c), 0, 0, 0);
    } while (c->stop == STOP_TRANSLATE);
    running = NULL;
    core_claim_accesses(c);
    core_settle(c);
    if (c->stop)
        return c->stop;
    if (c->halted)
        return STOP_HALT;
    return c->engine_error ? STOP_ENGINE : STOP_TRIPLE_FAULT;
}
