/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * emit.h: code of ours in the engine's translations.
 *
 * Without the models, all that entering a block amounts to is to count its instructions and to see that nothing is due.
 * That is a handful of host instructions, and the engine's own code generator puts them where it would have called the
 * block hook: the hook is called only when `quiet_until` has come, which is also how anything else makes itself heard
 * (core_quieten). Which block was entered last is noted in `passed`; core_settle() makes of it what the hook would have.
 *
 * The engine's generator is reached through its exported functions. The numbers of its operations are looked up by their
 * names in its own table.
 */
#ifndef RINGSCOPE_EMIT_H
#define RINGSCOPE_EMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "interpose.h"

struct core;
struct block;

/* The code generator's functions, filled with those of seam.h. A `value` is an offset from the generator's context. */
struct generator {
    intptr_t (*constant)(void *context, uint64_t value);
    void *(*new_temporary)(void *context, int type, bool survives_branches);
    void (*free_temporary)(void *context, void *temporary);
    void *(*new_label)(void *context);
    void (*branch_if)(void *context, int condition, intptr_t a, intptr_t b, void *label);
    void (*add_constant)(void *context, intptr_t result, intptr_t value, int64_t constant);
    void (*operation1)(void *context, unsigned operation, uintptr_t a);
    void (*operation3)(void *context, unsigned operation, uintptr_t a, uintptr_t b, uintptr_t c);
    void (*restart)(void *context); /* drop what was generated for the present translation */
};
extern struct generator generator;

/* Whether the engine's operations are known; they are after its first translation. */
bool emit_is_possible(void);

/* In the translation that follows, count `block` without the hook; NULL: call the hook in each block. */
void emit_count(struct core *c, const struct block *block, uint64_t pc);

/* The translation just made is to be made again. */
void emit_again(void);

extern const struct interposition emit_replacements[];
extern const size_t emit_replacement_count;

#endif
