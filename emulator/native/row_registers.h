/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * row_registers.h: the host's registers while a summary becomes code: which of them has an old time, which a new one
 *
 * An old time is read from the row or, if there will be more to add to it, kept in a register. A new time may take its place in
 * the row when no term that is still to come reads the old one; until then it waits in its register, or, where registers run
 * short, in a slot below the stack pointer.
 *
 * Registers are numbered from 0 to ROW_REGISTERS - 1 here: those that a function of C may use as it likes.
 */
#ifndef RINGSCOPE_ROW_REGISTERS_H
#define RINGSCOPE_ROW_REGISTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "host_code.h"
#include "pipeline.h"

enum { ROW_REGISTERS = 8, ROW_WORD = 8, ROW_SLOTS = 128 / ROW_WORD, NO_REGISTER = -1 };

/* What is in a register: nothing; something being computed; an old time; what waits to be stored. */
enum register_content { REGISTER_FREE, REGISTER_VALUE, REGISTER_TIME, REGISTER_WAITS };

/* A new time that waits. */
struct waiting {
    uint8_t to;
    int at, slot; /* in this register, or NO_REGISTER: in this slot */
};

struct row_registers {
    struct host_code *code;
    uint16_t readers[PIPELINE_TIMES]; /* terms that are still to come, by the time that they read */
    uint16_t adders[PIPELINE_TIMES];  /* those of them that add something */
    uint32_t waitings;
    struct waiting waiting[PIPELINE_TIMES];
    enum register_content content[ROW_REGISTERS];
    uint8_t time[ROW_REGISTERS]; /* which, for REGISTER_TIME */
    bool slot_is_taken[ROW_SLOTS];
    bool stuck; /* there was neither a register nor a slot: the code is of no use */
};

/* A register for a value. */
int row_take(struct row_registers *r);

/* The value is not needed any more. */
static inline void row_drop(struct row_registers *r, int at) { r->content[at] = REGISTER_FREE; }

/* `to` becomes `from` and `plus`. */
void row_emit_sum(struct row_registers *r, int to, int from, int32_t plus);

/* `at` becomes the larger of both. */
void row_emit_maximum(struct row_registers *r, int at, int other);

/* A register for an old time and `plus`. This and the next read the time for one of its readers. */
int row_emit_term(struct row_registers *r, uint32_t time, int32_t plus);

/* `at` becomes the larger of itself and that sum. */
void row_emit_maximum_of_term(struct row_registers *r, int at, uint32_t time, int32_t plus);

/* What is in the register is a new time: store it as soon as nobody reads the old one. */
void row_emit_result(struct row_registers *r, uint8_t to, int at);

/* Store what nobody reads any more. */
void row_emit_released(struct row_registers *r);

/* Now, whoever reads it. */
void row_emit_store(struct row_registers *r, uint32_t to, int at);

#endif
