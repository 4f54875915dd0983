/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * boot.h: what the architecture's start-up code learned from the loader, and what the kernel makes of it.
 */
#ifndef KERNEL_BOOT_H
#define KERNEL_BOOT_H

#include "types.h"

#define BOOT_RANGES 64

struct boot_range {
	uint64_t first, end; /* physical addresses; the end is the first beyond */
};

struct boot_module {
	struct boot_range file;
	const char *arguments;
};

struct boot {
	struct boot_range memory[BOOT_RANGES]; /* usable memory, within what the kernel maps */
	uint64_t memories;
	struct boot_range taken[BOOT_RANGES]; /* the kernel itself and what the loader left; not the modules */
	uint64_t takens;
	struct boot_module module[1 + BOOTINFO_MODULES]; /* the first is the root server */
	uint64_t modules;
};

/* Called once, by the architecture, with the processor ready for system calls and interrupts off. */
void kernel_main(const struct boot *boot);

#endif
