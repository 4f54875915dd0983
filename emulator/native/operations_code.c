/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * operations_code.c: from operations to host code. See operations_code.h, and in pipeline.c one(), which it is equal to.
 */
#include "operations_code.h"

enum { WORD = 8 };

/* The first three are the arguments, the others any that a function of C may use as it likes. */
enum { ORIGIN = RDI, EXTRA = RSI, WHEN = RDX, FRONT = RAX, BEGIN = RCX, DONE = R8, RETIRED = R9, PORT = R10 };

static struct host_operand time_at(uint32_t time) { return host_memory(ORIGIN, ((int)time - SUMMARY_ORIGIN) * WORD); }

static void emit_maximum(struct host_code *code, enum host_register of, struct host_operand and)
{
    host_emit(code, HOST_COMPARE, of, and);
    host_emit(code, HOST_MOVE_IF_LESS, of, and);
}

static void emit_sum(struct host_code *code, enum host_register to, enum host_register from, uint32_t plus)
{
    host_emit(code, HOST_ADDRESS, to, host_memory(from, (int32_t)plus));
}

/* It is free when what was delivered to it before has had its turn. */
static void emit_port(struct host_code *code, const struct micro_op *op)
{
    struct host_operand port = time_at(PIPELINE_PORTS + op->port);

    host_emit(code, HOST_LOAD, PORT, port);
    emit_maximum(code, BEGIN, host_register(PORT));
    emit_maximum(code, PORT, host_register(FRONT));
    emit_sum(code, PORT, PORT, op->occupancy);
    host_emit(code, HOST_STORE, PORT, port);
    emit_maximum(code, RETIRED, host_register(PORT));
}

static void emit_operation(struct host_code *code, const struct micro_op *op, uint32_t access)
{
    host_emit(code, HOST_LOAD, BEGIN, host_register(FRONT));
    for (uint32_t i = 0; i < op->sources; i++)
        emit_maximum(code, BEGIN, time_at(op->source[i]));
    if (op->port)
        emit_port(code, op);
    if (op->accesses)
        host_emit(code, HOST_STORE, BEGIN, host_memory(WHEN, (int32_t)access * WORD));
    emit_sum(code, DONE, BEGIN, op->latency);
    if (op->accesses && op->kind == MICRO_LOAD)
        host_emit(code, HOST_ADD, DONE, host_memory(EXTRA, (int32_t)access * WORD));
    for (uint32_t i = 0; i < op->destinations; i++)
        host_emit(code, HOST_STORE, DONE, time_at(op->destination[i]));
    emit_maximum(code, RETIRED, host_register(DONE));
    emit_sum(code, FRONT, FRONT, op->slot);
}

/* These two are in registers, and the third is moved only when the code is done. */
static bool is_own(uint32_t time) { return time == PIPELINE_FRONT || time == PIPELINE_RETIRED || time == PIPELINE_FILL; }

static bool is_possible(const struct micro_op *op, uint32_t count)
{
    uint32_t accesses = 0, own = 0;

    for (const struct micro_op *end = op + count; op < end; op++) {
        accesses += op->accesses;
        for (uint32_t i = 0; i < op->sources; i++)
            own += is_own(op->source[i]);
        for (uint32_t i = 0; i < op->destinations; i++)
            own += is_own(op->destination[i]);
    }
    return accesses <= OPERATIONS_ACCESSES && !own;
}

operations_step *operations_code(struct host_code *code, const struct micro_op *op, uint32_t count)
{
    uint32_t access = 0;

    if (!is_possible(op, count) || !host_code_begin(code))
        return NULL;
    host_emit(code, HOST_LOAD, FRONT, time_at(PIPELINE_FRONT));
    host_emit(code, HOST_LOAD, RETIRED, time_at(PIPELINE_RETIRED));
    for (const struct micro_op *end = op + count; op < end; op++) {
        emit_operation(code, op, access);
        access += op->accesses;
    }
    host_emit(code, HOST_STORE, FRONT, time_at(PIPELINE_FRONT));
    host_emit(code, HOST_STORE, RETIRED, time_at(PIPELINE_RETIRED));
    host_emit_return(code);
    return (operations_step *)host_code_finish(code, false);
}
