/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * gates.c: the vectors, and what user mode may not read. There are no I/O ports.
 */
#include "gates.h"

#include "arch/arch.h"

extern const char entry_vectors[];

void gates_start(void)
{
	cpu_write_vbar_el1((uint64_t)entry_vectors);
	cpu_write_cntkctl_el1(0);
	cpu_write_mdscr_el1(MDSCR_TRAP_CHANNEL);
	cpu_write_tpidrro_el0(0);
	cpu_isb();
}

error_t arch_io_allow(struct arch_space *space, uint64_t first, uint64_t count)
{
	(void)space;
	(void)first;
	(void)count;
	return ERROR_ARGUMENT;
}

uint64_t arch_io_ports(void)
{
	return 0;
}
