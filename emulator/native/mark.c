/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mark.c: recognising marks, and what passing one does. See mark.h.
 */
#include "mark.h"

#include <string.h>

#include "core.h"

/* NOP r/m32 with a SIB byte and a 32-bit displacement (Intel SDM volume 2, NOP): the one form that marks take. */
static const uint8_t nop_opcode[] = {0x0f, 0x1f, 0x84, 0x00};

/* Where MOVN Xd, #imm16 (Arm ARM C6.2, MOVN) has its immediate. */
enum { MOVN_SHIFT = 5, MOVN_IMMEDIATE = 0xffff };

static uint32_t word_at(const uint8_t *code)
{
    uint32_t word;

    memcpy(&word, code, sizeof(word));
    return word;
}

static uint32_t x86_mark(const uint8_t *code, uint32_t length)
{
    uint32_t displacement;

    if (length < sizeof(nop_opcode) + sizeof(displacement) || memcmp(code, nop_opcode, sizeof(nop_opcode)) != 0)
        return 0;
    displacement = word_at(code + sizeof(nop_opcode));
    return (displacement & 0xffff0000u) == RINGSCOPE_MAGIC ? displacement : 0;
}

static uint32_t aarch64_mark(const uint8_t *code, uint32_t length)
{
    uint32_t word, number;

    if (length < sizeof(word))
        return 0;
    word = word_at(code);
    number = word >> MOVN_SHIFT & MOVN_IMMEDIATE;
    return word == (RINGSCOPE_MOVN_XZR | number << MOVN_SHIFT) ? RINGSCOPE_MAGIC | number : 0;
}

uint32_t mark_at(const uint8_t *code, uint32_t length, enum mark_architecture architecture)
{
    return architecture == MARK_AARCH64 ? aarch64_mark(code, length) : x86_mark(code, length);
}

int mark_counter(uint32_t mark)
{
    if (MARK_KIND(mark) == RINGSCOPE_KIND_COPY_BEGIN)
        return COUNTER_BYTES_COPIED;
    if (MARK_KIND(mark) != RINGSCOPE_KIND_EVENT)
        return -1;
    switch (MARK_ID(mark)) {
    case RINGSCOPE_EVENT_IPC: return COUNTER_IPC;
    case RINGSCOPE_EVENT_CONTEXT_SWITCH: return COUNTER_CONTEXT_SWITCHES;
    default: return -1;
    }
}

/* ---- passing one ---- */

/* Events and operations are traced; a copy has its end only in the books. */
static void trace_mark(struct core *c, uint32_t mark, uint64_t pc)
{
    struct trace_event event = {.kind = TRACE_EVENT, .number = MARK_ID(mark)};
    struct trace_point here = trace_take(c, pc);

    switch (MARK_KIND(mark)) {
    case RINGSCOPE_KIND_BEGIN: event.kind = TRACE_BEGIN; break;
    case RINGSCOPE_KIND_END: event.kind = TRACE_END; break;
    case RINGSCOPE_KIND_EVENT: break;
    default: return;
    }
    trace_record(c, &here, event);
}

void mark_pass(struct core *c, uint32_t mark, uint64_t pc)
{
    int counter;

    core_settle(c);
    if (c->attribution)
        attribution_settle(c, pc);
    trace_mark(c, mark, pc);
    switch (MARK_KIND(mark)) {
    case RINGSCOPE_KIND_BEGIN: ledger_begin(&c->ledger, &c->books, MARK_ID(mark)); break;
    case RINGSCOPE_KIND_END: ledger_end(&c->ledger, &c->books, MARK_ID(mark)); break;
    case RINGSCOPE_KIND_EVENT:
        counter = mark_counter(mark);
        if (counter >= 0)
            account_count(&c->account, (enum counter)counter);
        break;
    case RINGSCOPE_KIND_COPY_BEGIN: c->ledger.current.copying = true; break;
    case RINGSCOPE_KIND_COPY_END: c->ledger.current.copying = false; break;
    default: break;
    }
}
