/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * state.c: all that a core keeps between two runs, as named parts that can be copied out and back.
 *
 * A part is a name, an index and some bytes in place: a field of struct core, or a table that one points at. Whoever saves
 * a machine copies all parts; whoever restores one has the same parts made (core_state_prepare), copies them back, names
 * the block being executed, and says that it is done. What the engine keeps is not here: its registers are named by
 * emulator/cpu/ARCH/saved_registers.py.
 *
 * To save more: a field is a line in `fields`, a table a line in visit(). What has to be known again and not copied (pointers, what
 * a run sets anew) is listed in tests/machine/test_snapshot_parts.py, which fails for a field that nobody decided about.
 */
#include "core.h"

#include <stdlib.h>
#include <string.h>

/* ---- fields ---- */

#define FIELD(path) {#path, offsetof(struct core, path), sizeof(((struct core *)0)->path)}
#define TLB_FIELDS(tlb) FIELD(tlb.array[0].used), FIELD(tlb.array[1].used), FIELD(tlb.array[2].used)
static const struct {
    const char *name;
    size_t offset, bytes;
} fields[] = {
    FIELD(account.cycles), FIELD(account.delayed), FIELD(backlog.account.issue_fraction), FIELD(backlog.stall_fraction), FIELD(credited), FIELD(books),
    FIELD(pipeline.time), FIELD(pipeline.taken), FIELD(pipeline.instructions), FIELD(pipeline.retired), FIELD(pipeline.late),
    FIELD(pipeline.is_late), FIELD(accesses), FIELD(pipeline.pending_count), FIELD(pipeline.pending),
    FIELD(delay), FIELD(element_units), FIELD(settled),
    FIELD(block_pc), FIELD(continue_pc), FIELD(repeat_pc), FIELD(repeat), FIELD(repeats), FIELD(repeat_started),
    FIELD(idle), FIELD(late_max), FIELD(interrupt_pending), FIELD(wants_accesses),
    FIELD(exceptions), FIELD(exception_cycles), FIELD(shutdown_pc),
    FIELD(ledger.current), FIELD(ledger.in_interrupt), FIELD(ledger.interrupt_before), FIELD(ledger.dropped),
    FIELD(probes.entries), FIELD(probes.comes_again), FIELD(probes.again),
    FIELD(models.mmu.tag), FIELD(models.mmu.mode), FIELD(models.mmu.large_shift),
    FIELD(models.mmu.pieces), FIELD(models.mmu.state), FIELD(models.mmu.next_tag), FIELD(models.mmu.tag_of),
    TLB_FIELDS(models.mmu.dtlb), TLB_FIELDS(models.mmu.itlb), TLB_FIELDS(models.mmu.stlb),
    FIELD(models.mmu.walk_cache[0].used), FIELD(models.mmu.walk_cache[1].used), FIELD(models.mmu.walk_cache[2].used),
    FIELD(models.predictor.direction.history), FIELD(models.predictor.top), FIELD(models.predictor.used),
    ARCH_SAVED_FIELDS
};
enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

/* ---- parts ---- */

struct state_part {
    const char *name;
    uint64_t index, bytes;
    void *at;
};

struct visit {
    struct state_part *out;
    uint32_t capacity, count;
};

static void part(struct visit *v, const char *name, uint64_t index, void *at, uint64_t bytes)
{
    if (!at || !bytes)
        return;
    if (v->count < v->capacity)
        v->out[v->count] = (struct state_part){name, index, bytes, at};
    v->count++;
}

static void visit_tlb(struct visit *v, const char *name, uint64_t index, const struct tlb_array *array)
{
    part(v, name, index, array->entry, array->total * sizeof(*array->entry));
}

static void visit(struct core *c, struct visit *v)
{
    struct hierarchy *h = &c->models.hierarchy;
    struct mmu *mmu = &c->models.mmu;
    struct predictor *p = &c->models.predictor;

    for (uint32_t i = 0; i < FIELDS; i++)
        part(v, fields[i].name, 0, (char *)c + fields[i].offset, fields[i].bytes);
    part(v, "models.hierarchy.l1i.word", 0, h->l1i.word, cache_bytes(&h->l1i));
    part(v, "models.hierarchy.l1d.word", 0, h->l1d.word, cache_bytes(&h->l1d));
    for (unsigned i = 0; i < OUTER_LEVELS; i++)
        part(v, "models.hierarchy.outer.word", i, h->outer[i].word, cache_bytes(&h->outer[i]));
    for (unsigned i = 0; i < TLB_SIZES; i++) {
        visit_tlb(v, "models.mmu.dtlb.array.entry", i, &mmu->dtlb.array[i]);
        visit_tlb(v, "models.mmu.itlb.array.entry", i, &mmu->itlb.array[i]);
        visit_tlb(v, "models.mmu.stlb.array.entry", i, &mmu->stlb.array[i]);
    }
    for (unsigned i = 0; i < MMU_WALK_CACHES; i++)
        visit_tlb(v, "models.mmu.walk_cache.entry", i, &mmu->walk_cache[i]);
    part(v, "models.predictor.direction.tag", 0, p->direction.tag, direction_tag_bytes(&p->direction));
    part(v, "models.predictor.direction.state", 0, p->direction.state, direction_states(&p->direction));
    part(v, "models.predictor.btb", 0, p->btb, (p->btb_set_mask + 1ull) * p->btb_ways * sizeof(*p->btb));
    part(v, "models.predictor.stack", 0, p->stack, p->depth * sizeof(*p->stack));
    for (uint32_t i = 0; i < LEDGER_ENTRIES; i++)
        part(v, "ledger.entry", i, c->ledger.entry[i], sizeof(struct operation));
    for (uint32_t i = 0; i < c->ledger.aside_count; i++)
        part(v, "ledger.aside", i, c->ledger.aside[i], sizeof(struct flow));
}

/* All parts, as many as there is room for; returns how many there are. Good until the core runs. */
uint32_t core_state_parts(struct core *c, struct state_part *out, uint32_t capacity)
{
    struct visit v = {out, capacity, 0};
    visit(c, &v);
    return v.count;
}

/* ---- restoring ---- */

/* Make the ledger's parts: these operations and so many flows put aside, all empty. False: no memory. */
bool core_state_prepare(struct core *c, const uint32_t *operations, uint32_t count, uint32_t flows)
{
    ledger_free(&c->ledger);
    for (uint32_t i = 0; i < count; i++)
        if (operations[i] >= LEDGER_ENTRIES ||
            !(c->ledger.entry[operations[i]] = calloc(1, sizeof(struct operation))))
            return false;
    for (; flows && c->ledger.aside_count < FLOWS_MAX; flows--)
        if (!(c->ledger.aside[c->ledger.aside_count++] = calloc(1, sizeof(struct flow))))
            return false;
    return flows == 0;
}

/* The block being executed, by what it is known again. */
struct saved_block {
    uint64_t paddr;
    uint32_t mode, bytes;
    const uint8_t *code;
};

bool core_state_block(const struct core *c, struct saved_block *out)
{
    if (c->block)
        *out = (struct saved_block){c->block->paddr, c->block->mode, c->block->compared, c->block->code};
    return c->block;
}

/* Decodes the block again; block_pc is restored. False if it comes out another one. NULL: between blocks. */
bool core_state_set_block(struct core *c, const struct saved_block *saved)
{
    enum { PAGE_BYTES = 4096 };
    c->block = NULL;
    if (!saved)
        return true;
    uint32_t page = PAGE_BYTES - (uint32_t)(c->block_pc & (PAGE_BYTES - 1));
    struct block_source source = {
        .pc = c->block_pc, .paddr = saved->paddr, .mode = saved->mode, .code = saved->code, .length = saved->bytes,
        .page = page < saved->bytes ? page : saved->bytes};
    c->block = block_get(&c->blocks, &source, c->call.decode, &c->decoded, &c->models.config);
    return c->block && c->block->compared == saved->bytes;
}

enum ring core_state_ring(const struct core *c) { return core_ring_booked(c); }

/* All parts and the engine's registers are restored. What belongs to one run alone begins anew, and what the engine worked
 * out from what it had before is forgotten. */
void core_state_done(struct core *c, enum ring ring)
{
    c->passed = NULL;
    c->models.predictor.direction.ahead = ~0ull; /* foreseen with another history */
    mmu_entries_changed(&c->models.mmu);
    c->retrying = false;
    core_claim_accesses(c);
    c->halted = c->code_changed = c->stop_requested = false;
    c->stop = STOP_NONE;
    c->debug.step_over = NOWHERE;
    c->debug.met = STOP_NONE;
    c->account.now = NULL; /* nothing to settle */
    core_book(c, ring);
    c->block_cause = c->account.cause; /* one of another ring has been settled */
    arch_state_restored(c);
    engine.tlb_flush(c->cpu);
    engine.control(c->uc, ENGINE_FLUSH_TRANSLATIONS);
    core_rearm(c);
}
