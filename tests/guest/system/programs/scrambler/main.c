/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * main.c: calls the kernel with arguments drawn by lot, most of them nearly right, thousands of times. The kernel must
 * survive it, and every frame must come back when the program has ended. The seed is the number at the end of its name.
 */
#include "program.h"

#define CALLS 20000u
#define FIRST_SLOT SLOT_FIRST_FREE
#define SLOTS 16u
#define PAGES 0x20000000ul /* where it maps; nothing else of the program lies there */
#define BAIT 0x60ul        /* pages between the addresses that it maps at */

static uint64_t state;

/* xorshift64 (Marsaglia, 2003) */
static uint64_t draw(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

static handle_t slot(void)
{
	return draw(16) == 0 ? draw(2 * ABI_HANDLES) : FIRST_SLOT + draw(SLOTS);
}

/* One of its own, the program's own space now and then. */
static handle_t space(void)
{
	return draw(3) == 0 ? SLOT_SPACE : slot();
}

static handle_t memory(void)
{
	return draw(4) != 0 ? SLOT_MEMORY : slot();
}

static uint64_t address(void)
{
	if (draw(32) == 0) {
		return draw(~0ul);
	}
	return PAGES + draw(4) * BAIT * ABI_PAGE_SIZE + draw(4) * (1ul << 30) + draw(4) * ABI_PAGE_SIZE;
}

static void work(uint64_t argument)
{
	(void)argument;
	for (;;) {
		null_call();
		*(volatile uint64_t *)PAGES = 1; /* mostly a fault, and then the end */
	}
}

static void call_by_lot(uint64_t frames)
{
	uint64_t frame = draw(frames + 1);
	switch (draw(14)) {
	case 0:
	case 1:
	case 2:
		object_create(draw(5), memory(), frame, slot(), space());
		break;
	case 3: {
		handle_t handle = slot();
		if (handle >= FIRST_SLOT) {
			object_destroy(handle);
		}
		break;
	}
	case 4:
		range_grant(space(), slot(), draw(2) == 0 ? slot() : SLOT_SPACE + 1 + draw(SLOT_FIRST_SERVICE), draw(256), draw(8), draw(8));
		break;
	case 5:
	case 6: {
		handle_t handle = slot();
		if (handle >= FIRST_SLOT) {
			handle_close(space(), handle);
		}
		break;
	}
	case 7:
		memory_map(space(), address(), memory(), frame, draw(4), draw(8));
		break;
	case 8:
		memory_map_table(space(), address(), memory(), frame);
		break;
	case 9:
		memory_unmap(space(), address(), draw(8));
		break;
	case 10:
		thread_configure(slot(), draw(12), draw(2) == 0 ? 0 : slot(), draw(2) == 0 ? 0 : slot());
		break;
	case 11:
		thread_start(slot(), draw(4) == 0 ? draw(~0ul) : (uint64_t)work, 0, 0);
		break;
	case 12:
		call_plain(draw(24) + CALL_INTERRUPT_ATTACH, slot(), slot(), draw(4), draw(4), 0, 0);
		break;
	default:
		io_allow(space(), slot());
		break;
	}
}

uint64_t program_main(const void *argument)
{
	const struct startup *startup = argument;
	for (const char *at = startup->name; *at != 0; at++) {
		if (*at >= '0' && *at <= '9') {
			state = state * 10 + (uint64_t)(*at - '0');
		}
	}
	state = state * 0x9e3779b97f4a7c15 + 1;
	for (unsigned i = 0; i < CALLS; i++) {
		call_by_lot(startup->memory_frames);
	}
	return 0;
}
