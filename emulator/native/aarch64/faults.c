/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * faults.c: aborts that the architecture has and the engine does not raise.
 *
 * The engine walks the tables whenever its own TLB has no entry, by one function. Where that failed, or found what a
 * processor might refuse, the walk is made here again: should it meet something that the engine follows blindly, the engine
 * is told of the fault in place of its own finding and raises it, with syndrome and addresses, as any other.
 */
#include "core.h"

/* The first fields of the engine's description of a fault, and the kinds of it that are told here. */
struct engine_fault {
    uint32_t kind;
    uint64_t second_stage_address;
    int level;
};
#define LEAST_PHYSICAL_END (1ull << 32) /* of TCR_EL1.IPS */
#define LARGEST_BLOCK (1ull << 30)
enum { ENGINE_FAULT_TRANSLATION = 6, ENGINE_FAULT_ADDRESS_SIZE = 7 };

engine_walk *arm_engine_walk;
bool arm_walk(env_t *env, uint64_t vaddr, uint32_t access, uint32_t regime, uint64_t *paddr, void *attributes, int *rights,
              uint64_t *page_bytes, struct engine_fault *fault, void *cacheability)
{
    struct core *c = running;
    struct walk_result walk;
    bool failed = arm_engine_walk(env, vaddr, access, regime, paddr, attributes, rights, page_bytes, fault, cacheability);

    if (!c || (!failed && *paddr < LEAST_PHYSICAL_END && *page_bytes <= LARGEST_BLOCK))
        return failed;
    walk_read(&c->arch.paging, &c->ram, vaddr, &walk);
    if (walk.refused == WALK_NOT_REFUSED)
        return failed;
    fault->kind = walk.refused == WALK_BEYOND ? ENGINE_FAULT_ADDRESS_SIZE : ENGINE_FAULT_TRANSLATION;
    fault->level = (int)walk.refused_level;
    return true;
}

/* The engine checks alignment only of accesses that always need it. */
void arm_meet_unaligned(uint64_t vaddr, bool write, uintptr_t ra)
{
    /* The engine's kinds of access; which of its translation regimes of EL1 and EL0 it was makes no difference here. */
    enum { LOAD, STORE, REGIME = 0 };

    if (running && running->arch.paging.sctlr & SCTLR_A)
        arm.unaligned_access(running->cpu, vaddr, write ? STORE : LOAD, REGIME, ra); /* does not return */
}
