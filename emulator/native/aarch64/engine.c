/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * engine.c: the functions of the AArch64 engine that are called by name. See engine.h.
 */
#include "seam.h"

struct env_layout env_layout;
struct arch_functions arm;

const struct wanted_function arch_functions[] = {
    {"arm_cpu_do_interrupt_aarch64", (void **)&arm.do_interrupt},
    {"raise_exception_aarch64", (void **)&arm.raise_exception},
    {"arm_rebuild_hflags_aarch64", (void **)&arm.rebuild_hflags},
    {"hw_breakpoint_update_all_aarch64", (void **)&arm.update_breakpoints},
    {"hw_watchpoint_update_all_aarch64", (void **)&arm.update_watchpoints},
    {"arm_cpu_do_unaligned_access_aarch64", (void **)&arm.unaligned_access},
};
const size_t arch_function_count = sizeof(arch_functions) / sizeof(arch_functions[0]);
