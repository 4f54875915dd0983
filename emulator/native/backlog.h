/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * backlog.h: what was executed and has not been charged yet
 *
 * Who executes (the block hook, loads and stores) needs to know when something is due, and else not what a block takes. So
 * while nothing is due it writes down what the pipeline and the predictor will want to know, in order, and goes on:
 *
 *   ENTER     a block is entered; the one before is thereby left, and its branch known
 *   HOLD      the fetch of its code took longer
 *   ACCESS    so did one of its loads and stores
 *
 * Who charges reads that, moves the times and sums up, in an account of its own. What a block can take at the most is known
 * (`longest`). So is thereby for how long certainly nothing is due: up to `limit` of what records may pass at the most, which
 * is reckoned anew from what those on pages that were charged have really passed.
 *
 * Where blocks are few between two crossings of a ring, or until something is due, that would be more work than it saves: it is
 * opened after BACKLOG_DIRECT blocks, which are charged one by one as they are left.
 *
 * core_settle() closes the backlog: it charges what is there and tells the books. Everything but the short way of the hook
 * works on a closed one; then the block that is being executed is the only one that was entered and not left.
 */
#ifndef RINGSCOPE_BACKLOG_H
#define RINGSCOPE_BACKLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "account.h"
#include "block.h"
#include "charger.h"

struct core;

/* A record is a word that ends with its kind, and of some a second one. Most blocks are at the address where they were decoded, and
 * their record is the block. */
enum record_kind {
    RECORD_ENTER,    /* the block */
    RECORD_ENTER_AT, /* the block; its address */
    RECORD_HOLD,     /* cycles << 32, cause << 8 */
    RECORD_ACCESS,   /* its number in the block << 8, RECORD_WRITE for a store; miss << 32 | walk, in cycles */
    RECORD_KINDS,
};
enum { RECORD_KIND_MASK = 3, RECORD_WRITE = 4, RECORD_SHIFT = 8 };
_Static_assert(RECORD_KINDS == RECORD_KIND_MASK + 1, "the kind is in the low bits");

enum { BACKLOG_DIRECT = 32, BACKLOG_WORDS = 256, BACKLOG_PAGES = CHARGER_PAGES };

struct backlog_page {
    int64_t spent;   /* up to its end, by who executed */
    int64_t passed;  /* by who charged */
    uint64_t *end;   /* of the words written */
    _Alignas(HOST_LINE) uint64_t word[BACKLOG_WORDS];
};

struct backlog {
    /* who executes */
    uint64_t *next, *full;     /* where to write on its page; from where there is no room for a record */
    int64_t spent;             /* issue units since it was opened, at the most, by what is written down */
    int64_t limit;             /* while less is spent, nothing is due; else: ask */
    int64_t left;              /* from when it was opened to what is due next; 0: that is not known any more */
    uint64_t reckoned;         /* with so many pages charged the limit was made */
    uint32_t line_interval;    /* cycles that an access beyond a hit may take besides */
    uint32_t direct;           /* blocks that were charged at once since somebody last asked for the books */
    bool open;
    bool untold;               /* not open, but there is something in the account that the books have not been told */

    /* who charges */
    _Alignas(HOST_LINE) const struct block *block; /* entered, and not charged; NULL: none since it was opened */
    uint64_t block_pc;
    struct account account;    /* since it was last told to the books, but for issue_fraction, which is always here */
    uint64_t owed;             /* units of issue in it that were not divided into cycles yet */
    struct counters counters;
    uint64_t cause[CAUSE_COUNT];
    uint64_t stall_fraction[CAUSE_COUNT]; /* issue units of each cause not booked yet */

    _Alignas(HOST_LINE) struct backlog_page page[BACKLOG_PAGES];
};

void backlog_init(struct core *c);

/* Nothing is due for so many cycles after the last that is in the books. */
void backlog_open(struct core *c, uint64_t cycles);

/* Make the limit what is known by now of the pages that were charged. */
void backlog_reckon(struct core *c);

/* Wait for the next of them and reckon again. False, and nothing done, if all have been. */
bool backlog_await(struct core *c);

/* Write down, in the block entered last: of its fetch, of its access with this number. */
void backlog_hold(struct core *c, enum cause cause, uint32_t cycles);
void backlog_access(struct core *c, uint32_t access, uint32_t miss, uint32_t walk, bool write);

/* The page is full: charge it, or hand it over to be charged. */
void backlog_turn(struct core *c);

/* For the charger: the page's records, all of them. */
void backlog_charge_page(struct core *c, uint64_t page);

/* Charge all, tell the books of the ring in force, and be closed. */
void backlog_close(struct core *c);

/* On a closed one: the block is left at once, and the books hear of it later. */
void backlog_leave_directly(struct core *c, uint64_t next_pc);

/* On a closed one: what a block took, by itself; the branch at its end; what the pipeline says that something took. */
void backlog_charge_block(struct core *c, const struct block *b, uint32_t insns);
void backlog_charge_branch(struct core *c, const struct block *b, uint64_t pc, uint64_t next_pc);
void backlog_book(struct core *c, const struct pipeline_cost *cost);

/* The account goes into the books, cycles under these causes. */
void backlog_tell(struct core *c, uint64_t *cause);

static inline bool backlog_is_full(const struct backlog *l) { return l->next >= l->full; }

/* Whether the block can be entered and written down without asking whether something is due. */
static inline bool backlog_takes(const struct backlog *l, const struct block *b)
{
    return (l->spent + b->longest < l->limit) & !backlog_is_full(l);
}

/* It takes it. Who charges has read the line of the host's cache that will be written soon: that is asked for in time. */
static inline void backlog_enter(struct backlog *l, const struct block *b, uint64_t pc)
{
    uint64_t *next = l->next;
    bool elsewhere = pc != b->pc;

    __asm__ volatile("prefetchw %0" : : "m"(next[2 * HOST_LINE / sizeof(*next)]));
    next[0] = (uintptr_t)b | (elsewhere ? RECORD_ENTER_AT : RECORD_ENTER);
    next[1] = pc;
    l->next = next + 1 + elsewhere;
    l->spent += b->longest;
}

#endif
