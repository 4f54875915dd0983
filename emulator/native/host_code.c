/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * host_code.c: memory for code that the core writes, and its instructions. See host_code.h.
 */
#define _GNU_SOURCE
#include "host_code.h"

#include <sys/mman.h>

enum { INSTRUCTION_BYTES_MAX = 15, ENTRY_ALIGNMENT = 16 };

/* ---- memory ---- */

#if defined(__x86_64__)
static const bool host_is_known = true;
#else
static const bool host_is_known = false;
#endif

static bool reserve(struct host_code *code)
{
    void *memory = MAP_FAILED;

    if (code->base)
        return true;
    if (host_is_known && !code->refused)
        memory = mmap(NULL, HOST_CODE_BYTES, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    code->refused = memory == MAP_FAILED;
    if (code->refused)
        return false;
    code->base = code->next = memory;
    code->end = code->base + HOST_CODE_BYTES;
    return true;
}

/* All of it together, so that no part of a mapping is split off: a host that grants this once does so each time. */
static bool protect(const struct host_code *code, int protection)
{
    return !mprotect(code->base, HOST_CODE_BYTES, protection);
}

bool host_code_begin(struct host_code *code)
{
    if (!reserve(code))
        return false;
    code->overrun = false;
    code->entry = code->next;
    return code->end - code->next >= ENTRY_ALIGNMENT && protect(code, PROT_READ | PROT_WRITE);
}

void *host_code_finish(struct host_code *code, bool unwanted)
{
    bool executable = protect(code, PROT_READ | PROT_EXEC);
    if (unwanted || code->overrun || !executable) {
        code->next = code->entry;
        code->refused |= !executable;
        return NULL;
    }
    size_t used = (size_t)(code->next - code->base + ENTRY_ALIGNMENT - 1) & ~(size_t)(ENTRY_ALIGNMENT - 1);
    code->next = code->base + used;
    return code->entry;
}

void host_code_forget(struct host_code *code) { code->next = code->base; }

void host_code_free(struct host_code *code)
{
    if (code->base)
        munmap(code->base, HOST_CODE_BYTES);
    *code = (struct host_code){0};
}

/* ---- instructions ---- */

static void put(struct host_code *code, uint32_t byte) { *code->next++ = (uint8_t)byte; }

static bool is_room(struct host_code *code)
{
    code->overrun |= code->end - code->next < INSTRUCTION_BYTES_MAX;
    return !code->overrun;
}

/* What the two registers' lower three bits and `mode` say together. */
static void put_modrm(struct host_code *code, uint32_t mode, enum host_register first, enum host_register base)
{
    put(code, mode << 6 | (first & 7u) << 3 | (base & 7u));
}

static void put_memory(struct host_code *code, enum host_register first, struct host_operand second)
{
    enum { NO_OFFSET, ONE_BYTE, FOUR_BYTES, NO_INDEX = 0x24 };
    uint32_t offset = (uint32_t)second.offset;
    uint32_t mode = !offset                                  ? NO_OFFSET
                    : second.offset == (int8_t)second.offset ? ONE_BYTE
                                                             : FOUR_BYTES;
    if (mode == NO_OFFSET && (second.base & 7) == RBP) /* this would mean: from the program counter */
        mode = ONE_BYTE;
    put_modrm(code, mode, first, second.base);
    if ((second.base & 7) == RSP) /* this means: a further byte says from which base and index */
        put(code, NO_INDEX);
    for (uint32_t bytes = mode == FOUR_BYTES ? 4 : mode; bytes; bytes--, offset >>= 8)
        put(code, offset);
}

void host_emit(struct host_code *code, enum host_operation operation, enum host_register first, struct host_operand second)
{
    enum { REX_W = 0x48, TWO_REGISTERS = 3 };

    if (!is_room(code))
        return;
    put(code, REX_W | first >> 3 << 2 | second.base >> 3);
    if (operation >> 8)
        put(code, operation >> 8);
    put(code, operation);
    if (second.is_memory)
        put_memory(code, first, second);
    else
        put_modrm(code, TWO_REGISTERS, first, second.base);
}

void host_emit_return(struct host_code *code)
{
    enum { RET = 0xc3 };
    if (is_room(code))
        put(code, RET);
}
