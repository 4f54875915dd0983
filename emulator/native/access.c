/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * access.c: every load and store the guest completes.
 *
 * Two groups of the engine's helpers are replaced: the slow-path loads and stores that translated code calls for every
 * access while a memory hook exists, and the ones that the engine's own C code uses (descriptors, interrupt
 * frames, FXSAVE areas). Both are given the virtual address. The original does the access, with its faults; what
 * returns has completed and is shown to the models, which translate the address themselves (mmu.h).
 */
#include "core.h"
#include "interpose.h"

static void observe_across_pages(struct core *c, uint64_t vaddr, unsigned size, bool write);

/* Device memory is not cached: it goes past the caches at a price of its own. */
static inline bool is_cached(const struct core *c, uint64_t paddr) { return paddr < c->ram_bytes; }

static inline void observe(env_t *env, uint64_t vaddr, unsigned size, bool write)
{
    struct core *c = running;
    if (!c || c->env != env)
        return;
    if (write && c->ledger.current.copying)
        c->account.now->n[COUNTER_BYTES_COPIED] += size;
    if (!c->timing)
        return;
    if ((vaddr & 0xfff) + size > 0x1000) {
        observe_across_pages(c, vaddr, size, write);
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
}

/* Two translations, one access. */
static void observe_across_pages(struct core *c, uint64_t vaddr, unsigned size, bool write)
{
    enum access access = write ? ACCESS_STORE : ACCESS_LOAD;
    unsigned first = (unsigned)(0x1000 - (vaddr & 0xfff));
    const struct tlb_entry *e = mmu_translate(&c->models.mmu, &c->account, vaddr, access);

    if (e && is_cached(c, tlb_entry_paddr(e, vaddr)))
        hierarchy_data(&c->models.hierarchy, &c->account, tlb_entry_paddr(e, vaddr), first, write);
    e = mmu_translate(&c->models.mmu, &c->account, vaddr + first, access);
    if (e && is_cached(c, tlb_entry_paddr(e, vaddr + first)))
        hierarchy_data_rest(&c->models.hierarchy, &c->account, tlb_entry_paddr(e, vaddr + first), size - first, write);
}

/* #AC, which the engine does not know: an unaligned access in ring 3 with CR0.AM and EFLAGS.AC set. */
static inline void check_alignment(env_t *env, uint64_t vaddr, unsigned size, uintptr_t ra)
{
    if (!(vaddr & (size - 1)) || !(ENV_EFLAGS(env) & EFLAGS_AC) || !(ENV_CR(env, 0) & CR0_AM))
        return;
    if ((ENV_HFLAGS(env) & HF_CPL) == 3)
        engine.raise_exception_err_ra(env, VECTOR_AC, 0, ra);
}

/* Translated code: oi names the memory operation, ra the place in generated code. */
#define LOAD(name, bytes)                                                                                            \
    static uint64_t (*original_##name)(env_t *, uint64_t, uint32_t, uintptr_t);                                      \
    static uint64_t replace_##name(env_t *env, uint64_t vaddr, uint32_t oi, uintptr_t ra)                            \
    {                                                                                                                \
        check_alignment(env, vaddr, bytes, ra);                                                                      \
        uint64_t value = original_##name(env, vaddr, oi, ra);                                                        \
        observe(env, vaddr, bytes, false);                                                                           \
        return value;                                                                                                \
    }
#define STORE(name, bytes, type)                                                                                     \
    static void (*original_##name)(env_t *, uint64_t, type, uint32_t, uintptr_t);                                    \
    static void replace_##name(env_t *env, uint64_t vaddr, type value, uint32_t oi, uintptr_t ra)                    \
    {                                                                                                                \
        check_alignment(env, vaddr, bytes, ra);                                                                      \
        original_##name(env, vaddr, value, oi, ra);                                                                  \
        observe(env, vaddr, bytes, true);                                                                            \
    }
LOAD(helper_ret_ldub_mmu, 1)
LOAD(helper_le_lduw_mmu, 2)
LOAD(helper_le_ldul_mmu, 4)
LOAD(helper_le_ldq_mmu, 8)
LOAD(helper_be_lduw_mmu, 2)
LOAD(helper_be_ldul_mmu, 4)
LOAD(helper_be_ldq_mmu, 8)
STORE(helper_ret_stb_mmu, 1, uint32_t)
STORE(helper_le_stw_mmu, 2, uint32_t)
STORE(helper_le_stl_mmu, 4, uint32_t)
STORE(helper_le_stq_mmu, 8, uint64_t)
STORE(helper_be_stw_mmu, 2, uint32_t)
STORE(helper_be_stl_mmu, 4, uint32_t)
STORE(helper_be_stq_mmu, 8, uint64_t)

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

#define REPLACE(name, slots) {#name "_x86_64", slots, (void *)replace_##name, (void **)&original_##name}
const struct interposition access_replacements[] = {
    REPLACE(helper_ret_ldub_mmu, SLOT_DATA), REPLACE(helper_le_lduw_mmu, SLOT_DATA),
    REPLACE(helper_le_ldul_mmu, SLOT_DATA),  REPLACE(helper_le_ldq_mmu, SLOT_DATA),
    REPLACE(helper_be_lduw_mmu, SLOT_DATA),  REPLACE(helper_be_ldul_mmu, SLOT_DATA),
    REPLACE(helper_be_ldq_mmu, SLOT_DATA),   REPLACE(helper_ret_stb_mmu, SLOT_DATA),
    REPLACE(helper_le_stw_mmu, SLOT_DATA),   REPLACE(helper_le_stl_mmu, SLOT_DATA),
    REPLACE(helper_le_stq_mmu, SLOT_DATA),   REPLACE(helper_be_stw_mmu, SLOT_DATA),
    REPLACE(helper_be_stl_mmu, SLOT_DATA),   REPLACE(helper_be_stq_mmu, SLOT_DATA),
    REPLACE(cpu_ldub_mmuidx_ra, SLOT_CALL),  REPLACE(cpu_ldsb_mmuidx_ra, SLOT_CALL),
    REPLACE(cpu_lduw_mmuidx_ra, SLOT_CALL),  REPLACE(cpu_ldsw_mmuidx_ra, SLOT_CALL),
    REPLACE(cpu_ldl_mmuidx_ra, SLOT_CALL),   REPLACE(cpu_ldq_mmuidx_ra, SLOT_CALL),
    REPLACE(cpu_stb_mmuidx_ra, SLOT_CALL),   REPLACE(cpu_stw_mmuidx_ra, SLOT_CALL),
    REPLACE(cpu_stl_mmuidx_ra, SLOT_CALL),   REPLACE(cpu_stq_mmuidx_ra, SLOT_CALL),
};
const size_t access_replacement_count = sizeof(access_replacements) / sizeof(access_replacements[0]);
