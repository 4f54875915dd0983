/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * charge.c: a block, or a part of it, that is charged by itself and told to the books at once (backlog.h has the many).
 *
 * run.c says when: a block is charged when it is left, or settled before that where its ring ends with it or somebody
 * reads the books. The elements of a repeated string instruction are charged one by one, each when it begins, so that
 * time goes on while they run.
 */
#include "core.h"

#include <string.h>

/* Book what the pipeline says that a part of the block took. */
static void book(struct core *c, const struct pipeline_cost *cost)
{
    backlog_book(c, cost);
    backlog_tell(c, c->block_cause);
}

void core_charge_block(struct core *c, uint32_t insns)
{
    if (c->attribution)
        attribution_charge(c);
    c->settled = true;
    backlog_charge_block(c, c->block, insns);
    backlog_tell(c, c->block_cause);
    if (c->attribution)
        attribution_charged(c, insns);
}

void core_foresee(struct core *c, uint32_t insns, uint64_t cause[CAUSE_COUNT])
{
    core_settle(c);
    struct backlog *l = &c->backlog;
    struct pipeline pipeline;
    uint64_t issue_fraction = l->account.issue_fraction, stall_fraction[CAUSE_COUNT];
    size_t used = offsetof(struct pipeline, pending) + c->pipeline.pending_count * sizeof(struct pending);

    memset(cause, 0, CAUSE_COUNT * sizeof(*cause));
    if (c->settled)
        return;
    memcpy(&pipeline, &c->pipeline, used);
    memcpy(stall_fraction, l->stall_fraction, sizeof stall_fraction);
    backlog_charge_block(c, c->block, insns);
    memcpy(cause, l->cause, sizeof l->cause);
    memset(l->cause, 0, sizeof l->cause);
    l->account.cycles = 0;
    l->account.issue_fraction = issue_fraction;
    memcpy(&c->pipeline, &pipeline, used);
    memcpy(l->stall_fraction, stall_fraction, sizeof stall_fraction);
}

struct books core_books_up_to(struct core *c, uint64_t pc)
{
    uint32_t rest = block_insns_from(c->block, (uint32_t)(pc - c->block_pc));
    enum ring ring = arch_ring(c);
    core_settle(c);
    struct books books = c->books;
    uint64_t more[CAUSE_COUNT] = {0};

    if (c->timing)
        core_foresee(c, c->block->insns - rest, more);
    else
        more[CAUSE_ISSUE] -= rest;
    for (int i = 0; i < CAUSE_COUNT; i++)
        books.cause[ring][i] += more[i];
    books.counters[ring].n[COUNTER_INSTRUCTIONS] -= rest;
    return books;
}

void core_settle_block(struct core *c)
{
    core_settle(c);
    if (!c->block || !c->timing)
        return;
    if (!c->settled) {
        core_charge_block(c, c->block->insns);
    } else if (c->pipeline.pending_count) { /* of the elements of a string instruction */
        struct pipeline_cost cost = {0};
        pipeline_execute(&c->pipeline, &(struct pipeline_work){0}, &cost);
        book(c, &cost);
    }
}

/* What a fetch added to the time of what is delivered next. */
void core_hold_front(struct core *c)
{
    for (int cause = PIPELINE_STALLS; cause < PIPELINE_STALLS_END; cause++) {
        if (c->delay[cause]) {
            if (c->backlog.open)
                backlog_hold(c, (enum cause)cause, c->delay[cause]);
            else
                pipeline_hold(&c->pipeline, (enum cause)cause, (uint64_t)c->delay[cause] * ISSUE_UNITS_PER_CYCLE);
        }
        c->delay[cause] = 0;
    }
    c->account.delayed = false;
}

/* What a load or store of the block took beyond a hit. */
void core_note_access(struct core *c, uint32_t access, uint32_t miss, uint32_t walk, bool write)
{
    if (c->backlog.open)
        backlog_access(c, access, miss, walk, write);
    else
        pipeline_note(&c->pipeline, access, miss, walk, write);
}

/* Between two elements: one more of them is charged. */
void core_repeat_element(struct core *c)
{
    c->repeat_started = true;
    if (!c->timing)
        return;
    core_settle_block(c);
    struct pipeline_cost cost = {.total = pipeline_advance(&c->pipeline, c->block->element)};
    c->element_units = cost.total;
    book(c, &cost);
}

/* The element last charged was not executed. */
void core_refund_element(struct core *c)
{
    enum cause cause = core_issue_cause(c);
    uint64_t *fraction = &c->backlog.account.issue_fraction, cycles = 0;
    if (c->element_units > *fraction)
        cycles = (c->element_units - *fraction + ISSUE_UNITS_PER_CYCLE - 1) / ISSUE_UNITS_PER_CYCLE;
    *fraction += cycles * ISSUE_UNITS_PER_CYCLE - c->element_units;
    c->block_cause[cause] -= cycles;
    c->account.cycles -= cycles;
    pipeline_withdraw(&c->pipeline, c->block->element, c->element_units);
}
