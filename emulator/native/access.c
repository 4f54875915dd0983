/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * access.c: every load and store the guest completes.
 *
 * Two groups of the engine's helpers are replaced: the slow-path loads and stores that translated code calls for every
 * access while a memory hook exists (translate.c installs one on addresses that no guest has), and the ones
 * that the engine's own C code uses (descriptors, interrupt frames, FXSAVE areas). Both are given the virtual address.
 * The access is done here where the engine's TLB has plain memory for it, else by the original, with its faults. What has
 * completed is shown to the models (observe), which translate the address themselves: mmu.h, then hierarchy.h.
 */
#include "core.h"
#include "interpose.h"

/* A function of its own, so that who calls it seldom saves no registers for it. */
#define APART static __attribute__((noinline))

APART void observe_across_pages(struct core *c, uint64_t vaddr, unsigned size, bool write);

/* What an access needs that is done here: of the machine that runs, if its short cuts are allowed; else no `env` is it. */
static struct {
    const env_t *env;
    struct core *core;
    const char *descriptors; /* of the tables of its engine's TLB */
    uint64_t addend;         /* in an entry of them: tlb_layout */
    uint64_t from_host;      /* from an address in the host's memory to the guest's physical one */
    struct tlb_front front[2]; /* for loads, for stores: the model's, or an empty one where observe() has more to do */
} quick;

void core_claim_accesses(struct core *c)
{
    static struct tlb_entry nothing = {.key = ~0ull};
    static const struct tlb_front none = {.slot = &nothing};

    c->observing = c->timing && !c->retrying && !c->debug.watchpoints;
    quick.env = NULL;
    c = running;
    if (!c || !c->fast_accesses)
        return;
    quick.env = c->env;
    quick.core = c;
    quick.descriptors = (const char *)c->env + tlb_layout.descriptors;
    quick.addend = tlb_layout.addend;
    quick.from_host = c->ram.base - (uint64_t)(uintptr_t)c->ram.host;
    quick.front[false] = c->observing ? c->models.mmu.data : none;
    quick.front[true] = c->observing && c->models.hierarchy.fast_end[true] ? c->models.mmu.data : none;
}

/* Not only the models want to know, or they are not to: an instruction is done again, whose accesses up to the store for
 * which it is were seen the first time; or a debugger watches. Says whether the models see it. */
APART bool observe_for_others(struct core *c, uint64_t vaddr, unsigned size, bool write)
{
    if (c->retrying) {
        if (!write)
            return false;
        core_retried_store(c);
    }
    if (c->debug.watchpoints)
        debug_accessed(c, vaddr, size, write);
    return c->timing;
}

/* Device memory is not cached: it goes past the caches at a price of its own. */
static inline bool is_cached(const struct core *c, uint64_t paddr) { return ram_at(&c->ram, paddr, 1) != NULL; }

/* The access has taken longer than a hit: the pipeline will say what of it shows. Outside of a block, in the delivery of
 * an exception, all does. */
APART void note_delay(struct core *c, uint32_t access, bool write)
{
    uint32_t miss = c->delay[CAUSE_D_MISS], walk = c->delay[CAUSE_TLB_WALK];

    c->delay[CAUSE_D_MISS] = c->delay[CAUSE_TLB_WALK] = 0;
    c->account.delayed = false;
    if (c->block) {
        core_note_access(c, access, miss, walk, write);
    } else {
        core_charge_cycles(c, CAUSE_D_MISS, miss);
        core_charge_cycles(c, CAUSE_TLB_WALK, walk);
    }
}

APART void observe(env_t *env, uint64_t vaddr, unsigned size, bool write)
{
    struct core *c = running;
    if (!c || c->env != env)
        return;
    if (write && c->ledger.current.copying)
        c->account.now->n[COUNTER_BYTES_COPIED] += size;
    if (!c->observing && !observe_for_others(c, vaddr, size, write))
        return;
    uint32_t access = c->accesses++;
    if ((vaddr & 0xfff) + size > 0x1000) {
        observe_across_pages(c, vaddr, size, write);
        if (c->account.delayed)
            note_delay(c, access, write);
        return;
    }
    const struct tlb_entry *e = mmu_translate(&c->models.mmu, &c->account, vaddr, write ? ACCESS_STORE : ACCESS_LOAD);
    if (!e)
        return;
    uint64_t paddr = tlb_entry_paddr(e, vaddr);
    if (is_cached(c, paddr))
        hierarchy_data(&c->models.hierarchy, &c->account, paddr, size, write);
    else
        core_charge(c, write ? COST_DEVICE_WRITE : COST_DEVICE_READ);
    if (c->account.delayed)
        note_delay(c, access, write);
}

/* Two translations, one access. */
APART void observe_across_pages(struct core *c, uint64_t vaddr, unsigned size, bool write)
{
    enum access access = write ? ACCESS_STORE : ACCESS_LOAD;
    unsigned first = (unsigned)(0x1000 - (vaddr & 0xfff));
    const struct tlb_entry *e = mmu_translate(&c->models.mmu, &c->account, vaddr, access);
    bool counted = e && is_cached(c, tlb_entry_paddr(e, vaddr)), device = e && !counted;

    if (counted)
        hierarchy_data(&c->models.hierarchy, &c->account, tlb_entry_paddr(e, vaddr), first, write);
    e = mmu_translate(&c->models.mmu, &c->account, vaddr + first, access);
    if (e && !is_cached(c, tlb_entry_paddr(e, vaddr + first)))
        device = true;
    else if (e && counted)
        hierarchy_data_rest(&c->models.hierarchy, &c->account, tlb_entry_paddr(e, vaddr + first), size - first, write);
    else if (e)
        hierarchy_data(&c->models.hierarchy, &c->account, tlb_entry_paddr(e, vaddr + first), size - first, write);
    if (device)
        core_charge(c, write ? COST_DEVICE_WRITE : COST_DEVICE_READ);
}

void core_observe(env_t *env, uint64_t vaddr, unsigned size, bool write) { observe(env, vaddr, size, write); }

void core_before_store(env_t *env, uint64_t vaddr, unsigned size)
{
    if (running && running->debug.watchpoints && running->env == env)
        debug_before_store(running, vaddr, size);
}

/* ---- translated code ----
 *
 * `oi` names the memory operation (its low four bits the kind of access), `ra` the place in generated code. Where the
 * engine's TLB has a plain entry for the page, the access is done right here; all else (a miss, a device, a page with
 * translated code, two pages at once) is the original's. */

/* What the engine's TLB has for an access: the page, if it is aligned. Unaligned ones take the slow way, which checks for
 * #AC. */
static inline uint64_t page_if_aligned(uint64_t vaddr, unsigned size) { return vaddr & (~0xfffull | (size - 1)); }

/* Where the engine's TLB has the page as plain memory, which is the guest's: it has no other. NULL if it has not. */
static inline uint8_t *host_address(uint64_t page, uint64_t vaddr, uint32_t oi, unsigned tag)
{
    const struct {
        uint64_t mask;
        const char *table;
    } *described = (const void *)(quick.descriptors + 16 * (oi & 15));
    const char *entry = described->table + ((vaddr >> (12 - TLB_ENTRY_SHIFT)) & described->mask);

    if (*(const uint64_t *)(entry + tag) != page)
        return NULL;
    return (uint8_t *)(uintptr_t)(vaddr + *(const uint64_t *)(entry + quick.addend));
}

/* What observe() does if nothing moves: the page is the newest of its set of the TLB, the line that of its set in L1D. Of an
 * aligned access, all of it on that line, which the engine found at `host`: by that and not by the model's entry, which may
 * be an old one where the guest has not asked for the flush that it owes. False, and nothing done, if not. */
static inline bool observe_unmoved(uint64_t page, const uint8_t *host, bool write)
{
    struct core *c = quick.core;
    struct hierarchy *h = &c->models.hierarchy;
    uint32_t line = (uint32_t)(((uint64_t)(uintptr_t)host + quick.from_host) >> h->line_shift);

    if (!tlb_front_find(&quick.front[write], page) || (write && c->ledger.current.copying) ||
        !cache_touch_newest(&h->l1d, line, write)) {
        hierarchy_expect(h, line);
        return false;
    }
    c->accesses++;
    account_count(&c->account, COUNTER_DTLB_LOADS);
    account_count(&c->account, write ? COUNTER_L1D_STORES : COUNTER_L1D_LOADS);
    return true;
}

APART uint64_t observe_load(env_t *env, uint64_t vaddr, uint32_t size, uintptr_t value)
{
    observe(env, vaddr, size, false);
    return value;
}

APART void observe_store(env_t *env, uint64_t vaddr, unsigned size) { observe(env, vaddr, size, true); }

#define SLOW_LOAD(name, bytes)                                                                                       \
    static uint64_t (*original_##name)(env_t *, uint64_t, uint32_t, uintptr_t);                                      \
    APART uint64_t slow_##name(env_t *env, uint64_t vaddr, uint32_t oi, uintptr_t ra)                                \
    {                                                                                                                \
        arch_check_alignment(env, vaddr, bytes, false, ra);                                                          \
        uint64_t value = original_##name(env, vaddr, oi, ra);                                                        \
        if (!running)                                                                                                \
            engine_last_load = (struct load_seen){env, vaddr, oi & 15};                                              \
        observe(env, vaddr, bytes, false);                                                                           \
        return value;                                                                                                \
    }
#define LOAD(name, type)                                                                                             \
    SLOW_LOAD(name, sizeof(type))                                                                                    \
    static uint64_t replace_##name(env_t *env, uint64_t vaddr, uint32_t oi, uintptr_t ra)                            \
    {                                                                                                                \
        uint64_t page = page_if_aligned(vaddr, sizeof(type));                                                        \
        const uint8_t *host = env == quick.env ? host_address(page, vaddr, oi, TLB_TAG_READ) : NULL;                 \
        if (!host)                                                                                                   \
            TAIL slow_##name(env, vaddr, oi, ra);                                                                    \
        uint64_t value = *(const type *)host;                                                                        \
        if (observe_unmoved(page, host, false))                                                                      \
            return value;                                                                                            \
        TAIL observe_load(env, vaddr, sizeof(type), value);                                                          \
    }
#define SLOW_STORE(name, bytes, type)                                                                                \
    static void (*original_##name)(env_t *, uint64_t, type, uint32_t, uintptr_t);                                    \
    APART void slow_##name(env_t *env, uint64_t vaddr, type value, uint32_t oi, uintptr_t ra)                        \
    {                                                                                                                \
        arch_check_alignment(env, vaddr, bytes, true, ra);                                                           \
        core_before_store(env, vaddr, bytes);                                                                        \
        original_##name(env, vaddr, value, oi, ra);                                                                  \
        observe(env, vaddr, bytes, true);                                                                            \
    }
#define STORE(name, memory_type, type)                                                                               \
    SLOW_STORE(name, sizeof(memory_type), type)                                                                      \
    static void replace_##name(env_t *env, uint64_t vaddr, type value, uint32_t oi, uintptr_t ra)                    \
    {                                                                                                                \
        uint64_t page = page_if_aligned(vaddr, sizeof(memory_type));                                                 \
        uint8_t *host = env == quick.env ? host_address(page, vaddr, oi, TLB_TAG_WRITE) : NULL;                      \
        if (!host)                                                                                                   \
            TAIL slow_##name(env, vaddr, value, oi, ra);                                                             \
        *(memory_type *)host = (memory_type)value;                                                                   \
        if (!observe_unmoved(page, host, true))                                                                      \
            observe_store(env, vaddr, sizeof(memory_type));                                                          \
    }
LOAD(helper_ret_ldub_mmu, uint8_t)
LOAD(helper_le_lduw_mmu, uint16_t)
LOAD(helper_le_ldul_mmu, uint32_t)
LOAD(helper_le_ldq_mmu, uint64_t)
STORE(helper_ret_stb_mmu, uint8_t, uint32_t)
STORE(helper_le_stw_mmu, uint16_t, uint32_t)
STORE(helper_le_stl_mmu, uint32_t, uint32_t)
STORE(helper_le_stq_mmu, uint64_t, uint64_t)

/* Byte-swapping accesses (MOVBE): rare. */
SLOW_LOAD(helper_be_lduw_mmu, 2)
SLOW_LOAD(helper_be_ldul_mmu, 4)
SLOW_LOAD(helper_be_ldq_mmu, 8)
SLOW_STORE(helper_be_stw_mmu, 2, uint32_t)
SLOW_STORE(helper_be_stl_mmu, 4, uint32_t)
SLOW_STORE(helper_be_stq_mmu, 8, uint64_t)

/* The engine's own code: the memory index instead of the operation. */
#define CPU_LOAD(name, bytes, type)                                                                                  \
    static type (*original_##name)(env_t *, uint64_t, int, uintptr_t);                                               \
    static type replace_##name(env_t *env, uint64_t vaddr, int index, uintptr_t ra)                                  \
    {                                                                                                                \
        type value = original_##name(env, vaddr, index, ra);                                                         \
        observe(env, vaddr, bytes, false);                                                                           \
        return value;                                                                                                \
    }
#define CPU_STORE(name, bytes, type)                                                                                 \
    static void (*original_##name)(env_t *, uint64_t, type, int, uintptr_t);                                         \
    static void replace_##name(env_t *env, uint64_t vaddr, type value, int index, uintptr_t ra)                      \
    {                                                                                                                \
        core_before_store(env, vaddr, bytes);                                                                        \
        original_##name(env, vaddr, value, index, ra);                                                               \
        observe(env, vaddr, bytes, true);                                                                            \
    }
CPU_LOAD(cpu_ldub_mmuidx_ra, 1, uint32_t)
CPU_LOAD(cpu_ldsb_mmuidx_ra, 1, int32_t)
CPU_LOAD(cpu_lduw_mmuidx_ra, 2, uint32_t)
CPU_LOAD(cpu_ldsw_mmuidx_ra, 2, int32_t)
CPU_LOAD(cpu_ldl_mmuidx_ra, 4, uint32_t)
CPU_LOAD(cpu_ldq_mmuidx_ra, 8, uint64_t)
CPU_STORE(cpu_stb_mmuidx_ra, 1, uint32_t)
CPU_STORE(cpu_stw_mmuidx_ra, 2, uint32_t)
CPU_STORE(cpu_stl_mmuidx_ra, 4, uint32_t)
CPU_STORE(cpu_stq_mmuidx_ra, 8, uint64_t)

#define REPLACE(name, slots) {ENGINE_SYMBOL(#name), slots, (void *)replace_##name, (void **)&original_##name}
#define REPLACE_SLOW(name) {ENGINE_SYMBOL(#name), SLOT_DATA, (void *)slow_##name, (void **)&original_##name}
const struct interposition access_replacements[] = {
    REPLACE(helper_ret_ldub_mmu, SLOT_DATA), REPLACE(helper_le_lduw_mmu, SLOT_DATA),
    REPLACE(helper_le_ldul_mmu, SLOT_DATA),  REPLACE(helper_le_ldq_mmu, SLOT_DATA),
    REPLACE_SLOW(helper_be_lduw_mmu),  REPLACE_SLOW(helper_be_ldul_mmu),
    REPLACE_SLOW(helper_be_ldq_mmu),   REPLACE(helper_ret_stb_mmu, SLOT_DATA),
    REPLACE(helper_le_stw_mmu, SLOT_DATA),   REPLACE(helper_le_stl_mmu, SLOT_DATA),
    REPLACE(helper_le_stq_mmu, SLOT_DATA),   REPLACE_SLOW(helper_be_stw_mmu),
    REPLACE_SLOW(helper_be_stl_mmu),   REPLACE_SLOW(helper_be_stq_mmu),
    REPLACE(cpu_ldub_mmuidx_ra, SLOT_CALL),  REPLACE(cpu_ldsb_mmuidx_ra, SLOT_CALL),
    REPLACE(cpu_lduw_mmuidx_ra, SLOT_CALL),  REPLACE(cpu_ldsw_mmuidx_ra, SLOT_CALL),
    REPLACE(cpu_ldl_mmuidx_ra, SLOT_CALL),   REPLACE(cpu_ldq_mmuidx_ra, SLOT_CALL),
    REPLACE(cpu_stb_mmuidx_ra, SLOT_CALL),   REPLACE(cpu_stw_mmuidx_ra, SLOT_CALL),
    REPLACE(cpu_stl_mmuidx_ra, SLOT_CALL),   REPLACE(cpu_stq_mmuidx_ra, SLOT_CALL),
};
const size_t access_replacement_count = sizeof(access_replacements) / sizeof(access_replacements[0]);
