/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * arch.h: what the generic core asks of x86. Included at the end of core.h; the other architecture's file has the same
 * names.
 */
#ifndef RINGSCOPE_ARCH_H
#define RINGSCOPE_ARCH_H

#include <string.h>

static inline uint32_t core_cpl(const struct core *c) { return ENV_HFLAGS(c->env) & HF_CPL; }

/* The linear address of the next instruction. */
static inline uint64_t arch_pc(const struct core *c) { return ENV_EIP(c->env) + ENV_SEG(c->env, SEG_CS).base; }
static inline void arch_set_pc(struct core *c, uint64_t pc) { ENV_EIP(c->env) = pc - ENV_SEG(c->env, SEG_CS).base; }

/* What the engine is told to start at. */
static inline uint64_t arch_start(const struct core *c) { return ENV_EIP(c->env); }

static inline enum ring arch_ring(const struct core *c) { return core_cpl(c) == 3 ? RING_USER : RING_KERNEL; }

/* Where a flow of control is: by this it is known again. */
static inline struct flow_key arch_flow_key(const struct core *c)
{
    return (struct flow_key){ENV_CR(c->env, 3), arch_pc(c), ENV_REG(c->env, REG_RSP)};
}

/* From the flow of control at a function's first instruction to where it will go on: CALL has pushed that, as wide as the
 * code's addresses. False if the stack cannot be read. */
static inline bool arch_return_point(const struct core *c, struct flow_key *flow)
{
    uint32_t hflags = ENV_HFLAGS(c->env), bytes = hflags & HF_CS64 ? 8 : hflags & HF_CS32 ? 4 : 2;
    uint8_t word[8] = {0};

    for (uint32_t i = 0; i < bytes; i++) {
        struct walk_result where;
        walk_read(&c->models.mmu.state, &c->ram, flow->sp + i, &where);
        const uint8_t *at = where.present ? ram_at(&c->ram, where.paddr, 1) : NULL;
        if (!at)
            return false;
        word[i] = *at;
    }
    memcpy(&flow->pc, word, sizeof(flow->pc));
    flow->sp += bytes;
    return true;
}

/* What of CR3 names the address space: where its tables begin. */
static inline uint64_t arch_space_of(const struct core *c, uint64_t cr3)
{
    bool pae = ENV_CR(c->env, 4) & CR4_PAE && !(ENV_EFER(c->env) & EFER_LMA);
    return cr3 & (pae ? 0xffffffe0ull : 0x000ffffffffff000ull);
}
static inline uint64_t arch_space(const struct core *c) { return arch_space_of(c, ENV_CR(c->env, 3)); }

/* How the processor would translate in the address space with this CR3. */
static inline struct paging_state arch_paging_of(const struct core *c, uint64_t space)
{
    struct paging_state state = c->models.mmu.state;

    state.cr3 = space;
    return state;
}

/* How far a string instruction has come. */
static inline void arch_repeat_state(const struct core *c, uint64_t state[REPEAT_STATE_WORDS])
{
    state[0] = ENV_REG(c->env, REG_RCX);
    state[1] = ENV_REG(c->env, REG_RSI);
    state[2] = ENV_REG(c->env, REG_RDI);
}

/* The decoding mode of a translation with these flags of the engine. */
static inline uint32_t arch_block_mode(uint32_t hflags)
{
    uint32_t mode = hflags & HF_CS64 ? BLOCK_MODE_64 : hflags & HF_CS32 ? BLOCK_MODE_32 : BLOCK_MODE_16;
    return hflags & (HF_SHADOW | HF_TF) ? mode | BLOCK_MODE_SINGLE : mode;
}

/* Whether something besides the interrupt pin wants to be taken at the next block. */
static inline bool arch_is_urgent(const struct core *c) { return c->arch.nmi_pending && !c->arch.nmi_blocked; }

/* #AC, which the engine does not know: an unaligned access in ring 3 with CR0.AM and EFLAGS.AC set. */
static inline void arch_check_alignment(env_t *env, uint64_t vaddr, unsigned size, bool write, uintptr_t ra)
{
    (void)write;
    if (!(vaddr & (size - 1)) || !(ENV_EFLAGS(env) & EFLAGS_AC) || !(ENV_CR(env, 0) & CR0_AM))
        return;
    if ((ENV_HFLAGS(env) & HF_CPL) == 3)
        x86.raise_exception_err_ra(env, VECTOR_AC, 0, ra);
}

/* The next instruction lies where there is no RAM. A bus on which nothing answers reads all ones, and FF FF is no
 * instruction. Does not return. */
static inline void arch_fetch_nothing(struct core *c) { x86.raise_exception_err_ra(c->env, VECTOR_UD, 0, 0); }

/* Whether translations with these flags of the engine are of code that may raise it. CR0.AM is not among them. */
static inline bool arch_checks_alignment(const struct core *c, uint32_t hflags)
{
    (void)c;
    return hflags & EFLAGS_AC && (hflags & HF_CPL) == 3;
}

/* Before an instruction whose fault would lose arithmetic flags that the engine has yet to work out. */
static inline void arch_settle_flags(struct core *c) { x86.write_eflags(c->env, x86.read_eflags(c->env), 0); }

/* A near call leaves its return address on the stack. */
enum { ARCH_CALL_PUSHES = 1 };

/* start.c: run a probe on the engine at c->uc, so that engine_last_* are filled. NULL or a sentence. */
const char *arch_learn_state(struct core *c);
/* crossing.c: the vector of the interrupt that is taken before the next instruction, -1 for none. */
int arch_interrupt_to_take(struct core *c);
/* crossing.c: take an interrupt before the instruction at pc. Does not return. */
void arch_take_interrupt(struct core *c, uint64_t pc, int vector);

/* state.c: what is saved of struct arch_state; and when registers were restored, what the engine makes of them. */
#define ARCH_SAVED_FIELDS \
    FIELD(arch.tsc_offset), FIELD(arch.tsc_aux), FIELD(arch.nmi_pending), FIELD(arch.nmi_blocked), \
    FIELD(arch.soft_interrupt), FIELD(arch.soft_bytes), FIELD(arch.raised), FIELD(arch.raised_count), FIELD(arch.raising), \
    FIELD(arch.is_raising)
static inline void arch_state_restored(struct core *c) { x86.update_hflags(c->env); }

#endif
