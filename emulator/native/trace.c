/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * trace.c: gathering events, and what Python calls for them. See trace.h.
 */
#include "core.h"

#include <stdlib.h>
#include <string.h>

static uint64_t probed_word(const struct core *c)
{
    struct walk_result where;
    uint64_t word = 0;

    if (!c->trace.probe)
        return 0;
    walk_read(&c->models.mmu.state, &c->ram, c->trace.probe, &where);
    const uint8_t *at = where.present ? ram_at(&c->ram, where.paddr, sizeof(word)) : NULL;
    if (at)
        memcpy(&word, at, sizeof(word));
    return word;
}

struct trace_point trace_take(struct core *c, uint64_t pc)
{
    if (!c->trace.event)
        return (struct trace_point){0};
    return (struct trace_point){true,           arch_ring(c) == RING_USER,      core_now(c), pc,
                                arch_flow_key(c).address_space, probed_word(c)};
}

struct trace_point trace_take_at_end(struct core *c)
{
    if (!c->trace.event)
        return (struct trace_point){0};
    core_settle(c);
    return c->block ? trace_take(c, c->block_pc + c->block->last) : (struct trace_point){0};
}

void trace_settle(struct core *c, struct trace_point *here)
{
    uint64_t before = core_now(c);

    core_settle_block(c);
    here->time += core_now(c) - before;
}

/* `event` says what happened; who, when and where come from the point before and the machine as it is now. */
void trace_record(struct core *c, const struct trace_point *before, struct trace_event event)
{
    if (!before->recording)
        return;
    event.time = before->time;
    event.from = before->pc;
    event.to = arch_pc(c);
    event.space = before->space;
    event.thread = before->thread;
    event.cost = (uint32_t)(core_now(c) - before->time);
    event.from_user = before->user;
    event.to_user = arch_ring(c) == RING_USER;
    if (c->trace.stop_on >> event.kind & 1) {
        c->debug.event = event;
        debug_meet(c, STOP_EVENT);
    }
    if (!c->trace.capacity)
        return;
    c->trace.event[c->trace.count++] = event;
    if (c->trace.count == c->trace.capacity)
        c->trace.full();
}

/* `event` tells whether anybody asked. */
void trace_stop_on(struct trace *trace, uint32_t kinds)
{
    trace->stop_on = kinds;
    if (!trace->capacity)
        trace->event = kinds ? &trace->unread : NULL;
}

void trace_stop(struct trace *trace)
{
    uint32_t stop_on = trace->stop_on;

    if (trace->capacity)
        free(trace->event);
    memset(trace, 0, sizeof(*trace));
    trace_stop_on(trace, stop_on);
}

/* ---- what Python calls ---- */

/* Record from now on into a buffer of `capacity` events, which `full` empties. For `probe` and `call_register` see struct
 * trace. False: no memory. */
bool core_trace_start(struct core *c, uint32_t capacity, uint64_t probe, uint32_t call_register, void (*full)(void))
{
    struct trace_event *event = calloc(capacity, sizeof(*event));

    if (!event)
        return false;
    trace_stop(&c->trace);
    c->trace.event = event;
    c->trace.capacity = capacity;
    c->trace.probe = probe;
    c->trace.call_register = call_register;
    c->trace.full = full;
    return true;
}

void core_trace_stop(struct core *c) { trace_stop(&c->trace); }

/* The events since the last call, valid until the guest runs again. Returns their number. */
uint32_t core_trace_take(struct core *c, const struct trace_event **event)
{
    uint32_t count = c->trace.count;

    *event = c->trace.event;
    c->trace.count = 0;
    return count;
}

size_t core_trace_event_size(void) { return sizeof(struct trace_event); }

/* The physical address that vaddr has in an address space, given by its root; NOWHERE if none. */
uint64_t core_physical_in(const struct core *c, uint64_t space, uint64_t vaddr)
{
    struct paging_state state = arch_paging_of(c, space);
    struct walk_result where;

    walk_read(&state, &c->ram, vaddr, &where);
    return where.present ? where.paddr : NOWHERE;
}
