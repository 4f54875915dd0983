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
    struct trace_point here = {0};

    if (c)
        here = trace_take_at_end(c);
    original_cpu_x86_update_cr3(env, pcid ? value & ~(1ull << 63) : value);
    if (!c)
        return;
    uint64_t after = ENV_CR(env, 3);
    if (ENV_CR(env, 0) & CR0_PG && before != after)
        account_count(&c->account, COUNTER_ADDRESS_SPACE_SWITCHES);
    trace_settle(c, &here);
    core_charge(c, pcid ? COST_MOV_CR3_PCID : COST_MOV_CR3);
    core_paging_changed(c);
    if (!keep)
        mmu_flush_asid(&c->models.mmu, pcid ? (unsigned)(after & 0xfff) : 0);
    if (ENV_CR(env, 0) & CR0_PG && before != after)
        trace_record(c, &here, (struct trace_event){.kind = TRACE_SPACE, .argument = after});
}

static void (*original_cpu_x86_update_cr4)(env_t *, uint32_t);
static void replace_cpu_x86_update_cr4(env_t *env, uint32_t value)
{
    uint64_t changed = ENV_CR(env, 4) ^ value;
    original_cpu_x86_update_cr4(env, value);
    if (!running)
        return;
    if (changed & CR4_FLUSHES)
        changed_globally(running, COST_MOV_CR);
    else
        core_charge(running, COST_MOV_CR);
}

/* What the engine accepts and the architecture answers with #GP(0). Intel SDM volume 3, sections 2.5 and 4.1.1. */
static bool is_refused(const struct core *c, int number, uint64_t value)
{
    env_t *env = c->env;
    bool long_mode = ENV_EFER(env) & EFER_LMA;
    uint64_t cr4 = ENV_CR(env, 4);

    switch (number) {
    case 0:
        return value >> 32 || ((value & CR0_PG) && !(value & CR0_PE)) || ((value & CR0_NW) && !(value & CR0_CD)) ||
               (!(value & CR0_PG) && (cr4 & CR4_PCIDE)) ||
               ((value & CR0_PG) && (ENV_EFER(env) & EFER_LME) && !(cr4 & CR4_PAE));
    case 3:
        return long_mode && (value & ~(cr4 & CR4_PCIDE ? 1ull << 63 : 0)) >> PHYSICAL_BITS;
    case 4:
        return value & ~CR4_KNOWN || (long_mode && !(value & CR4_PAE)) ||
               ((value & CR4_PCIDE) && !(cr4 & CR4_PCIDE) && (!long_mode || (ENV_CR(env, 3) & 0xfff)));
    default:
        return false;
    }
}

static void (*original_helper_write_crN)(env_t *, int, uint64_t);
static void replace_helper_write_crN(env_t *env, int number, uint64_t value)
{
    if (running && is_refused(running, number, value))
        x86.raise_exception_err_ra(env, VECTOR_GP, 0, (uintptr_t)__builtin_return_address(0));
    if (running && number == 8)
        running->call.set_task_priority((uint32_t)value & 0xf);
    original_helper_write_crN(env, number, value);
}

static uint64_t (*original_helper_read_crN)(env_t *, int);
static uint64_t replace_helper_read_crN(env_t *env, int number)
{
    return running && number == 8 ? running->call.task_priority() : original_helper_read_crN(env, number);
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

/* The time up to and including this instruction, which is the last of its block. */
static void read_time(env_t *env, uintptr_t ra)
{
    if (ENV_CR(env, 4) & CR4_TSD && (ENV_HFLAGS(env) & HF_CPL))
        x86.raise_exception_err_ra(env, VECTOR_GP, 0, ra);
    core_settle_block(running);
    set_edx_eax(env, core_now(running) + running->arch.tsc_offset);
}

static void (*original_helper_rdmsr)(env_t *);
static void replace_helper_rdmsr(env_t *env)
{
    uint64_t value = 0;
    int32_t known = running ? running->call.msr_read((uint32_t)ENV_REG(env, REG_RCX), &value) : 0;

    if (known < 0)
        x86.raise_exception_err_ra(env, VECTOR_GP, 0, (uintptr_t)__builtin_return_address(0));
    if (known && (uint32_t)ENV_REG(env, REG_RCX) == MSR_TIME_STAMP_COUNTER)
        read_time(env, (uintptr_t)__builtin_return_address(0));
    else if (known)
        set_edx_eax(env, value);
    else
        original_helper_rdmsr(env);
}

static void (*original_helper_wrmsr)(env_t *);
static void replace_helper_wrmsr(env_t *env)
{
    int32_t known = running ? running->call.msr_write((uint32_t)ENV_REG(env, REG_RCX), edx_eax(env)) : 0;

    if (known < 0)
        x86.raise_exception_err_ra(env, VECTOR_GP, 0, (uintptr_t)__builtin_return_address(0));
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
    ENV_REG(env, REG_RCX) = running->arch.tsc_aux;
}

/* RDRAND and RDSEED would bring the host's randomness in; CPUID offers neither. */
static uint64_t (*original_helper_rdrand)(env_t *);
static uint64_t replace_helper_rdrand(env_t *env)
{
    if (running)
        x86.raise_exception_err_ra(env, VECTOR_UD, 0, (uintptr_t)__builtin_return_address(0));
    return original_helper_rdrand(env);
}

/* ---- ports and HLT ---- */

/* The engine's translator leaves out the check of the TSS's permission bitmap. */
static void check_port(env_t *env, uint32_t port, int size_log2, uintptr_t ra)
{
    if ((ENV_HFLAGS(env) & HF_CPL) > (ENV_EFLAGS(env) >> HF_IOPL_SHIFT & 3) && (ENV_CR(env, 0) & CR0_PE)) {
        engine.restore_state(running->cpu, ra, 0);
        x86.check_port[size_log2](env, port & 0xffff);
    }
}

#define PORT(letter, size_log2, mask)                                                        \
    static uint64_t (*original_helper_in##letter)(env_t *, uint32_t);                        \
    static uint64_t replace_helper_in##letter(env_t *env, uint32_t port)                     \
    {                                                                                        \
        if (!running)                                                                        \
            return original_helper_in##letter(env, port);                                    \
        check_port(env, port, size_log2, (uintptr_t)__builtin_return_address(0));            \
        return running->call.port_in(port & 0xffff, 1u << size_log2) & (mask);               \
    }                                                                                        \
    static void (*original_helper_out##letter)(env_t *, uint32_t, uint32_t);                 \
    static void replace_helper_out##letter(env_t *env, uint32_t port, uint32_t value)        \
    {                                                                                        \
        if (running) {                                                                       \
            check_port(env, port, size_log2, (uintptr_t)__builtin_return_address(0));        \
            running->call.port_out(port & 0xffff, 1u << size_log2, value & (mask));          \
        } else {                                                                             \
            original_helper_out##letter(env, port, value);                                   \
        }                                                                                    \
    }
PORT(b, 0, 0xffu)
PORT(w, 1, 0xffffu)
PORT(l, 2, 0xffffffffu)

static void (*original_helper_hlt)(env_t *, int);
static void replace_helper_hlt(env_t *env, int addend)
{
    engine_last_env = env;
    if (running)
        running->halted = true;
    original_helper_hlt(env, addend); /* leaves the engine */
}

#define REPLACE(name, slots) {ENGINE_SYMBOL(#name), slots, (void *)replace_##name, (void **)&original_##name}
#define HELPER (SLOT_DATA | SLOT_GOT)
const struct interposition control_replacements[] = {
    REPLACE(cpu_x86_update_cr0, SLOT_CALL),
    REPLACE(cpu_x86_update_cr3, SLOT_CALL),
    REPLACE(cpu_x86_update_cr4, SLOT_CALL),
    REPLACE(helper_write_crN, HELPER),
    REPLACE(helper_read_crN, HELPER),
    REPLACE(helper_invlpg, HELPER),
    REPLACE(helper_rdmsr, HELPER),
    REPLACE(helper_wrmsr, HELPER),
    REPLACE(helper_cpuid, HELPER),
    REPLACE(helper_rdtsc, HELPER),
    REPLACE(helper_rdtscp, HELPER),
    REPLACE(helper_rdrand, HELPER),
    REPLACE(helper_inb, HELPER),
    REPLACE(helper_inw, HELPER),
    REPLACE(helper_inl, HELPER),
    REPLACE(helper_outb, HELPER),
    REPLACE(helper_outw, HELPER),
    REPLACE(helper_outl, HELPER),
    REPLACE(helper_hlt, HELPER),
};
const size_t control_replacement_count = sizeof(control_replacements) / sizeof(control_replacements[0]);
