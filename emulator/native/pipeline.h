/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * pipeline.h: when the micro-operations of blocks begin and end: the issue model
 *
 * The state is a row of times in issue units (account.h): when the front end delivers next, when all before has
 * retired, when each architectural register has its value, when each port is free. A micro-operation takes the times of
 * what it reads and gives those of what it writes by nothing but maximum and addition, so a block as a whole does too:
 * its *summary* says, for each time that it changes, of which times and plus how much it is the largest. A block without
 * a surprise costs one pass over its summary, and host code made of that (summary_code.h) where it has passed often; one
 * with a cache miss or a cut is done operation by operation, which also becomes host code (operations_code.h). All give the
 * same times.
 *
 * Out of order: an operation is delivered at the front's pace, begins when what it reads is there and what was
 * delivered to its port before has had its turn, and retires in order. An operation that waits for what it reads does
 * not hold its port: those behind it pass. The front stands still when `window` instructions have not retired. So
 * independent misses overlap as far as the window and the fill buffers reach, and dependent ones do not.
 * In order: an operation begins when what it reads and its port are there and the one before has begun.
 *
 * What passes at the point of retirement is charged: the time a block adds there, first what it takes by itself
 * (CAUSE_ISSUE), then what late delivery added (I_MISS, TLB_WALK, BRANCH), then what its accesses added (D_MISS,
 * TLB_WALK). Where two reasons were hidden behind one another, the earlier in this list has the cycles.
 */
#ifndef RINGSCOPE_PIPELINE_H
#define RINGSCOPE_PIPELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "account.h"
#include "host_code.h"
#include "model_config.h"

/* The row of times. Registers follow PIPELINE_REGISTERS, numbered by the architecture's decoder. */
enum {
    PIPELINE_FRONT,
    PIPELINE_RETIRED,
    PIPELINE_BRANCH,    /* the last branch knows where it goes */
    PIPELINE_TEMPORARY, /* what a load hands to the operation of its own instruction */
    PIPELINE_FILL,      /* the buffers of missing lines are free */
    PIPELINE_PORTS = 8, /* port 0 is none */
    PIPELINE_REGISTERS = 32,
    PIPELINE_TIMES = 104
};

enum { PIPELINE_SOURCES = 7, PIPELINE_DESTINATIONS = 4, PIPELINE_OPS_PER_INSN = 4, PIPELINE_PENDING = 64 };

/* Retirement is remembered for groups of so many instructions, so many of them: more than any window has. */
enum { PIPELINE_GROUP = 8, PIPELINE_GROUPS = 64 };

enum micro_kind { MICRO_PLAIN, MICRO_LOAD, MICRO_STORE };

/* One micro-operation. Written by Python with this very layout (timing/micro_ops.py). */
struct micro_op {
    uint8_t kind;
    uint8_t accesses; /* how many the engine makes of it: two for 16 bytes or a pair */
    uint8_t port;
    uint8_t sources;
    uint8_t source[PIPELINE_SOURCES];
    uint8_t destinations;
    uint8_t destination[PIPELINE_DESTINATIONS];
    uint16_t latency;   /* units from its beginning to its results */
    uint16_t occupancy; /* units for which it has its port */
    uint16_t slot;      /* units of the front end */
};

/* A block in one step. A form is the largest of `time[from] + plus` over its terms, a result a form and a constant. Terms
 * come in pairs; where their number is odd, one is there twice. Pairs and results come in fours, the last of them filled up
 * with what changes nothing: how many a block has, the host's predictor cannot foresee. */
enum { SUMMARY_AT_ONCE = 4 };

struct summary_pair {
    uint8_t from[2];
    uint16_t last; /* of its form */
    uint16_t plus[2];
};

struct summary_term {
    uint8_t from;
    uint32_t plus;
};

struct summary_result {
    uint8_t to, form;
    uint16_t plus;
    int16_t retires; /* all ones: the block has not retired before; else 0 */
};

enum { SUMMARY_FORMS = 48, SUMMARY_TERMS = 1024 };

struct pipeline;
struct summary;

/* Moves the row of times as a summary says. `origin` is the row's SUMMARY_ORIGIN: host code reaches what lies near it by
 * shorter instructions. */
typedef void summary_step(uint64_t *origin, struct pipeline *p, struct summary *summary);
enum { SUMMARY_ORIGIN = PIPELINE_REGISTERS };

/* Moves it by a block's operations, each access longer by what `extra` has of its operation's first access; says in `begin` when
 * that began. Buffers and what waits for them are not moved. */
typedef void operations_step(uint64_t *origin, const uint64_t *extra, uint64_t *begin);
enum { OPERATIONS_ACCESSES = 32 };

/* PIPELINE_RETIRED is the largest of form 0 and of the results that retire; by itself, of what follows the front end and
 * of the terms `retired`. */
struct summary {
    summary_step *step;
    operations_step *operations; /* the block's operations as host code; NULL: there is none */
    uint32_t passes, surprises;  /* so far, until there is code for them */
    uint32_t pairs, results, retired_terms, retired_after_front;
    uint32_t longest; /* units by which the latest of all times moves at the most */
    const struct summary_pair *pair;
    const struct summary_result *result;
    const struct summary_term *retired;
};

/* The causes of stalls, one after another. */
enum { PIPELINE_STALLS = CAUSE_I_MISS, PIPELINE_STALLS_END = CAUSE_BRANCH + 1 };
_Static_assert((int)CAUSE_ISSUE < (int)PIPELINE_STALLS && PIPELINE_STALLS_END - PIPELINE_STALLS == 4, "see causes.def");

/* Passes after which a summary becomes host code: most code is executed less often, and would only take room. */
enum { SUMMARY_PATIENCE = 32 };

/* What is known of an access before its block is charged. */
struct pending {
    uint32_t access; /* its number in the block */
    uint32_t miss, walk; /* units beyond those of a hit */
    bool write;
};

struct pipeline {
    uint64_t time[PIPELINE_TIMES];
    struct pipeline_config config;
    struct host_code *code; /* see pipeline_use_code() */
    uint32_t patience;
    uint64_t window_groups; /* of PIPELINE_GROUP instructions; in order all ones: none */
    uint64_t taken; /* when the last taken branch was followed */
    uint64_t instructions;
    uint64_t retired[PIPELINE_GROUPS]; /* when the block retired that made a group whole, a ring; the next group is not */
    uint64_t late[PIPELINE_STALLS_END]; /* units by which the front was held up since the block before */
    bool is_late;
    uint32_t pending_count;
    struct pending pending[PIPELINE_PENDING];
};

/* How far the latest of all times is ahead of retirement, and what was noted of accesses may put it further: before that nothing
 * more than its own operations take passes there. */
uint64_t pipeline_reach(const struct pipeline *p);

void pipeline_init(struct pipeline *p, const struct pipeline_config *config);

/* Summaries that have passed `patience` times become host code there. NULL, as at first: they do not, and where one has, the
 * code is not used. */
void pipeline_use_code(struct pipeline *p, struct host_code *code, uint32_t patience);

/* summary.c: that of a block of `count` operations, for free(). NULL: it has more than `room` terms (at most SUMMARY_TERMS)
 * or too many forms, some time is too much later for a summary, or there is no memory. */
struct summary *pipeline_summarise(const struct pipeline_config *config, const struct micro_op *op, uint32_t count,
                                   uint32_t room);

/* A block's operations by themselves. */
struct pipeline_work {
    const struct micro_op *op;
    uint32_t ops;
    struct summary *summary; /* of all of them; NULL: none */
    uint32_t instructions;
};

/* Units that the block adds; by cause (issue and stalls) only if it was `stalled`, else all of them are issue. */
struct pipeline_cost {
    uint64_t total;
    bool stalled;
    uint64_t cause[PIPELINE_STALLS_END];
};

/* The steps of a summary that is new, and of one that goes by its list for ever. */
summary_step pipeline_first_passes, pipeline_pass_by_list;

/* Whether something took longer since the block before, so that its summary alone does not tell what a block takes. */
static inline bool pipeline_is_surprised(const struct pipeline *p) { return p->is_late | (p->pending_count != 0); }

/* A block's summary: move the times. */
static inline void pipeline_move(struct pipeline *p, struct summary *summary)
{
    summary_step *step = p->code ? summary->step : pipeline_pass_by_list;
    step(&p->time[SUMMARY_ORIGIN], p, summary);
}

/* The window: nothing is delivered before what came `window` instructions earlier has retired. */
static inline void pipeline_retire(struct pipeline *p, uint32_t instructions)
{
    uint64_t group = p->instructions / PIPELINE_GROUP, end = (p->instructions += instructions) / PIPELINE_GROUP;
    uint64_t at = p->time[PIPELINE_RETIRED];

    p->retired[group % PIPELINE_GROUPS] = at; /* that of a group which is not whole is written again */
#pragma clang loop vectorize(disable) unroll(disable)
    while (__builtin_expect(++group < end, false)) /* few blocks have so many instructions */
        p->retired[group % PIPELINE_GROUPS] = at;
    if (end >= p->window_groups) {
        uint64_t room = p->retired[(end - p->window_groups) % PIPELINE_GROUPS], front = p->time[PIPELINE_FRONT];
        p->time[PIPELINE_FRONT] = front < room ? room : front;
    }
}

/* A block without a surprise has been executed: move the times. Returns the units that it adds. */
static inline uint64_t pipeline_pass(struct pipeline *p, struct summary *summary, uint32_t instructions)
{
    uint64_t before = p->time[PIPELINE_RETIRED];

    pipeline_move(p, summary);
    pipeline_retire(p, instructions);
    return p->time[PIPELINE_RETIRED] - before;
}

/* The operations have been executed: move the times. */
void pipeline_execute(struct pipeline *p, const struct pipeline_work *work, struct pipeline_cost *cost);

/* The front end is held up: by a missing line of code, a redirection. */
static inline void pipeline_hold(struct pipeline *p, enum cause cause, uint64_t units)
{
    p->time[PIPELINE_FRONT] += units;
    p->late[cause] += units;
    p->is_late = true;
}

/* Nothing is delivered before all has retired. */
static inline void pipeline_drain(struct pipeline *p)
{
    if (p->time[PIPELINE_FRONT] < p->time[PIPELINE_RETIRED])
        p->time[PIPELINE_FRONT] = p->time[PIPELINE_RETIRED];
}

/* The front end is busy for so long with what no operation stands for. Returns the units that pass at retirement. */
static inline uint64_t pipeline_advance(struct pipeline *p, uint64_t units)
{
    uint64_t before = p->time[PIPELINE_RETIRED];
    p->time[PIPELINE_FRONT] += units;
    if (p->time[PIPELINE_RETIRED] < p->time[PIPELINE_FRONT])
        p->time[PIPELINE_RETIRED] = p->time[PIPELINE_FRONT];
    return p->time[PIPELINE_RETIRED] - before;
}

/* The inverse: `retired` is what pipeline_advance(units) returned. */
static inline void pipeline_withdraw(struct pipeline *p, uint64_t units, uint64_t retired)
{
    p->time[PIPELINE_FRONT] -= units;
    p->time[PIPELINE_RETIRED] -= retired;
}

/* A branch ended the block. The front end follows one that is taken only `interval` units after the one before. Without a
 * branch of the host's, which would not foresee it. */
static inline void pipeline_branch(struct pipeline *p, bool taken, uint64_t interval)
{
    uint64_t front = p->time[PIPELINE_FRONT], next = p->taken + interval;

    next = front < next ? next : front;
    p->time[PIPELINE_FRONT] = taken ? next : front;
    p->taken = taken ? next : p->taken;
}

/* The front end comes late to where it leads, by so many cycles: if it did not foresee that (`missed`), after it is known, or,
 * in order, after the branch has begun and waits for nothing any more. */
static inline void pipeline_branch_late(struct pipeline *p, bool missed, uint32_t late)
{
    uint64_t front = p->time[PIPELINE_FRONT], known = p->time[PIPELINE_BRANCH];
    uint64_t ahead = (missed & !p->config.in_order & (known > front)) ? known - front : 0;
    uint64_t units = ahead + (uint64_t)late * ISSUE_UNITS_PER_CYCLE;

    p->time[PIPELINE_FRONT] = front + units;
    p->late[CAUSE_BRANCH] += units;
    p->is_late |= units != 0;
}

/* An access of the block in flight, by its number there: cycles beyond a hit. */
void pipeline_note(struct pipeline *p, uint32_t access, uint32_t miss, uint32_t walk, bool write);

#endif
