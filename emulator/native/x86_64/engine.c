/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * engine.c: the functions of the x86 engine that are called by name. See engine.h.
 */
#include "seam.h"

struct env_layout env_layout;
struct arch_functions x86;

const struct wanted_function arch_functions[] = {
    {"x86_cpu_do_interrupt_x86_64", (void **)&x86.do_interrupt},
    {"do_interrupt_x86_hardirq_x86_64", (void **)&x86.do_hardware_interrupt},
    {"raise_interrupt_x86_64", (void **)&x86.raise_interrupt},
    {"raise_exception_err_ra_x86_64", (void **)&x86.raise_exception_err_ra},
    {"helper_check_iob_x86_64", (void **)&x86.check_port[0]},
    {"helper_check_iow_x86_64", (void **)&x86.check_port[1]},
    {"helper_check_iol_x86_64", (void **)&x86.check_port[2]},
    {"x86_update_hflags_x86_64", (void **)&x86.update_hflags},
    {"helper_read_eflags_x86_64", (void **)&x86.read_eflags},
    {"helper_write_eflags_x86_64", (void **)&x86.write_eflags},
    {"cpu_x86_update_dr7_x86_64", (void **)&x86.update_dr7},
};
const size_t arch_function_count = sizeof(arch_functions) / sizeof(arch_functions[0]);
