/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fpu.h: each thread's own floating-point and SIMD registers.
 *
 * They stay in the processor until another thread uses its own: a switch only shuts them (arch_switch), the first use
 * traps, and the trap exchanges them. A thread that never uses them costs nothing.
 */
#ifndef FPU_H
#define FPU_H

#include "arch_types.h"

void fpu_start(void);
/* The current thread used a floating-point register while they were shut. */
void fpu_trap(void);

#endif
