/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * memory.h: guest RAM as native code sees it.
 */
#ifndef RINGSCOPE_MEMORY_H
#define RINGSCOPE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* One range of physical memory, and the host's buffer behind it. */
struct guest_ram {
    uint8_t *host;
    uint64_t base, bytes;
};

/* The host address of `bytes` bytes at paddr, NULL where they are not all RAM. */
static inline uint8_t *ram_at(const struct guest_ram *ram, uint64_t paddr, uint64_t bytes)
{
    uint64_t offset = paddr - ram->base; /* below the base: huge */
    return offset <= ram->bytes && bytes <= ram->bytes - offset ? ram->host + offset : NULL;
}

#endif
