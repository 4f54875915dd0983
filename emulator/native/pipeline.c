/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * pipeline.c: the recurrence, operation by operation and by summary (see pipeline.h)
 */
#include "pipeline.h"
#include "operations_code.h"
#include "summary_code.h"

#include <string.h>

static inline uint64_t later(uint64_t a, uint64_t b) { return a > b ? a : b; }

void pipeline_init(struct pipeline *p, const struct pipeline_config *config)
{
    memset(p, 0, sizeof *p);
    p->config = *config;
    p->window_groups = config->in_order ? ~0ull : config->window / PIPELINE_GROUP;
}

uint64_t pipeline_reach(const struct pipeline *p)
{
    uint64_t latest = p->taken;

    for (uint32_t i = 0; i < PIPELINE_TIMES; i++)
        latest = later(latest, p->time[i]);
    for (const struct pending *noted = p->pending, *end = noted + p->pending_count; noted < end; noted++)
        latest += noted->miss + noted->walk + (uint64_t)p->config.line_interval * ISSUE_UNITS_PER_CYCLE;
    return latest - p->time[PIPELINE_RETIRED];
}

void pipeline_use_code(struct pipeline *p, struct host_code *code, uint32_t patience)
{
    p->code = code;
    p->patience = patience;
}

/* ---- operation by operation ---- */

/* What an operation's accesses add to its latency, and whether a line comes to the first level for it. */
struct surprise {
    uint64_t extra;
    bool line;
};

/* The buffers of missing lines are a port that every miss occupies for its share of them, loads and stores alike, and for
 * as long as its line needs to come in. */
static void take_buffer(const struct pipeline *p, uint64_t *time, uint64_t begin, struct surprise s)
{
    uint64_t share = s.extra / p->config.fill_buffers;
    if (s.line)
        share = later(share, (uint64_t)p->config.line_interval * ISSUE_UNITS_PER_CYCLE);
    time[PIPELINE_FILL] = later(time[PIPELINE_FILL], begin) + share;
}

static void take_in(struct surprise *s, const struct pending *access)
{
    s->extra = later(s->extra, access->miss + access->walk);
    s->line |= access->miss > 0;
}

static void load_missed(const struct pipeline *p, uint64_t *time, uint64_t begin, struct surprise s)
{
    take_buffer(p, time, begin, s);
    if (!p->config.in_order)
        time[PIPELINE_RETIRED] = later(time[PIPELINE_RETIRED], time[PIPELINE_FILL]);
    else if (time[PIPELINE_FILL] > s.extra) /* it could begin when there was a buffer for all of its time */
        time[PIPELINE_FRONT] = later(time[PIPELINE_FRONT], time[PIPELINE_FILL] - s.extra);
}

/* A missing store waits behind the point of retirement. It is felt when the buffer is full: when more is to be drained
 * than a buffer of stores at one a cycle. */
static void store_missed(const struct pipeline *p, uint64_t *time, uint64_t begin, struct surprise s)
{
    uint64_t room = (uint64_t)p->config.store_buffer * ISSUE_UNITS_PER_CYCLE;
    take_buffer(p, time, begin, s);
    uint64_t *waits = &time[p->config.in_order ? PIPELINE_FRONT : PIPELINE_RETIRED];
    if (time[PIPELINE_FILL] > room)
        *waits = later(*waits, time[PIPELINE_FILL] - room);
}

/* Sources and destinations that an operation has not are PIPELINE_FRONT, which is where it begins and is written last: so
 * most operations are done without asking how many it has. */
static inline uint64_t latest_source(const uint64_t *time, const struct micro_op *op)
{
    enum { USUAL = 4 };
    uint64_t latest = later(later(time[op->source[0]], time[op->source[1]]), later(time[op->source[2]], time[op->source[3]]));

    for (uint32_t i = USUAL; i < op->sources; i++)
        latest = later(latest, time[op->source[i]]);
    return latest;
}

static inline void set_destinations(uint64_t *time, const struct micro_op *op, uint64_t done)
{
    enum { USUAL = 2 };
    time[op->destination[0]] = done;
    time[op->destination[1]] = done;
    for (uint32_t i = USUAL; i < op->destinations; i++)
        time[op->destination[i]] = done;
}

static inline __attribute__((always_inline)) void one(const struct pipeline *p, uint64_t *time, const struct micro_op *op,
                                                      struct surprise s, bool in_order)
{
    bool load = op->kind == MICRO_LOAD;
    uint64_t front = time[PIPELINE_FRONT], begin = later(front, latest_source(time, op)), retired = time[PIPELINE_RETIRED];
    uint64_t *port = &time[PIPELINE_PORTS + op->port]; /* that of none stays 0 */

    begin = later(begin, *port);
    uint64_t free = later(*port, in_order ? begin : front) + op->occupancy;
    *port = op->port ? free : 0;
    if (!in_order)
        retired = later(retired, *port);
    uint64_t done = begin + op->latency + (load ? s.extra : 0);
    set_destinations(time, op, done);
    time[PIPELINE_FRONT] = (in_order ? begin : front) + op->slot;
    if (!in_order)
        retired = later(retired, done);
    time[PIPELINE_RETIRED] = retired;
    if (in_order && load && p->config.blocking)
        time[PIPELINE_FRONT] += s.extra;
    if (s.extra && load && !p->config.blocking)
        load_missed(p, time, begin, s);
    if (s.extra && op->kind == MICRO_STORE)
        store_missed(p, time, begin, s);
    if (in_order)
        time[PIPELINE_RETIRED] = later(time[PIPELINE_RETIRED], time[PIPELINE_FRONT]);
}

/* What took longer is in the order of the accesses. Those that no operation accounts for (the elements of a repeated string
 * instruction, areas of state) are each by itself, delivered with the block's last operation. */
static inline __attribute__((always_inline)) void each_of(const struct pipeline *p, uint64_t *time,
                                                          const struct pipeline_work *work, uint32_t pending, bool in_order)
{
    const struct pending *next = p->pending, *end = next + pending;
    uint32_t access = 0;

    for (const struct micro_op *op = work->op, *last = op + work->ops; op < last; op++) {
        struct surprise s = {0};
        access += op->accesses;
        for (; next < end && next->access < access; next++)
            take_in(&s, next);
        one(p, time, op, s, in_order);
    }
    for (; next < end; next++) {
        struct micro_op op = {.kind = next->write ? MICRO_STORE : MICRO_LOAD};
        one(p, time, &op, (struct surprise){next->miss + next->walk, next->miss > 0}, in_order);
    }
}

static void each(const struct pipeline *p, uint64_t *time, const struct pipeline_work *work, uint32_t pending)
{
    if (p->config.in_order)
        each_of(p, time, work, pending, true);
    else
        each_of(p, time, work, pending, false);
}

/* ---- operations as host code ---- */

/* An operation whose accesses took longer. */
struct missed {
    enum micro_kind kind;
    uint32_t access; /* its first */
    struct surprise s;
};

/* Which operations they are, in `missed`. Returns how many; 0: some access is no operation's of the block. */
static uint32_t find_missed(const struct pipeline *p, const struct pipeline_work *work, struct missed *missed)
{
    const struct pending *next = p->pending, *end = next + p->pending_count;
    uint32_t access = 0, count = 0;

    for (const struct micro_op *op = work->op, *last = op + work->ops; op < last && next < end; op++) {
        uint32_t first = access;
        access += op->accesses;
        if (next->access >= access)
            continue;
        struct missed *m = &missed[count++];
        *m = (struct missed){.kind = (enum micro_kind)op->kind, .access = first};
        for (; next < end && next->access < access; next++)
            take_in(&m->s, next);
    }
    return next == end ? count : 0;
}

/* Whether it has been done; if not, nothing has. */
static bool each_by_code(struct pipeline *p, const struct pipeline_work *work)
{
    struct summary *s = work->summary;
    uint64_t extra[OPERATIONS_ACCESSES] = {0}, begin[OPERATIONS_ACCESSES];
    struct missed missed[PIPELINE_PENDING];

    if (!p->code || !s || p->config.in_order)
        return false;
    if (!s->operations && s->surprises++ == p->patience) /* once: where it is not possible it will not be later */
        s->operations = operations_code(p->code, work->op, work->ops);
    uint32_t count = s->operations ? find_missed(p, work, missed) : 0;
    for (uint32_t i = 0; i < count; i++)
        extra[missed[i].access] = missed[i].s.extra;
    if (count)
        s->operations(&p->time[SUMMARY_ORIGIN], extra, begin);
    for (struct missed *m = missed; m < missed + count; m++) {
        if (m->s.extra && m->kind == MICRO_LOAD)
            load_missed(p, p->time, begin[m->access], m->s);
        if (m->s.extra && m->kind == MICRO_STORE)
            store_missed(p, p->time, begin[m->access], m->s);
    }
    return count;
}

/* ---- by summary ---- */

/* Without a branch in the loops: how many terms a form has, no predictor foresees. Two terms at a time: each maximum waits
 * for the one before. */
static inline void whole(uint64_t *time, const struct summary *s)
{
    uint64_t form[SUMMARY_FORMS + 1], value = 0;
    uint32_t forms = 0;

    for (const struct summary_pair *pair = s->pair, *end = pair + s->pairs; pair < end; pair += SUMMARY_AT_ONCE)
        for (int i = 0; i < SUMMARY_AT_ONCE; i++) {
            const struct summary_pair *t = pair + i;
            value = later(value, later(time[t->from[0]] + t->plus[0], time[t->from[1]] + t->plus[1]));
            form[forms] = value;
            forms += t->last;
            value &= (uint64_t)t->last - 1;
        }
    uint64_t retired = form[0];
    for (const struct summary_result *result = s->result, *end = result + s->results; result < end;
         result += SUMMARY_AT_ONCE)
        for (int i = 0; i < SUMMARY_AT_ONCE; i++) {
            const struct summary_result *r = result + i;
            uint64_t at = form[r->form] + r->plus;
            time[r->to] = at;
            retired = later(retired, at & (uint64_t)(int64_t)r->retires);
        }
    time[PIPELINE_RETIRED] = retired;
}

void pipeline_pass_by_list(uint64_t *origin, struct pipeline *p, struct summary *s)
{
    (void)origin;
    whole(p->time, s);
}

void pipeline_first_passes(uint64_t *origin, struct pipeline *p, struct summary *s)
{
    if (s->passes++ < p->patience) {
        whole(p->time, s);
        return;
    }
    summary_step *code = summary_code(p->code, s);
    s->step = code ? code : pipeline_pass_by_list;
    s->step(origin, p, s);
}

/* ---- blocks ---- */

/* Divide `units` among causes as `share` has them; the last one takes what rounding leaves, and all if it is the only one. */
static void divide(struct pipeline_cost *cost, uint64_t units, const uint64_t share[PIPELINE_STALLS_END], uint64_t sum)
{
    int last = PIPELINE_STALLS_END - 1;
    uint64_t rest = units;

    if (!units || !sum)
        return;
    while (!share[last])
        last--;
    for (int i = PIPELINE_STALLS; i < last && share[last] != sum; i++) {
        uint64_t part = units * share[i] / sum;
        cost->cause[i] += part;
        rest -= part;
    }
    cost->cause[last] += rest;
}

/* When the block retires if its accesses take no longer than hits: as it was delivered, and had it been so `early`. */
struct retirement {
    uint64_t delivered, early;
};

static struct retirement retired_by_summary(const struct pipeline *p, const struct summary *s, uint64_t early)
{
    uint64_t others = 0, front = p->time[PIPELINE_FRONT] + s->retired_after_front;
    for (const struct summary_term *t = s->retired, *end = t + s->retired_terms; t < end; t++)
        others = later(others, p->time[t->from] + t->plus);
    return (struct retirement){later(others, front), later(others, front - early)};
}

static struct retirement retired_each(const struct pipeline *p, const struct pipeline_work *work, uint64_t early)
{
    uint64_t time[PIPELINE_TIMES];
    struct retirement at;
    memcpy(time, p->time, sizeof time);
    each(p, time, work, 0);
    at.delivered = time[PIPELINE_RETIRED];
    memcpy(time, p->time, sizeof time);
    time[PIPELINE_FRONT] -= early;
    each(p, time, work, 0);
    at.early = time[PIPELINE_RETIRED];
    return at;
}

static uint64_t forget_late(struct pipeline *p)
{
    uint64_t late = 0;
    for (int i = PIPELINE_STALLS; i < PIPELINE_STALLS_END; i++) {
        late += p->late[i];
        p->late[i] = 0;
    }
    p->is_late = false;
    return late;
}

/* It was delivered late, and its accesses took no longer than hits. */
static void delivered_late(struct pipeline *p, struct summary *s, struct pipeline_cost *cost)
{
    uint64_t before = p->time[PIPELINE_RETIRED], share[PIPELINE_STALLS_END];

    memcpy(share, p->late, sizeof share);
    uint64_t late = forget_late(p), early = retired_by_summary(p, s, late).early;
    pipeline_move(p, s);
    divide(cost, p->time[PIPELINE_RETIRED] - early, share, late);
    cost->cause[CAUSE_ISSUE] = early - before;
    cost->stalled = true;
}

static void surprised(struct pipeline *p, const struct pipeline_work *work, struct pipeline_cost *cost)
{
    uint64_t before = p->time[PIPELINE_RETIRED], stall[PIPELINE_STALLS_END] = {0}, share[PIPELINE_STALLS_END];

    memcpy(share, p->late, sizeof share);
    uint64_t late = forget_late(p);
    struct retirement hits = work->summary ? retired_by_summary(p, work->summary, late) : retired_each(p, work, late);
    if (!p->pending_count || !each_by_code(p, work))
        each(p, p->time, work, p->pending_count);
    for (uint32_t i = 0; i < p->pending_count; i++) {
        stall[CAUSE_D_MISS] += p->pending[i].miss;
        stall[CAUSE_TLB_WALK] += p->pending[i].walk;
    }
    divide(cost, hits.delivered - hits.early, share, late);
    divide(cost, p->time[PIPELINE_RETIRED] - hits.delivered, stall, stall[CAUSE_D_MISS] + stall[CAUSE_TLB_WALK]);
    cost->cause[CAUSE_ISSUE] = hits.early - before;
    cost->stalled = late || p->pending_count;
    p->pending_count = 0;
}

void pipeline_execute(struct pipeline *p, const struct pipeline_work *work, struct pipeline_cost *cost)
{
    uint64_t before = p->time[PIPELINE_RETIRED];

    *cost = (struct pipeline_cost){0};
    if (p->pending_count || !work->summary)
        surprised(p, work, cost);
    else if (p->is_late)
        delivered_late(p, work->summary, cost);
    else
        pipeline_move(p, work->summary);
    cost->total = p->time[PIPELINE_RETIRED] - before;
    pipeline_retire(p, work->instructions);
}

void pipeline_note(struct pipeline *p, uint32_t access, uint32_t miss, uint32_t walk, bool write)
{
    if (p->pending_count == PIPELINE_PENDING) { /* a long string instruction: the rest waits with the last */
        struct pending *last = &p->pending[PIPELINE_PENDING - 1];
        last->miss += miss * ISSUE_UNITS_PER_CYCLE / p->config.fill_buffers;
        last->walk += walk * ISSUE_UNITS_PER_CYCLE;
        return;
    }
    p->pending[p->pending_count++] = (struct pending){
        .access = access,
        .miss = miss * ISSUE_UNITS_PER_CYCLE,
        .walk = walk * ISSUE_UNITS_PER_CYCLE,
        .write = write,
    };
}
