/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * control.c: system registers, TLB maintenance, the generic timer, the floating-point trap, WFI.
 *
 * The engine keeps the registers; here the models are told of those that govern translation, and the generic timer, which
 * the engine would run by the host's clock, is the machine's.
 */
#include "core.h"

enum {
    SCTLR_EL1 = SYSTEM_REGISTER(3, 0, 1, 0, 0),
    TTBR0_EL1 = SYSTEM_REGISTER(3, 0, 2, 0, 0),
    TTBR1_EL1 = SYSTEM_REGISTER(3, 0, 2, 0, 1),
    TCR_EL1 = SYSTEM_REGISTER(3, 0, 2, 0, 2),
    CPACR_EL1 = SYSTEM_REGISTER(3, 0, 1, 0, 2),
};

enum { CPACR_FPEN_SHIFT = 20, CPACR_FPEN_KERNEL = 1, CPACR_FPEN_ALL = 3 };

static uint32_t name_of(const struct system_register *r)
{
    return SYSTEM_REGISTER(r->op0, r->op1, r->crn, r->crm, r->op2);
}

/* CNTFRQ, CNTPCT, CNTVCT, CNTP_*, CNTV_*: op0 3, op1 3, CRn 14. Who may access them is the engine's affair. */
static bool is_timer(const struct system_register *r)
{
    return r->op0 == 3 && r->op1 == 3 && r->crn == 14 && (r->crm == 0 || r->crm == 2 || r->crm == 3);
}

/* ---- what the processor says of itself ---- */

/* The engine's processor offers what this machine does not do. Ours has AArch64 at EL1 and EL0 alone (PFR0); no performance
 * counters, whose cycles would be the host's (DFR0); little-endian tables, and no granule but 4 KiB (MMFR0). Source of the
 * fields: Arm ARM, D19.2. */
static const struct identification {
    uint32_t name;
    uint64_t engines, ours;
} identification[] = {
    {SYSTEM_REGISTER(3, 0, 0, 4, 0), 0x2222, 0x0011},
    {SYSTEM_REGISTER(3, 0, 0, 5, 0), 0x10305106, 0x10305006},
    {SYSTEM_REGISTER(3, 0, 0, 7, 0), 0x1124, 0x0f000024},
};
enum { IDENTIFICATIONS = sizeof(identification) / sizeof(identification[0]), DESCRIPTION_WORDS = 16 };

/* A register that never changes is translated as its value, which the engine's description of it holds: it is corrected
 * there before that, found by the value that it has. */
static struct system_register *(*original_get_arm_cp_reginfo)(void *, uint32_t);
static struct system_register *replace_get_arm_cp_reginfo(void *registers, uint32_t key)
{
    struct system_register *r = original_get_arm_cp_reginfo(registers, key);
    uint64_t *word = (uint64_t *)(void *)r;

    for (int i = 0; r && i < IDENTIFICATIONS; i++)
        for (int at = 0; identification[i].name == name_of(r) && at < DESCRIPTION_WORDS; at++)
            if (word[at] == identification[i].engines)
                word[at] = identification[i].ours;
    return r;
}

/* One that is asked for when it is read. */
static uint64_t corrected(uint32_t name, uint64_t value)
{
    for (int i = 0; i < IDENTIFICATIONS; i++)
        if (identification[i].name == name)
            return identification[i].ours;
    return value;
}

/* PMCR_EL0 to PMOVSSET_EL0 and PMINTENSET_EL1, PMINTENCLR_EL1; PMEVCNTRn_EL0, PMEVTYPERn_EL0, PMCCFILTR_EL0. */
static bool is_performance_counter(const struct system_register *r)
{
    return r->op0 == 3 && ((r->crn == 9 && r->crm >= 12 && r->crm <= 14) || (r->op1 == 3 && r->crn == 14 && r->crm >= 8));
}

static void (*original_helper_access_check_cp_reg)(env_t *, void *, uint32_t, uint32_t);
static void replace_helper_access_check_cp_reg(env_t *env, void *r, uint32_t syndrome, uint32_t isread)
{
    if (running && is_performance_counter(r))
        arm.raise_exception(env, EXCEPTION_UNDEFINED, SYNDROME_UNDEFINED, 1); /* does not return */
    original_helper_access_check_cp_reg(env, r, syndrome, isread);
}

/* ---- translation ---- */

static void write_table_base(struct core *c, uint64_t *kept, uint64_t value)
{
    bool switches = kept == &c->arch.paging.ttbr0 && *kept != value && (c->arch.paging.sctlr & 1);
    struct trace_point here = trace_take_at_end(c);

    if (switches)
        account_count(&c->account, COUNTER_ADDRESS_SPACE_SWITCHES);
    trace_settle(c, &here);
    core_charge(c, COST_TTBR_WRITE);
    *kept = value;
    if (switches)
        trace_record(c, &here, (struct trace_event){.kind = TRACE_SPACE, .argument = value});
}

static void write_system_control(struct core *c, uint64_t value)
{
    if ((c->arch.paging.sctlr ^ value) & SCTLR_A && !c->sees_accesses) {
        c->code_changed = true; /* the next translations may need their accesses checked: core_translate() */
        core_rearm(c);
    }
    c->arch.paging.sctlr = value;
}

static void follow_write(struct core *c, uint32_t name, uint64_t value)
{
    switch (name) {
    case CPACR_EL1: c->arch.cpacr = value; return;
    case SCTLR_EL1: write_system_control(c, value); break;
    case TCR_EL1: c->arch.paging.tcr = value; break;
    case TTBR0_EL1: write_table_base(c, &c->arch.paging.ttbr0, value); break;
    case TTBR1_EL1: write_table_base(c, &c->arch.paging.ttbr1, value); break;
    default: return;
    }
    mmu_set_state(&c->models.mmu, &c->arch.paging);
}

/* TLBI of EL1: op0 1, op1 0, CRn 8; CRm 3 and 7 (inner shareable and not) do the same with one processor. Those that
 * name the last level leave cached entries of tables alone. */
static void invalidate(struct core *c, uint32_t op2, uint64_t value)
{
    struct mmu *mmu = &c->models.mmu;
    uint64_t vaddr = (uint64_t)((int64_t)(value << 20) >> 8);
    unsigned asid = (unsigned)(value >> 48);

    switch (op2) {
    case 0: mmu_flush_all(mmu, true); break;             /* VMALLE1 */
    case 1: mmu_forget_va(mmu, vaddr, asid, true); break;  /* VAE1 */
    case 2: mmu_flush_asid(mmu, asid); break;            /* ASIDE1 */
    case 3: mmu_forget_va_all(mmu, vaddr, true); break;  /* VAAE1 */
    case 5: mmu_forget_va(mmu, vaddr, asid, false); break; /* VALE1 */
    case 7: mmu_forget_va_all(mmu, vaddr, false); break; /* VAALE1 */
    default: break;                                      /* there are no others */
    }
}

static void (*original_helper_set_cp_reg64)(env_t *, const struct system_register *, uint64_t);
static void replace_helper_set_cp_reg64(env_t *env, const struct system_register *r, uint64_t value)
{
    struct core *c = running;

    if (c && is_timer(r)) {
        c->call.timer_write(name_of(r), value);
        return;
    }
    original_helper_set_cp_reg64(env, r, value);
    if (!c)
        return;
    if (r->op0 == 1 && r->op1 == 0 && r->crn == 8 && (r->crm == 3 || r->crm == 7))
        invalidate(c, r->op2, value);
    else
        follow_write(c, name_of(r), value);
}

static uint64_t (*original_helper_get_cp_reg64)(env_t *, const struct system_register *);
static uint64_t replace_helper_get_cp_reg64(env_t *env, const struct system_register *r)
{
    if (running && is_timer(r)) {
        core_settle_block(running); /* it ends here */
        return running->call.timer_read(name_of(r));
    }
    uint64_t value = original_helper_get_cp_reg64(env, r);
    return running ? corrected(name_of(r), value) : value;
}

/* ---- floating point ---- */

/* The exception level that a use of floating point at `level` traps to, 0 for none. The engine's own says none always. */
static int replace_fp_exception_el(env_t *env, int level)
{
    (void)env;
    if (!running || level > 1)
        return 0;
    unsigned enabled = running->arch.cpacr >> CPACR_FPEN_SHIFT & 3;
    return enabled == CPACR_FPEN_ALL || (enabled == CPACR_FPEN_KERNEL && level == 1) ? 0 : 1;
}

/* ---- accesses that the engine does by itself ---- */

enum { ZVA_BYTES = 64 };

static void (*original_helper_dc_zva)(env_t *, uint64_t);
static void replace_helper_dc_zva(env_t *env, uint64_t vaddr)
{
    core_before_store(env, vaddr & ~(uint64_t)(ZVA_BYTES - 1), ZVA_BYTES);
    original_helper_dc_zva(env, vaddr);
    core_observe(env, vaddr & ~(uint64_t)(ZVA_BYTES - 1), ZVA_BYTES, true);
}

/* STXP of two double words answers 0 where it has stored them. The loads by which the engine compares are its own. */
static uint64_t (*original_helper_paired_cmpxchg64_le)(env_t *, uint64_t, uint64_t, uint64_t);
static uint64_t replace_helper_paired_cmpxchg64_le(env_t *env, uint64_t vaddr, uint64_t low, uint64_t high)
{
    core_before_store(env, vaddr, 16);
    uint64_t failed = original_helper_paired_cmpxchg64_le(env, vaddr, low, high);

    for (uint64_t half = 0; half < 16 && !failed; half += 8)
        core_observe(env, vaddr + half, 8, true);
    return failed;
}

/* ---- waiting ---- */

static void (*original_helper_wfi)(env_t *, uint32_t);
static void replace_helper_wfi(env_t *env, uint32_t bytes)
{
    engine_last_env = env;
    if (running)
        running->halted = true;
    original_helper_wfi(env, bytes); /* leaves the engine, unless it has work */
    if (running)
        running->halted = false;
}

/* Hints that one processor may ignore. */
static void replace_helper_wfe(env_t *env) { (void)env; }
static void replace_helper_yield(env_t *env) { (void)env; }

#define REPLACE(name) {ENGINE_SYMBOL(#name), SLOT_DATA | SLOT_GOT, (void *)replace_##name, (void **)&original_##name}
const struct interposition control_replacements[] = {
    REPLACE(helper_set_cp_reg64),
    REPLACE(helper_get_cp_reg64),
    REPLACE(helper_wfi),
    REPLACE(helper_dc_zva),
    REPLACE(helper_paired_cmpxchg64_le),
    REPLACE(helper_access_check_cp_reg),
    {ENGINE_SYMBOL("get_arm_cp_reginfo"), SLOT_CALL, (void *)replace_get_arm_cp_reginfo,
     (void **)&original_get_arm_cp_reginfo},
    {ENGINE_SYMBOL("fp_exception_el"), SLOT_CALL, (void *)replace_fp_exception_el, NULL},
    {ENGINE_SYMBOL("helper_wfe"), SLOT_DATA | SLOT_GOT, (void *)replace_helper_wfe, NULL},
    {ENGINE_SYMBOL("helper_yield"), SLOT_DATA | SLOT_GOT, (void *)replace_helper_yield, NULL},
};
const size_t control_replacement_count = sizeof(control_replacements) / sizeof(control_replacements[0]);
