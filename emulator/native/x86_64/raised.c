/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * raised.c: the exceptions and interrupts that were raised and not delivered. See raised.h.
 */
#include "raised.h"

#include <string.h>

static void note_raising(env_t *env, int vector, int error_code)
{
    if (!running)
        return;
    running->arch.raising =
        (struct raised){RAISED_EXCEPTION, (uint32_t)vector, (uint32_t)error_code, ENV_CR(env, 2)};
    running->arch.is_raising = true;
}

void (*original_raise_exception_err)(env_t *, int, int);
void replace_raise_exception_err(env_t *env, int vector, int error_code)
{
    note_raising(env, vector, error_code);
    original_raise_exception_err(env, vector, error_code);
}

void (*original_raise_exception_err_ra)(env_t *, int, int, uintptr_t);
void replace_raise_exception_err_ra(env_t *env, int vector, int error_code, uintptr_t ra)
{
    note_raising(env, vector, error_code);
    original_raise_exception_err_ra(env, vector, error_code, ra);
}

static void note_raised(struct core *c, struct raised raised)
{
    if (c->arch.raised_count < RAISED_MAX)
        c->arch.raised[c->arch.raised_count++] = raised;
}

void raised_delivery(struct core *c, enum raised_kind kind, uint32_t vector)
{
    struct raised raised = {kind, vector, 0, ENV_CR(c->env, 2)};

    if (c->arch.is_raising && vector == VECTOR_DF)
        note_raised(c, c->arch.raising); /* as it was before it became #DF */
    else if (c->arch.is_raising && kind == RAISED_EXCEPTION)
        raised.error_code = c->arch.raising.error_code;
    c->arch.is_raising = false;
    note_raised(c, raised);
}

/* What was raised and not delivered, the oldest first: at most RAISED_MAX. Returns their number. */
uint32_t core_raised(const struct core *c, struct raised *raised)
{
    uint32_t count = c->arch.raised_count;

    memcpy(raised, c->arch.raised, count * sizeof(*raised));
    if (c->arch.is_raising && count < RAISED_MAX)
        raised[count++] = c->arch.raising;
    return count;
}
