/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * start.c: tying an x86 core to its engine, entering a kernel, and what Python asks of x86 alone.
 */
#include "core.h"

#include <string.h>

/* ---- learning where the engine keeps its state ---- */

/* mov eax, [0x2000]; int 0x61; int 0x72; hlt: the load, from a page that the engine has not seen, shows its TLB, the
 * word of its CPU object that holds the vector both times is its exception index, and HLT's helper is given the CPU
 * state. */
static const uint8_t probe[] = {0x8b, 0x04, 0x25, 0x00, 0x20, 0, 0, 0xcd, 0x61, 0xcd, 0x72, 0xf4};
enum { PROBE_FIRST = 0x61, PROBE_SECOND = 0x72, PROBE_CANDIDATES = 64, CPU_BYTES_LEAST = 0x8000 };
static int32_t *candidate[PROBE_CANDIDATES];
static uint32_t candidates;

void core_note_exception(uint32_t number)
{
    int32_t *word = (int32_t *)engine_last_cpu;
    uint32_t kept = 0;

    if (number == PROBE_FIRST) {
        candidates = 0;
        for (size_t i = 0; i < 2 * CPU_BYTES_LEAST / sizeof(*word) && candidates < PROBE_CANDIDATES; i++)
            if (word[i] == PROBE_FIRST)
                candidate[candidates++] = &word[i];
        return;
    }
    for (uint32_t i = 0; i < candidates; i++)
        if (*candidate[i] == (int32_t)number)
            candidate[kept++] = candidate[i];
    candidates = kept;
}

const char *arch_learn_state(struct core *c)
{
    const uint64_t scratch = 0x1000;
    uint8_t saved[sizeof(probe)], *at = ram_at(&c->ram, scratch, sizeof(probe));

    memcpy(saved, at, sizeof(probe));
    memcpy(at, probe, sizeof(probe));
    engine.emu_start(c->uc, scratch, scratch + sizeof(probe), 0, 0);
    memcpy(at, saved, sizeof(probe));
    if (!engine_last_env || !engine_last_cpu)
        return "the engine does not call its helpers through replaceable slots";
    while (candidates && (uintptr_t)candidate[candidates - 1] >= (uintptr_t)engine_last_env)
        candidates--; /* what lies behind belongs to the state */
    if (candidates != 1)
        return "the engine does not keep its exception index where it can be found";
    c->arch.exception_index = candidate[0];
    return NULL;
}

/* ---- entry ---- */

static void set_segment(env_t *env, int i, uint32_t selector, uint32_t flags)
{
    ENV_SEG(env, i) = (struct env_segment){selector, 0, 0xffffffff, flags};
}

/* The state in which a multiboot loader enters a kernel: 32-bit protected mode, paging off, flat segments. Multiboot
 * specification 0.6.96 section 3.2; the same for version 2. */
void core_enter_multiboot(struct core *c, uint32_t eip, uint32_t eax, uint32_t ebx)
{
    env_t *env = c->env;

    for (int i = 0; i < 16; i++)
        ENV_REG(env, i) = 0;
    ENV_REG(env, REG_RAX) = eax;
    ENV_REG(env, REG_RBX) = ebx;
    ENV_EIP(env) = eip;
    set_segment(env, SEG_CS, 0x08, SEG_FLAT_CODE32);
    for (int i = SEG_ES; i <= SEG_GS; i++)
        if (i != SEG_CS)
            set_segment(env, i, 0x10, SEG_FLAT_DATA);
    ENV_CR(env, 0) = 0x11; /* PE, ET */
    ENV_CR(env, 2) = ENV_CR(env, 3) = ENV_CR(env, 4) = 0;
    ENV_EFER(env) = 0;
    x86.write_eflags(env, 0x2, 0xffffffff);
    x86.update_hflags(env);
    engine.tlb_flush(c->cpu);
    core_paging_changed(c);
    core_book(c, RING_KERNEL);
}

/* ---- what Python asks ---- */

/* INVPCID, which the engine does not have; its type and descriptor as Python decoded them. */
void core_invpcid(struct core *c, uint64_t type, uint64_t pcid, uint64_t vaddr)
{
    struct mmu *mmu = &c->models.mmu;
    switch (type) {
    case 0: mmu_invlpg_asid(mmu, vaddr, (unsigned)pcid, false); break;
    case 1: mmu_flush_asid(mmu, (unsigned)pcid); break;
    case 2: mmu_flush_all(mmu, true); break;
    default: mmu_flush_all(mmu, false); break;
    }
    core_charge(c, COST_INVPCID);
    engine.tlb_flush(c->cpu);
}

void core_raise_nmi(struct core *c)
{
    c->arch.nmi_pending = true;
    core_rearm(c);
}
bool core_nmi_pending(const struct core *c) { return c->arch.nmi_pending && !c->arch.nmi_blocked; }
uint64_t core_time_stamp(struct core *c) { return core_now(c) + c->arch.tsc_offset; }
void core_set_time_stamp(struct core *c, uint64_t value) { c->arch.tsc_offset = value - core_now(c); }
void core_set_debug_control(struct core *c, uint32_t value) { x86.update_dr7(c->env, value); }
void core_set_tsc_aux(struct core *c, uint32_t value) { c->arch.tsc_aux = value; }
