/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * tlb.h: one translation buffer: an array per page size, tagged with the address space, true LRU in each set
 *
 * A set is sorted by recency, as in cache.h. The key of an entry holds the page's address, its size and a *tag*, which
 * stands for the address space it belongs to (0: global, belongs to all). mmu.c gives an address space a new tag when
 * its entries are to be forgotten: they can never match again, and a fill takes their place before it evicts a live
 * entry, so the counts are those of a buffer that had been swept.
 */
#ifndef RINGSCOPE_TLB_H
#define RINGSCOPE_TLB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model_config.h"
#include "walk.h"

enum tlb_size { TLB_SMALL, TLB_LARGE, TLB_HUGE, TLB_SIZES };

/* key: vaddr bits 48..12 << 15 with the offset cleared | page_shift << 21 | tag; 0: free. Bit 48 tells apart the halves of
 * an address space in which each has 48 bits of its own (AArch64); elsewhere it repeats bit 47.
 * data: asid << TLB_ASID_SHIFT | frame address | page_shift of the mapping it is a piece of << 6 | page_shift. */
struct tlb_entry {
    uint64_t key, data;
};

#define TLB_TAG_BITS 21
#define TLB_VADDR_SHIFT 15 /* of an address in a key */
#define TLB_TAG_MASK ((1ull << TLB_TAG_BITS) - 1)
#define TLB_TAG_GLOBAL 0ull
#define TLB_ASID_SHIFT (64 - PAGING_ASID_BITS)
#define TLB_FRAME_MASK (((1ull << TLB_ASID_SHIFT) - 1) & ~0xfffull)

struct tlb_array {
    struct tlb_entry *entry; /* NULL: no array for this size */
    uint32_t set_mask;
    uint32_t set_shift; /* a set occupies 2^set_shift entries, of which the first `ways` are in use */
    uint32_t ways;
    uint32_t total; /* entries to sweep: sets << set_shift */
    bool used;      /* something of this size was put in once: before that no search can succeed */
    bool all_live;  /* of a fully associative one: no entry is free or dead; whoever makes one so says that it is not */
};

struct tlb {
    struct tlb_array array[TLB_SIZES]; /* large pages that share the array of small ones: both name the same entries */
};

/* Each returns NULL, or why the configuration was refused (a sentence without the name of the TLB). */
const char *tlb_init(struct tlb *tlb, const struct tlb_config *config);
void tlb_free(struct tlb *tlb);
const char *tlb_array_init(struct tlb_array *array, const struct tlb_array_config *config);
void tlb_array_free(struct tlb_array *array);

static inline unsigned tlb_entry_shift(const struct tlb_entry *e) { return (unsigned)(e->data & 63); }
static inline unsigned tlb_entry_asid(const struct tlb_entry *e) { return (unsigned)(e->data >> TLB_ASID_SHIFT); }
static inline bool tlb_entry_global(const struct tlb_entry *e) { return (e->key & TLB_TAG_MASK) == TLB_TAG_GLOBAL; }

/* The physical address that vaddr translates to by this entry. */
static inline uint64_t tlb_entry_paddr(const struct tlb_entry *e, uint64_t vaddr)
{
    return (e->data & TLB_FRAME_MASK) | (vaddr & ((1ull << tlb_entry_shift(e)) - 1));
}

static inline uint64_t tlb_key(uint64_t vaddr, unsigned page_shift, uint64_t tag)
{
    return ((vaddr << TLB_VADDR_SHIFT) & (~0ull << (page_shift + TLB_VADDR_SHIFT))) |
           (uint64_t)page_shift << TLB_TAG_BITS | tag;
}

static inline struct tlb_entry *tlb_set(const struct tlb_array *array, uint64_t vaddr, unsigned page_shift)
{
    return array->entry + ((size_t)((vaddr >> page_shift) & array->set_mask) << array->set_shift);
}

/* An entry of key's page that is global or carries key's own tag. */
static inline bool tlb_key_matches(uint64_t entry_key, uint64_t key)
{
    uint64_t difference = entry_key ^ key;
    return difference == 0 || difference == (key & TLB_TAG_MASK);
}

/* In an array that has been used, the entry that translates vaddr, now the newest of its set, or NULL; *moved is set if it
 * was not. The pointer is good until the next call. */
const struct tlb_entry *tlb_touch(struct tlb_array *array, uint64_t vaddr, unsigned page_shift, uint64_t tag, bool *moved);

/* Makes `entry` the newest of its set in place of a dead entry (tag_of tells), else of the one used longest ago. */
const struct tlb_entry *tlb_fill(struct tlb_array *array, uint64_t vaddr, struct tlb_entry entry,
                                 const uint32_t *tag_of);

/* Removes what translates vaddr at this page size: entries with this tag, and global ones if asked. */
void tlb_remove(struct tlb_array *array, uint64_t vaddr, unsigned page_shift, uint64_t tag, bool global_too);

/* Calls visit(entry, context) for every entry in use, live or dead; one whose call returns true is removed. */
void tlb_sweep(struct tlb_array *array, bool (*visit)(struct tlb_entry *, void *), void *context);
void tlb_array_empty(struct tlb_array *array);

/* The front of a TLB: pages that it was asked for and that would move nothing if it were asked again, since their entry is
 * the newest of its set. A slot for each set of small pages: its key is the address of 4 KiB, whatever the size of the
 * mapping, and its data are those of the entry. Who removes entries or changes the address space clears the front. */
struct tlb_front {
    struct tlb_entry *slot;
    uint64_t mask; /* of a slot's offset in bytes */
    bool shared;   /* large pages are in the sets of small ones */
};

const char *tlb_front_init(struct tlb_front *front, const struct tlb *tlb);
void tlb_front_free(struct tlb_front *front);
void tlb_front_clear(struct tlb_front *front);

/* vaddr has been translated by the entry, the newest of its set; it was not before if it has `moved`. */
void tlb_front_put(struct tlb_front *front, uint64_t vaddr, const struct tlb_entry *entry, bool moved);

/* The slot of a page, which is a multiple of 4 KiB; NULL: something may move, or not even be there. */
static inline const struct tlb_entry *tlb_front_find(const struct tlb_front *front, uint64_t page)
{
    enum { SLOT_SHIFT = 4 };
    _Static_assert(sizeof *front->slot == 1 << SLOT_SHIFT, "the page's number, times the size of a slot");
    const struct tlb_entry *slot = (const void *)((const char *)front->slot + (page >> (12 - SLOT_SHIFT) & front->mask));
    return slot->key == page ? slot : NULL;
}

#endif
