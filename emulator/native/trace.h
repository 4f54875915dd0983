/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * trace.h: what happened in a run, event by event, for whoever asked to see it.
 *
 * Crossings of rings, switches of address spaces and marks pass few places (ARCH/crossing.c, ARCH/control.c, mark.c). Each
 * takes a `trace_point` before it acts and tells here afterwards what it did. Events gather in a buffer of fixed size;
 * when it is full its reader empties it. Recording charges nothing and changes nothing that a guest can see; while
 * nobody asked it is one test of a pointer.
 */
#ifndef RINGSCOPE_TRACE_H
#define RINGSCOPE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

struct core;

enum trace_kind {
    TRACE_SYSTEM_CALL,   /* number: enum trace_call; argument: the register that has the call's number */
    TRACE_EXCEPTION,     /* number: the vector, or ESR_EL1.EC; detail: error code, or ESR_EL1; argument: fault address */
    TRACE_INTERRUPT,     /* number: the vector, 0 on AArch64, whose controller tells later */
    TRACE_RETURN,        /* from an exception, an interrupt or a system call */
    TRACE_SPACE,         /* `space` gives way to the one in `argument` */
    TRACE_EVENT,         /* a mark; number: RINGSCOPE_EVENT_* */
    TRACE_BEGIN,         /* a mark; number: the operation's */
    TRACE_END,
};

enum trace_call { TRACE_CALL_SYSCALL, TRACE_CALL_SYSENTER, TRACE_CALL_INT, TRACE_CALL_SVC };

/* Read by Python (emulator/trace/event.py). */
struct trace_event {
    uint64_t time;     /* simulated time, in cycles, at which it began */
    uint64_t from, to; /* program counters: where control comes back to if nobody changes that, and where it goes */
    uint64_t space;    /* CR3 or TTBR0 when it began, as the guest wrote it: PCID or ASID too */
    uint64_t thread;   /* the probed word when it began, 0 without one */
    uint64_t argument;
    uint32_t cost;     /* the cycles that it took by itself; of an instruction's own accesses its block takes them */
    uint32_t detail;
    uint8_t kind;
    uint8_t from_user, to_user;
    uint8_t unused;
    uint32_t number;
};

struct trace {
    struct trace_event *event; /* NULL: nobody asked */
    uint32_t count, capacity;
    uint64_t probe;            /* the virtual address of a word that tells the thread, 0: none */
    uint32_t call_register;    /* where the guest's system calls have their number */
    void (*full)(void);        /* the reader takes what there is, and sets `count` to 0 */
    uint32_t stop_on;          /* a set of enum trace_kind after which a debugger wants to stop */
    struct trace_event unread; /* where events go while there is only the debugger, and `capacity` is 0 */
};

/* The machine before an event; with `recording` false nothing else is set. */
struct trace_point {
    bool recording, user;
    uint64_t time, pc, space, thread;
};

struct trace_point trace_take(struct core *c, uint64_t pc);
/* At the last instruction of the block being executed: what ends a block acts alone. Nothing between blocks. */
struct trace_point trace_take_at_end(struct core *c);
/* The block that the event ended is charged now if it was not before: what it takes is no part of the event. */
void trace_settle(struct core *c, struct trace_point *here);
void trace_stop(struct trace *trace);
void trace_stop_on(struct trace *trace, uint32_t kinds);
void trace_record(struct core *c, const struct trace_point *before, struct trace_event event);

#endif
