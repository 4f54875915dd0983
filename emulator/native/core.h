/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * core.h: one machine's native core: everything that happens per block, per access and per ring crossing.
 *
 * Reading order: this file; seam.h (how the engine is reached); block.h, ledger.h, probe.h, models.h, trace.h,
 * debug.h, attribution.h (what is kept); run.c, cut.c (the block hook, and what cuts a block); charge.c,
 * pipeline.h, summary.c, summary_code.c, operations_code.c, backlog.h (what a block costs); charger.h (and who finds out);
 * schedule.c (the run loop); translate.c, emit.c (translations);
 * access.c (loads and stores). What differs between architectures lies in a folder of its own, with the same names in
 * each: engine.h (the engine's state), arch.h (what the files above ask), crossing.c (exceptions, interrupts, system
 * calls, returns), control.c (control registers, ports), walk.c (page tables), start.c (entry). The core is built
 * once per architecture, with that folder.
 *
 * Time. `account.cycles` counts the cycles in which the processor worked; `idle` those it slept. Their sum is simulated
 * time. Everything that is due at a time (a device's event, the end of a run) is met at the first block boundary
 * at or after it, `due`: one comparison for each block, and core_quieten() says of what.
 *
 * Python owns slow devices, decoding and policy, through `struct callbacks`; it reads and steers the core by the core_*
 * functions. A callback may ask the core to stop (core_stop) but never runs the engine.
 */
#ifndef RINGSCOPE_CORE_H
#define RINGSCOPE_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include "attribution.h"
#include "backlog.h"
#include "block.h"
#include "debug.h"
#include "ledger.h"
#include "probe.h"
#include "seam.h"
#include "memory.h"
#include "models.h"
#include "trace.h"

enum stop_reason {
    STOP_NONE,
    STOP_REQUEST,    /* core_stop() was called */
    STOP_TIME,       /* the time given to core_run() has come */
    STOP_STEPS,      /* the instructions given to core_run() are done */
    STOP_BREAKPOINT, /* the next instruction is a breakpoint */
    STOP_HALT,       /* the guest sleeps until an interrupt */
    STOP_TRIPLE_FAULT,
    STOP_ENGINE, /* the engine gave up: its error is in core_engine_error() */
    STOP_WATCHPOINT, /* the last instruction touched what is watched: core_watch_hit() */
    STOP_EVENT,      /* it made a traced event that was waited for: core_met_event() */
    STOP_COUNTER,    /* it changed a counter that was waited for */
    STOP_TRANSLATE, /* within core_run() only: translations do not fit the block, away with them */
};

enum invalid_answer {
    INVALID_UNDEFINED,
    INVALID_CARRIED_OUT,
    INVALID_DEBUG_TRAP,
    INVALID_PROTECTION,
    INVALID_PAGE_FAULT, /* reading in ring 0 what is not mapped; CR2 is set */
};

struct callbacks {
    decode_callback decode;
    void (*events)(void); /* device events are due */
    int32_t (*acknowledge)(void); /* vector of the pending interrupt, or -1 if there is none after all */
    uint32_t (*port_in)(uint32_t port, uint32_t size);
    void (*port_out)(uint32_t port, uint32_t size, uint32_t value);
    uint64_t (*mmio_read)(uint64_t paddr, uint32_t size);
    void (*mmio_write)(uint64_t paddr, uint32_t size, uint64_t value);
    void (*cpuid)(uint32_t leaf, uint32_t subleaf, uint32_t *registers); /* eax, ebx, ecx, edx */
    int32_t (*msr_read)(uint32_t index, uint64_t *value);   /* 1: done, 0: the engine's, -1: #GP */
    int32_t (*msr_write)(uint32_t index, uint64_t value);
    uint32_t (*task_priority)(void); /* CR8 */
    void (*set_task_priority)(uint32_t value);
    uint64_t (*firmware)(uint64_t function, uint64_t first, uint64_t second); /* AArch64: PSCI */
    uint64_t (*timer_read)(uint32_t name);  /* AArch64: the generic timer's registers */
    void (*timer_write)(uint32_t name, uint64_t value);
    int32_t (*stack_fault)(uint64_t pc); /* whether the #GP there is a #SS: see stack_fault.py */
    int32_t (*invalid)(uint64_t pc); /* the undefined instruction there: enum invalid_answer */
};

/* Decoded blocks beyond which all are forgotten: a guest that rewrites its code for ever must not fill the host. */
enum { BLOCKS_MAX = 1 << 20 };
/* Fills of the engine's TLB, which begins with 256 entries, before it is given a first chance to grow. */
enum { TLB_PATIENCE = 1 << 12, TLB_PATIENCE_MAX = 1 << 24 };
enum { REPEATS_MAX = 64 };

#define NOWHERE (~0ull)

/* A quick way's seldom case ends in a call instead of waiting for its return: so there is nothing to keep across one. */
#define TAIL __attribute__((musttail)) return

/* A string instruction that a fault or an interrupt cut between two elements: known again when it goes on. */
enum { REPEAT_STATE_WORDS = 3 };
struct repeat {
    struct flow_key flow;
    uint64_t state[REPEAT_STATE_WORDS];
};

struct core {
    /* the hot path */
    struct account account;
    uint64_t due;                 /* account.cycles at which the block hook has more to do */
    uint64_t quiet_until;         /* without models: `due`, or 0 while the next block is no matter of routine */
    bool quiet;                   /* with models: the next block is a matter of routine: see core_quieten() */
    const struct block *block;    /* being executed; NULL between blocks */
    uint64_t block_pc;            /* its virtual address */
    uint64_t continue_pc;         /* where it goes on if the engine cut it, else NOWHERE */
    uint64_t repeat_pc;           /* its rep instruction, else NOWHERE */
    const struct block *passed;   /* the block entered last, if its translation counted it without the hook; see emit.h */
    uint64_t passed_pc;           /* its virtual address */
    uint64_t credited;            /* without models: account.cycles up to which the books have been told */
    bool timing;                  /* models run */
    bool observing;               /* and see each access, and nobody else does: no debugger, no instruction done again */
    bool retrying;                /* the engine is doing an instruction a second time */
    struct models models;
    uint32_t delay[CAUSE_COUNT];  /* of account.h: noted with each access and fetch */
    uint32_t accesses;            /* of the block in flight, so far */
    uint64_t *block_cause;        /* whose books the block in flight is charged to: its ring may end with it */
    uint64_t element_units;       /* what the present element of a string instruction was charged */
    bool settled;                 /* the block in flight has been charged */
    struct books books;

    /* the engine */
    void *uc;
    env_t *env;
    cpu_t *cpu;
    void **hook_user_data;        /* what the next translated block's hook will receive */
    struct guest_ram ram;
    bool short_cuts;              /* those below, and the hook's own; without them the results are the same */
    bool trial;                   /* of them: what hot code alone gets, all code gets */
    bool fast_accesses;           /* access.c looks into the engine's TLB */
    bool counting;                /* without models: translations count blocks without the hook where they can */
    bool wants_accesses, sees_accesses; /* translated code shall call, calls our loads and stores: access.c */
    uint32_t tlb_fills, tlb_patience; /* of the engine's TLB since it was flushed; after how many it shall grow */
    bool tlb_grows;
    const uint8_t *code_page[2];  /* host addresses of the pages the last translated block lies on; NULL: none */
    int engine_error;
    struct arch_state arch;

    /* time */
    uint64_t idle, next_event, stop_at;
    uint64_t late_max;            /* longest time from an event's due cycle to its turn */
    bool interrupt_pending;

    /* stopping */
    enum stop_reason stop;
    bool code_changed;   /* a device wrote to memory: translations are to be forgotten */
    bool stop_requested; /* until core_stop(c, false) */
    bool halted;
    uint64_t steps_left;          /* with `stepping` */
    bool stepping;
    struct debug debug;

    /* what is kept */
    struct block_table blocks;
    struct decoded decoded;       /* the decoder's answer */
    struct ledger ledger;
    struct probes probes;
    struct trace trace;
    struct attribution *attribution; /* NULL: nobody asked */
    struct repeat repeat[REPEATS_MAX];
    uint32_t repeats;
    bool repeat_started;          /* the rep instruction has completed at least one element */
    uint64_t exceptions[256];     /* delivered, by vector */
    uint64_t exception_cycles;    /* account.cycles at the latest of them */
    uint64_t shutdown_pc;

    struct callbacks call;

    /* Who charges may be another thread: these lie on lines of the host's caches of their own. */
    _Alignas(HOST_LINE) struct pipeline pipeline;
    _Alignas(HOST_LINE) struct charger charger;
    _Alignas(HOST_LINE) struct backlog backlog;
};

/* The machine whose engine runs, NULL between runs. Helpers find their machine here. */
extern struct core *running;

/* Bring the books up to date. With models, what is in the backlog has been executed and not been charged. Without, translations
 * that count without the hook leave the block behind, too; an instruction is a cycle, so one number tells of both. */
static inline void core_settle(struct core *c)
{
    if (c->timing) {
        if (c->backlog.open | c->backlog.untold)
            backlog_close(c);
        return;
    }
    if (c->passed) {
        c->block = c->passed;
        c->block_pc = c->passed_pc;
        c->continue_pc = c->repeat_pc = NOWHERE;
        c->passed = NULL;
    }
    c->account.now->n[COUNTER_INSTRUCTIONS] += c->account.cycles - c->credited;
    c->account.cause[CAUSE_ISSUE] += c->account.cycles - c->credited;
    c->credited = c->account.cycles;
}

/* Cycles in which the processor worked, up to the last block that was left. */
static inline uint64_t core_worked(struct core *c)
{
    if (c->backlog.open | c->backlog.untold)
        backlog_close(c);
    return c->account.cycles;
}
static inline uint64_t core_now(struct core *c) { return core_worked(c) + c->idle; }

/* Under what a block is booked that nothing held up. */
static inline enum cause core_issue_cause(const struct core *c)
{
    return c->ledger.current.copying ? CAUSE_COPY : CAUSE_ISSUE;
}

static inline enum ring core_ring_booked(const struct core *c)
{
    return c->account.now == &c->books.counters[RING_USER] ? RING_USER : RING_KERNEL;
}

/* Book what follows under the given ring. */
static inline void core_book(struct core *c, enum ring ring)
{
    if (c->account.now)
        core_settle(c);
    if (c->attribution)
        attribution_ring(c, ring);
    c->account.now = &c->books.counters[ring];
    c->account.cause = c->books.cause[ring];
}
static inline void core_charge_cycles(struct core *c, enum cause cause, uint32_t cycles)
{
    core_settle(c);
    account_charge(&c->account, cause, cycles);
}
/* An event of a fixed price; nothing behind it is delivered before. */
static inline void core_charge(struct core *c, enum cost cost)
{
    if (c->timing) {
        core_charge_cycles(c, (enum cause)cost_cause(cost), c->models.config.cost[cost]);
        pipeline_drain(&c->pipeline);
    }
}

/* schedule.c */
void core_rearm(struct core *c);                        /* recompute `due` */
void core_quieten(struct core *c);                      /* and `quiet_until`, `quiet` alone */
void core_grow_tlb(struct core *c);                     /* the engine's, at the next block */

/* run.c */
void core_leave_block(struct core *c, uint64_t next_pc);/* the block is done: its branch is known */
void core_stop_here(struct core *c, uint64_t pc, enum stop_reason reason); /* the run ends before this instruction */
void core_on_block(void *uc, uint64_t pc, uint32_t size, void *user);
void core_retried_store(struct core *c);                /* the store for which an instruction was retried is done */

/* cut.c */
bool core_cut_block(struct core *c, uint64_t pc);       /* the block ends before the instruction at pc; false if it had
                                                           ended: that instruction could not even be fetched */
/* An exception was delivered and its handler is next; `begun` says whether the instruction that raised it was. A guest
 * whose handlers cannot be fetched enters no block, and one whose handlers fault at once completes none: so an exception
 * before which nothing was executed is a step, takes a cycle, and ends the run as the end of a block would. */
void core_exception_taken(struct core *c, bool begun);
void core_shut_down(struct core *c);                    /* no exception can be delivered: the run ends */

/* repeat.c */
void core_remember_repeat(struct core *c, uint64_t pc); /* the string instruction at pc is cut between two elements */
bool core_forget_repeat(struct core *c, uint64_t pc);   /* whether the one at pc is such a one that goes on */

/* access.c: an access of one of the engine's functions that reaches memory by itself has completed */
void core_observe(env_t *env, uint64_t vaddr, unsigned size, bool write);
void core_before_store(env_t *env, uint64_t vaddr, unsigned size); /* is about to happen: for a debugger */
void core_claim_accesses(struct core *c); /* recompute `observing`, and for whom accesses are done here */

/* api.c */
void core_allow_short_cuts(struct core *c, bool allowed);
void core_forget_code(struct core *c);

/* charge.c */
void core_charge_block(struct core *c, uint32_t insns); /* the first of the block have been executed */
void core_settle_block(struct core *c);                 /* all have, if there is a block */
void core_foresee(struct core *c, uint32_t insns, uint64_t cause[CAUSE_COUNT]); /* what would be charged, were it cut then */
/* The books as they would be, were the block left before the instruction at pc, in its middle: it is counted as a whole when it
 * is entered, and with models charged when it is left. */
struct books core_books_up_to(struct core *c, uint64_t pc);
void core_hold_front(struct core *c);                   /* a fetch took longer */
void core_note_access(struct core *c, uint32_t access, uint32_t miss, uint32_t walk, bool write); /* so did a load or store */
void core_repeat_element(struct core *c);               /* another element of a string instruction begins */
void core_refund_element(struct core *c);               /* it was not executed */

/* translate.c */
enum {                   /* in the low bits of a hook's argument, else its block */
    HOOK_RETRY = 1,      /* one instruction, done again */
    HOOK_PROBE = 2,      /* at an address that probe.h watches */
    HOOK_ROUTINE = 4,    /* a block with nothing to it but its price, and none of the two; its translation may be cut */
    HOOK_BITS = 7,
};
void core_watch_accesses(struct core *c); /* from now on; not while the engine runs, whose translations are to be flushed */
void core_translate(struct core *c, cpu_t *cpu, struct translation_block *tb, int max_insns);

/* ARCH/crossing.c */
void core_note_exception(uint32_t number);
void core_on_exception(void *uc, uint32_t number, void *user);
bool core_on_invalid(void *uc, void *user);
void core_paging_changed(struct core *c);

/* The replacements, by file. Each has the signature of the engine's helper of that name. */
extern const struct interposition access_replacements[], crossing_replacements[], control_replacements[];
extern const size_t access_replacement_count, crossing_replacement_count, control_replacement_count;

#include "arch.h"

#endif
