/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * types.h: the kernel's basic types.
 *
 * Physical and virtual addresses are different types, so that the compiler refuses to take one for the other; only
 * arch_pointer() and arch_physical() (arch/arch.h) cross over, by the direct map of all memory.
 */
#ifndef KERNEL_TYPES_H
#define KERNEL_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/abi.h"

typedef struct {
	uint64_t value;
} paddr_t;

typedef struct {
	uint64_t value;
} vaddr_t;

typedef uint64_t error_t; /* ERROR_* */

#define PAGE_SIZE ((uint64_t)ABI_PAGE_SIZE)

#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

/* The object of type `type` whose member `member` lies at `pointer`. */
#define container_of(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static inline paddr_t paddr(uint64_t value)
{
	return (paddr_t){ value };
}

static inline vaddr_t vaddr(uint64_t value)
{
	return (vaddr_t){ value };
}

#endif
