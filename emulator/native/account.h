/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * account.h: where the models book what they see: events in counters, cycles under a cause
 *
 * The run loop owns one set of counters and one array of causes per ring (user, kernel) and points `now` and `cause` at
 * those of the ring in force; a model only adds. Cycles live under their cause alone, so their sum is the time by
 * construction; `cycles` is the running total of all rings, the clock of the machine.
 */
#ifndef RINGSCOPE_ACCOUNT_H
#define RINGSCOPE_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

/* Bytes of a line of the host's caches: what two threads write does not lie on one. */
enum { HOST_LINE = 64 };

enum counter {
#define COUNTER(name, text, group) COUNTER_##name,
#include "counters.def"
#undef COUNTER
    COUNTER_COUNT
};

enum counter_group {
    COUNTER_GROUP_CORE,
    COUNTER_GROUP_BRANCH,
    COUNTER_GROUP_CACHE,
    COUNTER_GROUP_TLB,
    COUNTER_GROUP_MARK
};

enum cause {
#define CAUSE(name, text) CAUSE_##name,
#include "causes.def"
#undef CAUSE
    CAUSE_COUNT
};

/* The pipeline counts in this fraction of a cycle: the largest that holds sixty-fourths and fifths whole. */
enum { ISSUE_UNITS_PER_CYCLE = 320 };

struct counters {
    uint64_t n[COUNTER_COUNT];
};

struct account {
    struct counters *now;    /* of the ring in force */
    uint64_t *cause;         /* CAUSE_COUNT cycles, of the ring in force */
    uint64_t cycles;         /* of all rings and causes */
    uint32_t *delay;         /* CAUSE_COUNT cycles that a pipeline may hide, to be taken up by it; NULL: there is none */
    bool delayed;            /* some of them is not 0 */
    uint64_t issue_fraction; /* issue units not yet a whole cycle, below ISSUE_UNITS_PER_CYCLE */
};

static inline void account_count(struct account *a, enum counter counter) { a->now->n[counter]++; }

static inline void account_charge(struct account *a, enum cause cause, uint32_t cycles)
{
    a->cause[cause] += cycles;
    a->cycles += cycles;
}

/* Something takes so long: what of it shows is the pipeline's to say. Without one all of it does. */
static inline void account_delay(struct account *a, enum cause cause, uint32_t cycles)
{
    if (!a->delay) {
        account_charge(a, cause, cycles);
        return;
    }
    a->delay[cause] += cycles;
    a->delayed |= cycles != 0;
}

/* Charge issue units to issue or copying; the fraction is carried to the next call, so no cycle is lost or gained by
 * rounding. */
static inline void account_issue(struct account *a, enum cause cause, uint64_t units)
{
    uint64_t sum = a->issue_fraction + units, cycles = sum / ISSUE_UNITS_PER_CYCLE;
    a->issue_fraction = sum % ISSUE_UNITS_PER_CYCLE;
    a->cause[cause] += cycles;
    a->cycles += cycles;
}

/* The names of counters.def and causes.def, and a counter's group, for those who load the core; NULL or -1 beyond. */
const char *counter_name(unsigned counter);
int counter_group(unsigned counter);
const char *cause_name(unsigned cause);

#endif
