/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * probe.h: operations of the ledger that begin and end at addresses instead of marks.
 *
 * A probe watches code that was not changed for it: it begins where `from` is executed and ends where the function that
 * begins there returns to, or at `until`. What passes is booked as between two marks (ledger.h), interrupts apart, under
 * LEDGER_PROBES plus the probe's number. A translation that begins at such an address tells its hook so (HOOK_PROBE):
 * all others run as if there were no probe.
 *
 * Several activations of one function may be open at once, of several threads or of a recursion; each is known by where
 * it will return to: program counter, stack pointer and, in user mode, address space. One that never returns is dropped
 * when its place is used again. A program in user mode is known by the code of its page, as programs at one address in
 * several spaces must be.
 */
#ifndef RINGSCOPE_PROBE_H
#define RINGSCOPE_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "ledger.h"

struct core;

enum { RETURNS_MAX = 1 << 12 }; /* places of return that are known, half of what the table holds at most */

struct probe {
    uint64_t from, until;    /* virtual addresses; `until` NOWHERE: the return */
    bool user;
    uint8_t *code;           /* what the program has on the page of `from`; NULL: any program's */
    uint32_t offset, length; /* where on the page, in bytes */
};

struct probes {
    uint32_t count;
    struct probe probe[PROBES_MAX];
    uint64_t entries[PROBES_MAX];
    uint64_t *returns;       /* by hash, 0: free */
    uint32_t return_count;
    bool comes_again;        /* the instruction at a probe faulted, and its flow will come by once more: not another entry */
    struct flow_key again;
};

void probes_free(struct probes *probes);

/* Whether translations must not run over pc. */
bool probes_are_at(const struct probes *probes, uint64_t pc);

/* The guest is at a watched address, and has not executed the instruction there: between two blocks, or inside of one. */
void probe_pass(struct core *c, uint64_t pc);
void probe_pass_inside(struct core *c, uint64_t pc);

/* The instruction at a watched address raised an exception. */
void probe_cut(struct core *c, uint64_t pc);

#endif
