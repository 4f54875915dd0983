/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mark.c: recognising marks. See mark.h.
 */
#include "mark.h"

#include <string.h>

#include "account.h"

/* NOP r/m32 with a SIB byte and a 32-bit displacement (Intel SDM volume 2, NOP): the one form that marks take. */
static const uint8_t nop_opcode[] = {0x0f, 0x1f, 0x84, 0x00};

/* The bits of MOVZ Xd, #imm16 (Arm ARM C6.2, MOVZ) that are not its immediate. */
enum { MOVZ_IMMEDIATE_SHIFT = 5, MOVZ_IMMEDIATE = 0xffff };

static uint32_t word_at(const uint8_t *code)
{
    uint32_t word;

    memcpy(&word, code, sizeof(word));
    return word;
}

static uint32_t x86_mark(const uint8_t *code)
{
    uint32_t displacement = word_at(code + sizeof(nop_opcode));

    if (memcmp(code, nop_opcode, sizeof(nop_opcode)) != 0 || (displacement & 0xffff0000u) != RINGSCOPE_MAGIC)
        return 0;
    return displacement;
}

static uint32_t aarch64_mark(const uint8_t *code)
{
    uint32_t own = word_at(code + sizeof(own));
    uint32_t number = own >> MOVZ_IMMEDIATE_SHIFT & MOVZ_IMMEDIATE;

    if (word_at(code) != RINGSCOPE_AARCH64_MAGIC || own != (RINGSCOPE_AARCH64_CODE | number << MOVZ_IMMEDIATE_SHIFT))
        return 0;
    return RINGSCOPE_MAGIC | number;
}

uint32_t mark_at(const uint8_t *code, uint32_t length, enum mark_architecture architecture)
{
    if (length < MARK_BYTES)
        return 0;
    return architecture == MARK_AARCH64 ? aarch64_mark(code) : x86_mark(code);
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
