/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * walk.c: the three formats of page tables (see walk.h)
 *
 * Bits of an entry: Intel SDM volume 3A, tables 4-4 to 4-6 (32-bit), 4-8 to 4-11 (PAE), 4-15 to 4-20 (4-level).
 */
#include "walk.h"

#include <string.h>

enum {
    ENTRY_PRESENT = 1 << 0,
    ENTRY_WRITABLE = 1 << 1,
    ENTRY_USER = 1 << 2,
    ENTRY_LARGE = 1 << 7, /* PS: the entry maps a page itself */
    ENTRY_GLOBAL = 1 << 8,
};
#define ENTRY_NX (1ull << 63)
#define ENTRY_FRAME 0x000ffffffffff000ull

#define CR0_PG (1ull << 31)
#define CR4_PSE (1ull << 4)
#define CR4_PAE (1ull << 5)
#define CR4_PGE (1ull << 7)
#define EFER_LMA (1ull << 10)
#define EFER_NXE (1ull << 11)

struct walker {
    const struct paging_state *state;
    const struct guest_ram *ram;
    struct walk_result *result;
};

enum paging_mode paging_mode(const struct paging_state *state)
{
    if (!(state->cr0 & CR0_PG))
        return PAGING_OFF;
    if (!(state->cr4 & CR4_PAE))
        return PAGING_32BIT;
    return state->efer & EFER_LMA ? PAGING_4LEVEL : PAGING_PAE;
}

/* Reads one entry, which maps 2^shift bytes, into the result; false when it lies outside of RAM, is not present, or has a
 * forbidden NX. */
static bool read_entry(const struct walker *w, uint64_t paddr, unsigned bytes, unsigned shift, uint64_t *entry)
{
    struct walk_result *r = w->result;
    const uint8_t *at = ram_at(w->ram, paddr, bytes);
    if (!at)
        return false;
    *entry = 0;
    memcpy(entry, at, bytes);
    r->entry_paddr[r->levels] = paddr;
    r->entry_shift[r->levels] = shift;
    r->entry[r->levels++] = *entry;
    if (!(*entry & ENTRY_PRESENT))
        return false;
    return !(*entry & ENTRY_NX) || (w->state->efer & EFER_NXE);
}

static void narrow_rights(const struct walker *w, uint64_t entry)
{
    w->result->writable &= (entry & ENTRY_WRITABLE) != 0;
    w->result->user &= (entry & ENTRY_USER) != 0;
    w->result->nx |= (entry & ENTRY_NX) != 0;
}

static void found(const struct walker *w, uint64_t vaddr, uint64_t frame, unsigned page_shift, uint64_t entry)
{
    struct walk_result *r = w->result;
    r->present = true;
    r->page_shift = page_shift;
    r->paddr = frame | (vaddr & ((1ull << page_shift) - 1));
    r->global = (entry & ENTRY_GLOBAL) && (w->state->cr4 & CR4_PGE);
}

static void walk_32bit(const struct walker *w, uint64_t vaddr)
{
    uint64_t entry;
    uint64_t table = w->state->cr3 & 0xfffff000;
    if (!read_entry(w, table + (vaddr >> 22 & 0x3ff) * 4, 4, 22, &entry))
        return;
    narrow_rights(w, entry);
    if ((entry & ENTRY_LARGE) && (w->state->cr4 & CR4_PSE)) {
        if (entry & 1u << 21)
            return; /* reserved: PSE-36 has bits 13 to 20 for frame bits 32 to 39 */
        found(w, vaddr, (entry & 0xffc00000) | (entry >> 13 & 0xff) << 32, 22, entry);
        return;
    }
    if (!read_entry(w, (entry & 0xfffff000) + (vaddr >> 12 & 0x3ff) * 4, 4, 12, &entry))
        return;
    narrow_rights(w, entry);
    found(w, vaddr, entry & 0xfffff000, 12, entry);
}

/* The levels that PAE and 4-level paging share: from the table that `shift` indexes down to the page. */
static void walk_64bit(const struct walker *w, uint64_t vaddr, uint64_t table, unsigned shift)
{
    uint64_t entry;
    for (;; shift -= 9) {
        if (!read_entry(w, table + (vaddr >> shift & 0x1ff) * 8, 8, shift, &entry))
            return;
        narrow_rights(w, entry);
        if (shift == 12)
            break;
        if (entry & ENTRY_LARGE) {
            uint64_t reserved = ((1ull << shift) - 1) & ~0x1fffull; /* bit 12 is PAT */
            if (shift == 39 || (entry & reserved))
                return;
            break;
        }
        table = entry & ENTRY_FRAME;
    }
    found(w, vaddr, entry & ENTRY_FRAME & ~((1ull << shift) - 1), shift, entry);
}

static void walk_pae(const struct walker *w, uint64_t vaddr)
{
    uint64_t entry;
    w->result->uncharged = 1;
    if (!read_entry(w, (w->state->cr3 & 0xffffffe0) + (vaddr >> 30 & 3) * 8, 8, 30, &entry))
        return;
    walk_64bit(w, vaddr, entry & ENTRY_FRAME, 21);
}

void walk_read(const struct paging_state *state, const struct guest_ram *ram, uint64_t vaddr,
               struct walk_result *result)
{
    struct walker w = {.state = state, .ram = ram, .result = result};
    memset(result, 0, sizeof *result);
    result->writable = result->user = true;
    switch (paging_mode(state)) {
    case PAGING_OFF:
        result->present = true;
        result->paddr = vaddr;
        return;
    case PAGING_32BIT:
        walk_32bit(&w, vaddr & 0xffffffff);
        return;
    case PAGING_PAE:
        walk_pae(&w, vaddr & 0xffffffff);
        return;
    case PAGING_4LEVEL:
        if ((uint64_t)((int64_t)(vaddr << 16) >> 16) == vaddr) /* canonical */
            walk_64bit(&w, vaddr, state->cr3 & ENTRY_FRAME, 39);
        return;
    }
}
