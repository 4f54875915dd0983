/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ledger.h: what each marked operation cost.
 *
 * `struct books` is all that the machine counts: events and cycles by cause, per ring. An operation's entry in the
 * ledger is the difference of the books between its two marks, summed over its executions.
 *
 * An interrupt that cuts an operation is not part of it. When one is delivered while an operation is open, the *flow*
 * of control it cuts is put aside, with the address space, program counter and stack pointer at which it will go on,
 * and what happens until then is not booked to it. The interrupt's own cost, from its delivery to the first return
 * to user mode or to a flow put aside, is the entry `interrupt`.
 */
#ifndef RINGSCOPE_LEDGER_H
#define RINGSCOPE_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "account.h"
#include "tally.h"

enum ring { RING_KERNEL, RING_USER, RINGS };

struct books {
    struct counters counters[RINGS];
    uint64_t cause[RINGS][CAUSE_COUNT];
};

enum { PROBES_MAX = 64 };
/* The numbers of entries: a mark's own, then the interrupt's, then those of probes (probe.h). */
enum {
    LEDGER_OPERATIONS = 4096,
    LEDGER_INTERRUPT = LEDGER_OPERATIONS,
    LEDGER_PROBES,
    LEDGER_ENTRIES = LEDGER_PROBES + PROBES_MAX,
};
enum { FLOW_OPEN_MAX = 8, FLOWS_MAX = 64 };

struct operation {
    uint64_t count;
    struct books total;
    struct tally where; /* the total by place, if somebody asked: attribution.h */
};

struct flow_key {
    uint64_t address_space, pc, sp;
};

/* An operation that has begun and not ended: what it cost up to the last cut, and the books when it (re)started. Between
 * marks an operation is open once in a flow; a probed one once for each activation, which its key tells apart. */
struct open_operation {
    uint32_t id;
    struct flow_key activation;
    struct books before, spent;
    struct tally where; /* what was spent, by place */
};

struct flow {
    struct flow_key key;
    bool copying;
    uint32_t open_count;
    struct open_operation open[FLOW_OPEN_MAX];
};

struct ledger {
    struct operation *entry[LEDGER_ENTRIES]; /* NULL: never begun */
    struct flow current;
    struct flow *aside[FLOWS_MAX];
    uint32_t aside_count;
    bool in_interrupt;
    struct books interrupt_before;
    struct tally interrupt_where;
    bool places_lost; /* there was no memory for them */
    uint64_t dropped; /* marks that could not be booked: a beginning before the end, an end without one, too many open */
};

void ledger_free(struct ledger *ledger);

void ledger_begin(struct ledger *ledger, const struct books *books, uint32_t id);
void ledger_end(struct ledger *ledger, const struct books *books, uint32_t id);

void ledger_begin_activation(struct ledger *ledger, const struct books *books, uint32_t id,
                             const struct flow_key *activation);
void ledger_end_activation(struct ledger *ledger, const struct books *books, uint32_t id,
                           const struct flow_key *activation);
bool ledger_is_open(const struct ledger *ledger, uint32_t id, const struct flow_key *activation);

/* What is open gets a cost by its place. False: no memory. */
bool ledger_book_place(struct ledger *ledger, uint32_t place, const struct cost_sum *cost);
/* The places of all that was booked are forgotten. Without them the ledger holds no addresses of memory of its own. */
void ledger_forget_places(struct ledger *ledger);

/* An interrupt is delivered to what would have gone on at `key`. Before anything of it is booked. */
void ledger_cut(struct ledger *ledger, const struct books *books, const struct flow_key *key);

/* Control returned by an interrupt return to `key`. After it is booked. */
void ledger_return(struct ledger *ledger, const struct books *books, const struct flow_key *key, bool to_user);

#endif
