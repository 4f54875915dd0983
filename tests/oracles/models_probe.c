/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * models_probe.c: the native models behind plain functions, for tests that load them without an engine
 *
 * One probe is one set of models with an account of its own. Inline functions of the models are called from here, so
 * what is tested is the code that runs on the hot path.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "models.h"

struct probe {
    struct guest_ram ram;
    struct models models;
    struct account account;
    struct counters counters;
    uint64_t cause[CAUSE_COUNT];
    const char *refusal;
};

struct probe *probe_new(const struct model_config *config)
{
    struct probe *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->account.now = &p->counters;
    p->account.cause = p->cause;
    p->refusal = models_init(&p->models, config);
    return p;
}

void probe_free(struct probe *p)
{
    if (!p->refusal)
        models_free(&p->models);
    free(p);
}

const char *probe_refusal(const struct probe *p) { return p->refusal; }
uint64_t probe_counter(const struct probe *p, unsigned counter) { return p->counters.n[counter]; }
uint64_t probe_cause(const struct probe *p, unsigned cause) { return p->cause[cause]; }
uint64_t probe_cycles(const struct probe *p) { return p->account.cycles; }

void probe_issue(struct probe *p, uint32_t units) { account_issue(&p->account, CAUSE_ISSUE, units); }

void probe_data(struct probe *p, uint64_t paddr, uint32_t size, uint32_t write)
{
    hierarchy_data(&p->models.hierarchy, &p->account, paddr, size, write != 0);
}

void probe_data_rest(struct probe *p, uint64_t paddr, uint32_t size, uint32_t write)
{
    hierarchy_data_rest(&p->models.hierarchy, &p->account, paddr, size, write != 0);
}

void probe_fetch(struct probe *p, uint64_t paddr) { hierarchy_fetch(&p->models.hierarchy, &p->account, paddr); }

uint32_t probe_walk_load(struct probe *p, uint64_t paddr)
{
    return hierarchy_walk_load(&p->models.hierarchy, &p->account, paddr);
}

void probe_flush_line(struct probe *p, uint64_t paddr)
{
    hierarchy_flush_line(&p->models.hierarchy, &p->account, paddr);
}

void probe_flush_caches(struct probe *p) { hierarchy_flush_all(&p->models.hierarchy, &p->account); }

void probe_ram(struct probe *p, uint8_t *ram, uint64_t size)
{
    p->ram = (struct guest_ram){ram, 0, size};
    mmu_set_ram(&p->models.mmu, &p->ram);
}

/* The registers that govern translation, in the order in which the architecture's walk.h has them. */
enum { REGISTERS = 4 };
_Static_assert(sizeof(struct paging_state) == REGISTERS * sizeof(uint64_t), "four registers govern translation");

static struct paging_state state_of(const uint64_t registers[REGISTERS])
{
    struct paging_state state;
    memcpy(&state, registers, sizeof state);
    return state;
}

void probe_state(struct probe *p, uint64_t first, uint64_t second, uint64_t third, uint64_t fourth)
{
    struct paging_state state = state_of((const uint64_t[REGISTERS]){first, second, third, fourth});
    mmu_set_state(&p->models.mmu, &state);
}

/* The physical address, ~0 if there is no mapping. */
uint64_t probe_translate(struct probe *p, uint64_t vaddr, uint32_t access)
{
    const struct tlb_entry *entry = mmu_translate(&p->models.mmu, &p->account, vaddr, (enum access)access);
    return entry ? tlb_entry_paddr(entry, vaddr) : ~0ull;
}

void probe_flush_all(struct probe *p, uint32_t global_too) { mmu_flush_all(&p->models.mmu, global_too != 0); }
void probe_flush_asid(struct probe *p, uint32_t asid) { mmu_flush_asid(&p->models.mmu, asid); }
void probe_invlpg(struct probe *p, uint64_t vaddr) { mmu_invlpg(&p->models.mmu, vaddr); }
void probe_invlpg_asid(struct probe *p, uint64_t vaddr, uint32_t asid)
{
    mmu_invlpg_asid(&p->models.mmu, vaddr, asid, false);
}
void probe_forget_va(struct probe *p, uint64_t vaddr, uint32_t asid, uint32_t tables)
{
    mmu_forget_va(&p->models.mmu, vaddr, asid, tables != 0);
}
void probe_forget_va_all(struct probe *p, uint64_t vaddr, uint32_t tables)
{
    mmu_forget_va_all(&p->models.mmu, vaddr, tables != 0);
}

/* As if nearly all tags had been given away: the next flushes have to number them anew. */
void probe_use_up_tags(struct probe *p) { p->models.mmu.next_tag = (uint32_t)TLB_TAG_MASK - 1; }

void probe_foresee(struct probe *p, uint64_t pc) { direction_foresee(&p->models.predictor.direction, pc); }

uint32_t probe_branch(struct probe *p, uint32_t kind, uint64_t pc, uint64_t next, uint64_t target, uint32_t taken)
{
    enum foresight foresight =
        predictor_branch(&p->models.predictor, &p->account, (enum branch_kind)kind, pc, next, target, taken != 0);
    account_charge(&p->account, CAUSE_BRANCH, predictor_price(&p->models.predictor, foresight));
    return foresight == MISPREDICTED;
}

/* present, paddr, page_shift, writable, user, nx, global, levels, uncharged, then address and content of each entry */
void probe_walk(uint8_t *ram, uint64_t size, const uint64_t registers[REGISTERS], uint64_t vaddr, uint64_t out[])
{
    struct paging_state state = state_of(registers);
    struct walk_result r;
    walk_read(&state, &(struct guest_ram){ram, 0, size}, vaddr, &r);
    const uint64_t plain[] = {r.present, r.paddr,  r.page_shift, r.writable, r.user,
                              r.nx,      r.global, r.levels,     r.uncharged};
    memcpy(out, plain, sizeof plain);
    for (unsigned level = 0; level < r.levels; level++) {
        out[9 + 2 * level] = r.entry_paddr[level];
        out[10 + 2 * level] = r.entry[level];
    }
}

/* ---- speed: nanoseconds for `count` accesses round a ring of `pages` pages, one line of each ---- */

double probe_time_accesses(struct probe *p, uint64_t vaddr, uint64_t stride, uint64_t ring, uint64_t count)
{
    struct timespec begin, end;
    (void)clock_gettime(CLOCK_MONOTONIC, &begin);
    for (uint64_t i = 0, step = 0; i < count; i++) {
        uint64_t at = vaddr + step * stride;
        step = step + 1 == ring ? 0 : step + 1;
        const struct tlb_entry *entry = mmu_translate(&p->models.mmu, &p->account, at, ACCESS_LOAD);
        if (entry)
            hierarchy_data(&p->models.hierarchy, &p->account, tlb_entry_paddr(entry, at), 8, (i & 3) == 0);
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    return (double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec);
}
