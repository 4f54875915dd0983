/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * start.c: tying an AArch64 core to its engine, and entering a kernel.
 */
#include "core.h"

#include <string.h>

/* ldr w0, .+4096; wfi: the load, from a page that the engine has not seen, shows its TLB, and WFI's helper is given
 * the CPU state. */
static const uint32_t probe[] = {0x18008000, 0xd503207f};

const char *arch_learn_state(struct core *c)
{
    uint64_t scratch = c->ram.base + 0x1000;
    uint8_t saved[sizeof(probe)], *at = ram_at(&c->ram, scratch, sizeof(probe));

    memcpy(saved, at, sizeof(probe));
    memcpy(at, probe, sizeof(probe));
    engine.emu_start(c->uc, scratch, scratch + sizeof(probe), 0, 0);
    memcpy(at, saved, sizeof(probe));
    return engine_last_env && engine_last_cpu ? NULL
                                              : "the engine does not call its helpers through replaceable slots";
}

void core_note_exception(uint32_t number) { (void)number; }

/* The state of the arm64 boot protocol: EL1, its own stack pointer, all interrupts masked, translation off. Python has set
 * the processor state through the engine's API. */
void core_enter_arm64(struct core *c, uint64_t pc, uint64_t x0, uint64_t x1)
{
    for (int i = 0; i < REG_SP; i++)
        ENV_REG(c->env, i) = 0;
    ENV_REG(c->env, 0) = x0;
    ENV_REG(c->env, 1) = x1;
    ENV_PC(c->env) = pc;
    memset(&c->arch, 0, sizeof(c->arch));
    running = c;
    arm.rebuild_hflags(c->env); /* floating point traps until the kernel allows it */
    running = NULL;
    engine.tlb_flush(c->cpu);
    mmu_set_state(&c->models.mmu, &c->arch.paging);
    core_book(c, RING_KERNEL);
}
