/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * debug.c: stopping for a debugger, and what Python calls to say where. See debug.h.
 */
#include "core.h"

#include <string.h>

static bool in_space(const struct core *c, uint64_t space) { return space == NOWHERE || space == arch_space(c); }

/* ---- stopping ---- */

bool debug_may_break(const struct core *c, uint64_t pc)
{
    for (uint32_t i = 0; i < c->debug.breakpoints; i++)
        if (c->debug.breakpoint[i].pc == pc)
            return true;
    return false;
}

static bool breaks(const struct core *c, uint64_t pc)
{
    for (uint32_t i = 0; i < c->debug.breakpoints; i++)
        if (c->debug.breakpoint[i].pc == pc && in_space(c, c->debug.breakpoint[i].space))
            return true;
    return false;
}

static uint64_t sum_of_counters(const struct core *c)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < COUNTER_COUNT; i++)
        if (c->debug.counters >> i & 1)
            sum += c->books.counters[RING_KERNEL].n[i] + c->books.counters[RING_USER].n[i];
    return sum;
}

void debug_meet(struct core *c, uint32_t reason)
{
    if (!c->debug.met)
        c->debug.met = reason;
    core_quieten(c);
}

void debug_begin(struct core *c)
{
    c->debug.met = STOP_NONE;
    c->debug.storing.size = 0;
    c->debug.counted = sum_of_counters(c);
}

bool debug_stops(struct core *c, uint64_t pc)
{
    bool over = c->debug.step_over == pc;

    c->debug.step_over = NOWHERE;
    if (c->debug.counters && !c->debug.met && sum_of_counters(c) != c->debug.counted)
        c->debug.met = STOP_COUNTER;
    if (c->debug.met) {
        core_stop_here(c, pc, (enum stop_reason)c->debug.met);
        return true;
    }
    if (!over && breaks(c, pc)) {
        core_stop_here(c, pc, STOP_BREAKPOINT);
        return true;
    }
    if (c->stepping) {
        if (c->steps_left == 0) {
            core_stop_here(c, pc, STOP_STEPS);
            return true;
        }
        c->steps_left--;
    }
    c->debug.pc = pc;
    return false;
}

void debug_asks_again(struct core *c, uint64_t pc)
{
    if (c->stepping)
        c->steps_left++;
    if (c->stepping || c->debug.active)
        c->debug.step_over = pc;
}

/* ---- accesses ---- */

/* The watched part of an access that must not pass unnoticed; `size` 0: none. */
static struct watch_hit watched_part(const struct core *c, uint64_t vaddr, unsigned size, bool write)
{
    for (uint32_t i = 0; i < c->debug.watchpoints; i++) {
        const struct watchpoint *w = &c->debug.watchpoint[i];
        uint64_t last = vaddr + size - 1;
        if (!(write ? w->on_write : w->on_read) || w->last < vaddr || w->first > last || !in_space(c, w->space))
            continue;
        uint64_t from = w->first > vaddr ? w->first : vaddr, to = w->last < last ? w->last : last;
        uint32_t bytes = to - from < WATCHED_BYTES_MAX ? (uint32_t)(to - from + 1) : WATCHED_BYTES_MAX;
        return (struct watch_hit){.vaddr = from, .index = i, .size = bytes, .write = write};
    }
    return (struct watch_hit){0};
}

static uint64_t memory_at(const struct core *c, uint64_t vaddr, uint32_t size)
{
    uint64_t value = 0;

    for (uint32_t i = 0; i < size; i++) {
        struct walk_result where;
        walk_read(&c->models.mmu.state, &c->ram, vaddr + i, &where);
        const uint8_t *at = where.present ? ram_at(&c->ram, where.paddr, 1) : NULL;
        value |= (uint64_t)(at ? *at : 0) << 8 * i;
    }
    return value;
}

void debug_before_store(struct core *c, uint64_t vaddr, unsigned size)
{
    c->debug.storing = watched_part(c, vaddr, size, true);
    if (c->debug.storing.size)
        c->debug.storing.old = memory_at(c, c->debug.storing.vaddr, c->debug.storing.size);
}

void debug_accessed(struct core *c, uint64_t vaddr, unsigned size, bool write)
{
    struct watch_hit hit = watched_part(c, vaddr, size, write), storing = c->debug.storing;

    c->debug.storing.size = 0;
    if (!hit.size || c->debug.met == STOP_WATCHPOINT)
        return;
    hit.pc = c->debug.pc;
    hit.now = memory_at(c, hit.vaddr, hit.size);
    hit.old_is_known = !write || (storing.size == hit.size && storing.vaddr == hit.vaddr);
    hit.old = write ? storing.old : hit.now;
    c->debug.hit = hit;
    debug_meet(c, STOP_WATCHPOINT);
}

/* ---- what Python calls; the caller flushes the engine's translations afterwards ---- */

static void changed(struct core *c)
{
    c->debug.single = c->debug.watchpoints || c->debug.counters;
    c->debug.active = c->debug.single || c->debug.breakpoints;
    if (c->debug.watchpoints && !c->sees_accesses)
        core_watch_accesses(c);
    core_allow_short_cuts(c, c->short_cuts);
}

/* False if there are too many: none is set then. */
bool core_set_breakpoints(struct core *c, const struct breakpoint *breakpoint, uint32_t count)
{
    c->debug.breakpoints = count <= BREAKPOINTS_MAX ? count : 0;
    memcpy(c->debug.breakpoint, breakpoint, c->debug.breakpoints * sizeof(*breakpoint));
    changed(c);
    return count <= BREAKPOINTS_MAX;
}

bool core_set_watchpoints(struct core *c, const struct watchpoint *watchpoint, uint32_t count)
{
    c->debug.watchpoints = count <= WATCHPOINTS_MAX ? count : 0;
    memcpy(c->debug.watchpoint, watchpoint, c->debug.watchpoints * sizeof(*watchpoint));
    changed(c);
    return count <= WATCHPOINTS_MAX;
}

/* Stop after events of some kinds (a set of enum trace_kind) and after changes of some counters (of enum counter). */
void core_stop_on(struct core *c, uint32_t kinds, uint64_t counters)
{
    trace_stop_on(&c->trace, kinds);
    c->debug.counters = counters;
    changed(c);
}

/* The next run does not stop before the instruction it starts with. */
void core_step_over(struct core *c) { c->debug.step_over = arch_pc(c); }

/* Whether the block being executed has instructions to come, the one at arch_pc() first. */
static bool is_within_block(const struct core *c) { return c->block && c->continue_pc == arch_pc(c); }

static bool is_within_repeat(const struct core *c)
{
    return c->block && c->continue_pc == NOWHERE && c->repeat_pc == arch_pc(c);
}

/* The guest goes on at pc, and what is left of the block it was in is not done. */
void core_jump(struct core *c, uint64_t pc)
{
    if (is_within_block(c) || is_within_repeat(c))
        core_cut_block(c, arch_pc(c));
    else
        core_leave_block(c, arch_pc(c));
    arch_set_pc(c, pc);
}

/* The books, of the block being executed with what is done alone. A string instruction counts from its first element on. Good
 * until the next call. */
const struct books *core_books_here(struct core *c)
{
    c->debug.here = is_within_block(c) ? core_books_up_to(c, arch_pc(c)) : c->books;
    return &c->debug.here;
}

/* How many instructions were executed of what the books have. */
uint64_t core_instructions(struct core *c)
{
    const struct books *here = core_books_here(c);

    return here->counters[RING_KERNEL].n[COUNTER_INSTRUCTIONS] + here->counters[RING_USER].n[COUNTER_INSTRUCTIONS];
}

const struct watch_hit *core_watch_hit(const struct core *c) { return &c->debug.hit; }
const struct trace_event *core_met_event(const struct core *c) { return &c->debug.event; }
uint64_t core_pc(const struct core *c) { return arch_pc(c); }
uint64_t core_space(const struct core *c) { return arch_space(c); }
uint64_t core_space_of(const struct core *c, uint64_t root) { return arch_space_of(c, root); }
bool core_in_user_mode(const struct core *c) { return arch_ring(c) == RING_USER; }
uint64_t core_steps_left(const struct core *c) { return c->steps_left; }
