/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * engine.h: what this core knows about the inside of the x86 engine.
 *
 * The engine (Unicorn, a descendant of QEMU's TCG) executes guest instructions and walks page tables, but delivers
 * no exception and reports too little. Its shared library calls its own helper functions by name; we put ours in
 * between (seam.h, which has what is common to all architectures). What is particular to x86 is in this folder:
 *
 *   - the names and signatures of the helpers that are replaced (the lists in crossing.c, control.c, access.c);
 *   - where fields lie in its CPU state, `struct env_layout`, found at start-up by writing markers through the
 *     public API and looking for them (emulator/cpu/x86_64/layout.py), never assumed;
 *
 * The package pins the engine's exact version; a library that lacks any of this is refused at start-up.
 */
#ifndef RINGSCOPE_ENGINE_H
#define RINGSCOPE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENGINE_SYMBOL(name) name "_x86_64"
enum { ARCH_INSN_CROSSES_PAGES = 1 };

typedef struct env_opaque env_t; /* the engine's CPU state, as its helpers receive it */
typedef struct cpu_opaque cpu_t; /* the object around it */

/* Byte offsets into env_t. Python fills this in once per process. */
struct env_layout {
    uint32_t regs, eip, eflags, hflags, segs, ldt, tr, gdt, idt, cr, efer;
    uint32_t star, lstar, cstar, fmask, sysenter_cs, sysenter_esp, sysenter_eip;
};
extern struct env_layout env_layout;

#define ENV_FIELD(env, type, field, index) (((type *)((char *)(env) + env_layout.field))[index])
#define ENV_REG(env, i) ENV_FIELD(env, uint64_t, regs, i)
#define ENV_EIP(env) ENV_FIELD(env, uint64_t, eip, 0)
#define ENV_EFLAGS(env) ENV_FIELD(env, uint64_t, eflags, 0) /* system flags only: arithmetic ones are lazy */
#define ENV_HFLAGS(env) ENV_FIELD(env, uint32_t, hflags, 0)
#define ENV_CR(env, i) ENV_FIELD(env, uint64_t, cr, i)
#define ENV_EFER(env) ENV_FIELD(env, uint64_t, efer, 0)
#define ENV_SEG(env, i) ENV_FIELD(env, struct env_segment, segs, i)
#define ENV_MSR(env, field) ENV_FIELD(env, uint64_t, field, 0)

struct env_segment {
    uint32_t selector;
    uint64_t base;
    uint32_t limit, flags;
};

enum { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI, REG_R11 = 11 };
enum { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS };

/* The engine's condensed mode flags, also the `flags` of a translation block. */
#define HF_CPL 0x3u
#define HF_SHADOW (1u << 3) /* interrupts are held off for one instruction, after STI or MOV SS */
#define HF_CS32 (1u << 4)
#define HF_TF (1u << 8)
#define HF_IOPL_SHIFT 12
#define HF_LMA (1u << 14)
#define HF_CS64 (1u << 15)

/* A segment's flags, as in the second word of its descriptor. */
#define SEG_FLAT_CODE32 0x00cf9b00u
#define SEG_FLAT_CODE64 0x00af9b00u
#define SEG_FLAT_DATA 0x00cf9300u
#define SEG_DPL3 0x00006000u

#define EFLAGS_TF 0x100u
#define EFLAGS_IF 0x200u
#define EFLAGS_RF 0x10000u
#define EFLAGS_VM 0x20000u
#define EFLAGS_AC 0x40000u
#define EFER_SCE 0x1u
#define EFER_LME 0x100u
#define EFER_LMA 0x400u
#define CR0_PE 0x1u
#define CR0_AM 0x40000u
#define CR0_NW 0x20000000u
#define CR0_CD 0x40000000u
#define CR0_PG 0x80000000u
#define CR4_TSD 0x4u
#define CR4_PAE 0x20u
#define CR4_PCIDE 0x20000u
#define CR4_KNOWN 0x3307ffull /* VME..OSXMMEXCPT, FSGSBASE, PCIDE, SMEP, SMAP */
#define CR4_FLUSHES (0x10u | CR4_PAE | 0x80u | CR4_PCIDE | 0x100000u) /* PSE, PAE, PGE, PCIDE, SMEP: SDM 4.10.4.1 */
#define PHYSICAL_BITS 40

enum {
    VECTOR_DB = 1,
    VECTOR_NMI = 2,
    VECTOR_UD = 6,
    VECTOR_NM = 7,
    VECTOR_DF = 8,
    VECTOR_NP = 11,
    VECTOR_SS = 12,
    VECTOR_GP = 13,
    VECTOR_PF = 14,
    VECTOR_AC = 17,
};

enum { MSR_TIME_STAMP_COUNTER = 0x10 };

/* An exception number of ours, outside the architecture's 0..255: "take external interrupt N". */
#define EXCEPTION_INTERRUPT 0x400

/* What was raised and not delivered yet: see raised.h. */
enum { RAISED_MAX = 8 };
enum raised_kind { RAISED_EXCEPTION, RAISED_SOFTWARE, RAISED_INTERRUPT };
struct raised {
    uint32_t kind, vector, error_code; /* 0 where there is none */
    uint64_t cr2;                      /* of a #PF: the address */
};

/* What the core keeps for this architecture alone. */
struct arch_state {
    int32_t *exception_index;      /* the engine's, while it raises an exception */
    uint64_t tsc_offset;           /* what WRMSR of the time-stamp counter added */
    uint32_t tsc_aux;
    bool nmi_pending, nmi_blocked; /* blocked from its delivery to the next IRET */
    bool soft_interrupt;           /* the exception being raised is an INT instruction */
    uint32_t soft_bytes;           /* while it is delivered: its length */
    struct raised raised[RAISED_MAX];
    uint32_t raised_count;
    struct raised raising;         /* while `is_raising`: as it was before two of them became #DF */
    bool is_raising;
};

/* The engine's own functions that only x86 has. */
struct arch_functions {
    void (*do_interrupt)(cpu_t *cpu);
    void (*do_hardware_interrupt)(env_t *env, int vector, int is_hardware);
    void (*raise_interrupt)(env_t *env, int vector, int is_int, int error_code, int next_eip_addend);
    void (*raise_exception_err_ra)(env_t *env, int vector, int error_code, uintptr_t ra);
    void (*check_port[3])(env_t *env, uint32_t port); /* #GP unless the TSS permits 1, 2, 4 bytes */
    void (*update_hflags)(env_t *env);
    uint64_t (*read_eflags)(env_t *env);
    void (*write_eflags)(env_t *env, uint64_t value, uint32_t mask);
    void (*update_dr7)(env_t *env, uint32_t value); /* takes the breakpoints of DR0..DR3 out, and puts in those now on */
};
extern struct arch_functions x86;

#endif
