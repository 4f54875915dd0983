/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * charger.h: a thread that charges what is written down while the guest goes on
 *
 * A backlog is written page by page. Full pages are handed over in order, and charged in order by whoever holds the place
 * of the one who charges: this thread, or the one that executes, which takes the place to close the backlog and where the
 * thread is late, because the host has something else to do; then it leaves it alone for a while. What is charged depends
 * on the pages alone, so the books are the same whoever does it, and also without the thread. It is started when a
 * machine has filled a number of pages, where it is allowed: it is of no use where the process has one processor.
 */
#ifndef RINGSCOPE_CHARGER_H
#define RINGSCOPE_CHARGER_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct core;

enum { CHARGER_PAGES = 16 };

struct charger {
    _Atomic uint64_t handed;  /* pages, since the machine was made */
    _Atomic uint64_t charged; /* of them; changed by the holder alone */
    _Atomic bool held;        /* somebody charges */
    _Atomic bool wanted;      /* who executes wants the place */
    _Atomic bool asleep, quitting;
    bool allowed, running;
    uint32_t lone_pages; /* filled before there was a thread */
    uint32_t resting, next_rest; /* pages that it is not asked to charge, now and when it is late again */
    uint32_t on_time;    /* pages since it was late */
    int process;         /* in which it runs: a forked one has none */
    sem_t wake;
    pthread_t thread;
};

void charger_init(struct charger *t);
void charger_quit(struct charger *t);

/* Before a run: in a process that was forked since, no thread is there. */
void charger_know_process(struct charger *t);

/* Page number `handed` is full. Afterwards the next is free to be written. */
void charger_hand_over(struct core *c);

/* Pages that have been charged. */
static inline uint64_t charger_charged(struct charger *t)
{
    return atomic_load_explicit(&t->charged, memory_order_acquire);
}

/* Waits until more than so many pages have been charged. False, and at once, if no more have been handed over. */
bool charger_await_one(struct core *c, uint64_t charged);

/* All pages handed over have been charged, and the thread keeps away until the next one is. */
void charger_catch_up(struct core *c);

#endif
