/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * attribution.h: where everything in the books was spent, to the last cycle and event, for whoever asked.
 *
 * A *place* is an instruction, in an address space and a ring, on a way by which the guest came to it (callpath.h). What
 * the books of the ring in force changed by, from one look at them to the next, goes to one place; so all places together
 * hold what the books hold, whatever charged it. While somebody asked, the engine translates each instruction by itself,
 * as for a debugger's steps, and the hook looks before each: the guest and its counters are the same.
 *
 * Which place:
 *   - what an instruction is counted and charged while it executes (its accesses, events with a price) goes to it;
 *   - the instructions of a block, counted when it is entered, go to each, and its fetches to the first;
 *   - what the pipeline charges for a block as a whole goes to the instructions by which it grew: before each one the core
 *     works out what the block would be charged were it cut there (core_foresee()), and an instruction gets by how
 *     much more that is after it than before it, of each cause. So it has the time by which the point of retirement moved
 *     for it, and its own fixed price. What a later instruction hides (a stall behind which it did its own work) the
 *     earlier one gives up to it: of no cause any instruction gets less than nothing, and all of them get what the block
 *     did;
 *   - its cycles are whole ones: of instructions that retire in the same, the one with which it is full has it;
 *   - so the wait for a fetch, or for where a mispredicted branch leads, lies with the instructions that waited: the first
 *     of the block that came late. The miss itself is counted at the branch;
 *   - the way into the kernel, booked there, goes to the first instruction of the handler; the way out to the
 *     instruction that returns.
 *
 * An operation of the ledger that is open gets the same, by place, and keeps it if it ends (ledger.h).
 */
#ifndef RINGSCOPE_ATTRIBUTION_H
#define RINGSCOPE_ATTRIBUTION_H

#include <stdbool.h>
#include <stdint.h>

#include "block.h"
#include "callpath.h"
#include "ledger.h"
#include "place.h"
#include "tally.h"

struct core;

struct attribution {
    struct places places;
    struct tally total;
    struct callpath path;
    struct books seen;  /* as of the last look */
    bool failed;        /* no memory: something has no place */

    /* the block being executed */
    const struct block *block; /* NULL between blocks */
    const struct block *last;  /* the same, until the next one: the ring may end before its charge is known */
    uint64_t pc, space;
    enum ring ring;
    uint32_t at;               /* which instruction of it */
    uint64_t touched;          /* a bit for each instruction that `step` has something of */
    struct cost_sum step[BLOCK_INSNS_MAX];
    uint64_t foreseen;         /* a bit for each instruction before which `before` is known */
    uint64_t before[BLOCK_INSNS_MAX][CAUSE_COUNT]; /* what the block would be charged, were it cut before each */
    uint64_t charge[CAUSE_COUNT]; /* its ring's cycles by cause, before it is charged */
    uint64_t site;             /* the instruction executed last */
};

/* Only while somebody asked. */
void attribution_enter(struct core *c, uint64_t pc);         /* before anything of a block is booked */
void attribution_entered(struct core *c);                    /* its instructions and its fetches are */
void attribution_step(struct core *c, uint64_t pc);          /* another instruction of it is next */
void attribution_charge(struct core *c);                     /* the pipeline is about to charge it */
void attribution_charged(struct core *c, uint32_t done);     /* it has, for the first so many of its instructions */
void attribution_leave(struct core *c, const struct block *b, uint64_t pc); /* it is done, and its branch charged */
void attribution_cut(struct core *c, uint64_t pc, uint32_t done); /* it ends before pc, that much of it executed */
void attribution_settle(struct core *c, uint64_t pc);        /* all that was booked has its place now; pc is next */
void attribution_cross(struct core *c, enum path_kind kind); /* the kernel is about to be entered */
void attribution_interrupt(struct core *c);                  /* the same by an interrupt, before the ledger hears of it */
void attribution_returned(struct core *c);                   /* from an exception or interrupt, as far as it is booked */
void attribution_ring(struct core *c, enum ring ring);       /* about to be in force */

/* If somebody did. */
void attribution_stop(struct core *c);

#endif
