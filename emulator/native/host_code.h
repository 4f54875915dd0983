/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * host_code.h: code for the host, written while a machine runs: where it lies, and the instructions that it is made of
 *
 * The memory is reserved at once, when the first code is wanted, and the host lends its pages as they fill. What is written
 * lies there until all of it is forgotten together. A page is writable while code is written and executable
 * afterwards, never both: that is two system calls for each piece of code, nothing beside the decoding before it.
 *
 * The instructions are x86-64's, as every host has them that the engine runs on. All of them have a register and a
 * second operand, which is a register or a word in memory, and 64 bits:
 *
 *   REX.W with the fourth bits of both registers | operation | ModRM: how the second operand is meant | offset
 */
#ifndef RINGSCOPE_HOST_CODE_H
#define RINGSCOPE_HOST_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HOST_CODE_BYTES = 16 << 20 };

struct host_code {
    uint8_t *base; /* NULL: none has been reserved */
    uint8_t *next, *end;
    uint8_t *entry; /* of the code being written */
    bool refused; /* the host gives no such memory */
    bool overrun; /* the code being written does not fit */
};

/* Reserve the memory, if that has not been done, and begin to write code. False: there is none, or none that is free. */
bool host_code_begin(struct host_code *code);

/* Finish it. Returns its first instruction, NULL: it is `unwanted` or did not fit, and its room is free again. */
void *host_code_finish(struct host_code *code, bool unwanted);

/* All code is forgotten: its room is free. Nobody may jump there any more. */
void host_code_forget(struct host_code *code);

/* Give the memory back. */
void host_code_free(struct host_code *code);

/* ---- instructions ---- */

/* By the numbers that they have in an instruction. */
enum host_register { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };

enum host_operation {
    HOST_ADD = 0x03,                  /* add register, second */
    HOST_STORE = 0x89,                /* mov second, register */
    HOST_LOAD = 0x8b,                 /* mov register, second */
    HOST_ADDRESS = 0x8d,              /* lea register, second: the sum of register and offset, not what lies there */
    HOST_COMPARE = 0x3b,              /* cmp register, second */
    HOST_MOVE_IF_LESS = 0x0f << 8 | 0x4c, /* cmovl register, second: if the register was the less, as signed numbers */
};

struct host_operand {
    enum host_register base;
    bool is_memory;
    int32_t offset; /* bytes from where `base` points; of a memory operand alone */
};

static inline struct host_operand host_register(enum host_register which)
{
    return (struct host_operand){.base = which};
}

static inline struct host_operand host_memory(enum host_register base, int32_t offset)
{
    return (struct host_operand){.base = base, .is_memory = true, .offset = offset};
}

void host_emit(struct host_code *code, enum host_operation operation, enum host_register first, struct host_operand second);
void host_emit_return(struct host_code *code);

#endif
