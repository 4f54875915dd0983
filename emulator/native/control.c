/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * control.c: control registers, TLB invalidation, MSRs, CPUID, the time-stamp counter, ports, HLT.
 *
 * The engine does what it knows how to do; here the models are told, and what the engine lacks is added: process-context
 * identifiers (CR3's low bits and bit 63), simulated time in RDTSC, MSRs and CPUID as the machine defines them.
 */
#include "core.h"
#include "interpose.h"

/* ---- control registers and translation ---- */

void core_paging_changed(struct core *c)
{
    struct paging_state state = {ENV_CR(c->env, 0), ENV_CR(c->env, 3), ENV_CR(c->env, 4), ENV_EFER(c->env)};
    mmu_set_state(&c->models.mmu, &state);
}

static void changed_globally(struct core *c, enum cost cost)
{
    core_charge(c, cost);
    core_paging_changed(c);
    mmu_flush_all(&c->models.mmu, true);
}

static void (*original_cpu_x86_update_cr0)(env_t *, uint32_t);
static void replace_cpu_x86_update_cr0(env_t *env, uint32_t value)
{
    bool paging = (ENV_CR(env, 0) ^ value) & CR0_PG;
    original_cpu_x86_update_cr0(env, value);
    if (!running)
        return;
    if (paging)
        changed_globally(running, COST_MOV_CR);
    else
        core_charge(running, COST_MOV_CR);
}

/* Bit 63 asks to keep the entries of the new identifier; it reads as 0. The engine, whose own TLB knows no identifiers,
 * forgets everything each time. */
static void (*original_cpu_x86_update_cr3)(env_t *, uint64_t);
static void replace_cpu_x86_update_cr3(env_t *env, uint64_t value)
{
    struct core *c = running;
    bool pcid = ENV_CR(env, 4) & CR4_PCIDE, keep = pcid && value >> 63;
    uint64_t before = ENV_CR(env, 3);

    original_cpu_x86_update_cr3(env, pcid ? value & ~(1ull << 63) : value);
    if (!c)
        return;
    uint64_t after = ENV_CR(env, 3);
    if (ENV_CR(env, 0) & CR0_PG && before != after)
        account_count(&c->account, COUNTER_ADDRESS_SPACE_SWITCHES);
    core_charge(c, pcid ? COST_MOV_CR3_PCID : COST_MOV_CR3);
    core_paging_changed(c);
    if (!keep)
        mmu_flush_asid(&c->models.mmu, pcid ? (unsigned)(after & 0xfff) : 0);
}

static void (*original_cpu_x86_update_cr4)(env_t *, uint32_t);
static void replace_cpu_x86_update_cr4(env_t *env, uint32_t value)
{
    original_cpu_x86_update_cr4(env, value);
    if (running)
        changed_globally(running, COST_MOV_CR);
}

static void (*original_helper_invlpg)(env_t *, uint64_t);
static void replace_helper_invlpg(env_t *env, uint64_t vaddr)
{
    original_helper_invlpg(env, vaddr);
    if (running)
        mmu_invlpg(&running->models.mmu, vaddr);
}

/* ---- MSRs, CPUID, time ---- */

static uint64_t edx_eax(env_t *env)
{
    return (uint64_t)(uint32_t)ENV_REG(env, REG_RDX) << 32 | (uint32_t)ENV_REG(env, REG_RAX);
}

static void set_edx_eax(env_t *env, uint64_t value)
{
    ENV_REG(env, REG_RAX) = (uint32_t)value;
    ENV_REG(env, REG_RDX) = value >> 32;
}

static void (*original_helper_rdmsr)(env_t *);
static void replace_helper_rdmsr(env_t *env)
{
    uint64_t value = 0;
    int32_t known = running ? running->call.msr_read((uint32_t)ENV_REG(env, REG_RCX), &value) : 0;

    if (known < 0)
        engine.raise_exception_err_ra(env, VECTOR_GP, 0, (uintptr_t)__builtin_return_address(0));
    if (known)
        set_edx_eax(env, value);
    else
        original_helper_rdmsr(env);
}

static void (*original_helper_wrmsr)(env_t *);
static void replace_helper_wrmsr(env_t *env)
{
    int32_t known = running ? running->call.msr_write((uint32_t)ENV_REG(env, REG_RCX), edx_eax(env)) : 0;

    if (known < 0)
        engine.raise_exception_err_ra(env, VECTOR_GP, 0, (uintptr_t)__builtin_return_address(0));
    if (!known) {
        original_helper_wrmsr(env);
        if (running)
            core_paging_changed(running); /* EFER.NXE and EFER.LME change what a page-table entry means */
    }
}

static void (*original_helper_cpuid)(env_t *);
static void replace_helper_cpuid(env_t *env)
{
    uint32_t registers[4];

    if (!running) {
        original_helper_cpuid(env);
        return;
    }
    running->call.cpuid((uint32_t)ENV_REG(env, REG_RAX), (uint32_t)ENV_REG(env, REG_RCX), registers);
    ENV_REG(env, REG_RAX) = registers[0];
    ENV_REG(env, REG_RBX) = registers[1];
    ENV_REG(env, REG_RCX) = registers[2];
    ENV_REG(env, REG_RDX) = registers[3];
}

static void read_time(env_t *env, uintptr_t ra)
{
    if (ENV_CR(env, 4) & CR4_TSD && (ENV_HFLAGS(env) & HF_CPL))
        engine.raise_exception_err_ra(env, VECTOR_GP, 0, ra);
    set_edx_eax(env, core_now(running) + running->tsc_offset);
}

static void (*original_helper_rdtsc)(env_t *);
static void replace_helper_rdtsc(env_t *env)
{
    if (running)
        read_time(env, (uintptr_t)__builtin_return_address(0));
    else
        original_helper_rdtsc(env);
}

static void (*original_helper_rdtscp)(env_t *);
static void replace_helper_rdtscp(env_t *env)
{
    if (!running) {
        original_helper_rdtscp(env);
        return;
    }
    read_time(env, (uintptr_t)__builtin_return_address(0));
    ENV_REG(env, REG_RCX) = running->tsc_aux;
}

/* ---- ports and HLT ---- */

#define PORT(letter, size, mask)                                                             \
    static uint64_t (*original_helper_in##letter)(env_t *, uint32_t);                        \
    static uint64_t replace_helper_in##letter(env_t *env, uint32_t port)                     \
    {                                                                                        \
        if (!running)                                                                        \
            return original_helper_in##letter(env, port);                                    \
        return running->call.port_in(port & 0xffff, size) & (mask);                          \
    }                                                                                        \
    static void (*original_helper_out##letter)(env_t *, uint32_t, uint32_t);                 \
    static void replace_helper_out##letter(env_t *env, uint32_t port, uint32_t value)        \
    {                                                                                        \
        if (running)                                                                         \
            running->call.port_out(port & 0xffff, size, value & (mask));                     \
        else                                                                                 \
            original_helper_out##letter(env, port, value);                                   \
    }
PORT(b, 1, 0xffu)
PORT(w, 2, 0xffffu)
PORT(l, 4, 0xffffffffu)

static void (*original_helper_hlt)(env_t *, int);
static void replace_helper_hlt(env_t *env, int addend)
{
    engine_last_env = env;
    if (running)
        running->halted = true;
    original_helper_hlt(env, addend); /* leaves the engine */
}

#define REPLACE(name, slots) {#name "_x86_64", slots, (void *)replace_##name, (void **)&original_##name}
#define HELPER (SLOT_DATA | SLOT_GOT)
const struct interposition control_replacements[] = {
    REPLACE(cpu_x86_update_cr0, SLOT_CALL),
    REPLACE(cpu_x86_update_cr3, SLOT_CALL),
    REPLACE(cpu_x86_update_cr4, SLOT_CALL),
    REPLACE(helper_invlpg, HELPER),
    REPLACE(helper_rdmsr, HELPER),
    REPLACE(helper_wrmsr, HELPER),
    REPLACE(helper_cpuid, HELPER),
    REPLACE(helper_rdtsc, HELPER),
    REPLACE(helper_rdtscp, HELPER),
    REPLACE(helper_inb, HELPER),
    REPLACE(helper_inw, HELPER),
    REPLACE(helper_inl, HELPER),
    REPLACE(helper_outb, HELPER),
    REPLACE(helper_outw, HELPER),
    REPLACE(helper_outl, HELPER),
    REPLACE(helper_hlt, HELPER),
};
const size_t control_replacement_count = sizeof(control_replacements) / sizeof(control_replacements[0]);
