/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * walk.c: the stage 1 translation tables of EL1&0 (see walk.h)
 */
#include "walk.h"

#include <string.h>

#define SCTLR_M 1ull
#define TCR_A1 (1ull << 22)
#define TCR_AS (1ull << 36)
#define TCR_TBI0 (1ull << 37)
#define TCR_TBI1 (1ull << 38)
#define TOP_BYTE (0xffull << 56)
#define TCR_EPD0 (1ull << 7)
#define TCR_EPD1 (1ull << 23)
#define TCR_IPS_SHIFT 32
#define TTBR_ADDRESS 0x0000fffffffffffeull
#define DESCRIPTOR_ADDRESS 0x0000fffffffff000ull

enum {
    DESCRIPTOR_VALID = 1 << 0,
    DESCRIPTOR_TABLE = 1 << 1, /* at the last level: a page */
    DESCRIPTOR_USER = 1 << 6,  /* AP[1] */
    DESCRIPTOR_READ_ONLY = 1 << 7,
    DESCRIPTOR_NOT_GLOBAL = 1 << 11,
};
#define DESCRIPTOR_PXN (1ull << 53)

/* Physical addresses of the Cortex-A57: ID_AA64MMFR0_EL1.PARange. */
enum { PHYSICAL_BITS = 44 };
enum { PAGE_SHIFT = 12, HUGE_SHIFT = 30, STRIDE = 9, LAST_LEVEL = 3, GRANULE_4K_TTBR0 = 0, GRANULE_4K_TTBR1 = 2 };

enum paging_mode paging_mode(const struct paging_state *state)
{
    return state->sctlr & SCTLR_M ? PAGING_4LEVEL : PAGING_OFF;
}

unsigned paging_asid(const struct paging_state *state)
{
    uint64_t ttbr = state->tcr & TCR_A1 ? state->ttbr1 : state->ttbr0;
    return (unsigned)(ttbr >> 48 & (state->tcr & TCR_AS ? 0xffff : 0xff));
}

/* Chooses the half of the address space: its table and its size in address bits. False where there is none. A top byte
 * that TCR_EL1 has ignored may hold anything. */
static bool choose_half(const struct paging_state *state, uint64_t vaddr, uint64_t *table, unsigned *bits)
{
    bool upper = vaddr >> 55 & 1;
    uint64_t tcr = state->tcr, granule = upper ? tcr >> 30 & 3 : tcr >> 14 & 3;
    *bits = 64 - (unsigned)(upper ? tcr >> 16 & 0x3f : tcr & 0x3f);
    *table = (upper ? state->ttbr1 : state->ttbr0) & TTBR_ADDRESS;
    if (granule != (upper ? GRANULE_4K_TTBR1 : GRANULE_4K_TTBR0) || (tcr & (upper ? TCR_EPD1 : TCR_EPD0)))
        return false;
    if (tcr & (upper ? TCR_TBI1 : TCR_TBI0))
        vaddr = upper ? vaddr | TOP_BYTE : vaddr & ~TOP_BYTE;
    uint64_t outside = vaddr >> *bits, wanted = upper ? ~0ull >> *bits : 0;
    return *bits >= 25 && *bits <= 48 && outside == wanted;
}

/* Whether an address that the tables name lies beyond what TCR_EL1.IPS and the processor have. */
static bool is_beyond(const struct paging_state *state, uint64_t paddr)
{
    static const uint8_t sizes[8] = {32, 36, 40, 42, 44, 48, 48, 48};
    unsigned bits = sizes[state->tcr >> TCR_IPS_SHIFT & 7];

    return paddr >> (bits < PHYSICAL_BITS ? bits : PHYSICAL_BITS) != 0;
}

static void refuse(struct walk_result *result, enum walk_refusal why, unsigned level)
{
    result->refused = why;
    result->refused_level = level;
}

void walk_read(const struct paging_state *state, const struct guest_ram *ram, uint64_t vaddr,
               struct walk_result *result)
{
    uint64_t table, descriptor;
    unsigned bits, shift;

    memset(result, 0, sizeof *result);
    if (paging_mode(state) == PAGING_OFF) {
        result->present = vaddr >> PHYSICAL_BITS == 0;
        result->paddr = vaddr;
        if (!result->present)
            refuse(result, WALK_BEYOND, 0);
        return;
    }
    if (!choose_half(state, vaddr, &table, &bits))
        return;
    if (is_beyond(state, table)) {
        refuse(result, WALK_BEYOND, 0);
        return;
    }
    for (shift = PAGE_SHIFT + (bits - PAGE_SHIFT - 1) / STRIDE * STRIDE;; shift -= STRIDE) {
        unsigned index_bits = bits - shift < STRIDE ? bits - shift : STRIDE;
        uint64_t paddr = table + (vaddr >> shift & ((1ull << index_bits) - 1)) * 8;
        const uint8_t *at = ram_at(ram, paddr, 8);
        if (!at)
            return;
        memcpy(&descriptor, at, 8);
        result->entry_paddr[result->levels] = paddr;
        result->entry_shift[result->levels] = shift;
        result->entry[result->levels++] = descriptor;
        if (!(descriptor & DESCRIPTOR_VALID) || (shift == PAGE_SHIFT && !(descriptor & DESCRIPTOR_TABLE)))
            return;
        bool leaf = shift == PAGE_SHIFT || !(descriptor & DESCRIPTOR_TABLE);
        unsigned level = LAST_LEVEL - (shift - PAGE_SHIFT) / STRIDE;
        if (leaf && shift > HUGE_SHIFT) {
            refuse(result, WALK_NO_BLOCK, level);
            return;
        }
        if (is_beyond(state, descriptor & DESCRIPTOR_ADDRESS)) {
            refuse(result, WALK_BEYOND, level);
            return;
        }
        if (leaf)
            break;
        table = descriptor & DESCRIPTOR_ADDRESS;
    }
    result->present = true;
    result->page_shift = shift;
    result->paddr = (descriptor & DESCRIPTOR_ADDRESS & ~((1ull << shift) - 1)) | (vaddr & ((1ull << shift) - 1));
    result->writable = !(descriptor & DESCRIPTOR_READ_ONLY);
    result->user = descriptor & DESCRIPTOR_USER;
    result->nx = descriptor & DESCRIPTOR_PXN;
    result->global = !(descriptor & DESCRIPTOR_NOT_GLOBAL);
}
