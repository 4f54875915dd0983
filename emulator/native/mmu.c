/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mmu.c: translation: the misses, the walk, the flushes (see mmu.h for what is counted)
 */
#include "mmu.h"

#include <stdio.h>
#include <string.h>

enum { SMALL_SHIFT = 12, HUGE_SHIFT = 30, PML4E_SHIFT = 39 };
enum { CACHE_PML4E, CACHE_PDPTE, CACHE_PDE };

static bool has_second_level(const struct mmu *mmu) { return mmu->stlb.array[TLB_SMALL].entry != NULL; }

static unsigned size_shift(const struct mmu *mmu, int size)
{
    return size == TLB_SMALL ? SMALL_SHIFT : size == TLB_LARGE ? mmu->large_shift : HUGE_SHIFT;
}

static inline const struct tlb_entry *touch(const struct mmu *mmu, struct tlb *tlb, uint64_t vaddr, bool *moved)
{
    for (int size = TLB_SMALL; size < TLB_SIZES; size++) {
        if (!tlb->array[size].used)
            continue;
        const struct tlb_entry *entry = tlb_touch(&tlb->array[size], vaddr, size_shift(mmu, size), mmu->tag, moved);
        if (entry)
            return entry;
    }
    return NULL;
}

/* Puts the mapping of vaddr into the TLB, or the piece of it for which there is an array. */
static const struct tlb_entry *fill(struct mmu *mmu, struct tlb *tlb, uint64_t vaddr, uint64_t paddr, unsigned shift,
                                    unsigned mapping_shift, bool global)
{
    int size = shift == HUGE_SHIFT ? TLB_HUGE : shift == SMALL_SHIFT ? TLB_SMALL : TLB_LARGE;
    while (!tlb->array[size].entry)
        size--;
    unsigned piece_shift = size_shift(mmu, size);
    mmu->pieces |= piece_shift != mapping_shift;
    uint64_t asid = paging_asid(&mmu->state);
    struct tlb_entry entry = {
        .key = tlb_key(vaddr, piece_shift, global ? TLB_TAG_GLOBAL : mmu->tag),
        .data = asid << TLB_ASID_SHIFT | (paddr & TLB_FRAME_MASK & (~0ull << piece_shift)) | mapping_shift << 6 | piece_shift,
    };
    return tlb_fill(&tlb->array[size], vaddr, entry, mmu->tag_of);
}

/* ---- the walk ---- */

/* Which paging-structure cache holds the entry read at this level of a walk. */
static unsigned cache_of_level(const struct walk_result *walk, unsigned level)
{
    switch (walk->entry_shift[level]) {
    case PML4E_SHIFT: return CACHE_PML4E;
    case HUGE_SHIFT: return CACHE_PDPTE;
    default: return CACHE_PDE;
    }
}

static unsigned cache_shift(const struct mmu *mmu, unsigned cache)
{
    return cache == CACHE_PML4E ? PML4E_SHIFT : cache == CACHE_PDPTE ? HUGE_SHIFT : mmu->large_shift;
}

/* The first level that has to be read: the one below the innermost cached entry that is not the leaf. */
static unsigned first_level_to_read(struct mmu *mmu, uint64_t vaddr, const struct walk_result *walk)
{
    bool moved;
    for (unsigned level = walk->levels - 1; level-- > walk->uncharged;) {
        unsigned cache = cache_of_level(walk, level);
        if (mmu->walk_cache[cache].used &&
            tlb_touch(&mmu->walk_cache[cache], vaddr, cache_shift(mmu, cache), mmu->tag, &moved))
            return level + 1;
    }
    return walk->uncharged;
}

static uint32_t walk_cycles(struct mmu *mmu, struct account *a, uint64_t vaddr, const struct walk_result *walk)
{
    uint32_t cycles = mmu->price.base;
    uint64_t asid = paging_asid(&mmu->state);
    for (unsigned level = first_level_to_read(mmu, vaddr, walk); level < walk->levels; level++) {
        cycles += hierarchy_walk_load(mmu->hierarchy, a, walk->entry_paddr[level]);
        unsigned cache = cache_of_level(walk, level);
        if (level == walk->levels - 1 || !mmu->walk_cache[cache].entry)
            continue;
        unsigned shift = cache_shift(mmu, cache);
        struct tlb_entry entry = {.key = tlb_key(vaddr, shift, mmu->tag), .data = asid << TLB_ASID_SHIFT | shift << 6 | shift};
        (void)tlb_fill(&mmu->walk_cache[cache], vaddr, entry, mmu->tag_of);
    }
    return cycles;
}

/* The first level does not hold it. */
static __attribute__((noinline)) const struct tlb_entry *translate_missed(struct mmu *mmu, struct account *a, struct tlb *first, uint64_t vaddr,
                                                bool fetch)
{
    bool moved;
    const struct tlb_entry *second = touch(mmu, &mmu->stlb, vaddr, &moved);
    struct walk_result walk;
    if (!second) {
        walk_read(&mmu->state, mmu->ram, vaddr, &walk);
        if (!walk.present)
            return NULL;
    }
    /* The access will complete: from here on it counts. */
    account_count(a, fetch ? COUNTER_ITLB_LOADS : COUNTER_DTLB_LOADS);
    account_count(a, fetch ? COUNTER_ITLB_LOAD_MISSES : COUNTER_DTLB_LOAD_MISSES);
    if (has_second_level(mmu))
        account_count(a, COUNTER_STLB_LOADS);
    if (second) {
        account_delay(a, CAUSE_TLB_WALK, mmu->price.stlb_hit);
        return fill(mmu, first, vaddr, tlb_entry_paddr(second, vaddr), tlb_entry_shift(second),
                    (unsigned)(second->data >> 6 & 63), tlb_entry_global(second));
    }
    if (has_second_level(mmu))
        account_count(a, COUNTER_STLB_LOAD_MISSES);
    account_count(a, COUNTER_PAGE_WALKS);
    uint32_t cycles = walk_cycles(mmu, a, vaddr, &walk);
    a->now->n[COUNTER_PAGE_WALK_CYCLES] += cycles;
    account_delay(a, CAUSE_TLB_WALK, cycles);
    if (has_second_level(mmu))
        (void)fill(mmu, &mmu->stlb, vaddr, walk.paddr, walk.page_shift, walk.page_shift, walk.global);
    return fill(mmu, first, vaddr, walk.paddr, walk.page_shift, walk.page_shift, walk.global);
}

const struct tlb_entry *mmu_translate_slow(struct mmu *mmu, struct account *a, uint64_t vaddr, enum access access)
{
    bool fetch = access == ACCESS_FETCH, moved = false;
    if (mmu->mode == PAGING_OFF)
        return &mmu->identity;
    struct tlb *first = fetch && !mmu->unified ? &mmu->itlb : &mmu->dtlb;
    const struct tlb_entry *entry = touch(mmu, first, vaddr, &moved);
    if (entry) {
        account_count(a, fetch ? COUNTER_ITLB_LOADS : COUNTER_DTLB_LOADS);
    } else {
        entry = translate_missed(mmu, a, first, vaddr, fetch);
        moved = true;
    }
    if (entry)
        tlb_front_put(fetch ? &mmu->code : &mmu->data, vaddr, entry, moved);
    return entry;
}

/* ---- state ---- */

void mmu_entries_changed(struct mmu *mmu)
{
    struct tlb *tlbs[] = {&mmu->dtlb, &mmu->stlb, &mmu->itlb};
    tlb_front_clear(&mmu->data);
    if (!mmu->unified)
        tlb_front_clear(&mmu->code);
    for (unsigned i = 0; i < sizeof tlbs / sizeof *tlbs; i++)
        for (int size = 0; size < TLB_SIZES; size++)
            tlbs[i]->array[size].all_live = false;
    for (unsigned i = 0; i < MMU_WALK_CACHES; i++)
        mmu->walk_cache[i].all_live = false;
}

static void use_address_space(struct mmu *mmu)
{
    mmu->tag = mmu->tag_of[paging_asid(&mmu->state)];
    mmu_entries_changed(mmu);
}

void mmu_set_state(struct mmu *mmu, const struct paging_state *state)
{
    mmu->state = *state;
    mmu->mode = paging_mode(state);
    mmu->large_shift = paging_large_shift(state);
    use_address_space(mmu);
}

void mmu_set_ram(struct mmu *mmu, const struct guest_ram *ram) { mmu->ram = ram; }

/* ---- flushes ---- */

/* How many of D-TLB, STLB, I-TLB have entries of their own. */
static unsigned levels(const struct mmu *mmu) { return mmu->unified ? 2 : 3; }

static void sweep(struct mmu *mmu, bool (*visit)(struct tlb_entry *, void *), void *context)
{
    struct tlb *tlbs[] = {&mmu->dtlb, &mmu->stlb, &mmu->itlb};
    for (unsigned i = 0; i < levels(mmu); i++)
        for (int size = 0; size < TLB_SIZES; size++)
            if (size == 0 || tlbs[i]->array[size].entry != tlbs[i]->array[0].entry)
                tlb_sweep(&tlbs[i]->array[size], visit, context);
    for (unsigned i = 0; i < MMU_WALK_CACHES; i++)
        tlb_sweep(&mmu->walk_cache[i], visit, context);
    mmu_entries_changed(mmu);
}

static bool is_local(struct tlb_entry *entry, void *context)
{
    (void)context;
    return !tlb_entry_global(entry);
}

static bool always(struct tlb_entry *entry, void *context)
{
    (void)entry;
    (void)context;
    return true;
}

void mmu_flush_all(struct mmu *mmu, bool global_too)
{
    sweep(mmu, global_too ? always : is_local, NULL);
    mmu->pieces &= !global_too;
}

/* Gives address space n the tag n + 1 again; entries of tags already given up are dropped. */
static bool renumber_entry(struct tlb_entry *entry, void *context)
{
    const struct mmu *mmu = context;
    unsigned asid = tlb_entry_asid(entry);
    if (tlb_entry_global(entry))
        return false;
    if ((entry->key & TLB_TAG_MASK) != mmu->tag_of[asid])
        return true;
    entry->key = (entry->key & ~TLB_TAG_MASK) | (asid + 1);
    return false;
}

static void renumber(struct mmu *mmu)
{
    sweep(mmu, renumber_entry, mmu);
    for (unsigned asid = 0; asid < MMU_ASIDS; asid++)
        mmu->tag_of[asid] = asid + 1;
    mmu->next_tag = MMU_ASIDS + 1;
}

void mmu_flush_asid(struct mmu *mmu, unsigned asid)
{
    if (mmu->next_tag > TLB_TAG_MASK)
        renumber(mmu);
    mmu->tag_of[asid] = mmu->next_tag++;
    use_address_space(mmu);
}

struct one_page {
    uint64_t vaddr;
    uint64_t tag;
    bool global_too;
    bool any_tag;
};

static bool is_of_page(struct tlb_entry *entry, void *context)
{
    const struct one_page *page = context;
    unsigned mapping_shift = (unsigned)(entry->data >> 6 & 63);
    uint64_t tag = entry->key & TLB_TAG_MASK;
    if (!page->any_tag && tag != page->tag && !(page->global_too && tag == TLB_TAG_GLOBAL))
        return false;
    return ((entry->key ^ page->vaddr << TLB_VADDR_SHIFT) >> (mapping_shift + TLB_VADDR_SHIFT)) == 0;
}

static bool has_tag(struct tlb_entry *entry, void *context)
{
    return (entry->key & TLB_TAG_MASK) == *(uint64_t *)context;
}

static void forget_page(struct mmu *mmu, struct one_page *page)
{
    struct tlb *tlbs[] = {&mmu->dtlb, &mmu->stlb, &mmu->itlb};
    for (unsigned i = 0; i < levels(mmu); i++)
        for (int size = 0; size < TLB_SIZES; size++)
            if (mmu->pieces || page->any_tag)
                tlb_sweep(&tlbs[i]->array[size], is_of_page, page);
            else
                tlb_remove(&tlbs[i]->array[size], page->vaddr, size_shift(mmu, size), page->tag, page->global_too);
    mmu_entries_changed(mmu);
}

static void invalidate_page(struct mmu *mmu, uint64_t vaddr, uint64_t tag, bool global_too)
{
    struct one_page page = {.vaddr = vaddr, .tag = tag, .global_too = global_too};
    for (unsigned i = 0; i < MMU_WALK_CACHES; i++)
        tlb_sweep(&mmu->walk_cache[i], has_tag, &tag); /* SDM 4.10.4.1: whatever the address */
    forget_page(mmu, &page);
}

void mmu_invlpg(struct mmu *mmu, uint64_t vaddr) { invalidate_page(mmu, vaddr, mmu->tag, true); }

void mmu_invlpg_asid(struct mmu *mmu, uint64_t vaddr, unsigned asid, bool global_too)
{
    invalidate_page(mmu, vaddr, mmu->tag_of[asid], global_too);
}

static void forget_va(struct mmu *mmu, struct one_page *page, bool tables)
{
    for (unsigned i = 0; i < MMU_WALK_CACHES && tables; i++)
        tlb_sweep(&mmu->walk_cache[i], is_of_page, page);
    forget_page(mmu, page);
}

void mmu_forget_va(struct mmu *mmu, uint64_t vaddr, unsigned asid, bool tables)
{
    struct one_page page = {.vaddr = vaddr, .tag = mmu->tag_of[asid], .global_too = true};
    forget_va(mmu, &page, tables);
}

void mmu_forget_va_all(struct mmu *mmu, uint64_t vaddr, bool tables)
{
    struct one_page page = {.vaddr = vaddr, .any_tag = true};
    forget_va(mmu, &page, tables);
}

/* ---- building ---- */

static const char *init_tlb(const char *name, struct tlb *tlb, const struct tlb_config *config, char *sentence,
                            size_t room)
{
    const char *refusal = tlb_init(tlb, config);
    if (!refusal)
        return NULL;
    (void)snprintf(sentence, room, "%s: %s", name, refusal);
    return sentence;
}

static bool is_absent(const struct tlb_config *config)
{
    return !config->small.entries && !config->large.entries && !config->huge.entries;
}

static const char *init_walk_cache(struct tlb_array *array, uint32_t entries)
{
    struct tlb_array_config config = {.entries = entries, .ways = entries};
    return tlb_array_init(array, &config) ? "walk: a paging-structure cache has at most 256 entries" : NULL;
}

const char *mmu_init(struct mmu *mmu, const struct model_config *config, struct hierarchy *hierarchy)
{
    static const struct guest_ram none;
    static char sentence[160];
    memset(mmu, 0, sizeof *mmu);
    mmu->hierarchy = hierarchy;
    mmu->price = config->walk;
    mmu->identity.data = 48;
    for (unsigned asid = 0; asid < MMU_ASIDS; asid++)
        mmu->tag_of[asid] = asid + 1;
    mmu->next_tag = MMU_ASIDS + 1;
    mmu_set_ram(mmu, &none);
    mmu->unified = is_absent(&config->itlb);
    const char *refusal = init_tlb("dtlb", &mmu->dtlb, &config->dtlb, sentence, sizeof sentence);
    if (!refusal && !mmu->unified)
        refusal = init_tlb("itlb", &mmu->itlb, &config->itlb, sentence, sizeof sentence);
    else if (!refusal)
        mmu->itlb = mmu->dtlb;
    if (!refusal)
        refusal = tlb_front_init(&mmu->data, &mmu->dtlb);
    if (!refusal && !mmu->unified)
        refusal = tlb_front_init(&mmu->code, &mmu->itlb);
    else if (!refusal)
        mmu->code = mmu->data;
    if (!refusal && !is_absent(&config->stlb))
        refusal = init_tlb("stlb", &mmu->stlb, &config->stlb, sentence, sizeof sentence);
    const uint32_t entries[MMU_WALK_CACHES] = {
        [CACHE_PML4E] = config->walk.pml4e_cached,
        [CACHE_PDPTE] = config->walk.pdpte_cached,
        [CACHE_PDE] = config->walk.pde_cached,
    };
    for (unsigned i = 0; i < MMU_WALK_CACHES && !refusal; i++)
        refusal = init_walk_cache(&mmu->walk_cache[i], entries[i]);
    if (refusal)
        mmu_free(mmu);
    else
        mmu_set_state(mmu, &(struct paging_state){0});
    return refusal;
}

void mmu_free(struct mmu *mmu)
{
    if (!mmu->unified) {
        tlb_free(&mmu->itlb);
        tlb_front_free(&mmu->code);
    }
    tlb_front_free(&mmu->data);
    tlb_free(&mmu->dtlb);
    tlb_free(&mmu->stlb);
    for (unsigned i = 0; i < MMU_WALK_CACHES; i++)
        tlb_array_free(&mmu->walk_cache[i]);
}
