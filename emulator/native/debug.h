/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * debug.h: where a debugger wants the guest to stop, and what it was stopped by.
 *
 * Breakpoints stop before an instruction, watchpoints after the one that touched memory, traced events and changes of
 * counters after the instruction that made them. All are looked for in the block hook, at any instruction, before
 * what is entered there is counted, and after an exception's delivery: a run with stops is the run without them. What may happen in the middle of a block is made
 * visible by translating instructions one by one (`single`); accesses pass by here because a core that watches does not
 * claim to be `observing`. With nothing set, nothing of this is asked.
 */
#ifndef RINGSCOPE_DEBUG_H
#define RINGSCOPE_DEBUG_H

#include <stdbool.h>
#include <stdint.h>

#include "ledger.h"
#include "trace.h"

enum { BREAKPOINTS_MAX = 64, WATCHPOINTS_MAX = 64, WATCHED_BYTES_MAX = 8 };

/* `space` is the root of the address space in which it counts, NOWHERE in all of them. */
struct breakpoint {
    uint64_t pc, space;
};

/* Of the bytes from `first` up to and with `last`. */
struct watchpoint {
    uint64_t first, last, space;
    uint32_t on_write, on_read;
};

/* The first access of an instruction to a watched byte. Read by Python (emulator/debug/control.py). */
struct watch_hit {
    uint64_t pc;       /* of the instruction */
    uint64_t vaddr;    /* of the first watched byte that it touched */
    uint64_t old, now; /* the watched bytes from there, `size` of them, before and after */
    uint32_t index;    /* of the watchpoint */
    uint32_t size;
    uint32_t write;
    uint32_t old_is_known; /* false where the engine wrote by itself */
};

struct debug {
    bool active;            /* the hook is to look: breakpoints, or `single` */
    bool single;            /* translate instructions one by one: watchpoints, or counters */
    uint32_t met;           /* enum stop_reason: why to stop before the next instruction */
    uint64_t step_over;     /* a breakpoint here does not stop: it is where we were */
    uint64_t pc;            /* of the instruction being executed, while `active` */
    struct breakpoint breakpoint[BREAKPOINTS_MAX];
    struct watchpoint watchpoint[WATCHPOINTS_MAX];
    uint32_t breakpoints, watchpoints;
    uint64_t counters;      /* a set of enum counter whose change stops */
    uint64_t counted;       /* their sum when it was last looked at */
    struct watch_hit hit, storing; /* what was met; a store that is under way */
    struct trace_event event;      /* what was met */
    struct books here;             /* the answer of core_books_here() */
};

/* Whether a breakpoint lies at pc in some address space. */
bool debug_may_break(const struct core *c, uint64_t pc);
/* Asked before an instruction, wherever it lies: true if it must not be entered now. */
bool debug_stops(struct core *c, uint64_t pc);
/* The instruction that it let through was not entered after all: what it will be asked next is the same again. */
void debug_asks_again(struct core *c, uint64_t pc);
/* Stop before the next instruction, for a reason of enum stop_reason. */
void debug_meet(struct core *c, uint32_t reason);
/* A run begins. */
void debug_begin(struct core *c);

/* While there are watchpoints: a store is about to be done, an access has been done. */
void debug_before_store(struct core *c, uint64_t vaddr, unsigned size);
void debug_accessed(struct core *c, uint64_t vaddr, unsigned size, bool write);

#endif
