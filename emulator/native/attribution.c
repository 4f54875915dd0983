/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * attribution.c: where everything in the books was spent. See attribution.h.
 */
#include "attribution.h"

#include <stdlib.h>
#include <string.h>

#include "core.h"

_Static_assert(BLOCK_INSNS_MAX <= 64, "`touched` has a bit for each instruction");
enum { ISSUE = (int)COUNTER_COUNT + (int)CAUSE_ISSUE };

/* ---- booking ---- */

static bool is_nothing(const struct cost_sum *cost)
{
    uint64_t any = 0;
    for (int i = 0; i < COST_WORDS; i++)
        any |= cost->word[i];
    return !any;
}

/* The operations that are open get what the machine gets. */
static void book(struct core *c, uint64_t address, const struct cost_sum *cost)
{
    struct attribution *a = c->attribution;
    uint32_t number;

    if (is_nothing(cost))
        return;
    struct place place = {.space = a->space, .address = address, .node = a->path.flow->node, .ring = a->ring};
    if (!place_number(&a->places, place, &number) || !tally_add(&a->total, number, cost) ||
        !ledger_book_place(&c->ledger, number, cost))
        a->failed = true;
}

/* What the books of the ring in force changed by since the last look. */
static void look(struct core *c, struct cost_sum *change)
{
    struct attribution *a = c->attribution;

    core_settle(c);
    enum ring ring = core_ring_booked(c);
    uint64_t *seen = a->seen.counters[ring].n, *seen_cause = a->seen.cause[ring];
    const uint64_t *now = c->books.counters[ring].n, *cause = c->books.cause[ring];
    for (int i = 0; i < COUNTER_COUNT; i++)
        change->word[i] += now[i] - seen[i];
    for (int i = 0; i < CAUSE_COUNT; i++)
        change->word[COUNTER_COUNT + i] += cause[i] - seen_cause[i];
    memcpy(seen, now, sizeof(a->seen.counters[ring].n));
    memcpy(seen_cause, cause, sizeof(a->seen.cause[ring]));
}

static uint64_t address_of(const struct attribution *a, uint32_t insn)
{
    return a->pc + (insn ? a->last->insn[insn - 1].end : 0);
}

/* What happened up to now is of the instruction at hand. */
static void look_at_step(struct core *c)
{
    struct attribution *a = c->attribution;

    look(c, &a->step[a->at]);
    a->touched |= 1ull << a->at;
}

/* Book what the block has so far. */
static void book_block(struct core *c)
{
    struct attribution *a = c->attribution;

    for (uint32_t i = 0; a->touched; i++, a->touched >>= 1) {
        if (!(a->touched & 1))
            continue;
        book(c, address_of(a, i), &a->step[i]);
        memset(&a->step[i], 0, sizeof(a->step[i]));
    }
}

/* An instruction has been counted at one, and is another. Without models it is a cycle, too. */
static void move_instruction(struct core *c, uint32_t from, uint32_t to)
{
    struct attribution *a = c->attribution;

    a->step[from].word[COUNTER_INSTRUCTIONS]--;
    a->step[to].word[COUNTER_INSTRUCTIONS]++;
    if (!c->timing) {
        a->step[from].word[ISSUE]--;
        a->step[to].word[ISSUE]++;
    }
    a->touched |= 1ull << from | 1ull << to;
}

static void close_block(struct core *c)
{
    struct attribution *a = c->attribution;

    a->site = address_of(a, a->block->insns - 1u);
    look_at_step(c);
    book_block(c);
    a->block = NULL;
}

/* ---- what the block hook tells ---- */

void attribution_enter(struct core *c, uint64_t pc)
{
    struct attribution *a = c->attribution;
    struct flow_key here = arch_flow_key(c);

    here.pc = pc;
    callpath_arrive(&a->path, &here);
    a->pc = pc;
    a->space = here.address_space;
    a->ring = core_ring_booked(c);
    a->at = 0;
    look_at_step(c); /* the way here, if it had a price */
}

void attribution_entered(struct core *c)
{
    struct attribution *a = c->attribution;

    a->block = a->last = c->block;
    a->foreseen = 0;
    look_at_step(c);
    for (uint32_t i = 1; i < a->block->insns; i++)
        move_instruction(c, 0, i);
}

/* What the block would be charged, were it cut before the instruction that is next. */
static void foresee(struct core *c)
{
    struct attribution *a = c->attribution;

    if (!c->timing || c->settled)
        return;
    core_foresee(c, a->at, a->before[a->at]);
    a->foreseen |= 1ull << a->at;
}

void attribution_step(struct core *c, uint64_t pc)
{
    struct attribution *a = c->attribution;

    if (!a->block)
        return;
    look_at_step(c);
    a->at = a->block->insns - block_insns_from(a->block, (uint32_t)(pc - a->pc));
    foresee(c);
}

void attribution_charge(struct core *c)
{
    struct attribution *a = c->attribution;

    if (a->block)
        look_at_step(c);
    memcpy(a->charge, c->block_cause, sizeof(a->charge));
}

void attribution_charged(struct core *c, uint32_t done)
{
    struct attribution *a = c->attribution;
    uint64_t *seen = a->seen.cause[a->ring], left[CAUSE_COUNT];

    if (a->last != c->block) /* it began before somebody asked */
        return;
    for (int i = 0; i < CAUSE_COUNT; i++) {
        left[i] = c->block_cause[i] - a->charge[i];
        seen[i] += left[i];
    }
    for (uint32_t insn = done ? done : 1; insn-- > 0;) {
        if (insn && !(a->foreseen >> insn & 1))
            continue;
        for (int i = 0; i < CAUSE_COUNT; i++) {
            uint64_t before = !insn ? 0 : a->before[insn][i] < left[i] ? a->before[insn][i] : left[i];
            a->step[insn].word[COUNTER_COUNT + i] += left[i] - before;
            left[i] = before;
        }
        a->touched |= 1ull << insn;
    }
    if (!a->block)
        book_block(c);
}

void attribution_leave(struct core *c, const struct block *b, uint64_t pc)
{
    struct attribution *a = c->attribution;

    if (!a->block)
        return;
    close_block(c);
    if (b->branch == BLOCK_NO_BRANCH)
        return;
    struct flow_key now = arch_flow_key(c);
    uint64_t fallthrough = a->pc + b->bytes;
    now.pc = pc;
    if (b->branch == BRANCH_RETURN)
        callpath_return(&a->path, &now);
    else if ((b->branch == BRANCH_CALL || b->branch == BRANCH_INDIRECT_CALL) && pc != fallthrough)
        callpath_call(&a->path, a->site, fallthrough, a->ring, &now);
}

void attribution_cut(struct core *c, uint64_t pc, uint32_t done)
{
    struct attribution *a = c->attribution;

    if (!a->block)
        return;
    look_at_step(c);
    for (uint32_t i = done; i < a->block->insns; i++)
        move_instruction(c, i, a->at); /* there it was taken back */
    book_block(c);
    a->block = NULL;
    a->site = pc;
}

void attribution_settle(struct core *c, uint64_t pc)
{
    struct attribution *a = c->attribution;

    if (a->block) {
        look_at_step(c);
        book_block(c);
        return;
    }
    struct cost_sum pending = {0};
    a->space = arch_flow_key(c).address_space;
    a->ring = core_ring_booked(c);
    look(c, &pending);
    book(c, pc, &pending);
}

void attribution_cross(struct core *c, enum path_kind kind)
{
    struct attribution *a = c->attribution;
    struct flow_key from = arch_flow_key(c);
    enum ring ring = core_ring_booked(c);
    if (a->block)
        close_block(c);
    callpath_cross(&a->path, kind, ring, a->site, &from);
}

void attribution_interrupt(struct core *c)
{
    attribution_cross(c, PATH_INTERRUPT);
    attribution_settle(c, arch_pc(c));
}

void attribution_returned(struct core *c)
{
    attribution_settle(c, arch_pc(c));
    c->attribution->path.returned = true;
}

void attribution_ring(struct core *c, enum ring ring)
{
    struct attribution *a = c->attribution;

    if (ring == core_ring_booked(c))
        return;
    if (a->block)
        close_block(c);
    if (ring == RING_USER) {
        struct flow_key here = arch_flow_key(c);
        callpath_enter_user(&a->path, &here);
    } else if (!a->path.crossing.pending) {
        attribution_cross(c, PATH_SYNCHRONOUS);
    }
}

/* ---- what Python calls ---- */

/* Attribute from now on. False: no memory. */
bool core_attribution_start(struct core *c)
{
    struct attribution *a = calloc(1, sizeof(*a));

    if (!a)
        return false;
    attribution_stop(c);
    if (!callpath_init(&a->path, ARCH_CALL_PUSHES)) {
        callpath_free(&a->path);
        free(a);
        return false;
    }
    core_settle(c);
    ledger_forget_places(&c->ledger);
    a->seen = c->books;
    c->attribution = a;
    core_forget_code(c); /* translations of more than an instruction */
    return true;
}

void attribution_stop(struct core *c)
{
    struct attribution *a = c->attribution;

    if (!a)
        return;
    callpath_free(&a->path);
    tally_free(&a->total);
    places_free(&a->places);
    free(a);
    c->attribution = NULL;
}

bool core_is_attributing(const struct core *c) { return c->attribution; }

/* Attribute no more, and forget what was attributed. */
void core_attribution_stop(struct core *c)
{
    attribution_stop(c);
    ledger_forget_places(&c->ledger);
    core_forget_code(c);
}

/* Give all that was booked its place. False if memory ran out: then something has none. */
bool core_attribution_settle(struct core *c)
{
    attribution_settle(c, arch_pc(c));
    return !c->attribution->failed;
}

/* These are valid until the guest runs again; each returns how many there are. */
uint32_t core_attribution_places(const struct core *c, const struct place **place)
{
    *place = c->attribution->places.place;
    return c->attribution->places.count;
}

uint32_t core_attribution_nodes(const struct core *c, const struct path_node **node)
{
    *node = c->attribution->path.node;
    return c->attribution->path.count;
}

uint32_t core_attribution_costs(const struct core *c, const struct tally_entry **entry)
{
    *entry = c->attribution->total.entry;
    return c->attribution->total.count;
}

/* Of all executions of a marked operation, or of LEDGER_INTERRUPT. */
uint32_t core_attribution_operation(const struct core *c, uint32_t id, const struct tally_entry **entry)
{
    const struct operation *o = id < LEDGER_ENTRIES ? c->ledger.entry[id] : NULL;

    *entry = o ? o->where.entry : NULL;
    return o ? o->where.count : 0;
}
