/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mmu.h: the way of an address through the TLB models: first level, second level, page walk through the caches
 *
 * It observes: the engine has translated the access already, and the machine calls mmu_translate() for the same virtual
 * address. The snapshot of the control registers (mmu_set_state) must be current, and the flushes that the architecture
 * prescribes must be asked for: nothing is inferred.
 *
 * Structure: I-TLB and D-TLB, or one first level for both, over one second-level TLB (STLB) or none, all with true LRU,
 * each entry tagged with its PCID (x86) or ASID (AArch64), or global. A walk fills the STLB and the first level; a hit in the STLB fills the first level; a victim of the first
 * level is dropped. Both levels are probed for every page size at once; should a guest have made several entries match,
 * the smallest page counts, and of one size the entry used last. A page whose size has no array is held in pieces of
 * the next smaller size that has one. Paging-structure caches (PML4E, PDPTE, PDE) save the reads of the outer levels;
 * their entries are tagged with the PCID or ASID.
 *
 * What is counted, under the ring in force; nothing at all with paging off:
 *   iTLB-loads     calls with ACCESS_FETCH that found a mapping
 *   dTLB-loads     calls with ACCESS_LOAD or ACCESS_STORE that found one: an access that crosses a page is two calls
 *   iTLB-, dTLB-load-misses   those that the first level did not hold
 *   L2-TLB-loads, -load-misses   those misses, and those that the second level did not hold either; 0 without one
 *   page-walks     walks, one for each translation that no level held; its reads go through L1D and are counted there
 *                  as hierarchy.h says, and only once: what the engine does for itself is never counted
 *   page-walk-cycles   what they took; as tlb-walk is charged what of it and of STLB hits the pipeline does not hide
 * A translation that finds no mapping counts, charges and changes nothing: the access faults and is counted when it is
 * tried again. Permissions are the engine's: a present page that refuses the access is looked up as any other. A first
 * store to a clean page causes no extra walk.
 */
#ifndef RINGSCOPE_MMU_H
#define RINGSCOPE_MMU_H

#include "account.h"
#include "hierarchy.h"
#include "tlb.h"
#include "walk.h"

enum access { ACCESS_FETCH, ACCESS_LOAD, ACCESS_STORE };

enum { MMU_ASIDS = 1 << PAGING_ASID_BITS, MMU_WALK_CACHES = 3 };

struct mmu {
    struct tlb_front data, code; /* of the first levels: one and the same where that is unified; with paging off empty */
    struct tlb dtlb, itlb, stlb; /* a unified first level is the D-TLB, and the I-TLB a view of its entries */
    uint64_t tag; /* of the address space in force */
    enum paging_mode mode;
    unsigned large_shift;
    bool unified;
    bool pieces;          /* some page is held in pieces: invlpg must look everywhere */
    struct paging_state state;
    struct hierarchy *hierarchy;
    const struct guest_ram *ram;
    struct walk_config price;
    struct tlb_array walk_cache[MMU_WALK_CACHES]; /* of entries that map 2^39, 2^30, 2^21 (or 2^22) bytes */
    struct tlb_entry identity;                    /* what paging off answers */
    uint32_t next_tag; /* TLB_TAG_BITS wide; renumbered when they run out */
    uint32_t tag_of[MMU_ASIDS];
};

/* The hierarchy must outlive the mmu. NULL, or a sentence. */
const char *mmu_init(struct mmu *mmu, const struct model_config *config, struct hierarchy *hierarchy);
void mmu_free(struct mmu *mmu);

/* Where page tables are read; it must outlive the mmu. Until it is called every walk finds nothing. */
void mmu_set_ram(struct mmu *mmu, const struct guest_ram *ram);

/* After any write of CR0, CR3, CR4 or EFER. Flushes nothing. */
void mmu_set_state(struct mmu *mmu, const struct paging_state *state);

/* After entries have been written or removed, or their tags given up: what was known of them is not known any more. */
void mmu_entries_changed(struct mmu *mmu);

const struct tlb_entry *mmu_translate_slow(struct mmu *mmu, struct account *a, uint64_t vaddr, enum access access);

/* Whether a translation of this page, a multiple of 4 KiB, would change nothing; with paging off never. */
static inline const struct tlb_entry *mmu_unmoved(const struct mmu *mmu, enum access access, uint64_t page)
{
    return tlb_front_find(access == ACCESS_FETCH ? &mmu->code : &mmu->data, page);
}

/* The entry that translates vaddr (tlb_entry_paddr gives the address), good until the next call; NULL: no mapping. */
static inline const struct tlb_entry *mmu_translate(struct mmu *mmu, struct account *a, uint64_t vaddr,
                                                    enum access access)
{
    const struct tlb_entry *unmoved = mmu_unmoved(mmu, access, vaddr & ~0xfffull);
    if (__builtin_expect(!unmoved, false))
        return mmu_translate_slow(mmu, a, vaddr, access);
    account_count(a, access == ACCESS_FETCH ? COUNTER_ITLB_LOADS : COUNTER_DTLB_LOADS);
    return unmoved;
}

/* Invalidation, over all TLBs and paging-structure caches; what each instruction needs is composed of these:
 *   mov cr3                 mmu_flush_asid(new PCID, or 0), unless bit 63 asked to keep
 *   CR0.PG, CR4.PGE, PAE, PSE, PCIDE cleared ...   mmu_flush_all(true)
 *   invlpg                  mmu_invlpg(vaddr)
 *   invpcid 0, 1, 2, 3      mmu_invlpg_asid(vaddr, pcid, false), mmu_flush_asid(pcid), mmu_flush_all(true), (false) */
void mmu_flush_all(struct mmu *mmu, bool global_too);
void mmu_flush_asid(struct mmu *mmu, unsigned asid);                     /* not its global pages */
void mmu_invlpg(struct mmu *mmu, uint64_t vaddr);                        /* address space in force, and global pages */
void mmu_invlpg_asid(struct mmu *mmu, uint64_t vaddr, unsigned asid, bool global_too);

/* AArch64's: the page of an address, global or of one address space, or whatever its space; with `tables` the cached
 * entries of tables on the way to it too. */
void mmu_forget_va(struct mmu *mmu, uint64_t vaddr, unsigned asid, bool tables);
void mmu_forget_va_all(struct mmu *mmu, uint64_t vaddr, bool tables);

#endif
