/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * startup.h: what the root tells a program when it starts it.
 *
 * A page at the address given as the start argument, read-only. Every program finds what it was given at the same
 * slots of its handle table; a slot that it was not given is empty.
 */
#ifndef PROTOCOL_STARTUP_H
#define PROTOCOL_STARTUP_H

#include <stdint.h>

#define STARTUP_ADDRESS 0x200000ul
#define STARTUP_DEVICE 0x300000ul /* drivers: their device's registers, if they are reached as memory */
#define STARTUP_DEVICE_PAGES 16
#define STARTUP_SERVICES 8
#define STARTUP_NAME 16

#define SLOT_SPACE 1          /* its own space, if it was given memory to use it with */
#define SLOT_PORT 2           /* servers: where its clients call */
#define SLOT_ROOT 3           /* root.h */
#define SLOT_PAGER 4          /* pager.h */
#define SLOT_MEMORY 5
#define SLOT_INTERRUPT 6      /* drivers: the interrupt line, */
#define SLOT_INTERRUPT_PORT 7 /* and where it interrupts */
#define SLOT_FIRST_SERVICE 8
#define SLOT_FIRST_FREE 16

struct startup {
	char name[STARTUP_NAME];
	uint64_t priority;
	uint64_t memory_frames; /* behind SLOT_MEMORY */
	uint64_t services;      /* ports of other servers, from SLOT_FIRST_SERVICE, in this order */
	char service[STARTUP_SERVICES][STARTUP_NAME];
};

#endif
