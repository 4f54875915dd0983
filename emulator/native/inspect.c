/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * inspect.c: see inspect.h. Dead entries of a TLB (tlb.h: their tag was given up) are told apart, not left out.
 */
#include "inspect.h"

#include "core.h"

#include <string.h>

void core_walk(const struct core *c, uint64_t space, uint64_t vaddr, struct inspected_walk *out)
{
    struct paging_state state = space == NOWHERE ? c->models.mmu.state : arch_paging_of(c, space);
    struct walk_result walk;

    walk_read(&state, &c->ram, vaddr, &walk);
    memset(out, 0, sizeof *out);
    out->levels = walk.levels;
    for (unsigned i = 0; i < walk.levels; i++) {
        out->level[i].paddr = walk.entry_paddr[i];
        out->level[i].shift = walk.entry_shift[i];
        out->level[i].entry = walk.entry[i];
    }
    out->present = walk.present;
    if (!walk.present)
        return;
    out->paddr = walk.paddr;
    out->page_shift = walk.page_shift;
    out->writable = walk.writable;
    out->user = walk.user;
    out->nx = walk.nx;
    out->global = walk.global;
}

/* ---- TLBs ---- */

struct translations {
    const struct mmu *mmu;
    struct inspected_translation *out;
    uint32_t count, most;
};

static struct inspected_translation describe(const struct mmu *mmu, const struct tlb_entry *entry)
{
    /* The key has vaddr's bits 48 to 12, and bit 48 stands for those above it. */
    uint64_t vaddr = (uint64_t)((int64_t)(entry->key >> TLB_VADDR_SHIFT & ~0xfffull) << TLB_VADDR_SHIFT >> TLB_VADDR_SHIFT);
    uint64_t tag = entry->key & TLB_TAG_MASK;
    bool global = tlb_entry_global(entry);

    return (struct inspected_translation){
        .vaddr = vaddr,
        .paddr = entry->data & TLB_FRAME_MASK,
        .page_shift = tlb_entry_shift(entry),
        .mapping_shift = (uint32_t)(entry->data >> 6 & 63),
        .asid = tlb_entry_asid(entry),
        .global = global,
        .live = global || tag == mmu->tag_of[tlb_entry_asid(entry)],
    };
}

static void list_array(struct translations *t, const struct tlb_array *array)
{
    for (uint32_t at = 0; array->entry && at < array->total; at++) {
        uint32_t set = at >> array->set_shift, age = at & ((1u << array->set_shift) - 1);
        if (age >= array->ways || !array->entry[at].key)
            continue;
        if (t->count < t->most) {
            t->out[t->count] = describe(t->mmu, &array->entry[at]);
            t->out[t->count].set = set;
            t->out[t->count].age = age;
        }
        t->count++;
    }
}

uint32_t core_translations(const struct core *c, uint32_t tlb, struct inspected_translation *out, uint32_t most)
{
    const struct mmu *mmu = &c->models.mmu;
    const struct tlb *tlbs[] = {&mmu->dtlb, &mmu->itlb, &mmu->stlb};
    struct translations t = {.mmu = mmu, .out = out, .most = most};

    if (tlb == INSPECT_WALK) {
        for (unsigned i = 0; i < MMU_WALK_CACHES; i++)
            list_array(&t, &mmu->walk_cache[i]);
    } else if (tlb < INSPECT_WALK) {
        const struct tlb_array *array = tlbs[tlb]->array;
        for (int size = 0; size < TLB_SIZES; size++)
            if (size == 0 || array[size].entry != array[0].entry)
                list_array(&t, &array[size]);
    }
    return t.count;
}

/* ---- caches ---- */

/* Where lines keep their ways, word 0 is a copy of the line used last, and alone knows whether it became dirty. */
static uint32_t word_of(const struct cache *cache, const uint32_t *set, uint32_t way)
{
    if (cache->replacement == REPLACEMENT_LRU)
        return set[way];
    uint32_t word = set[way + 1];
    return (word & ~CACHE_DIRTY) == (set[0] & ~CACHE_DIRTY) ? word | set[0] : word;
}

uint32_t core_lines(const struct core *c, uint32_t cache, struct inspected_line *out, uint32_t most)
{
    const struct hierarchy *h = &c->models.hierarchy;
    const struct cache *caches[] = {&h->l1i, &h->l1d, &h->outer[OUTER_L2], &h->outer[OUTER_LLC]};
    uint32_t count = 0;

    if (cache >= INSPECT_CACHES || !caches[cache]->word)
        return 0;
    const struct cache *of = caches[cache];
    for (uint32_t set = 0; set <= of->set_mask; set++) {
        for (uint32_t way = 0; way < of->ways; way++) {
            uint32_t word = word_of(of, cache_set(of, set), way);
            if (!(word & CACHE_VALID))
                continue;
            if (count < most)
                out[count] = (struct inspected_line){
                    .paddr = (uint64_t)(word >> CACHE_LINE_SHIFT) << h->line_shift,
                    .set = set,
                    .way = way,
                    .dirty = word & CACHE_DIRTY,
                };
            count++;
        }
    }
    return count;
}
