/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * gates.h: what the processor is told once: segments, the gates into the kernel, the kernel's stacks; and the I/O
 * permission bitmaps.
 *
 * The few spaces that use I/O ports have a bitmap each, all in the one task state segment; a switch of spaces stores
 * only where the bitmap in force begins. Beyond the segment's end there is none, and every port is refused.
 */
#ifndef GATES_H
#define GATES_H

#include "arch_types.h"

#define IO_PORTS 65536u
#define IO_MAPS 4u

struct io_map {
	uint8_t refused[IO_PORTS / 8]; /* one bit per port */
	uint8_t end[8];                /* all ones: the processor always reads two bytes */
};

struct tss {
	uint32_t reserved0;
	uint64_t rsp0, rsp1, rsp2; /* rsp0: the end of the current thread's frame */
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t io_map;
	struct io_map io_maps[IO_MAPS];
} __attribute__((packed));

#define IO_MAP_NONE ((uint16_t)sizeof(struct tss))
_Static_assert(sizeof(struct tss) < 65536, "the distance of a bitmap has 16 bits");

extern struct tss tss;

/* Segments, gates, the task state segment, SYSCALL. */
void gates_start(void);

/* The space's bitmap, if it has one, is another's to use. */
void gates_end_space(struct arch_space *space);

#endif
