/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * row_registers.c: registers, slots and the instructions between them and the row of times. See row_registers.h.
 */
#include "row_registers.h"

static const enum host_register number[ROW_REGISTERS] = {RAX, RCX, RDX, RSI, R8, R9, R10, R11};

static struct host_operand in(int at) { return host_register(number[at]); }
static struct host_operand slot_at(int slot) { return host_memory(RSP, -(slot + 1) * ROW_WORD); }
static struct host_operand time_at(uint32_t time) { return host_memory(RDI, ((int)time - SUMMARY_ORIGIN) * ROW_WORD); }

static void emit(struct row_registers *r, enum host_operation operation, int first, struct host_operand second)
{
    host_emit(r->code, operation, number[first], second);
}

/* ---- who has a register ---- */

static int register_of(const struct row_registers *r, uint32_t time)
{
    for (int at = 0; at < ROW_REGISTERS; at++)
        if (r->content[at] == REGISTER_TIME && r->time[at] == time)
            return at;
    return NO_REGISTER;
}

/* What waits in a register waits in a slot from now on. */
static void spill(struct row_registers *r, int at)
{
    int slot = 0;
    while (slot < ROW_SLOTS && r->slot_is_taken[slot])
        slot++;
    r->stuck |= slot == ROW_SLOTS;
    if (r->stuck)
        return;
    r->slot_is_taken[slot] = true;
    emit(r, HOST_STORE, at, slot_at(slot));
    for (struct waiting *w = r->waiting; w < r->waiting + r->waitings; w++)
        if (w->at == at)
            *w = (struct waiting){.to = w->to, .at = NO_REGISTER, .slot = slot};
}

/* Whether b is to be given up rather than a: an old time, which is in the row too, before what would have to be stored; of old
 * times the one that is read less often. */
static bool is_cheaper(const struct row_registers *r, int a, int b)
{
    if (a == NO_REGISTER)
        return true;
    if (r->content[a] != r->content[b])
        return r->content[b] == REGISTER_TIME;
    return r->content[b] == REGISTER_TIME && r->readers[r->time[b]] < r->readers[r->time[a]];
}

int row_take(struct row_registers *r)
{
    int best = NO_REGISTER, at = 0;

    while (at < ROW_REGISTERS && r->content[at] != REGISTER_FREE) {
        if (r->content[at] != REGISTER_VALUE && is_cheaper(r, best, at))
            best = at;
        at++;
    }
    if (at < ROW_REGISTERS)
        best = at;
    r->stuck |= best == NO_REGISTER;
    if (r->stuck)
        return 0;
    if (r->content[best] == REGISTER_WAITS)
        spill(r, best);
    r->content[best] = REGISTER_VALUE;
    return best;
}

/* ---- terms ---- */

void row_emit_sum(struct row_registers *r, int to, int from, int32_t plus)
{
    if (plus)
        emit(r, HOST_ADDRESS, to, host_memory(number[from], plus));
    else if (to != from)
        emit(r, HOST_LOAD, to, in(from));
}

static void emit_maximum(struct row_registers *r, int at, struct host_operand other)
{
    emit(r, HOST_COMPARE, at, other);
    emit(r, HOST_MOVE_IF_LESS, at, other);
}

void row_emit_maximum(struct row_registers *r, int at, int other) { emit_maximum(r, at, in(other)); }

static int emit_keep(struct row_registers *r, uint32_t time)
{
    int at = row_take(r);
    emit(r, HOST_LOAD, at, time_at(time));
    r->content[at] = REGISTER_TIME;
    r->time[at] = (uint8_t)time;
    return at;
}

static void has_read(struct row_registers *r, uint32_t time, bool adds)
{
    r->readers[time]--;
    r->adders[time] = (uint16_t)(r->adders[time] - adds);
    int at = register_of(r, time);
    if (at != NO_REGISTER && !r->readers[time])
        row_drop(r, at);
}

int row_emit_term(struct row_registers *r, uint32_t time, int32_t plus)
{
    int kept = register_of(r, time), at;

    if (kept == NO_REGISTER && r->adders[time] > (plus != 0))
        kept = emit_keep(r, time);
    if (kept == NO_REGISTER) {
        at = row_take(r);
        emit(r, HOST_LOAD, at, time_at(time));
        row_emit_sum(r, at, at, plus);
    } else {
        r->content[kept] = REGISTER_VALUE; /* not to be taken */
        at = r->readers[time] > 1 ? row_take(r) : kept;
        row_emit_sum(r, at, kept, plus);
        r->content[kept] = at == kept ? REGISTER_VALUE : REGISTER_TIME;
    }
    has_read(r, time, plus != 0);
    return at;
}

void row_emit_maximum_of_term(struct row_registers *r, int at, uint32_t time, int32_t plus)
{
    if (plus) {
        int other = row_emit_term(r, time, plus);
        row_emit_maximum(r, at, other);
        row_drop(r, other);
        return;
    }
    int kept = register_of(r, time);
    if (kept == NO_REGISTER && r->adders[time])
        kept = emit_keep(r, time);
    emit_maximum(r, at, kept == NO_REGISTER ? time_at(time) : in(kept));
    has_read(r, time, false);
}

/* ---- results ---- */

void row_emit_store(struct row_registers *r, uint32_t to, int at) { emit(r, HOST_STORE, at, time_at(to)); }

void row_emit_result(struct row_registers *r, uint8_t to, int at)
{
    if (!r->readers[to]) {
        row_emit_store(r, to, at);
        return;
    }
    r->content[at] = REGISTER_WAITS;
    r->waiting[r->waitings++] = (struct waiting){.to = to, .at = at};
}

static bool is_shared(const struct row_registers *r, const struct waiting *with)
{
    for (const struct waiting *w = r->waiting; w < r->waiting + r->waitings; w++)
        if (w->at == with->at && w->slot == with->slot)
            return true;
    return false;
}

/* One that has been taken off the list. */
static void emit_waiting(struct row_registers *r, const struct waiting *w)
{
    int at = w->at;
    if (at == NO_REGISTER) {
        at = row_take(r);
        emit(r, HOST_LOAD, at, slot_at(w->slot));
    }
    row_emit_store(r, w->to, at);
    if (w->at == NO_REGISTER || !is_shared(r, w))
        row_drop(r, at);
    if (w->at == NO_REGISTER && !is_shared(r, w))
        r->slot_is_taken[w->slot] = false;
}

void row_emit_released(struct row_registers *r)
{
    for (uint32_t i = 0; i < r->waitings;) {
        struct waiting w = r->waiting[i];
        if (r->readers[w.to]) {
            i++;
            continue;
        }
        r->waiting[i] = r->waiting[--r->waitings];
        emit_waiting(r, &w);
    }
}
