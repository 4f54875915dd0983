/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * run.c: the block hook. See core.h; the run loop around it is in schedule.c.
 *
 * The engine calls core_translate() when it translates code and core_on_block() whenever translated code is entered;
 * it is told to translate at most one architectural block at a time, so normally the two are the same. Where the
 * engine cut shorter (after an instruction that changes its state, for a step or a breakpoint), the hook finds itself
 * in the middle of a block, knows it by `continue_pc`, and counts nothing twice.
 *
 * At a block boundary, in this order: the block left is completed: charged by the pipeline (pipeline.h), which now knows
 * what its accesses took, and its branch is decided; what is due happens (device events, a stop, an interrupt); marks;
 * then the block entered is counted as a whole and its lines are fetched. While nothing can be due (core_quieten()),
 * core_on_block() only writes down that the one block is left and the other entered, for it to be charged later
 * (backlog.h). What an exception does to a block is in cut.c.
 */
#include "core.h"
#include "mark.h"

#include <string.h>

/* ---- into a block and out of it ---- */

/* Page by page, line by line. */
static void fetch_across_pages(struct core *c, uint64_t pc, uint32_t bytes)
{
    uint64_t end = pc + bytes;
    while (pc < end) {
        uint64_t page_end = (pc | 0xfff) + 1, stop = end < page_end ? end : page_end;
        const struct tlb_entry *e = mmu_translate(&c->models.mmu, &c->account, pc, ACCESS_FETCH);
        if (!e)
            return;
        uint64_t paddr = tlb_entry_paddr(e, pc), line = c->models.hierarchy.line_mask + 1ull;
        if (ram_at(&c->ram, paddr, 1))
            for (uint64_t at = paddr & ~(line - 1); at < paddr + (stop - pc); at += line)
                hierarchy_fetch(&c->models.hierarchy, &c->account, at);
        pc = stop;
    }
}

/* What lies on one page is where the engine found it: no matter what the model's TLB makes of the address. */
static void fetch(struct core *c, const struct block *b, uint64_t pc, uint32_t bytes)
{
    if (__builtin_expect(!b->lines, false))
        fetch_across_pages(c, pc, bytes);
    else if (mmu_translate(&c->models.mmu, &c->account, pc, ACCESS_FETCH))
        hierarchy_fetch_lines(&c->models.hierarchy, &c->account, b->line, b->lines);
}

/* Whether all that lies on one page and its fetch would move nothing: neither in the I-TLB nor in L1I. */
static inline __attribute__((always_inline)) bool is_fetched_unmoved(const struct core *c, const struct block *b, uint64_t pc)
{
    const struct cache *l1i = &c->models.hierarchy.l1i;
    uint32_t line = b->line, end = line + b->lines;

    if (!b->lines || !mmu_unmoved(&c->models.mmu, ACCESS_FETCH, pc & ~0xfffull))
        return false;
    for (; line != end; line++)
        if (!cache_touch_newest(l1i, line, false))
            return false;
    return true;
}

/* The block entered: counted as a whole, its lines fetched. */
static inline void begin_block(struct core *c, const struct block *b, uint64_t pc, uint32_t bytes)
{
    c->account.now->n[COUNTER_INSTRUCTIONS] += b->insns;
    fetch(c, b, pc, bytes);
    if (c->account.delayed)
        core_hold_front(c);
    c->block_cause = c->account.cause;
    c->settled = false;
    c->accesses = 0; /* those in between were no block's */
}

static void enter_block(struct core *c, const struct block *b, uint64_t pc, uint32_t size)
{
    uint32_t bytes = b->bytes ? b->bytes : size;

    if (c->attribution)
        attribution_enter(c, pc);
    if (c->timing)
        begin_block(c, b, pc, bytes);
    else
        c->account.cycles += b->insns; /* core_settle() tells the books */
    if (b->flags & BLOCK_SETTLES_FLAGS)
        arch_settle_flags(c);
    c->block = b;
    c->block_pc = pc;
    c->continue_pc = size < bytes ? pc + size : NOWHERE;
    c->repeat_pc = b->flags & BLOCK_REPEATS ? pc + b->last : NOWHERE;
    c->repeat_started = false;
    if (c->attribution)
        attribution_entered(c);
}

static void leave_by_branch(struct core *c, const struct block *b, uint64_t next_pc)
{
    backlog_charge_branch(c, b, c->block_pc, next_pc);
    backlog_tell(c, c->account.cause);
}

void core_leave_block(struct core *c, uint64_t next_pc)
{
    core_settle(c);
    const struct block *b = c->block;

    core_settle_block(c);
    c->block = NULL;
    c->continue_pc = c->repeat_pc = NOWHERE;
    if (b && b->branch != BLOCK_NO_BRANCH && c->timing)
        leave_by_branch(c, b, next_pc);
    if (c->attribution)
        attribution_leave(c, b, next_pc);
}

/* ---- string instructions that were cut between two elements ---- */

/* A repeating instruction that was cut goes on: it has been counted, its next element is charged. */
static void resume_repeat(struct core *c, const struct block *b, uint64_t pc)
{
    c->block = b;
    c->block_pc = c->repeat_pc = pc;
    c->continue_pc = NOWHERE;
    c->block_cause = c->account.cause;
    c->settled = true;
    if (c->attribution)
        attribution_enter(c, pc);
    core_repeat_element(c);
    if (c->attribution)
        attribution_entered(c);
}

/* ---- what is due ---- */

void core_stop_here(struct core *c, uint64_t pc, enum stop_reason reason)
{
    c->stop = reason;
    arch_set_pc(c, pc);
    core_quieten(c); /* what counts without the hook does not ask whether to stop */
    engine.emu_stop(c->uc);
}

/* Returns true when the block at pc must not be entered. Taking an interrupt does not return at all. */
static bool meet_what_is_due(struct core *c, uint64_t pc)
{
    while (core_now(c) >= c->next_event) {
        if (core_now(c) - c->next_event > c->late_max)
            c->late_max = core_now(c) - c->next_event;
        c->next_event = NOWHERE;
        c->call.events(); /* sets the next one */
    }
    if (c->code_changed) {
        c->code_changed = false;
        core_rearm(c);
        core_stop_here(c, pc, STOP_TRANSLATE); /* and go on here */
        return true;
    }
    if (c->tlb_grows) {
        c->tlb_grows = false;
        c->tlb_fills = 0;
        c->tlb_patience *= c->tlb_patience < TLB_PATIENCE_MAX ? 2 : 1; /* where it did not help, not so soon again */
        engine.tlb_flush(c->cpu);
    }
    core_rearm(c);
    if (c->stop_requested || core_now(c) >= c->stop_at) {
        core_stop_here(c, pc, c->stop_requested ? STOP_REQUEST : STOP_TIME);
        return true;
    }
    int vector = arch_interrupt_to_take(c);
    core_rearm(c);
    if (vector >= 0) {
        if (c->block) {
            core_settle_block(c);
            core_remember_repeat(c, pc);
        }
        c->block = NULL;
        c->repeat_pc = NOWHERE;
        arch_take_interrupt(c, pc, vector);
    }
    return false;
}

/* ---- in the middle of a block ---- */

/* Whether what is at pc now, decoded as b, is what the block being executed has there. */
static bool is_rest_of_block(const struct core *c, const struct block *b, uint64_t pc)
{
    uint32_t offset = (uint32_t)(pc - c->block_pc), rest = c->block->bytes - offset;
    uint32_t bytes = b && b->bytes < rest ? b->bytes : rest;
    return !b || !memcmp(b->code, c->block->code + offset, bytes);
}

/* The engine goes on with a block that it cut. False if a store changed the rest: that is a block of its own. */
static bool continue_block(struct core *c, const struct block *b, uint64_t pc, uint32_t size)
{
    uint64_t end = c->block_pc + c->block->bytes;

    if (!is_rest_of_block(c, b, pc)) {
        core_cut_block(c, pc);
        return false;
    }
    if (pc + size > end) { /* translated when a block began here */
        c->debug.step_over = pc;
        core_stop_here(c, pc, STOP_TRANSLATE);
    } else {
        c->continue_pc = pc + size < end ? pc + size : NOWHERE;
    }
    return true;
}

/* An instruction stored into the block that it belongs to. The engine dropped the translation and does the instruction
 * alone and again: all that it did before the store has been charged. */
static bool retry_instruction(struct core *c, uint64_t pc, uint32_t size)
{
    if (!c->block || pc - c->block_pc >= c->block->bytes)
        return false;
    uint64_t end = c->block_pc + c->block->bytes;
    c->continue_pc = pc + size < end ? pc + size : NOWHERE;
    c->retrying = c->timing;
    core_claim_accesses(c);
    return true;
}

void core_retried_store(struct core *c)
{
    c->retrying = false;
    core_claim_accesses(c);
}

/* ---- the hook ---- */

static void on_block(struct core *c, uint64_t pc, uint32_t size, const struct block *b, uintptr_t user)
{
    if (c->retrying)
        core_retried_store(c);
    if (user & HOOK_RETRY && retry_instruction(c, pc, size))
        return;
    if (pc == c->repeat_pc && c->continue_pc == NOWHERE) { /* between two elements of a string instruction */
        if (b && b->flags & BLOCK_REPEATS) {
            if (c->debug.met)
                core_stop_here(c, pc, (enum stop_reason)c->debug.met);
            else if (core_worked(c) < c->due || !meet_what_is_due(c, pc))
                core_repeat_element(c);
            return;
        }
        c->repeat_pc = NOWHERE; /* it overwrote itself */
    }
    if (c->stepping || c->debug.active || c->debug.met) {
        if (pc != c->continue_pc)
            core_settle_block(c); /* who stops here reads the books */
        if (debug_stops(c, pc))
            return;
    }
    if (pc == c->continue_pc && continue_block(c, b, pc, size)) {
        if (c->attribution)
            attribution_step(c, pc);
        if (user & HOOK_PROBE && !c->stop)
            probe_pass_inside(c, pc);
        return;
    }
    core_leave_block(c, pc);
    if (core_worked(c) >= c->due && meet_what_is_due(c, pc)) {
        debug_asks_again(c, pc);
        return;
    }
    if (!b)
        return;
    if (c->repeats && b->flags & BLOCK_REPEATS && b->insns == 1 && core_forget_repeat(c, pc)) {
        resume_repeat(c, b, pc);
        return;
    }
    if (user & HOOK_PROBE)
        probe_pass(c, pc);
    if (b->mark)
        mark_pass(c, b->mark, pc);
    enter_block(c, b, pc, size);
}

/* By what was charged. */
static inline bool is_due(const struct core *c)
{
    const struct backlog *l = &c->backlog;
    uint64_t untold = l->account.cycles + (l->account.issue_fraction + l->owed) / ISSUE_UNITS_PER_CYCLE;
    return c->account.cycles + untold >= c->due;
}

/* If all that is known by now does not tell that nothing is due before the block ends, the one before it is left and all is
 * charged; then that is known to the cycle. False: something is due, or more is to be done than to count. */
static bool look_ahead(struct core *c, const struct block *b, uint64_t pc)
{
    struct backlog *l = &c->backlog;

    if (!c->quiet)
        return false;
    if (l->open) {
        if (backlog_is_full(l))
            backlog_turn(c);
        while (!backlog_takes(l, b) && backlog_await(c))
            ;
        if (backlog_takes(l, b))
            return true;
        backlog_close(c);
    }
    backlog_leave_directly(c, pc);
    if (is_due(c))
        return false;
    if (++l->direct > BACKLOG_DIRECT)
        backlog_open(c, c->due - c->account.cycles);
    return true;
}

static __attribute__((noinline)) void on_block_by_the_long_way(void *uc, uint64_t pc, uint32_t size, void *user)
{
    struct core *c = running;
    const struct block *b = (const struct block *)((uintptr_t)user & ~(uintptr_t)HOOK_BITS);
    (void)uc;

    if ((uintptr_t)user & HOOK_ROUTINE && b->bytes == size && look_ahead(c, b, pc)) {
        if (c->backlog.open)
            backlog_enter(&c->backlog, b, pc);
        c->block = b;
        c->block_pc = pc;
        begin_block(c, b, pc, size);
        return;
    }
    if (c->stop) /* told to stop, and here again: not entered */
        return;
    core_settle(c);
    on_block(c, pc, size, b, (uintptr_t)user);
    core_quieten(c);
}

static __attribute__((noinline)) void begin_block_that_moves(void *uc, uint64_t pc, uint32_t size, void *user)
{
    (void)uc;
    (void)user;
    begin_block(running, running->block, pc, size);
}

void core_on_block(void *uc, uint64_t pc, uint32_t size, void *user)
{
    struct core *c = running;
    const struct block *b = (const struct block *)((uintptr_t)user - HOOK_ROUTINE);

    if (!c) /* learning its state */
        return;
    if (!((uintptr_t)user & HOOK_ROUTINE) || b->bytes != size || !backlog_takes(&c->backlog, b))
        TAIL on_block_by_the_long_way(uc, pc, size, user);
    backlog_enter(&c->backlog, b, pc);
    c->block = b;
    c->block_pc = pc;
    c->accesses = 0; /* those in between were no block's */
    if (!is_fetched_unmoved(c, b, pc))
        TAIL begin_block_that_moves(uc, pc, size, user);
    uint64_t *counter = c->account.now->n;
    counter[COUNTER_INSTRUCTIONS] += b->insns;
    counter[COUNTER_ITLB_LOADS]++;
    counter[COUNTER_L1I_LOADS] += b->lines;
}
