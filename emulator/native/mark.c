/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mark.c: recognising marks. See mark.h.
 */
#include "mark.h"

#include <string.h>

#include "account.h"

/* NOP r/m32 with a SIB byte and a 32-bit displacement (Intel SDM volume 2, NOP): the one form that marks take. */
static const uint8_t opcode[] = {0x0f, 0x1f, 0x84, 0x00};

uint32_t mark_at(const uint8_t *code, uint32_t length)
{
    uint32_t word;

    if (length < sizeof(opcode) + sizeof(word) || memcmp(code, opcode, sizeof(opcode)) != 0)
        return 0;
    memcpy(&word, code + sizeof(opcode), sizeof(word));
    return (word & 0xffff0000u) == RINGSCOPE_MAGIC ? word : 0;
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
