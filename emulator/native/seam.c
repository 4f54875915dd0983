/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * seam.c: finding the engine's functions and putting ours in between. See seam.h.
 */
#define _GNU_SOURCE
#include "seam.h"

#include <dlfcn.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core.h"
#include "emit.h"

struct engine_functions engine;
struct tlb_layout tlb_layout;
env_t *engine_last_env;
cpu_t *engine_last_cpu;
struct load_seen engine_last_load;
struct core *running;

static void (*original_gen_intermediate_code)(cpu_t *, struct translation_block *, int);

void engine_translate(cpu_t *cpu, struct translation_block *tb, int max_insns)
{
    original_gen_intermediate_code(cpu, tb, max_insns);
}

static void replace_gen_intermediate_code(cpu_t *cpu, struct translation_block *tb, int max_insns)
{
    engine_last_cpu = cpu;
    if (running && (!running->cpu || running->cpu == cpu))
        core_translate(running, cpu, tb, max_insns);
    else
        original_gen_intermediate_code(cpu, tb, max_insns);
}

/* When code is translated the engine makes the TLB entries that map its page trap the next store, but only those of the
 * address it runs at: a store through an alias would leave stale code behind. All entries of the page must trap. */
static void (*tlb_reset_dirty)(cpu_t *, uintptr_t host, uint64_t length);
static void (*original_tlb_reset_dirty_by_vaddr)(cpu_t *, uint64_t, uint64_t);
static void replace_tlb_reset_dirty_by_vaddr(cpu_t *cpu, uint64_t vaddr, uint64_t length)
{
    original_tlb_reset_dirty_by_vaddr(cpu, vaddr, length);
    if (running && running->cpu == cpu)
        for (int i = 0; i < 2; i++)
            if (running->code_page[i])
                tlb_reset_dirty(cpu, (uintptr_t)running->code_page[i], 0x1000);
}

/* The engine's TLB grows when it is flushed and was well filled: a guest that never flushes would miss for ever in the size
 * that it began with. After many fills in a row the core flushes it at the next block; the models have a TLB of their own. */
static void (*original_tlb_set_page_with_attrs)(cpu_t *, uint64_t, uint64_t, uint32_t, int, int, uint64_t);
static void replace_tlb_set_page_with_attrs(cpu_t *cpu, uint64_t vaddr, uint64_t paddr, uint32_t attributes, int access,
                                            int kind, uint64_t bytes)
{
    original_tlb_set_page_with_attrs(cpu, vaddr, paddr, attributes, access, kind, bytes);
    if (running && running->cpu == cpu && ++running->tlb_fills >= running->tlb_patience)
        core_grow_tlb(running);
}

static void (*original_tlb_flush)(cpu_t *);
static void replace_tlb_flush(cpu_t *cpu)
{
    original_tlb_flush(cpu);
    if (running && running->cpu == cpu)
        running->tlb_fills = 0;
}

static const struct interposition translation_replacements[] = {
    {ENGINE_SYMBOL("tlb_set_page_with_attrs"), SLOT_CALL, (void *)replace_tlb_set_page_with_attrs,
     (void **)&original_tlb_set_page_with_attrs},
    {ENGINE_SYMBOL("tlb_flush"), SLOT_CALL, (void *)replace_tlb_flush, (void **)&original_tlb_flush},
    {ENGINE_SYMBOL("gen_intermediate_code"), SLOT_CALL, (void *)replace_gen_intermediate_code,
     (void **)&original_gen_intermediate_code},
    {ENGINE_SYMBOL("tlb_reset_dirty_by_vaddr"), SLOT_CALL, (void *)replace_tlb_reset_dirty_by_vaddr,
     (void **)&original_tlb_reset_dirty_by_vaddr},
};

bool engine_peek(const void *from, void *to, size_t bytes)
{
    struct iovec local = {to, bytes}, remote = {(void *)(uintptr_t)from, bytes};
    return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)bytes;
}

/* A table's description lies somewhere before the CPU state; it is the one whose entry for vaddr has vaddr's page as its
 * tag, and a word that leads from vaddr to its host address. */
void engine_find_tlb(env_t *env, uint64_t vaddr, uint32_t kind, const uint8_t *host)
{
    enum { REACH = 0x100, ENTRY_WORDS = 1 << (TLB_ENTRY_SHIFT - 3) };
    uint64_t wanted = (uint64_t)(uintptr_t)host - vaddr;

    tlb_layout.descriptors = 0;
    for (intptr_t at = -REACH; at <= -16; at += 8) {
        uint64_t described[2], entry[ENTRY_WORDS];
        if (!engine_peek((char *)env + at, described, sizeof(described)) || described[0] & ((1 << TLB_ENTRY_SHIFT) - 1))
            continue;
        uint64_t index = (vaddr >> (12 - TLB_ENTRY_SHIFT)) & described[0];
        if (!engine_peek((const void *)(uintptr_t)(described[1] + index), entry, sizeof(entry)) ||
            entry[TLB_TAG_READ / 8] != (vaddr & ~0xfffull))
            continue;
        for (uint32_t word = TLB_TAG_WRITE / 8 + 1; word < ENTRY_WORDS; word++) {
            if (entry[word] == wanted) {
                tlb_layout.addend = 8 * word;
                tlb_layout.descriptors = at - 16 * (intptr_t)kind;
                return;
            }
        }
    }
}

static const struct wanted_function common_functions[] = {
    {ENGINE_SYMBOL("tlb_reset_dirty"), (void **)&tlb_reset_dirty},
    {ENGINE_SYMBOL("tlb_flush"), (void **)&engine.tlb_flush},
    {ENGINE_SYMBOL("get_page_addr_code"), (void **)&engine.page_addr_code},
    {ENGINE_SYMBOL("cpu_restore_state"), (void **)&engine.restore_state},
    {ENGINE_SYMBOL("helper_check_exit_request"), &engine.exit_check},
    {ENGINE_SYMBOL("tcg_const_i64"), (void **)&generator.constant},
    {ENGINE_SYMBOL("tcg_temp_new_internal"), (void **)&generator.new_temporary},
    {ENGINE_SYMBOL("tcg_temp_free_internal"), (void **)&generator.free_temporary},
    {ENGINE_SYMBOL("gen_new_label"), (void **)&generator.new_label},
    {ENGINE_SYMBOL("tcg_gen_brcond_i64"), (void **)&generator.branch_if},
    {ENGINE_SYMBOL("tcg_gen_addi_i64"), (void **)&generator.add_constant},
    {ENGINE_SYMBOL("tcg_gen_op1"), (void **)&generator.operation1},
    {ENGINE_SYMBOL("tcg_gen_op3"), (void **)&generator.operation3},
    {ENGINE_SYMBOL("tcg_func_start"), (void **)&generator.restart},
    {"uc_hook_add", (void **)&engine.hook_add},
    {"uc_emu_start", (void **)&engine.emu_start},
    {"uc_emu_stop", (void **)&engine.emu_stop},
    {"uc_ctl", (void **)&engine.control},
};

static const char *resolve(void *library, const struct wanted_function *wanted, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        *wanted[i].to = dlsym(library, wanted[i].symbol);
        if (!*wanted[i].to)
            return wanted[i].symbol;
    }
    return NULL;
}

const char *engine_interpose(const char *path)
{
    static bool done;
    struct interposition list[96];
    size_t count = 0;
    const struct {
        const struct interposition *list;
        size_t count;
    } parts[] = {
        {access_replacements, access_replacement_count},
        {crossing_replacements, crossing_replacement_count},
        {control_replacements, control_replacement_count},
        {translation_replacements, sizeof(translation_replacements) / sizeof(translation_replacements[0])},
        {emit_replacements, emit_replacement_count},
    };

    if (done)
        return NULL;
    void *library = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
    if (!library)
        return "the library itself";
    const char *missing = resolve(library, common_functions, sizeof(common_functions) / sizeof(common_functions[0]));
    if (!missing)
        missing = resolve(library, arch_functions, arch_function_count);
    if (missing)
        return missing;
    for (size_t p = 0; p < sizeof(parts) / sizeof(parts[0]); p++)
        for (size_t i = 0; i < parts[p].count; i++)
            list[count++] = parts[p].list[i];
    missing = interpose((const void *)engine.emu_start, list, count);
    done = missing == NULL;
    return missing;
}
