/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ledger.c: what each marked operation cost. See ledger.h.
 */
#include "ledger.h"

#include <stdlib.h>
#include <string.h>

/* The books are nothing but 64-bit words. */
static void add_difference(struct books *sum, const struct books *before, const struct books *after)
{
    uint64_t *s = (uint64_t *)sum;
    const uint64_t *b = (const uint64_t *)before, *a = (const uint64_t *)after;
    for (size_t i = 0; i < sizeof(*sum) / sizeof(uint64_t); i++)
        s[i] += a[i] - b[i];
}

static void add(struct books *sum, const struct books *more)
{
    static const struct books nothing;
    add_difference(sum, &nothing, more);
}

static void forget_open(struct flow *flow)
{
    for (uint32_t i = 0; i < flow->open_count; i++)
        tally_free(&flow->open[i].where);
}

void ledger_forget_places(struct ledger *ledger)
{
    for (uint32_t i = 0; i < LEDGER_ENTRIES; i++)
        if (ledger->entry[i])
            tally_free(&ledger->entry[i]->where);
    for (uint32_t i = 0; i < ledger->aside_count; i++)
        forget_open(ledger->aside[i]);
    forget_open(&ledger->current);
    tally_free(&ledger->interrupt_where);
    ledger->places_lost = false;
}

void ledger_free(struct ledger *ledger)
{
    ledger_forget_places(ledger);
    for (uint32_t i = 0; i < LEDGER_ENTRIES; i++)
        free(ledger->entry[i]);
    for (uint32_t i = 0; i < ledger->aside_count; i++)
        free(ledger->aside[i]);
    memset(ledger, 0, sizeof(*ledger));
}

static struct operation *entry(struct ledger *ledger, uint32_t id)
{
    if (!ledger->entry[id])
        ledger->entry[id] = calloc(1, sizeof(struct operation));
    if (!ledger->entry[id])
        ledger->dropped++;
    return ledger->entry[id];
}

static int find_open(const struct flow *flow, uint32_t id, const struct flow_key *activation)
{
    for (uint32_t i = 0; i < flow->open_count; i++)
        if (flow->open[i].id == id && !memcmp(&flow->open[i].activation, activation, sizeof(*activation)))
            return (int)i;
    return -1;
}

bool ledger_is_open(const struct ledger *ledger, uint32_t id, const struct flow_key *activation)
{
    return find_open(&ledger->current, id, activation) >= 0;
}

void ledger_begin_activation(struct ledger *ledger, const struct books *books, uint32_t id,
                             const struct flow_key *activation)
{
    struct flow *flow = &ledger->current;
    int at = find_open(flow, id, activation);

    if (at >= 0) {
        ledger->dropped++; /* begun twice: the first one never ended */
    } else if (flow->open_count == FLOW_OPEN_MAX) {
        ledger->dropped++;
        return;
    } else {
        at = (int)flow->open_count++;
        flow->open[at].where = (struct tally){0};
    }
    tally_clear(&flow->open[at].where);
    flow->open[at].id = id;
    flow->open[at].activation = *activation;
    flow->open[at].before = *books;
    memset(&flow->open[at].spent, 0, sizeof(flow->open[at].spent));
}

static void keep_places(struct ledger *ledger, struct operation *operation, const struct tally *where)
{
    if (!tally_merge(&operation->where, where))
        ledger->places_lost = true;
}

bool ledger_book_place(struct ledger *ledger, uint32_t place, const struct cost_sum *cost)
{
    bool kept = !ledger->in_interrupt || tally_add(&ledger->interrupt_where, place, cost);

    for (uint32_t i = 0; i < ledger->current.open_count; i++)
        kept &= tally_add(&ledger->current.open[i].where, place, cost);
    return kept && !ledger->places_lost;
}

void ledger_end_activation(struct ledger *ledger, const struct books *books, uint32_t id,
                           const struct flow_key *activation)
{
    struct flow *flow = &ledger->current;
    int at = find_open(flow, id, activation);
    struct operation *operation = entry(ledger, id);

    if (at < 0 || !operation) {
        ledger->dropped++;
        return;
    }
    struct open_operation *open = &flow->open[at];
    add_difference(&open->spent, &open->before, books);
    add(&operation->total, &open->spent);
    keep_places(ledger, operation, &open->where);
    tally_free(&open->where);
    operation->count++;
    flow->open_count--;
    memmove(open, open + 1, (flow->open_count - (uint32_t)at) * sizeof(*open));
}

/* Of what is open once. */
static const struct flow_key no_activation;

void ledger_begin(struct ledger *ledger, const struct books *books, uint32_t id)
{
    ledger_begin_activation(ledger, books, id, &no_activation);
}

void ledger_end(struct ledger *ledger, const struct books *books, uint32_t id)
{
    ledger_end_activation(ledger, books, id, &no_activation);
}

void ledger_cut(struct ledger *ledger, const struct books *books, const struct flow_key *key)
{
    struct flow *flow = &ledger->current;

    if (!flow->open_count && !flow->copying)
        return;
    struct flow *copy = ledger->aside_count < FLOWS_MAX ? malloc(sizeof(*copy)) : NULL;
    if (!copy) {
        ledger->dropped++;
        return;
    }
    for (uint32_t i = 0; i < flow->open_count; i++)
        add_difference(&flow->open[i].spent, &flow->open[i].before, books);
    *copy = *flow;
    copy->key = *key;
    ledger->aside[ledger->aside_count++] = copy;
    flow->open_count = 0;
    flow->copying = false;
    if (!ledger->in_interrupt) {
        ledger->in_interrupt = true;
        tally_clear(&ledger->interrupt_where);
        ledger->interrupt_before = *books;
    }
}

/* The one put aside last, should several wait at the same place. */
static int find_aside(const struct ledger *ledger, const struct flow_key *key)
{
    for (uint32_t i = ledger->aside_count; i-- > 0;)
        if (!memcmp(&ledger->aside[i]->key, key, sizeof(*key)))
            return (int)i;
    return -1;
}

/* What was put aside goes on. Operations that are still open in the present flow go on as well. */
static void resume(struct ledger *ledger, const struct books *books, int at)
{
    struct flow *flow = ledger->aside[at];

    ledger->current.copying |= flow->copying;
    for (uint32_t i = 0; i < flow->open_count; i++) {
        if (ledger->current.open_count == FLOW_OPEN_MAX) {
            ledger->dropped++;
            tally_free(&flow->open[i].where);
            continue;
        }
        struct open_operation *open = &ledger->current.open[ledger->current.open_count++];
        *open = flow->open[i];
        open->before = *books;
    }
    free(flow);
    ledger->aside_count--;
    memmove(&ledger->aside[at], &ledger->aside[at + 1], (ledger->aside_count - (uint32_t)at) * sizeof(flow));
}

void ledger_return(struct ledger *ledger, const struct books *books, const struct flow_key *key, bool to_user)
{
    int at = ledger->aside_count ? find_aside(ledger, key) : -1;

    if (ledger->in_interrupt && (to_user || at >= 0)) {
        struct operation *operation = entry(ledger, LEDGER_INTERRUPT);
        ledger->in_interrupt = false;
        if (operation) {
            add_difference(&operation->total, &ledger->interrupt_before, books);
            keep_places(ledger, operation, &ledger->interrupt_where);
            operation->count++;
        }
    }
    if (at >= 0)
        resume(ledger, books, at);
}
