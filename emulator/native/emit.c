/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * emit.c: code of ours in the engine's translations. See emit.h.
 *
 * The engine begins every translation with the call of the block hook and then with a question of its own, whether to
 * stop. Both reach its generator as calls of a helper, and are known by the helper's address:
 *
 *         if account.cycles < quiet_until: goto pass
 *         hook; stop if asked to
 *         goto inside
 *   pass: account.cycles += instructions; passed = block; passed_pc = pc
 * inside: ...
 */
#define _GNU_SOURCE
#include "emit.h"

#include <stddef.h>
#include <string.h>

#include "core.h"

struct generator generator;

/* ---- the engine's operations, by name ---- */

enum { OPERATION_SET_LABEL, OPERATION_LOAD, OPERATION_STORE, OPERATION_COUNT };
static const char *const operation_name[OPERATION_COUNT] = {"set_label", "ld_i64", "st_i64"};
static unsigned operation_number[OPERATION_COUNT];
static bool operations_known;

enum { TYPE_I64 = 1, LESS_UNSIGNED = 4 }; /* TCG_TYPE_I64 and TCG_COND_LTU of every QEMU since 2011 */

/* The generator's context points at a table whose records begin with an operation's name. */
enum { CONTEXT_BYTES_MAX = 0x10000, CHUNK_WORDS = 32, RECORDS_MAX = 256, RECORD_BYTES = 32, NAME_BYTES = 16 };

static bool name_at(uintptr_t record, char name[NAME_BYTES])
{
    uintptr_t text;
    if (!engine_peek((const void *)record, &text, sizeof(text)) ||
        !engine_peek((const void *)text, name, NAME_BYTES))
        return false;
    name[NAME_BYTES - 1] = '\0';
    return true;
}

static bool is_operation_table(uintptr_t table)
{
    char name[NAME_BYTES];
    return table && !(table & 7) && name_at(table, name) && !strcmp(name, "discard") &&
           name_at(table + RECORD_BYTES, name) && !strcmp(name, operation_name[OPERATION_SET_LABEL]);
}

static uintptr_t find_operation_table(const void *context)
{
    uintptr_t words[CHUNK_WORDS];

    for (size_t at = 0; at < CONTEXT_BYTES_MAX; at += sizeof(words)) {
        if (!engine_peek((const char *)context + at, words, sizeof(words)))
            return 0;
        for (unsigned i = 0; i < CHUNK_WORDS; i++)
            if (is_operation_table(words[i]))
                return words[i];
    }
    return 0;
}

static void find_operations(const void *context)
{
    static bool looked;
    unsigned found = 0;

    if (looked)
        return;
    looked = true;
    uintptr_t table = find_operation_table(context);
    for (unsigned record = 0; record < table && record < RECORDS_MAX && found < OPERATION_COUNT; record++) {
        char name[NAME_BYTES];
        if (!name_at(table + record * RECORD_BYTES, name))
            return;
        for (unsigned i = 0; i < OPERATION_COUNT; i++) {
            if (!strcmp(name, operation_name[i])) {
                operation_number[i] = record;
                found++;
            }
        }
    }
    operations_known = found == OPERATION_COUNT;
}

bool emit_is_possible(void) { return operations_known; }

/* ---- one translation ---- */

static struct {
    struct core *core;
    const struct block *block;
    uint64_t pc;
    void *context;
    void *pass, *inside; /* labels, while between the two calls */
} now;

void emit_count(struct core *c, const struct block *block, uint64_t pc)
{
    now.core = c;
    now.block = block;
    now.pc = pc;
    now.pass = NULL;
}

void emit_again(void) { generator.restart(now.context); }

static void *temporary_of(void *context, intptr_t value) { return (char *)context + value; }
static intptr_t value_of(void *context, void *temporary) { return (char *)temporary - (char *)context; }

static void *constant(void *context, uint64_t value)
{
    return temporary_of(context, generator.constant(context, value));
}

static void *load(void *context, void *base, size_t offset)
{
    void *value = generator.new_temporary(context, TYPE_I64, false);
    generator.operation3(context, operation_number[OPERATION_LOAD], (uintptr_t)value, (uintptr_t)base, offset);
    return value;
}

static void store(void *context, void *value, void *base, size_t offset)
{
    generator.operation3(context, operation_number[OPERATION_STORE], (uintptr_t)value, (uintptr_t)base, offset);
    generator.free_temporary(context, value);
}

static void set_label(void *context, void *label)
{
    generator.operation1(context, operation_number[OPERATION_SET_LABEL], (uintptr_t)label);
}

enum { CYCLES = offsetof(struct core, account.cycles) };

static void emit_test(void *context)
{
    void *base = constant(context, (uintptr_t)now.core);
    void *cycles = load(context, base, CYCLES), *due = load(context, base, offsetof(struct core, quiet_until));

    now.pass = generator.new_label(context);
    now.inside = generator.new_label(context);
    generator.branch_if(context, LESS_UNSIGNED, value_of(context, cycles), value_of(context, due), now.pass);
    generator.free_temporary(context, due);
    generator.free_temporary(context, cycles);
    generator.free_temporary(context, base);
}

/* Counts the branch to a label as the engine does, so that it does not take the label for unused. */
static void emit_goto(void *context, void *label)
{
    enum { ALWAYS = 1 };
    generator.branch_if(context, ALWAYS, 0, 0, label);
}

static void emit_pass(void *context)
{
    emit_goto(context, now.inside);
    set_label(context, now.pass);
    void *base = constant(context, (uintptr_t)now.core), *cycles = load(context, base, CYCLES);
    intptr_t value = value_of(context, cycles);
    generator.add_constant(context, value, value, now.block->insns);
    store(context, cycles, base, CYCLES);
    store(context, constant(context, (uintptr_t)now.block), base, offsetof(struct core, passed));
    store(context, constant(context, now.pc), base, offsetof(struct core, passed_pc));
    generator.free_temporary(context, base);
    set_label(context, now.inside);
    now.pass = NULL;
}

static void (*original_tcg_gen_callN)(void *, void *, void *, int, void **);
static void replace_tcg_gen_callN(void *context, void *function, void *result, int count, void **arguments)
{
    bool is_hook = function == (void *)core_on_block;

    if (is_hook) {
        find_operations(context);
        now.context = context;
    }
    bool counts = is_hook && running && now.block;
    if (!counts) {
        original_tcg_gen_callN(context, function, result, count, arguments);
        if (now.pass && function == engine.exit_check)
            emit_pass(context);
        return;
    }
    emit_test(context);
    /* The engine made the hook's arguments before our branch; behind it they have to be made anew. */
    void *anew[] = {
        constant(context, (uintptr_t)now.core),
        constant(context, now.pc),
        constant(context, now.block->bytes),
        constant(context, (uintptr_t)now.block),
    };
    original_tcg_gen_callN(context, function, NULL, 4, anew);
    for (int i = 0; i < 4; i++)
        generator.free_temporary(context, anew[i]);
}

/* After every load and store the engine emits a call that asks whether to stop. This core stops at block boundaries alone,
 * after the block hook, where the engine asks with code of its own. */
static void (*original_check_exit_request)(void *);
static void replace_check_exit_request(void *context)
{
    if (!running)
        original_check_exit_request(context);
}

const struct interposition emit_replacements[] = {
    {ENGINE_SYMBOL("tcg_gen_callN"), SLOT_CALL, (void *)replace_tcg_gen_callN, (void **)&original_tcg_gen_callN},
    {ENGINE_SYMBOL("check_exit_request"), SLOT_CALL, (void *)replace_check_exit_request,
     (void **)&original_check_exit_request},
};
const size_t emit_replacement_count = sizeof(emit_replacements) / sizeof(emit_replacements[0]);
