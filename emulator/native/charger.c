/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * charger.c: handing pages over, and the thread that takes them. See charger.h.
 */
#include "charger.h"

#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include "core.h"

/* Looks before somebody who waits gives the processor away, thinks that the other one has none, or sleeps. A page takes some
 * 10 us, a look some 20 ns. */
enum { LOOKS_BEFORE_YIELD = 1 << 10, LOOKS_BEFORE_REST = 1 << 14, LOOKS_BEFORE_SLEEP = 1 << 13 };
/* Pages before it is started, of the first rest and of the longest, and on time before the next rest is a first one again. */
enum { LONE_PAGES = 16, FIRST_REST = 64, LONGEST_REST = 1 << 10, PAGES_ON_TIME = 1 << 10 };

static inline void look_again(uint32_t *looks)
{
    if (++*looks % LOOKS_BEFORE_YIELD)
        __builtin_ia32_pause();
    else
        sched_yield();
}

static bool take_place(struct charger *t)
{
    return !atomic_exchange_explicit(&t->held, true, memory_order_acquire);
}

static void leave_place(struct charger *t) { atomic_store_explicit(&t->held, false, memory_order_release); }

/* Who hands over writes `handed` and then reads `asleep`, who goes to sleep the other way round: one of them sees what the other
 * wrote, for there is one order of all four. */
static bool has_pages(struct charger *t)
{
    return atomic_load(&t->handed) != atomic_load_explicit(&t->charged, memory_order_relaxed);
}

/* In the place of the one who charges: the next page, if there is one. Only who has the place can tell. */
static void charge_page(struct core *c, struct charger *t)
{
    uint64_t number = atomic_load_explicit(&t->charged, memory_order_relaxed);

    if (!has_pages(t))
        return;
    backlog_charge_page(c, number);
    atomic_store_explicit(&t->charged, number + 1, memory_order_release);
}

/* ---- the thread ---- */

static void sleep_until_handed(struct charger *t)
{
    atomic_store(&t->asleep, true);
    if (!has_pages(t) && !atomic_load(&t->quitting))
        sem_wait(&t->wake);
    atomic_store(&t->asleep, false);
}

static void *charge_pages(void *core)
{
    struct core *c = core;
    struct charger *t = &c->charger;
    uint32_t looks = 0;

    while (!atomic_load_explicit(&t->quitting, memory_order_relaxed)) {
        if (!has_pages(t) && looks >= LOOKS_BEFORE_SLEEP) {
            sleep_until_handed(t);
            looks = 0;
        } else if (!has_pages(t) || atomic_load_explicit(&t->wanted, memory_order_relaxed) || !take_place(t)) {
            look_again(&looks);
        } else {
            charge_page(c, t);
            leave_place(t);
            looks = 0;
        }
    }
    return NULL;
}

/* Signals are for the thread that Python runs in. */
static void start(struct core *c)
{
    struct charger *t = &c->charger;
    sigset_t all, before;

    t->lone_pages = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    t->running = !pthread_create(&t->thread, NULL, charge_pages, c);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    t->process = getpid();
}

/* ---- who executes ---- */

void charger_init(struct charger *t)
{
    sem_init(&t->wake, 0, 0);
    t->next_rest = FIRST_REST;
}

void charger_quit(struct charger *t)
{
    charger_know_process(t);
    if (t->running) {
        atomic_store(&t->quitting, true);
        sem_post(&t->wake);
        pthread_join(t->thread, NULL);
    }
    sem_destroy(&t->wake);
}

void charger_know_process(struct charger *t)
{
    if (!t->running || t->process == getpid())
        return;
    t->running = false;
    atomic_store(&t->held, false);
    atomic_store(&t->asleep, false);
}

/* Take its place and charge all that was handed over. */
static void charge_alone(struct core *c)
{
    struct charger *t = &c->charger;
    uint32_t looks = 0;

    atomic_store_explicit(&t->wanted, true, memory_order_relaxed);
    while (!take_place(t))
        look_again(&looks);
    while (has_pages(t))
        charge_page(c, t);
    leave_place(t);
    atomic_store_explicit(&t->wanted, t->resting > 0, memory_order_relaxed);
}

/* Until more than so many pages have been charged. A thread that is late with that has no processor to itself: it is left
 * alone for a while, each time for longer. */
static void await(struct core *c, uint64_t charged)
{
    struct charger *t = &c->charger;

    for (uint32_t looks = 0; charger_charged(t) <= charged; look_again(&looks)) {
        if (looks < LOOKS_BEFORE_REST)
            continue;
        t->resting = t->next_rest;
        t->next_rest = t->next_rest < LONGEST_REST ? 2 * t->next_rest : LONGEST_REST;
        t->on_time = 0;
        charge_alone(c);
    }
}

/* What it makes of another page that is full. */
static bool takes_page(struct core *c)
{
    struct charger *t = &c->charger;

    if (!t->running && t->allowed && ++t->lone_pages == LONE_PAGES)
        start(c);
    if (!t->running)
        return false;
    if (t->resting) {
        t->resting--;
        return false;
    }
    if (++t->on_time == PAGES_ON_TIME)
        t->next_rest = FIRST_REST;
    return true;
}

void charger_hand_over(struct core *c)
{
    struct charger *t = &c->charger;
    uint64_t handed = atomic_load_explicit(&t->handed, memory_order_relaxed) + 1;

    atomic_store(&t->handed, handed);
    if (!takes_page(c)) {
        charge_alone(c);
        return;
    }
    if (atomic_load(&t->asleep) && atomic_exchange(&t->asleep, false))
        sem_post(&t->wake);
    if (handed >= CHARGER_PAGES)
        await(c, handed - CHARGER_PAGES);
}

bool charger_await_one(struct core *c, uint64_t charged)
{
    if (charged == atomic_load_explicit(&c->charger.handed, memory_order_relaxed))
        return false;
    await(c, charged);
    return true;
}

void charger_catch_up(struct core *c)
{
    if (has_pages(&c->charger))
        charge_alone(c);
}
