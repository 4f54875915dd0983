/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * seam.h: the seam between the engine's library and this core: its functions that we call, and where ours go in.
 *
 * The library reaches its own functions through slots filled by name; interpose.h writes others into them. The names are
 * the same for every architecture but for a suffix. What each architecture adds is in its folder's engine.h; the
 * replacements are in access.c and in ARCH/crossing.c and ARCH/control.c.
 */
#ifndef RINGSCOPE_SEAM_H
#define RINGSCOPE_SEAM_H

#include "engine.h"
#include "interpose.h"

/* The first fields of the engine's record of a translation. */
struct translation_block {
    uint64_t pc, cs_base;
    uint32_t flags;
    uint16_t size; /* bytes of guest code; known when it has been made */
};

/* The engine's own functions that we call. Filled by engine_interpose(). */
struct engine_functions {
    void (*restore_state)(cpu_t *cpu, uintptr_t ra, int will_exit); /* make the state that of the instruction at ra */
    void (*tlb_flush)(cpu_t *cpu);
    uint64_t (*page_addr_code)(env_t *env, uint64_t pc); /* offset in guest RAM, or -1 */
    int (*emu_start)(void *uc, uint64_t begin, uint64_t until, uint64_t timeout, size_t count);
    int (*emu_stop)(void *uc);
    int (*control)(void *uc, unsigned what, ...);
    int (*hook_add)(void *uc, size_t *hook, int kind, void *function, void *user, uint64_t begin, uint64_t end, ...);
    void *exit_check; /* the helper that asks whether to stop; called by translated code alone */
};
extern struct engine_functions engine;
#define ENGINE_FLUSH_TRANSLATIONS (10u | 1u << 30) /* UC_CTL_TB_FLUSH, written; not while the engine runs */
#define ENGINE_HOOK_ACCESSES (1 << 10 | 1 << 11)   /* UC_HOOK_MEM_READ and UC_HOOK_MEM_WRITE */

/* The functions that only this architecture calls. */
struct wanted_function {
    const char *symbol;
    void **to;
};
extern const struct wanted_function arch_functions[];
extern const size_t arch_function_count;

/* The engine's own TLB, one table per kind of access (the low four bits of a memory operation's index): where a table is
 * described, before the CPU state, and what lies in its entries. `descriptors` 0: not found, never looked into.
 * engine_find_tlb() derives it from one load that the engine has just done. */
struct tlb_layout {
    intptr_t descriptors;         /* from env_t: {mask << 6, table} for kind 0; the next kind follows */
    uint32_t addend;              /* in an entry: host address minus virtual address of its page */
};
extern struct tlb_layout tlb_layout;
enum { TLB_ENTRY_SHIFT = 6, TLB_TAG_READ = 0, TLB_TAG_WRITE = 8 };
void engine_find_tlb(env_t *env, uint64_t vaddr, uint32_t kind, const uint8_t *host);

/* Find the functions and replace the helpers in the loaded library of that path. Must happen before the process opens
 * its first engine. Returns NULL, or the name of what the library lacks. Idempotent. */
const char *engine_interpose(const char *path);

/* Read memory of this process that may not be there; false if it is not. */
bool engine_peek(const void *from, void *to, size_t bytes);

/* Make the engine translate a block of at most max_insns instructions. */
void engine_translate(cpu_t *cpu, struct translation_block *tb, int max_insns);

/* The last load done while no machine ran; how the layout of the engine's TLB is derived. */
struct load_seen {
    env_t *env;
    uint64_t vaddr;
    uint32_t kind;
};
extern struct load_seen engine_last_load;

/* The CPU state of the engine that a machine is being tied to, and the object around it: how a machine learns its own. */
extern env_t *engine_last_env;
extern cpu_t *engine_last_cpu;

#endif
