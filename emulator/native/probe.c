/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * probe.c: operations that begin and end at addresses. See probe.h.
 */
#include "probe.h"

#include <stdlib.h>
#include <string.h>

#include "core.h"

enum { PAGE_BYTES = 4096 };

void probes_free(struct probes *probes)
{
    for (uint32_t i = 0; i < probes->count; i++)
        free(probes->probe[i].code);
    free(probes->returns);
    memset(probes, 0, sizeof(*probes));
}

/* ---- places of return ---- */

/* The word of the table that has pc, or the free one where it would be. */
static uint64_t *slot_of(const struct probes *probes, uint64_t pc)
{
    uint32_t mask = 2 * RETURNS_MAX - 1, at = (uint32_t)(pc * 0x9e3779b97f4a7c15u >> 40) & mask;

    while (probes->returns[at] && probes->returns[at] != pc)
        at = (at + 1) & mask;
    return &probes->returns[at];
}

/* Have translations begin at pc from now on. False if there are too many such places. */
static bool watch_return(struct core *c, uint64_t pc)
{
    uint64_t *slot = slot_of(&c->probes, pc);

    if (*slot)
        return true;
    if (!pc || c->probes.return_count == RETURNS_MAX)
        return false;
    *slot = pc;
    c->probes.return_count++;
    c->code_changed = true; /* what was translated there knows nothing of it */
    core_rearm(c);
    return true;
}

bool probes_are_at(const struct probes *probes, uint64_t pc)
{
    for (uint32_t i = 0; i < probes->count; i++)
        if (probes->probe[i].from == pc || probes->probe[i].until == pc)
            return true;
    return probes->return_count && *slot_of(probes, pc);
}

/* ---- passing one ---- */

static struct flow_key flow_at(const struct core *c, uint64_t pc)
{
    struct flow_key key = arch_flow_key(c);

    key.pc = pc;
    key.address_space = arch_ring(c) == RING_USER ? arch_space(c) : 0;
    return key;
}

/* What tells the activation that is, or would be, over here from others of its probe. */
static struct flow_key activation_over(const struct probe *probe, struct flow_key here)
{
    if (probe->until != NOWHERE)
        here.pc = here.sp = 0;
    return here;
}

/* Whether the page of code at pc is the probe's program's. */
static bool is_program(const struct core *c, const struct probe *probe, uint64_t pc)
{
    struct walk_result where;

    if (!probe->code)
        return true;
    walk_read(&c->models.mmu.state, &c->ram, pc & ~(uint64_t)(PAGE_BYTES - 1), &where);
    const uint8_t *page = where.present ? ram_at(&c->ram, where.paddr, PAGE_BYTES) : NULL;
    return page && !memcmp(page + probe->offset, probe->code, probe->length);
}

static void begin(struct core *c, uint32_t number, const struct flow_key *here, const struct books *books)
{
    const struct probe *probe = &c->probes.probe[number];
    struct flow_key key = *here;

    c->probes.entries[number]++;
    if (probe->until != NOWHERE) {
        key = activation_over(probe, key);
    } else if (!arch_return_point(c, &key) || !watch_return(c, key.pc)) {
        c->ledger.dropped++;
        return;
    }
    ledger_begin_activation(&c->ledger, books, LEDGER_PROBES + number, &key);
}

static void pass(struct core *c, uint64_t pc, const struct books *books)
{
    struct probes *probes = &c->probes;
    struct flow_key here = flow_at(c, pc);
    bool user = arch_ring(c) == RING_USER;

    if (probes->comes_again && !memcmp(&probes->again, &here, sizeof(here))) {
        probes->comes_again = false;
        return;
    }
    for (uint32_t i = 0; i < probes->count; i++) {
        const struct probe *probe = &probes->probe[i];
        struct flow_key over = activation_over(probe, here);
        if ((probe->until == NOWHERE || probe->until == pc) &&
            ledger_is_open(&c->ledger, LEDGER_PROBES + i, &over))
            ledger_end_activation(&c->ledger, books, LEDGER_PROBES + i, &over);
    }
    for (uint32_t i = 0; i < probes->count; i++) {
        const struct probe *probe = &probes->probe[i];
        if (probe->from == pc && probe->user == user && is_program(c, probe, pc))
            begin(c, i, &here, books);
    }
}

void probe_pass(struct core *c, uint64_t pc)
{
    core_settle(c);
    if (c->attribution)
        attribution_settle(c, pc);
    pass(c, pc, &c->books);
}

void probe_pass_inside(struct core *c, uint64_t pc)
{
    struct books books = core_books_up_to(c, pc);

    pass(c, pc, &books);
}

void probe_cut(struct core *c, uint64_t pc)
{
    if (!c->probes.count || !probes_are_at(&c->probes, pc))
        return;
    c->probes.comes_again = true;
    c->probes.again = flow_at(c, pc);
}

/* ---- what Python calls ---- */

/* Watch an operation from the next block on. `code` are `length` bytes that the program
 * has at `offset` of the page of `from`, NULL in the kernel. Returns the probe's number, or -1 if there are too many. */
int32_t core_add_probe(struct core *c, uint64_t from, uint64_t until, bool user, const uint8_t *code, uint32_t offset,
                       uint32_t length)
{
    struct probes *probes = &c->probes;
    struct probe probe = {.from = from, .until = until, .user = user, .offset = offset, .length = length};

    if (probes->count == PROBES_MAX || offset > PAGE_BYTES || length > PAGE_BYTES - offset)
        return -1;
    if (!probes->returns)
        probes->returns = calloc(2 * RETURNS_MAX, sizeof(*probes->returns));
    if (code)
        probe.code = malloc(length ? length : 1);
    if (!probes->returns || (code && !probe.code)) {
        free(probe.code);
        return -1;
    }
    if (code)
        memcpy(probe.code, code, length);
    probes->probe[probes->count] = probe;
    probes->entries[probes->count] = 0;
    c->code_changed = true; /* what was translated knows nothing of it */
    core_rearm(c);
    return (int32_t)probes->count++;
}

/* How often a probe's operation was entered. */
uint64_t core_probe_entries(const struct core *c, uint32_t number)
{
    return number < c->probes.count ? c->probes.entries[number] : 0;
}
