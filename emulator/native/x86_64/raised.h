/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * raised.h: the exceptions and interrupts that were raised and not delivered.
 *
 * A delivery that fails raises the next one. Such a chain ends with a delivery, and is forgotten, or with shutdown, and
 * is its reason. The engine says which vector it is about to deliver; that two of them became #DF, and what the second
 * was, is only seen where it raises them.
 */
#ifndef RINGSCOPE_RAISED_H
#define RINGSCOPE_RAISED_H

#include "core.h"

/* Before and after a delivery. */
void raised_delivery(struct core *c, enum raised_kind kind, uint32_t vector);
static inline void raised_delivered(struct core *c) { c->arch.raised_count = 0; }

/* The engine's two ways to raise an exception that has an error code, noted. They do not return. */
void replace_raise_exception_err(env_t *env, int vector, int error_code);
void replace_raise_exception_err_ra(env_t *env, int vector, int error_code, uintptr_t ra);
extern void (*original_raise_exception_err)(env_t *, int, int);
extern void (*original_raise_exception_err_ra)(env_t *, int, int, uintptr_t);

#define RAISED_REPLACEMENT(name) \
    {ENGINE_SYMBOL(#name), SLOT_CALL, (void *)replace_##name, (void **)&original_##name}
#define RAISED_REPLACEMENTS RAISED_REPLACEMENT(raise_exception_err), RAISED_REPLACEMENT(raise_exception_err_ra)

#endif
