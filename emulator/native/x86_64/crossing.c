/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * crossing.c: every change of privilege level: exceptions, interrupts, system calls, and the ways back.
 *
 * The engine raises exceptions but stops there; its own delivery function, exported yet unused, does what the
 * architecture prescribes (gates, privilege checks, stack switch, IST, error codes, task gates, #DF), and a fault in the
 * middle of it arrives here again as a new exception. SYSCALL and SYSENTER, which the engine leaves to its host, are
 * carried out below. The ways back are the engine's and are only watched.
 *
 * What is booked where: a way in belongs to the kernel from its first memory access on, a way out up to its last.
 */
#include "core.h"
#include "interpose.h"
#include "raised.h"

/* Call after the privilege level may have changed from `before`, still booked to the kernel. */
static void note_level(struct core *c, uint32_t before)
{
    uint32_t now = core_cpl(c);
    if (now != before)
        account_count(&c->account, COUNTER_MODE_SWITCHES);
    core_book(c, arch_ring(c));
}

/* Length of the instruction that ends the block being executed. */
static uint64_t last_insn_bytes(const struct core *c)
{
    const struct block *b = c->block;
    if (!b || !b->bytes)
        return 0;
    return (uint64_t)b->bytes - b->last;
}

/* ---- the gate ---- */

/* The engine's own checks of an interrupt gate give wrong error codes (vector * 16, no EXT bit): the checks of Intel SDM
 * volume 3, section 6.12, that come before the gate's target is looked at, made here. Returns 0, or the vector to raise,
 * with its error code. A descriptor table that is not mapped is left to the engine, which faults on it. */
static int check_gate(const struct core *c, uint32_t vector, bool soft, int *error_code)
{
    env_t *env = c->env;
    const struct env_segment *idt = &ENV_FIELD(env, struct env_segment, idt, 0);
    bool long_mode = ENV_HFLAGS(env) & HF_LMA;
    uint32_t bytes = long_mode ? 16 : 8;
    struct walk_result where;

    *error_code = (int)(vector * 8 + 2 + (soft ? 0 : 1));
    if (!(ENV_CR(env, 0) & CR0_PE))
        return 0;
    if (vector * bytes + bytes - 1 > idt->limit)
        return VECTOR_GP;
    walk_read(&c->models.mmu.state, &c->ram, idt->base + vector * bytes, &where);
    const uint8_t *gate = where.present ? ram_at(&c->ram, where.paddr, 8) : NULL;
    if (!gate)
        return 0;
    uint32_t flags = *(const uint32_t *)(gate + 4), type = flags >> 8 & 0x1f;
    bool known = type == 0xe || type == 0xf || (!long_mode && (type == 5 || type == 6 || type == 7));
    if (!known || (soft && (flags >> 13 & 3) < core_cpl(c)))
        return VECTOR_GP;
    return flags >> 15 & 1 ? 0 : VECTOR_NP;
}

static void refuse_bad_gate(struct core *c, uint32_t vector, bool soft)
{
    int error_code, refusal = check_gate(c, vector, soft, &error_code);
    if (refusal)
        replace_raise_exception_err_ra(c->env, refusal, error_code, 0); /* does not return */
}

/* ---- the ways in ---- */

/* Every address that is not canonical is #GP to the engine; through the stack segment it is #SS. */
static uint32_t corrected(struct core *c, uint32_t vector)
{
    if (vector != VECTOR_GP || !(ENV_HFLAGS(c->env) & HF_CS64) || !c->call.stack_fault(arch_pc(c)))
        return vector;
    *c->arch.exception_index = VECTOR_SS;
    return VECTOR_SS;
}

/* What is traced of them. */
static struct trace_event system_call(const struct core *c, enum trace_call how)
{
    return (struct trace_event){.kind = TRACE_SYSTEM_CALL, .number = how, .argument = ENV_REG(c->env, c->trace.call_register)};
}

static struct trace_event exception(const struct core *c, uint32_t vector)
{
    const struct raised *raised = c->arch.raised_count ? &c->arch.raised[c->arch.raised_count - 1] : NULL;

    return (struct trace_event){.kind = TRACE_EXCEPTION,
                                .number = vector,
                                .detail = raised ? raised->error_code : 0,
                                .argument = vector == VECTOR_PF ? ENV_CR(c->env, 2) : 0};
}

static void deliver_exception(struct core *c, uint32_t vector)
{
    uint32_t before = core_cpl(c);
    bool soft = c->arch.soft_interrupt, begun = true;

    ENV_EIP(c->env) -= c->arch.soft_bytes; /* a fault in the delivery of an INT is met at the INT */
    c->arch.soft_bytes = 0;
    c->arch.soft_interrupt = false;
    if (!soft) {
        vector = corrected(c, vector);
        begun = core_cut_block(c, arch_pc(c));
    }
    struct trace_point here = trace_take(c, arch_pc(c));
    if (c->attribution)
        attribution_cross(c, PATH_SYNCHRONOUS);
    core_book(c, RING_KERNEL);
    if (vector == VECTOR_PF && !soft)
        account_count(&c->account, COUNTER_PAGE_FAULTS);
    c->shutdown_pc = arch_pc(c);
    raised_delivery(c, soft ? RAISED_SOFTWARE : RAISED_EXCEPTION, vector);
    struct trace_event event = soft ? system_call(c, TRACE_CALL_INT) : exception(c, vector);
    if (soft)
        c->arch.soft_bytes = (uint32_t)last_insn_bytes(c); /* the engine has moved RIP past it already */
    refuse_bad_gate(c, vector, soft);
    core_charge(c, soft ? COST_INT_GATE : COST_EXCEPTION);
    x86.do_interrupt(c->cpu); /* a fault in here does not return: it comes back as an exception of its own */
    c->arch.soft_bytes = 0;
    raised_delivered(c);
    if (soft) {
        trace_settle(c, &here);
        core_leave_block(c, arch_pc(c)); /* only now has the INT instruction succeeded */
    }
    c->exceptions[vector & 0xff]++;
    note_level(c, before);
    trace_record(c, &here, event);
    core_exception_taken(c, begun);
}

int arch_interrupt_to_take(struct core *c)
{
    if (ENV_HFLAGS(c->env) & HF_SHADOW)
        return -1;
    if (c->arch.nmi_pending && !c->arch.nmi_blocked) {
        c->arch.nmi_pending = false;
        c->arch.nmi_blocked = true;
        return VECTOR_NMI;
    }
    return c->interrupt_pending && (ENV_EFLAGS(c->env) & EFLAGS_IF) ? c->call.acknowledge() : -1;
}

void arch_take_interrupt(struct core *c, uint64_t pc, int vector)
{
    arch_set_pc(c, pc);
    x86.raise_interrupt(c->env, EXCEPTION_INTERRUPT + vector, 1, 0, 0);
}

static void deliver_interrupt(struct core *c, int vector)
{
    uint32_t before = core_cpl(c);
    struct flow_key key = arch_flow_key(c);

    struct trace_point here = trace_take(c, key.pc);

    if (c->attribution)
        attribution_interrupt(c);
    ledger_cut(&c->ledger, &c->books, &key);
    core_book(c, RING_KERNEL);
    account_count(&c->account, COUNTER_INTERRUPTS);
    core_charge(c, COST_HARDWARE_INTERRUPT);
    c->shutdown_pc = arch_pc(c);
    raised_delivery(c, RAISED_INTERRUPT, (uint32_t)vector);
    refuse_bad_gate(c, (uint32_t)vector, false);
    x86.do_hardware_interrupt(c->env, vector, 1);
    raised_delivered(c);
    note_level(c, before);
    trace_record(c, &here, (struct trace_event){.kind = TRACE_INTERRUPT, .number = (uint32_t)vector});
}

/* An instruction the engine does not know. Python knows some (emulator/cpu/x86_64). */
static void on_unknown(struct core *c, uint32_t vector)
{
    switch (c->call.invalid(arch_pc(c))) {
    case INVALID_CARRIED_OUT: break;
    case INVALID_DEBUG_TRAP: /* INT1: a trap, so RIP is past it */
        ENV_EIP(c->env) += last_insn_bytes(c);
        x86.raise_exception_err_ra(c->env, VECTOR_DB, 0, 0); /* does not return */
        break;
    case INVALID_PROTECTION: x86.raise_exception_err_ra(c->env, VECTOR_GP, 0, 0); break; /* nor does this */
    case INVALID_PAGE_FAULT: x86.raise_exception_err_ra(c->env, VECTOR_PF, 0, 0); break; /* nor this */
    default: deliver_exception(c, vector);
    }
}

/* INVPCID lies among the SSE instructions, and with CR0.TS set the engine takes it for one. */
static bool is_invpcid_at_pc(const struct core *c)
{
    struct walk_result where;
    walk_read(&c->models.mmu.state, &c->ram, arch_pc(c), &where);
    const uint8_t *code = where.present ? ram_at(&c->ram, where.paddr, 8) : NULL;
    if (!code)
        return false;
    for (int i = 0; i < 4; i++)
        if (code[i] == 0x0f && code[i + 1] == 0x38 && code[i + 2] == 0x82)
            return true;
    return false;
}

void core_on_exception(void *uc, uint32_t number, void *user)
{
    struct core *c = user;
    (void)uc;
    core_settle(c);
    if (!running) /* learning the engine's state: api.c */
        core_note_exception(number);
    else if (number >= EXCEPTION_INTERRUPT)
        deliver_interrupt(c, (int)number - EXCEPTION_INTERRUPT);
    else if (number == VECTOR_NM && is_invpcid_at_pc(c))
        on_unknown(c, VECTOR_NM);
    else
        deliver_exception(c, number);
}

bool core_on_invalid(void *uc, void *user)
{
    (void)uc;
    core_settle(user);
    on_unknown(user, VECTOR_UD);
    return true;
}

static void (*original_helper_raise_interrupt)(env_t *, int, int);
static void replace_helper_raise_interrupt(env_t *env, int vector, int addend)
{
    if (running)
        running->arch.soft_interrupt = true;
    original_helper_raise_interrupt(env, vector, addend);
}

static void (*original_helper_into)(env_t *, int);
static void replace_helper_into(env_t *env, int addend)
{
    if (running)
        running->arch.soft_interrupt = true;
    original_helper_into(env, addend);
    if (running)
        running->arch.soft_interrupt = false;
}

/* A flat code segment of the given selector and its stack segment, as SYSCALL and SYSENTER load them. */
static void load_flat_segments(env_t *env, uint32_t selector, bool code64)
{
    ENV_SEG(env, SEG_CS) = (struct env_segment){selector & 0xfffc, 0, 0xffffffff,
                                                code64 ? SEG_FLAT_CODE64 : SEG_FLAT_CODE32};
    ENV_SEG(env, SEG_SS) = (struct env_segment){(selector + 8) & 0xfffc, 0, 0xffffffff, SEG_FLAT_DATA};
    x86.update_hflags(env);
}

static void enter_kernel(struct core *c, enum cost cost, uint32_t before, struct trace_point *here)
{
    trace_settle(c, here);
    if (c->attribution)
        attribution_cross(c, PATH_SYNCHRONOUS);
    core_book(c, RING_KERNEL);
    core_charge(c, cost);
    note_level(c, before);
    trace_record(c, here, system_call(c, cost == COST_SYSCALL ? TRACE_CALL_SYSCALL : TRACE_CALL_SYSENTER));
}

/* Intel SDM volume 2, SYSCALL. In 32-bit mode as AMD defines it. */
static void (*original_helper_syscall)(env_t *, int);
static void replace_helper_syscall(env_t *env, int addend)
{
    struct core *c = running;
    if (!c) {
        original_helper_syscall(env, addend);
        return;
    }
    if (!(ENV_EFER(env) & EFER_SCE))
        x86.raise_exception_err_ra(env, VECTOR_UD, 0, (uintptr_t)__builtin_return_address(0));

    uint32_t before = core_cpl(c);
    uint64_t star = ENV_MSR(env, star), next = ENV_EIP(env) + (uint64_t)addend;
    bool code64 = ENV_HFLAGS(env) & HF_CS64;
    struct trace_point here = trace_take(c, next);

    if (ENV_HFLAGS(env) & HF_LMA) {
        ENV_REG(env, REG_RCX) = next;
        ENV_REG(env, REG_R11) = x86.read_eflags(env) & ~(uint64_t)EFLAGS_RF;
        x86.write_eflags(env, x86.read_eflags(env) & ~ENV_FIELD(env, uint32_t, fmask, 0) & ~(uint64_t)EFLAGS_RF,
                            0xffffffff);
        load_flat_segments(env, (uint32_t)(star >> 32), true);
        ENV_EIP(env) = code64 ? ENV_MSR(env, lstar) : ENV_MSR(env, cstar);
    } else {
        ENV_REG(env, REG_RCX) = (uint32_t)next;
        ENV_EFLAGS(env) &= ~(uint64_t)(EFLAGS_IF | EFLAGS_RF | EFLAGS_VM);
        load_flat_segments(env, (uint32_t)(star >> 32), false);
        ENV_EIP(env) = (uint32_t)star;
    }
    enter_kernel(c, COST_SYSCALL, before, &here);
}

/* Intel SDM volume 2, SYSENTER. */
static void (*original_helper_sysenter)(env_t *, int);
static void replace_helper_sysenter(env_t *env, int addend)
{
    struct core *c = running;
    if (!c) {
        original_helper_sysenter(env, addend);
        return;
    }
    uint32_t before = core_cpl(c), selector = ENV_FIELD(env, uint32_t, sysenter_cs, 0);
    if (!(selector & 0xfffc))
        x86.raise_exception_err_ra(env, VECTOR_GP, 0, (uintptr_t)__builtin_return_address(0));
    struct trace_point here = trace_take(c, arch_pc(c) + (uint64_t)addend);
    ENV_EFLAGS(env) &= ~(uint64_t)(EFLAGS_VM | EFLAGS_IF | EFLAGS_RF);
    load_flat_segments(env, selector, ENV_HFLAGS(env) & HF_LMA);
    ENV_REG(env, REG_RSP) = ENV_MSR(env, sysenter_esp);
    ENV_EIP(env) = ENV_MSR(env, sysenter_eip);
    enter_kernel(c, COST_SYSENTER, before, &here);
}

/* ---- the ways back: the engine's, watched ---- */

static void left_kernel(struct core *c, enum cost cost, uint32_t before, struct trace_point *here)
{
    trace_settle(c, here);
    core_charge(c, cost);
    note_level(c, before);
    if (cost != COST_SEGMENT_LOAD || core_cpl(c) != before) /* a far jump, call or return is one by its ring alone */
        trace_record(c, here, (struct trace_event){.kind = TRACE_RETURN});
}

/* The original finds the faulting instruction by its return address, which is ours: tell it beforehand. */
static void prepare_fault(struct core *c, uintptr_t ra) { engine.restore_state(c->cpu, ra, 0); }

/* SYSRET and SYSEXIT are frequent and seldom fault: #GP outside ring 0, without SYSENTER_CS, #UD without EFER.SCE. */
static bool can_fault(const struct core *c, enum cost cost)
{
    if (cost == COST_SYSRET)
        return core_cpl(c) || !(ENV_EFER(c->env) & EFER_SCE);
    if (cost == COST_SYSEXIT)
        return core_cpl(c) || !(ENV_FIELD(c->env, uint32_t, sysenter_cs, 0) & 0xfffc);
    return true;
}

#define BACK(name, cost, after, parameters, arguments)     \
    static void(*original_##name) parameters;              \
    static void replace_##name parameters                  \
    {                                                      \
        struct core *c = running;                          \
        uint32_t before = c ? core_cpl(c) : 0;             \
        struct trace_point here = {0};                     \
        if (c)                                             \
            here = trace_take_at_end(c);                   \
        if (c && can_fault(c, cost))                       \
            prepare_fault(c, (uintptr_t)__builtin_return_address(0)); \
        original_##name arguments;                         \
        if (c) {                                           \
            left_kernel(c, cost, before, &here);           \
            after;                                         \
        }                                                  \
    }

static void returned_from_interrupt(struct core *c)
{
    if (c->arch.nmi_blocked) {
        c->arch.nmi_blocked = false;
        core_rearm(c);
    }
    if (c->attribution)
        attribution_returned(c);
    if (c->ledger.in_interrupt || c->ledger.aside_count) {
        struct flow_key key = arch_flow_key(c);
        ledger_return(&c->ledger, &c->books, &key, core_cpl(c) == 3);
    }
}

BACK(helper_sysret, COST_SYSRET, (void)0, (env_t * env, int dflag), (env, dflag))
BACK(helper_sysexit, COST_SYSEXIT, (void)0, (env_t * env, int dflag), (env, dflag))
BACK(helper_iret_real, COST_IRET, returned_from_interrupt(c), (env_t * env, int shift), (env, shift))
BACK(helper_iret_protected, COST_IRET, returned_from_interrupt(c), (env_t * env, int shift, int next_eip),
     (env, shift, next_eip))
BACK(helper_lret_protected, COST_SEGMENT_LOAD, (void)0, (env_t * env, int shift, int addend), (env, shift, addend))
BACK(helper_lcall_protected, COST_SEGMENT_LOAD, (void)0,
     (env_t * env, int cs, uint64_t eip, int shift, uint64_t next_eip), (env, cs, eip, shift, next_eip))
BACK(helper_ljmp_protected, COST_SEGMENT_LOAD, (void)0, (env_t * env, int cs, uint64_t eip, uint64_t next_eip),
     (env, cs, eip, next_eip))

#define REPLACE(name) {ENGINE_SYMBOL(#name), SLOT_DATA | SLOT_GOT, (void *)replace_##name, (void **)&original_##name}
const struct interposition crossing_replacements[] = {
    RAISED_REPLACEMENTS,
    REPLACE(helper_raise_interrupt), REPLACE(helper_into),
    REPLACE(helper_syscall),         REPLACE(helper_sysenter),
    REPLACE(helper_sysret),          REPLACE(helper_sysexit),
    REPLACE(helper_iret_real),       REPLACE(helper_iret_protected),
    REPLACE(helper_lret_protected),  REPLACE(helper_lcall_protected),
    REPLACE(helper_ljmp_protected),
};
const size_t crossing_replacement_count = sizeof(crossing_replacements) / sizeof(crossing_replacements[0]);
