/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * engine.h: what this core knows about the inside of the AArch64 engine. See seam.h for what is common.
 *
 * The fields of `struct env_layout` are found at start-up by writing markers through the public API
 * (emulator/cpu/aarch64/layout.py). System registers are not looked for: their writes pass control.c, which keeps those
 * that matter here in `struct arch_state`.
 */
#ifndef RINGSCOPE_ENGINE_H
#define RINGSCOPE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "walk.h"

#define ENGINE_SYMBOL(name) name "_aarch64"
enum { ARCH_INSN_CROSSES_PAGES = 0 };

typedef struct env_opaque env_t; /* the engine's CPU state, as its helpers receive it */
typedef struct cpu_opaque cpu_t; /* the object around it */

/* Byte offsets into env_t. Python fills this in once per process. */
struct env_layout {
    uint32_t regs, pc, pstate, daif, esr, far, vbar;
};
extern struct env_layout env_layout;

#define ENV_FIELD(env, type, field, index) (((type *)((char *)(env) + env_layout.field))[index])
#define ENV_REG(env, i) ENV_FIELD(env, uint64_t, regs, i) /* x0..x30, then the stack pointer in use */
#define ENV_PC(env) ENV_FIELD(env, uint64_t, pc, 0)
#define ENV_PSTATE(env) ENV_FIELD(env, uint32_t, pstate, 0) /* exception level and stack selection */
#define ENV_DAIF(env) ENV_FIELD(env, uint64_t, daif, 0)
#define ENV_ESR(env) ENV_FIELD(env, uint64_t, esr, 0) /* ESR_EL1 and FAR_EL1 */
#define ENV_FAR(env) ENV_FIELD(env, uint64_t, far, 0)
#define ENV_VBAR(env) ENV_FIELD(env, uint64_t, vbar, 0) /* VBAR_EL1 */
#define VECTOR_SYNC_EL1 0x200 /* of a synchronous exception at EL1 on its own stack pointer */
#define ESR_CLASS_SHIFT 26

enum { REG_LR = 30, REG_SP };
#define PSTATE_EL_SHIFT 2
#define DAIF_I 0x80u

#define SYNDROME_UNDEFINED 0x02000000u /* ESR_EL1: class 0, a 32-bit instruction */

/* The engine's exception numbers. */
enum {
    EXCEPTION_UNDEFINED = 1,
    EXCEPTION_SVC = 2,
    EXCEPTION_PREFETCH_ABORT = 3,
    EXCEPTION_DATA_ABORT = 4,
    EXCEPTION_IRQ = 5,
    EXCEPTION_HVC = 11,
};

/* The first fields of the engine's description of a system register. */
struct system_register {
    const char *name;
    uint8_t cp, crn, crm, op0, op1, op2;
};
/* Named as MRS and MSR encode it. */
#define SYSTEM_REGISTER(op0, op1, crn, crm, op2) \
    ((uint32_t)((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2)))

/* What the core keeps for this architecture alone. */
struct arch_state {
    struct paging_state paging;
    uint64_t cpacr; /* CPACR_EL1: who may use floating point */
};

/* The engine's own functions that only AArch64 has. */
struct arch_functions {
    void (*do_interrupt)(cpu_t *cpu);
    void (*raise_exception)(env_t *env, uint32_t exception, uint32_t syndrome, uint32_t target_el);
    void (*rebuild_hflags)(env_t *env);
    void (*update_breakpoints)(cpu_t *cpu); /* put in those that DBGBVRn and DBGBCRn say, and no others */
    void (*update_watchpoints)(cpu_t *cpu);
    void (*unaligned_access)(cpu_t *cpu, uint64_t vaddr, uint32_t access, uint32_t index, uintptr_t ra); /* the abort */
};
extern struct arch_functions arm;

#endif
