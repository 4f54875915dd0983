/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * arch.h: what the generic core asks of AArch64. Included at the end of core.h; the other architecture's file has the
 * same names.
 */
#ifndef RINGSCOPE_ARCH_H
#define RINGSCOPE_ARCH_H

static inline uint32_t arch_exception_level(const struct core *c)
{
    return ENV_PSTATE(c->env) >> PSTATE_EL_SHIFT & 3;
}

static inline uint64_t arch_pc(const struct core *c) { return ENV_PC(c->env); }
static inline void arch_set_pc(struct core *c, uint64_t pc) { ENV_PC(c->env) = pc; }

/* What the engine is told to start at. */
static inline uint64_t arch_start(const struct core *c) { return ENV_PC(c->env); }

static inline enum ring arch_ring(const struct core *c) { return arch_exception_level(c) ? RING_KERNEL : RING_USER; }

/* Where a flow of control is: by this it is known again. */
static inline struct flow_key arch_flow_key(const struct core *c)
{
    return (struct flow_key){c->arch.paging.ttbr0, ENV_PC(c->env), ENV_REG(c->env, REG_SP)};
}

/* From the flow of control at a function's first instruction to where it will go on: BL has put that into x30. */
static inline bool arch_return_point(const struct core *c, struct flow_key *flow)
{
    flow->pc = ENV_REG(c->env, REG_LR);
    return true;
}

/* What of TTBR0 names the address space: where its tables begin, without the ASID and CnP. */
static inline uint64_t arch_space_of(const struct core *c, uint64_t ttbr0)
{
    (void)c;
    return ttbr0 & 0x0000fffffffffffeull;
}
static inline uint64_t arch_space(const struct core *c) { return arch_space_of(c, c->arch.paging.ttbr0); }

/* How the processor would translate in the address space with this TTBR0. */
static inline struct paging_state arch_paging_of(const struct core *c, uint64_t space)
{
    struct paging_state state = c->models.mmu.state;

    state.ttbr0 = space;
    return state;
}

/* There are no string instructions. */
static inline void arch_repeat_state(const struct core *c, uint64_t state[REPEAT_STATE_WORDS])
{
    (void)c;
    state[0] = 0;
}

/* There is one instruction set, and no shadow. */
static inline uint32_t arch_block_mode(uint32_t flags)
{
    (void)flags;
    return 0;
}

static inline bool arch_is_urgent(const struct core *c)
{
    (void)c;
    return false;
}

/* faults.c: the engine's own walk of the tables, true where it failed; and what it is replaced with. */
struct engine_fault;
typedef bool engine_walk(env_t *env, uint64_t vaddr, uint32_t access, uint32_t regime, uint64_t *paddr, void *attributes,
                         int *rights, uint64_t *page_bytes, struct engine_fault *fault, void *cacheability);
extern engine_walk *arm_engine_walk, arm_walk;

#define SCTLR_A 2ull

/* faults.c: an unaligned access aborts where SCTLR_EL1.A asks for it. */
void arm_meet_unaligned(uint64_t vaddr, bool write, uintptr_t ra);
static inline void arch_check_alignment(env_t *env, uint64_t vaddr, unsigned size, bool write, uintptr_t ra)
{
    (void)env;
    if (vaddr & (size - 1))
        arm_meet_unaligned(vaddr, write, ra);
}

/* Whether what is translated now may. */
static inline bool arch_checks_alignment(const struct core *c, uint32_t flags)
{
    (void)flags;
    return c->arch.paging.sctlr & SCTLR_A;
}

/* The next instruction lies where there is no RAM: a synchronous external abort (Arm ARM, ISS of an instruction abort),
 * with FnV set, for the engine does not let us write FAR. Does not return. */
static inline void arch_fetch_nothing(struct core *c)
{
    enum { CLASS_FROM_EL0 = 0x20, CLASS_FROM_EL1 = 0x21, CLASS_SHIFT = 26 };
    enum { LONG = 1 << 25, FAR_NOT_VALID = 1 << 10, EXTERNAL = 0x10 };
    uint32_t class = arch_exception_level(c) ? CLASS_FROM_EL1 : CLASS_FROM_EL0;
    arm.raise_exception(c->env, EXCEPTION_PREFETCH_ABORT, class << CLASS_SHIFT | LONG | FAR_NOT_VALID | EXTERNAL, 1);
}

/* The engine keeps no flags for later. */
static inline void arch_settle_flags(struct core *c) { (void)c; }

/* A call leaves its return address in a register. */
enum { ARCH_CALL_PUSHES = 0 };

/* start.c: run a probe on the engine at c->uc, so that engine_last_* are filled. NULL or a sentence. */
const char *arch_learn_state(struct core *c);
/* crossing.c: 0 when an interrupt is taken before the next instruction, -1 for none. */
int arch_interrupt_to_take(struct core *c);
/* crossing.c: take an interrupt before the instruction at pc. Does not return. */
void arch_take_interrupt(struct core *c, uint64_t pc, int vector);

/* state.c: what is saved of struct arch_state; and when registers were restored, what the engine makes of them. */
#define ARCH_SAVED_FIELDS \
    FIELD(arch.paging), FIELD(arch.cpacr)
static inline void arch_state_restored(struct core *c)
{
    arm.update_breakpoints(c->cpu);
    arm.update_watchpoints(c->cpu);
    running = c; /* replace_fp_exception_el() asks it */
    arm.rebuild_hflags(c->env);
    running = NULL;
}

#endif
