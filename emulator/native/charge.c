/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * charge.c: what a block took, from the pipeline into the books.
 *
 * run.c says when: a block is charged when it is left, or settled before that where its ring ends with it or somebody
 * reads the books. The elements of a repeated string instruction are charged one by one, each when it begins, so that
 * time goes on while they run.
 */
#include "core.h"

#include <string.h>

/* Of the cycles booked as issue (or copying), those of stalls go under their causes. Fractions are carried to the cause's
 * next stall. */
static void book_stalls(struct core *c, const struct pipeline_cost *cost, enum cause issue, uint64_t cycles)
{
    for (int cause = PIPELINE_STALLS; cause < PIPELINE_STALLS_END; cause++) {
        uint64_t units = c->stall_fraction[cause] + cost->cause[cause];
        if (!cost->cause[cause] || units < ISSUE_UNITS_PER_CYCLE) {
            c->stall_fraction[cause] = units;
            continue;
        }
        uint64_t whole = units / ISSUE_UNITS_PER_CYCLE;
        whole = whole < cycles ? whole : cycles;
        c->stall_fraction[cause] = units - whole * ISSUE_UNITS_PER_CYCLE;
        c->block_cause[cause] += whole;
        c->block_cause[issue] -= whole;
        cycles -= whole;
    }
}

/* Book what the pipeline says that a block, or a part of it, took. */
static void book(struct core *c, const struct pipeline_cost *cost)
{
    uint64_t *ring = c->account.cause;
    enum cause cause = c->ledger.current.copying ? CAUSE_COPY : CAUSE_ISSUE;

    core_settle(c);
    c->account.cause = c->block_cause;
    uint64_t before = c->block_cause[cause];
    core_book_issue(c, cost->total);
    if (cost->stalled)
        book_stalls(c, cost, cause, c->block_cause[cause] - before);
    c->account.cause = ring;
}

static void charge(struct core *c, uint32_t insns)
{
    const struct block *b = c->block;
    const struct block_insn none = {0}, *last = insns ? &b->insn[insns - 1] : &none;
    bool all = insns == b->insns;
    struct pipeline_cost cost;
    struct pipeline_work work = {
        .op = b->op,
        .ops = last->ops,
        .summary = all ? b->summary : NULL,
        .instructions = insns,
    };

    c->settled = true;
    pipeline_execute(&c->pipeline, &work, &cost);
    book(c, &cost);
    if (last->trap || last->serialisation) {
        uint64_t *ring = c->account.cause;
        c->account.cause = c->block_cause;
        core_charge_cycles(c, CAUSE_TRAP, last->trap);
        core_charge_cycles(c, CAUSE_SERIALISATION, last->serialisation);
        c->account.cause = ring;
        pipeline_drain(&c->pipeline);
    }
}

void core_charge_block(struct core *c, uint32_t insns)
{
    if (c->attribution)
        attribution_charge(c);
    charge(c, insns);
    if (c->attribution)
        attribution_charged(c, insns);
}

void core_foresee(struct core *c, uint32_t insns, uint64_t cause[CAUSE_COUNT])
{
    core_settle(c);
    struct account account = c->account;
    uint64_t quiet_units = c->quiet_units;
    struct pipeline pipeline;
    uint64_t fraction[CAUSE_COUNT], before[CAUSE_COUNT];
    size_t used = offsetof(struct pipeline, pending) + c->pipeline.pending_count * sizeof(struct pending);

    memset(cause, 0, CAUSE_COUNT * sizeof(*cause));
    if (c->settled)
        return;
    memcpy(&pipeline, &c->pipeline, used);
    memcpy(fraction, c->stall_fraction, sizeof fraction);
    memcpy(before, c->block_cause, sizeof before);
    charge(c, insns);
    for (int i = 0; i < CAUSE_COUNT; i++)
        cause[i] = c->block_cause[i] - before[i];
    c->account = account;
    c->quiet_units = quiet_units;
    memcpy(&c->pipeline, &pipeline, used);
    memcpy(c->stall_fraction, fraction, sizeof fraction);
    memcpy(c->block_cause, before, sizeof before);
    c->settled = false;
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
        if (c->delay[cause])
            pipeline_hold(&c->pipeline, (enum cause)cause, (uint64_t)c->delay[cause] * ISSUE_UNITS_PER_CYCLE);
        c->delay[cause] = 0;
    }
    c->account.delayed = false;
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

/* The element last charged was not executed. `quiet_units` stays: to look too early does no harm. */
void core_refund_element(struct core *c)
{
    enum cause cause = c->ledger.current.copying ? CAUSE_COPY : CAUSE_ISSUE;
    uint64_t cycles = 0;
    if (c->element_units > c->account.issue_fraction)
        cycles = (c->element_units - c->account.issue_fraction + ISSUE_UNITS_PER_CYCLE - 1) / ISSUE_UNITS_PER_CYCLE;
    c->account.issue_fraction += cycles * ISSUE_UNITS_PER_CYCLE - c->element_units;
    c->block_cause[cause] -= cycles;
    c->account.cycles -= cycles;
    pipeline_withdraw(&c->pipeline, c->block->element, c->element_units);
}
