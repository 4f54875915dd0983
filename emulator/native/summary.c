/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * summary.c: a block's operations as one step of maxima and sums (see pipeline.h)
 *
 * Each time gets a row: by how much it is at least later than each time before the block. Rows of times that differ by a
 * constant (a result and its flags, the branch behind them) are one form.
 */
#include "pipeline.h"

#include <stdlib.h>
#include <string.h>

enum { NEVER = -1 };

/* How much later than each time a time is at least; NEVER: it does not depend on it. */
struct row {
    int64_t plus[PIPELINE_TIMES];
};

static void row_later(struct row *row, const struct row *other, int64_t plus)
{
    for (uint32_t i = 0; i < PIPELINE_TIMES; i++)
        if (other->plus[i] != NEVER && row->plus[i] < other->plus[i] + plus)
            row->plus[i] = other->plus[i] + plus;
}

static void row_add(struct row *row, int64_t plus)
{
    for (uint32_t i = 0; i < PIPELINE_TIMES; i++)
        if (row->plus[i] != NEVER)
            row->plus[i] += plus;
}

static void one_row(const struct pipeline_config *config, struct row *row, const struct micro_op *op)
{
    struct row begin = row[PIPELINE_FRONT], front = begin;

    for (uint32_t i = 0; i < op->sources; i++)
        row_later(&begin, &row[op->source[i]], 0);
    if (op->port) {
        struct row *port = &row[PIPELINE_PORTS + op->port];
        row_later(&begin, port, 0);
        row_later(port, config->in_order ? &begin : &front, 0);
        row_add(port, op->occupancy);
        if (!config->in_order)
            row_later(&row[PIPELINE_RETIRED], port, 0);
    }
    struct row done = begin;
    row_add(&done, op->latency);
    for (uint32_t i = 0; i < op->destinations; i++)
        row[op->destination[i]] = done;
    row[PIPELINE_FRONT] = config->in_order ? begin : front;
    row_add(&row[PIPELINE_FRONT], op->slot);
    row_later(&row[PIPELINE_RETIRED], config->in_order ? &row[PIPELINE_FRONT] : &done, 0);
}

/* ---- from rows to forms ---- */

/* What is being made: the arrays are copied once their lengths are known. */
struct draft {
    uint32_t forms, terms, results, retired_terms, room;
    bool full;
    uint32_t retired_after_front;
    struct row form[SUMMARY_FORMS]; /* but for form 0, which is no result's */
    struct summary_term retired[PIPELINE_TIMES];
    struct summary_pair pair[SUMMARY_TERMS / 2 + SUMMARY_AT_ONCE];
    struct summary_result result[PIPELINE_TIMES + SUMMARY_AT_ONCE];
};

static bool is_unchanged(const struct row *row, uint32_t to)
{
    for (uint32_t from = 0; from < PIPELINE_TIMES; from++)
        if (row->plus[from] != (from == to ? 0 : NEVER))
            return false;
    return true;
}

static int64_t smallest(const struct row *row)
{
    int64_t least = NEVER;
    for (uint32_t from = 0; from < PIPELINE_TIMES; from++)
        if (row->plus[from] != NEVER && (least == NEVER || row->plus[from] < least))
            least = row->plus[from];
    return least;
}

static void add_term(struct draft *d, uint8_t from, int64_t plus)
{
    d->full |= d->terms == d->room || plus > UINT16_MAX;
    if (d->full)
        return;
    struct summary_pair *pair = &d->pair[d->terms / 2];
    pair->from[d->terms % 2] = from;
    pair->plus[d->terms % 2] = (uint16_t)plus;
    pair->last = 0;
    d->terms++;
}

static void add_form(struct draft *d, const struct row *row)
{
    for (uint32_t from = 0; from < PIPELINE_TIMES; from++)
        if (row->plus[from] != NEVER)
            add_term(d, (uint8_t)from, row->plus[from]);
    const struct summary_pair *pair = &d->pair[d->terms / 2];
    if (d->terms % 2)
        add_term(d, pair->from[0], pair->plus[0]);
    if (!d->full)
        d->pair[d->terms / 2 - 1].last = 1;
    d->form[d->forms++] = *row;
}

/* The form of a row whose smallest sum is 0. */
static uint32_t form_of(struct draft *d, const struct row *row)
{
    for (uint32_t form = 1; form < d->forms; form++)
        if (!memcmp(&d->form[form], row, sizeof *row))
            return form;
    d->full |= d->forms == SUMMARY_FORMS;
    if (!d->full)
        add_form(d, row);
    return d->forms - 1;
}

static void add_result(struct draft *d, struct row row, uint32_t to, bool retires)
{
    int64_t plus = smallest(&row);
    row_add(&row, -plus);
    d->full |= plus > UINT16_MAX;
    d->result[d->results++] = (struct summary_result){
        .to = (uint8_t)to, .form = (uint8_t)form_of(d, &row), .plus = (uint16_t)plus, .retires = retires ? -1 : 0};
}

/* Whether nothing is so late by this row that it is not by the other. */
static bool is_covered(const struct row *row, const struct row *by)
{
    for (uint32_t from = 0; from < PIPELINE_TIMES; from++)
        if (row->plus[from] > by->plus[from])
            return false;
    return true;
}

static void draft_retirement(struct draft *d, const struct row *row)
{
    const struct row *all = &row[PIPELINE_RETIRED];
    struct row rest = *all;

    for (uint32_t from = 0; from < PIPELINE_TIMES; from++) {
        if (from == PIPELINE_FRONT || all->plus[from] == NEVER)
            continue;
        d->retired[d->retired_terms++] = (struct summary_term){(uint8_t)from, (uint32_t)all->plus[from]};
    }
    d->retired_after_front = (uint32_t)all->plus[PIPELINE_FRONT];
    for (uint32_t to = 0; to < PIPELINE_TIMES; to++) { /* what another result tells need not be told again */
        if (to == PIPELINE_RETIRED || to == PIPELINE_TEMPORARY || is_unchanged(&row[to], to) ||
            !is_covered(&row[to], all))
            continue;
        for (uint32_t from = 0; from < PIPELINE_TIMES; from++)
            if (rest.plus[from] == row[to].plus[from])
                rest.plus[from] = NEVER;
    }
    add_form(d, &rest);
}

static void draft_results(struct draft *d, const struct row *row)
{
    for (uint32_t to = 0; to < PIPELINE_TIMES && !d->full; to++)
        if (to != PIPELINE_RETIRED && to != PIPELINE_TEMPORARY && !is_unchanged(&row[to], to))
            add_result(d, row[to], to, is_covered(&row[to], &row[PIPELINE_RETIRED]));
}

static uint32_t longest_of(const struct row *row)
{
    int64_t longest = 0;
    for (uint32_t to = 0; to < PIPELINE_TIMES; to++)
        for (uint32_t from = 0; from < PIPELINE_TIMES; from++)
            longest = row[to].plus[from] > longest ? row[to].plus[from] : longest;
    return (uint32_t)longest; /* all of them fit: see add_term */
}

/* Fours of pairs and of results. */
static void fill_up(struct draft *d)
{
    while (d->terms / 2 % SUMMARY_AT_ONCE) {
        d->pair[d->terms / 2] = (struct summary_pair){.from = {PIPELINE_FRONT, PIPELINE_FRONT}};
        d->terms += 2;
    }
    while (d->results % SUMMARY_AT_ONCE)
        d->result[d->results++] = (struct summary_result){.to = PIPELINE_TEMPORARY};
}

static struct summary *finished(struct draft *d, uint32_t longest)
{
    fill_up(d);
    uint32_t pairs = d->terms / 2;
    struct summary *s = malloc(sizeof *s + d->results * sizeof *d->result + pairs * sizeof *d->pair +
                               d->retired_terms * sizeof *d->retired);
    if (!s)
        return NULL;
    struct summary_pair *pair = (struct summary_pair *)(s + 1);
    struct summary_result *result = (struct summary_result *)(pair + pairs);
    struct summary_term *retired = (struct summary_term *)(result + d->results);
    *s = (struct summary){
        .step = pipeline_first_passes,
        .pairs = pairs,
        .results = d->results,
        .retired_terms = d->retired_terms,
        .retired_after_front = d->retired_after_front,
        .longest = longest,
        .pair = pair,
        .result = result,
        .retired = retired,
    };
    memcpy(result, d->result, d->results * sizeof *result);
    memcpy(pair, d->pair, pairs * sizeof *pair);
    memcpy(retired, d->retired, d->retired_terms * sizeof *retired);
    return s;
}

struct summary *pipeline_summarise(const struct pipeline_config *config, const struct micro_op *op, uint32_t count,
                                   uint32_t room)
{
    struct work {
        struct row row[PIPELINE_TIMES];
        struct draft draft;
    } *w = count ? calloc(1, sizeof *w) : NULL;
    if (!w)
        return NULL;
    for (uint32_t i = 0; i < PIPELINE_TIMES; i++)
        for (uint32_t j = 0; j < PIPELINE_TIMES; j++)
            w->row[i].plus[j] = i == j ? 0 : NEVER;
    for (uint32_t i = 0; i < count; i++)
        one_row(config, w->row, &op[i]);
    w->draft.room = room;
    draft_retirement(&w->draft, w->row);
    draft_results(&w->draft, w->row);
    struct summary *s = w->draft.full ? NULL : finished(&w->draft, longest_of(w->row));
    free(w);
    return s;
}
