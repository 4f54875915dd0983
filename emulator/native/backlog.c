/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * backlog.c: what blocks took, from the pipeline and the predictor into an account. See backlog.h.
 */
#include "core.h"

#include <string.h>

#define FAR_AHEAD (1ull << 53) /* cycles: where nothing is due, who executes looks again after so many */

static void write_on(struct backlog *l, uint64_t page)
{
    l->next = l->page[page].word;
    l->full = l->next + BACKLOG_WORDS - 1;
}

void backlog_init(struct core *c)
{
    struct backlog *l = &c->backlog;

    write_on(l, 0);
    l->line_interval = c->models.config.pipeline.line_interval;
    l->account.now = &l->counters;
    l->account.cause = l->cause;
}

/* ---- a block ---- */

static void book_owed(struct core *c)
{
    account_issue(&c->backlog.account, core_issue_cause(c), c->backlog.owed);
    c->backlog.owed = 0;
}

/* Of the cycles booked as issue (or copying), those of stalls go under their causes. Fractions are carried to the cause's
 * next stall. */
static void book_stalls(struct backlog *l, const struct pipeline_cost *cost, enum cause issue, uint64_t cycles)
{
    for (int cause = PIPELINE_STALLS; cause < PIPELINE_STALLS_END; cause++) {
        uint64_t units = l->stall_fraction[cause] + cost->cause[cause];
        if (!cost->cause[cause] || units < ISSUE_UNITS_PER_CYCLE) {
            l->stall_fraction[cause] = units;
            continue;
        }
        uint64_t whole = units / ISSUE_UNITS_PER_CYCLE;
        whole = whole < cycles ? whole : cycles;
        l->stall_fraction[cause] = units - whole * ISSUE_UNITS_PER_CYCLE;
        l->cause[cause] += whole;
        l->cause[issue] -= whole;
        cycles -= whole;
    }
}

void backlog_book(struct core *c, const struct pipeline_cost *cost)
{
    struct backlog *l = &c->backlog;
    enum cause issue = core_issue_cause(c);

    book_owed(c);
    uint64_t before = l->cause[issue];
    account_issue(&l->account, issue, cost->total);
    if (cost->stalled)
        book_stalls(l, cost, issue, l->cause[issue] - before);
}

void backlog_charge_block(struct core *c, const struct block *b, uint32_t insns)
{
    const struct block_insn none = {0}, *last = insns ? &b->insn[insns - 1] : &none;
    struct pipeline_cost cost;
    struct pipeline_work work = {
        .op = b->op,
        .ops = last->ops,
        .summary = insns == b->insns ? b->summary : NULL,
        .instructions = insns,
    };

    pipeline_execute(&c->pipeline, &work, &cost);
    backlog_book(c, &cost);
    if (last->trap || last->serialisation) {
        account_charge(&c->backlog.account, CAUSE_TRAP, last->trap);
        account_charge(&c->backlog.account, CAUSE_SERIALISATION, last->serialisation);
        pipeline_drain(&c->pipeline);
    }
}

static inline __attribute__((always_inline)) void charge_branch(struct core *c, const struct block *b, uint64_t pc,
                                                                uint64_t next_pc)
{
    uint64_t fallthrough = pc + b->bytes;
    bool taken = (b->branch != BRANCH_CONDITIONAL) | (next_pc != fallthrough);
    enum foresight foresight = predictor_branch(&c->models.predictor, &c->backlog.account, (enum branch_kind)b->branch,
                                                pc + b->last, fallthrough, next_pc, taken);
    pipeline_branch(&c->pipeline, taken, b->interval);
    if (foresight != FORESEEN)
        pipeline_branch_late(&c->pipeline, foresight == MISPREDICTED, predictor_price(&c->models.predictor, foresight));
}

void backlog_charge_branch(struct core *c, const struct block *b, uint64_t pc, uint64_t next_pc)
{
    charge_branch(c, b, pc, next_pc);
}

static inline __attribute__((always_inline)) void charge_whole(struct core *c, const struct block *b)
{
    if (b->summary && !b->priced && !pipeline_is_surprised(&c->pipeline))
        c->backlog.owed += pipeline_pass(&c->pipeline, b->summary, b->insns);
    else
        backlog_charge_block(c, b, b->insns);
}

void backlog_leave_directly(struct core *c, uint64_t next_pc)
{
    const struct block *b = c->block;

    if (!b)
        return;
    if (!c->settled && c->block_cause == c->account.cause)
        charge_whole(c, b);
    else
        core_settle_block(c);
    c->block = NULL;
    if (b->branch != BLOCK_NO_BRANCH)
        charge_branch(c, b, c->block_pc, next_pc);
    c->backlog.untold = true;
}

/* ---- what is written down ---- */

static uint64_t *room(struct core *c)
{
    if (backlog_is_full(&c->backlog))
        backlog_turn(c);
    return c->backlog.next;
}

void backlog_hold(struct core *c, enum cause cause, uint32_t cycles)
{
    *room(c) = (uint64_t)cycles << 32 | (uint64_t)cause << RECORD_SHIFT | RECORD_HOLD;
    c->backlog.next++;
    c->backlog.spent += (int64_t)((uint64_t)cycles * ISSUE_UNITS_PER_CYCLE);
}

void backlog_access(struct core *c, uint32_t access, uint32_t miss, uint32_t walk, bool write)
{
    uint64_t *at = room(c), cycles = (uint64_t)miss + walk + c->backlog.line_interval;

    at[0] = (uint64_t)access << RECORD_SHIFT | (write ? RECORD_WRITE : 0) | RECORD_ACCESS;
    at[1] = (uint64_t)miss << 32 | walk;
    c->backlog.next += 2;
    c->backlog.spent += (int64_t)(cycles * ISSUE_UNITS_PER_CYCLE);
}

/* ---- all of it ---- */

/* Another block is entered: the one before is charged as a whole, and its branch. */
static inline __attribute__((always_inline)) void enter(struct core *c, const struct block *b, uint64_t pc)
{
    struct backlog *l = &c->backlog;
    const struct block *left = l->block;

    if (left) {
        charge_whole(c, left);
        if (left->branch != BLOCK_NO_BRANCH)
            charge_branch(c, left, l->block_pc, pc);
    }
    l->block = b;
    l->block_pc = pc;
    if (b->branch == BRANCH_CONDITIONAL)
        direction_foresee(&c->models.predictor.direction, pc + b->last);
}

static const struct block *block_of(uint64_t word)
{
    return (const struct block *)(uintptr_t)(word & ~(uint64_t)RECORD_KIND_MASK);
}

static void charge(struct core *c, const uint64_t *word, const uint64_t *end)
{
    while (word < end) {
        uint64_t first = *word++;
        enum record_kind kind = (enum record_kind)(first & RECORD_KIND_MASK);
        if (kind == RECORD_HOLD) {
            pipeline_hold(&c->pipeline, (enum cause)((uint32_t)first >> RECORD_SHIFT),
                          (first >> 32) * ISSUE_UNITS_PER_CYCLE);
        } else if (kind == RECORD_ACCESS) {
            pipeline_note(&c->pipeline, (uint32_t)(first >> RECORD_SHIFT), (uint32_t)(*word >> 32), (uint32_t)*word,
                          first & RECORD_WRITE);
            word++;
        } else {
            const struct block *b = block_of(first);
            enter(c, b, kind == RECORD_ENTER_AT ? *word++ : b->pc);
        }
    }
}

/* Units since it was opened, how far some time is ahead of them, and what the block may take that was entered and is charged only
 * when it is left: nothing written down so far passes more. */
static int64_t passed(const struct core *c)
{
    const struct backlog *l = &c->backlog;
    uint64_t units = l->account.cycles * ISSUE_UNITS_PER_CYCLE + l->account.issue_fraction + l->owed;
    uint32_t entered = l->block ? l->block->longest : 0;
    return (int64_t)(units + pipeline_reach(&c->pipeline) + entered);
}

void backlog_charge_page(struct core *c, uint64_t number)
{
    struct backlog_page *page = &c->backlog.page[number % BACKLOG_PAGES];

    charge(c, page->word, page->end);
    page->passed = passed(c);
}

void backlog_turn(struct core *c)
{
    struct backlog *l = &c->backlog;

    struct backlog_page *page = &l->page[c->charger.handed % BACKLOG_PAGES];

    page->spent = l->spent;
    page->end = l->next;
    charger_hand_over(c);
    write_on(l, c->charger.handed % BACKLOG_PAGES);
    backlog_reckon(c);
}

void backlog_reckon(struct core *c)
{
    struct backlog *l = &c->backlog;
    uint64_t charged = charger_charged(&c->charger);

    if (charged == l->reckoned || !l->left)
        return;
    const struct backlog_page *last = &l->page[(charged - 1) % BACKLOG_PAGES];
    l->limit = l->left - last->passed + last->spent;
    l->reckoned = charged;
}

bool backlog_await(struct core *c)
{
    if (!c->backlog.left || !charger_await_one(c, c->backlog.reckoned))
        return false;
    backlog_reckon(c);
    return true;
}

void backlog_tell(struct core *c, uint64_t *cause)
{
    struct backlog *l = &c->backlog;

    book_owed(c);
    c->account.cycles += l->account.cycles;
    l->account.cycles = 0;
    for (int i = 0; i < CAUSE_COUNT; i++)
        cause[i] += l->cause[i];
    memset(l->cause, 0, sizeof l->cause);
    c->account.now->n[COUNTER_BRANCHES] += l->counters.n[COUNTER_BRANCHES];
    c->account.now->n[COUNTER_BRANCH_MISSES] += l->counters.n[COUNTER_BRANCH_MISSES];
    l->counters.n[COUNTER_BRANCHES] = l->counters.n[COUNTER_BRANCH_MISSES] = 0;
}

void backlog_open(struct core *c, uint64_t cycles)
{
    struct backlog *l = &c->backlog;

    l->open = true;
    l->block = NULL;
    l->left = (int64_t)((cycles < FAR_AHEAD ? cycles : FAR_AHEAD) * ISSUE_UNITS_PER_CYCLE);
    l->limit = l->left - passed(c);
    l->spent = 0;
    l->reckoned = c->charger.handed;
}

void backlog_close(struct core *c)
{
    struct backlog *l = &c->backlog;
    uint64_t *begin = l->full - (BACKLOG_WORDS - 1);

    if (l->open) {
        charger_catch_up(c);
        charge(c, begin, l->next);
        l->next = begin;
    }
    l->open = l->untold = false;
    l->direct = 0;
    l->limit = 0;
    backlog_tell(c, c->account.cause);
}
