/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * crossing.c: every change of exception level: SVC, aborts, interrupts, firmware calls, and ERET.
 *
 * The engine raises exceptions but stops there; its own delivery function, exported yet unused, does what the
 * architecture prescribes: banks the stack pointer, writes ELR, SPSR, ESR and FAR, and goes to the vector. ERET is the
 * engine's and only watched.
 *
 * What is booked where: a way in belongs to the kernel from the start, a way out up to its end.
 */
#include "core.h"

static bool is_abort(uint32_t number)
{
    return number == EXCEPTION_PREFETCH_ABORT || number == EXCEPTION_DATA_ABORT;
}

/* Call after the exception level may have changed from `before`, still booked to the kernel. */
static void note_level(struct core *c, uint32_t before)
{
    if (arch_exception_level(c) != before)
        account_count(&c->account, COUNTER_MODE_SWITCHES);
    core_book(c, arch_ring(c));
}

/* What is traced of a delivery, after it. */
static struct trace_event delivered(const struct core *c, uint32_t number)
{
    switch (number) {
    case EXCEPTION_IRQ: return (struct trace_event){.kind = TRACE_INTERRUPT};
    case EXCEPTION_SVC:
        return (struct trace_event){
            .kind = TRACE_SYSTEM_CALL, .number = TRACE_CALL_SVC, .argument = ENV_REG(c->env, c->trace.call_register)};
    default:
        return (struct trace_event){.kind = TRACE_EXCEPTION,
                                    .number = (uint32_t)ENV_ESR(c->env) >> ESR_CLASS_SHIFT,
                                    .detail = (uint32_t)ENV_ESR(c->env),
                                    .argument = is_abort(number) ? ENV_FAR(c->env) : 0};
    }
}

static void deliver(struct core *c, uint32_t number, enum cost cost)
{
    uint32_t before = arch_exception_level(c);
    struct trace_point here = trace_take(c, arch_pc(c));

    if (c->attribution && number != EXCEPTION_IRQ)
        attribution_cross(c, PATH_SYNCHRONOUS);
    core_book(c, RING_KERNEL);
    if (is_abort(number))
        account_count(&c->account, COUNTER_PAGE_FAULTS);
    core_charge(c, cost);
    c->shutdown_pc = arch_pc(c);
    arm.do_interrupt(c->cpu);
    c->exceptions[number & 0xff]++;
    note_level(c, before);
    trace_record(c, &here, delivered(c, number));
}

static void deliver_interrupt(struct core *c)
{
    struct flow_key key = arch_flow_key(c);

    if (c->attribution)
        attribution_interrupt(c);
    ledger_cut(&c->ledger, &c->books, &key);
    core_book(c, RING_KERNEL);
    account_count(&c->account, COUNTER_INTERRUPTS);
    deliver(c, EXCEPTION_IRQ, COST_HARDWARE_INTERRUPT);
}

/* PSCI: the machine is its own firmware. The answer goes to x0, and execution goes on behind the call. */
static void call_firmware(struct core *c)
{
    core_charge(c, COST_FIRMWARE_CALL);
    core_leave_block(c, arch_pc(c));
    ENV_REG(c->env, 0) = c->call.firmware(ENV_REG(c->env, 0), ENV_REG(c->env, 1), ENV_REG(c->env, 2));
}

/* The handler of EL1's own exceptions cannot be fetched. Delivering that would lead here again for ever: there is no third
 * level that gives up, so the machine does, with the exception before it still in the registers. */
static bool is_dead_end(const struct core *c, uint32_t number)
{
    return number == EXCEPTION_PREFETCH_ABORT && arch_ring(c) == RING_KERNEL &&
           arch_pc(c) == ENV_VBAR(c->env) + VECTOR_SYNC_EL1;
}

void core_on_exception(void *uc, uint32_t number, void *user)
{
    struct core *c = user;
    bool begun;
    (void)uc;
    if (!running)
        return;
    core_settle(c);
    switch (number) {
    case EXCEPTION_IRQ:
        deliver_interrupt(c);
        break;
    case EXCEPTION_HVC:
        call_firmware(c);
        break;
    case EXCEPTION_SVC: /* the return address is behind it */
        core_leave_block(c, arch_pc(c));
        deliver(c, number, COST_SVC);
        core_exception_taken(c, true);
        break;
    default:
        begun = core_cut_block(c, arch_pc(c));
        if (is_dead_end(c, number)) {
            core_shut_down(c);
            return;
        }
        deliver(c, number, COST_EXCEPTION);
        core_exception_taken(c, begun);
    }
}

bool core_on_invalid(void *uc, void *user)
{
    core_on_exception(uc, EXCEPTION_UNDEFINED, user);
    return true;
}

int arch_interrupt_to_take(struct core *c)
{
    return c->interrupt_pending && !(ENV_DAIF(c->env) & DAIF_I) ? c->call.acknowledge() : -1;
}

void arch_take_interrupt(struct core *c, uint64_t pc, int vector)
{
    (void)vector; /* the controller tells which */
    arch_set_pc(c, pc);
    arm.raise_exception(c->env, EXCEPTION_IRQ, 0, 1);
}

static void (*original_helper_exception_return)(env_t *, uint64_t);
static void replace_helper_exception_return(env_t *env, uint64_t new_pc)
{
    struct core *c = running;
    uint32_t before = c ? arch_exception_level(c) : 0;
    struct trace_point here = {0};

    if (c)
        here = trace_take_at_end(c);
    original_helper_exception_return(env, new_pc);
    if (!c)
        return;
    trace_settle(c, &here);
    core_charge(c, COST_ERET);
    note_level(c, before);
    trace_record(c, &here, (struct trace_event){.kind = TRACE_RETURN});
    if (c->attribution)
        attribution_returned(c);
    if (c->ledger.in_interrupt || c->ledger.aside_count) {
        struct flow_key key = arch_flow_key(c);
        ledger_return(&c->ledger, &c->books, &key, arch_ring(c) == RING_USER);
    }
}

/* HVC reaches the firmware, whatever EL2 would say. There is no EL3: SMC is undefined. */
static void replace_helper_pre_hvc(env_t *env) { (void)env; }
#define SYNDROME_UNKNOWN (1u << 25) /* class 0, an instruction of 32 bits */
static void replace_helper_pre_smc(env_t *env, uint32_t syndrome)
{
    (void)syndrome;
    arm.raise_exception(env, EXCEPTION_UNDEFINED, SYNDROME_UNKNOWN, 1); /* the pc is at the instruction already */
}

/* The engine writes the syndrome first and then restores the state at `ra`, which overwrites it. */
static void replace_raise_exception_ra(env_t *env, uint32_t number, uint32_t syndrome, uint32_t level, uintptr_t ra)
{
    if (engine_last_cpu)
        engine.restore_state(running ? running->cpu : engine_last_cpu, ra, 1);
    arm.raise_exception(env, number, syndrome, level); /* does not return */
}

const struct interposition crossing_replacements[] = {
    {ENGINE_SYMBOL("raise_exception_ra"), SLOT_CALL, (void *)replace_raise_exception_ra, NULL},
    {ENGINE_SYMBOL("get_phys_addr"), SLOT_CALL, (void *)arm_walk, (void **)&arm_engine_walk},
    {ENGINE_SYMBOL("helper_exception_return"), SLOT_DATA | SLOT_GOT, (void *)replace_helper_exception_return,
     (void **)&original_helper_exception_return},
    {ENGINE_SYMBOL("helper_pre_hvc"), SLOT_DATA | SLOT_GOT, (void *)replace_helper_pre_hvc, NULL},
    {ENGINE_SYMBOL("helper_pre_smc"), SLOT_DATA | SLOT_GOT, (void *)replace_helper_pre_smc, NULL},
};
const size_t crossing_replacement_count = sizeof(crossing_replacements) / sizeof(crossing_replacements[0]);
