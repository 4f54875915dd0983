/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * tlb.c: sets as recency-sorted arrays of translations (see tlb.h)
 */
#include "tlb.h"

#include <stdlib.h>
#include <string.h>

const char *tlb_array_init(struct tlb_array *array, const struct tlb_array_config *config)
{
    memset(array, 0, sizeof *array);
    if (config->entries == 0)
        return NULL;
    if (config->ways == 0 || config->ways > 256 || config->entries % config->ways != 0)
        return "ways must be from 1 to 256 and divide entries";
    uint32_t sets = config->entries / config->ways;
    if ((sets & (sets - 1)) != 0)
        return "entries / ways must be a power of two";
    array->ways = config->ways;
    array->set_mask = sets - 1;
    while (1u << array->set_shift < config->ways)
        array->set_shift++;
    array->total = sets << array->set_shift;
    array->entry = aligned_alloc(64, (array->total * sizeof *array->entry + 63) & ~(size_t)63);
    if (!array->entry)
        return "no memory for the entries";
    tlb_array_empty(array);
    return NULL;
}

void tlb_array_free(struct tlb_array *array)
{
    free(array->entry);
    array->entry = NULL;
}

const char *tlb_init(struct tlb *tlb, const struct tlb_config *config)
{
    memset(tlb, 0, sizeof *tlb);
    if (config->small.entries == 0)
        return "small.entries must not be 0";
    if (config->large_in_small && config->large.entries != 0)
        return "large.entries must be 0 when large pages share the array of small ones";
    const char *refusal = tlb_array_init(&tlb->array[TLB_SMALL], &config->small);
    if (!refusal && config->large_in_small)
        tlb->array[TLB_LARGE] = tlb->array[TLB_SMALL];
    else if (!refusal)
        refusal = tlb_array_init(&tlb->array[TLB_LARGE], &config->large);
    if (!refusal)
        refusal = tlb_array_init(&tlb->array[TLB_HUGE], &config->huge);
    if (refusal)
        tlb_free(tlb);
    return refusal;
}

void tlb_free(struct tlb *tlb)
{
    if (tlb->array[TLB_LARGE].entry == tlb->array[TLB_SMALL].entry)
        tlb->array[TLB_LARGE].entry = NULL;
    for (int size = 0; size < TLB_SIZES; size++)
        tlb_array_free(&tlb->array[size]);
}

/* Puts the entry in front; all before the place `way` move one place back, and what was there is gone. */
static inline void put_in_front(struct tlb_entry *set, uint32_t way, struct tlb_entry entry)
{
    enum { FEW = 8 }; /* a loop beats a call */
    if (way > FEW) {
        memmove(set + 1, set, way * sizeof *set);
        way = 0;
    }
#pragma clang loop unroll(disable)
    for (; way != 0; way--)
        set[way] = set[way - 1];
    set[0] = entry;
}

const struct tlb_entry *tlb_touch(struct tlb_array *array, uint64_t vaddr, unsigned page_shift, uint64_t tag, bool *moved)
{
    struct tlb_entry *set = tlb_set(array, vaddr, page_shift);
    uint64_t key = tlb_key(vaddr, page_shift, tag);
    for (uint32_t way = 0; way < array->ways; way++) {
        if ((set[way].key ^ key) > TLB_TAG_MASK || !tlb_key_matches(set[way].key, key)) /* the first is what most fail */
            continue;
        if (way != 0) {
            put_in_front(set, way, set[way]);
            *moved = true;
        }
        return set;
    }
    return NULL;
}

static bool is_dead(const struct tlb_entry *entry, const uint32_t *tag_of)
{
    if (entry->key == 0)
        return true;
    return !tlb_entry_global(entry) && (entry->key & TLB_TAG_MASK) != tag_of[tlb_entry_asid(entry)];
}

const struct tlb_entry *tlb_fill(struct tlb_array *array, uint64_t vaddr, struct tlb_entry entry,
                                 const uint32_t *tag_of)
{
    struct tlb_entry *set = tlb_set(array, vaddr, tlb_entry_shift(&entry));
    uint32_t last = array->ways - 1, way = array->all_live ? last : 0;
    array->used = true;
    while (way < last && !is_dead(&set[way], tag_of))
        way++;
    array->all_live = way == last && array->set_mask == 0; /* what was there, and what is now */
    put_in_front(set, way, entry);
    return set;
}

void tlb_remove(struct tlb_array *array, uint64_t vaddr, unsigned page_shift, uint64_t tag, bool global_too)
{
    if (!array->used)
        return;
    struct tlb_entry *set = tlb_set(array, vaddr, page_shift);
    uint64_t key = tlb_key(vaddr, page_shift, tag);
    for (uint32_t way = 0; way < array->ways; way++)
        if (set[way].key == key || (global_too && tlb_key_matches(set[way].key, key)))
            set[way].key = 0;
}

void tlb_sweep(struct tlb_array *array, bool (*visit)(struct tlb_entry *, void *), void *context)
{
    for (uint32_t i = 0; i < array->total; i++)
        if (array->entry[i].key != 0 && visit(&array->entry[i], context))
            array->entry[i].key = 0;
}

void tlb_array_empty(struct tlb_array *array)
{
    if (array->entry)
        memset(array->entry, 0, array->total * sizeof *array->entry);
}

/* ---- the front ---- */

const char *tlb_front_init(struct tlb_front *front, const struct tlb *tlb)
{
    const struct tlb_array *small = &tlb->array[TLB_SMALL];
    front->mask = (uint64_t)small->set_mask * sizeof *front->slot;
    front->shared = tlb->array[TLB_LARGE].entry == small->entry;
    front->slot = malloc(front->mask + sizeof *front->slot);
    if (!front->slot)
        return "no memory for the front";
    tlb_front_clear(front);
    return NULL;
}

void tlb_front_free(struct tlb_front *front)
{
    free(front->slot);
    front->slot = NULL;
}

/* All ones are no page's address. */
void tlb_front_clear(struct tlb_front *front) { memset(front->slot, 0xff, front->mask + sizeof *front->slot); }

/* What a small page has taken the first place of its set from is a small page with the same slot. Otherwise it may be a
 * large one, pieces of which may be in all slots, or the slot may be another. */
void tlb_front_put(struct tlb_front *front, uint64_t vaddr, const struct tlb_entry *entry, bool moved)
{
    enum { SMALL_SHIFT = 12 };
    if (moved && (front->shared || tlb_entry_shift(entry) != SMALL_SHIFT))
        tlb_front_clear(front);
    uint64_t page = vaddr & (~0ull << SMALL_SHIFT);
    struct tlb_entry *slot = front->slot + ((page >> SMALL_SHIFT) & (front->mask / sizeof *slot));
    *slot = (struct tlb_entry){.key = page, .data = entry->data};
}
