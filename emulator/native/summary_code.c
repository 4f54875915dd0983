/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * summary_code.c: from a summary to host code. See summary_code.h.
 *
 * Reading order: the forms are read from the summary and each is given its constant; a form's terms, then its results are
 * emitted; and at the end all forms, one after another. row_registers.h knows what is in which register.
 *
 * Numbers are signed in the code: a form less its constant may be negative.
 */
#include "summary_code.h"
#include "row_registers.h"

enum { NONE = -1 };

struct form {
    uint32_t terms;
    const struct summary_term *term;
    int32_t less; /* the register has the form less this constant */
    bool emitted;
};

struct generator {
    const struct summary *summary;
    struct row_registers row;
    uint32_t forms;
    struct form form[SUMMARY_FORMS];
    struct summary_term term[SUMMARY_TERMS + 2 * SUMMARY_AT_ONCE];
    const struct summary_term *before; /* of form 0: when the block before retires. NULL: a result covers it */
    int retired; /* the register with the largest so far of what retires; NO_REGISTER */
};

/* ---- forms and their constants ---- */

/* A pair that has one term twice is one term. */
static void read_forms(struct generator *g)
{
    struct summary_term *next = g->term, *first = next;

    for (const struct summary_pair *pair = g->summary->pair, *end = pair + g->summary->pairs; pair < end; pair++) {
        for (int i = 0; i < (pair->from[0] == pair->from[1] ? 1 : 2); i++)
            *next++ = (struct summary_term){pair->from[i], pair->plus[i]};
        if (!pair->last)
            continue; /* behind the last form come pairs that only fill up */
        g->form[g->forms++] = (struct form){.terms = (uint32_t)(next - first), .term = first};
        first = next;
    }
}

/* When the block before has retired is what one block after the other waits for: that term is emitted last of all. */
static void set_before_aside(struct generator *g)
{
    struct form *rest = &g->form[0];
    struct summary_term *last = &g->term[rest->terms - 1];

    for (struct summary_term *t = g->term; t <= last && !g->before; t++)
        if (t->from == PIPELINE_RETIRED) {
            struct summary_term before = *t;
            *t = *last;
            *last = before;
            g->before = last;
            rest->terms--;
        }
}

static bool is_result_of(const struct generator *g, const struct summary_result *result, const struct form *form)
{
    return &g->form[result->form] == form && result->to != PIPELINE_TEMPORARY; /* such a result only fills up */
}

/* What the results of a form add to it, the least beyond `last`; NONE: there is no more. Form 0 is wanted as it is. */
static int32_t next_plus(const struct generator *g, const struct form *form, int32_t last)
{
    int32_t least = form == g->form && last == NONE ? 0 : NONE;
    for (const struct summary_result *r = g->summary->result, *end = r + g->summary->results; r < end; r++)
        if (is_result_of(g, r, form) && r->plus > last && (least == NONE || r->plus < least))
            least = r->plus;
    return least;
}

static int32_t addend(const struct summary_term *term, int32_t less) { return (int32_t)term->plus - less; }

/* Host instructions for the form less a constant and its sums. The front's time is in a register, others are in memory. */
static uint32_t instructions(const struct generator *g, const struct form *form, int32_t less)
{
    enum { MAXIMUM = 2 };
    uint32_t count = 0, adds = 0;

    for (const struct summary_term *t = form->term, *end = t + form->terms; t < end; t++) {
        bool add = addend(t, less) != 0;
        count += MAXIMUM + (add ? (t->from == PIPELINE_FRONT ? 1 : 2) : 0);
        adds += add;
    }
    count -= adds ? MAXIMUM : 1; /* the first term is compared with nothing, see emit_form() */
    for (int32_t plus = NONE; (plus = next_plus(g, form, plus)) != NONE;)
        count += plus != -less;
    return count;
}

static void try_constant(const struct generator *g, struct form *form, int32_t less)
{
    if (instructions(g, form, less) < instructions(g, form, form->less))
        form->less = less;
}

/* The constant is that of a term, which then adds nothing, or of a result with the other sign. */
static void choose_constants(struct generator *g)
{
    for (struct form *form = g->form; form < g->form + g->forms; form++) {
        for (uint32_t i = 0; i < form->terms; i++)
            try_constant(g, form, (int32_t)form->term[i].plus);
        for (int32_t plus = NONE; (plus = next_plus(g, form, plus)) != NONE;)
            try_constant(g, form, -plus);
    }
}

static void count_readers(struct generator *g)
{
    g->row.readers[PIPELINE_RETIRED] = g->before != NULL;
    for (const struct form *form = g->form; form < g->form + g->forms; form++)
        for (const struct summary_term *t = form->term, *end = t + form->terms; t < end; t++) {
            g->row.readers[t->from]++;
            g->row.adders[t->from] = (uint16_t)(g->row.adders[t->from] + (addend(t, form->less) != 0));
        }
}

/* ---- one form ---- */

/* The largest of the terms; NO_REGISTER: there are none. It begins with one that has something to add, which needs a register of
 * its own anyway. */
static int emit_form(struct generator *g, struct form *form)
{
    const struct summary_term *end = form->term + form->terms, *first = NULL;

    form->emitted = true;
    for (const struct summary_term *t = form->term; t < end; t++)
        if (!first || (!addend(first, form->less) && addend(t, form->less)))
            first = t;
    if (!first)
        return NO_REGISTER;
    int at = row_emit_term(&g->row, first->from, addend(first, form->less));
    for (const struct summary_term *t = form->term; t < end; t++)
        if (t != first)
            row_emit_maximum_of_term(&g->row, at, t->from, addend(t, form->less));
    return at;
}

static void emit_retirement(struct generator *g, int at)
{
    if (g->retired != NO_REGISTER) {
        row_emit_maximum(&g->row, g->retired, at);
    } else if (g->row.content[at] == REGISTER_VALUE) {
        g->retired = at;
    } else {
        g->retired = row_take(&g->row);
        row_emit_sum(&g->row, g->retired, at, 0);
    }
}

/* What a form's results add, if they retire, at most: the others are covered by that. */
static int32_t retiring_plus(const struct generator *g, const struct form *form)
{
    int32_t most = NONE;
    for (const struct summary_result *r = g->summary->result, *end = r + g->summary->results; r < end; r++)
        if (is_result_of(g, r, form) && r->retires && r->plus > most)
            most = r->plus;
    return most;
}

/* `at` has the form less its constant. Where nothing else needs that, it becomes one sum after the other. */
static void emit_results(struct generator *g, const struct form *form, int at)
{
    const struct summary_result *end = g->summary->result + g->summary->results;
    int32_t has = -form->less, retires = retiring_plus(g, form);

    for (int32_t plus = NONE; (plus = next_plus(g, form, plus)) != NONE; has = plus) {
        bool is_needed = g->row.content[at] != REGISTER_VALUE || at == g->retired;
        int to = plus != has && is_needed ? row_take(&g->row) : at;
        row_emit_sum(&g->row, to, at, plus - has);
        at = to;
        for (const struct summary_result *r = g->summary->result; r < end; r++)
            if (is_result_of(g, r, form) && r->plus == plus)
                row_emit_result(&g->row, r->to, at);
        if (plus == retires)
            emit_retirement(g, at);
    }
    if (g->row.content[at] == REGISTER_VALUE && at != g->retired)
        row_drop(&g->row, at);
}

/* ---- all of them ---- */

/* How many more results wait, once the form is emitted. */
static int more_waiting(const struct generator *g, const struct form *form)
{
    const struct row_registers *row = &g->row;
    uint16_t reads[PIPELINE_TIMES] = {0};
    int more = 0;

    for (uint32_t i = 0; i < form->terms; i++)
        reads[form->term[i].from]++;
    for (const struct waiting *w = row->waiting; w < row->waiting + row->waitings; w++)
        more -= row->readers[w->to] == reads[w->to];
    for (const struct summary_result *r = g->summary->result, *end = r + g->summary->results; r < end; r++)
        more += is_result_of(g, r, form) && row->readers[r->to] > reads[r->to];
    return more;
}

static struct form *next_form(struct generator *g)
{
    struct form *best = NULL;
    int least = 0;

    for (struct form *form = g->form; form < g->form + g->forms; form++) {
        int more = form->emitted ? 0 : more_waiting(g, form);
        if (!form->emitted && (!best || more < least)) {
            best = form;
            least = more;
        }
    }
    return best;
}

/* Form 0, what retires besides results, comes first: registers are free, and nothing waits for it. */
static void emit_all(struct generator *g)
{
    struct form *rest = &g->form[0], *form;

    g->retired = emit_form(g, rest);
    if (g->retired != NO_REGISTER)
        row_emit_sum(&g->row, g->retired, g->retired, rest->less);
    while ((form = next_form(g))) {
        int at = emit_form(g, form);
        emit_results(g, form, at);
        row_emit_released(&g->row);
    }
    if (g->before && g->retired != NO_REGISTER)
        row_emit_maximum_of_term(&g->row, g->retired, PIPELINE_RETIRED, (int32_t)g->before->plus);
    else if (g->before)
        g->retired = row_emit_term(&g->row, PIPELINE_RETIRED, (int32_t)g->before->plus);
    row_emit_store(&g->row, PIPELINE_RETIRED, g->retired);
    host_emit_return(g->row.code);
}

summary_step *summary_code(struct host_code *code, const struct summary *summary)
{
    struct generator g = {.summary = summary, .row.code = code};

    read_forms(&g);
    set_before_aside(&g);
    choose_constants(&g);
    count_readers(&g);
    if (!host_code_begin(code))
        return NULL;
    emit_all(&g);
    return (summary_step *)host_code_finish(code, g.row.stuck);
}
