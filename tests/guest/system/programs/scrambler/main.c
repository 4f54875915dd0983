/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * main.c: calls the kernel with arguments drawn by lot, most of them nearly right, thousands of times. The kernel must
 * survive it, and every frame must come back when the program has ended. Its status is 0 if enough calls succeeded for
 * the others to mean something. The seed is the number at the end of its name.
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

/* Its own slots mostly, and any but that of its own space: if it ended that, nobody would be told. */
static handle_t slot(void)
{
	return draw(16) == 0 ? SLOT_SPACE + 1 + draw(2 * ABI_HANDLES) : FIRST_SLOT + draw(SLOTS);
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

static handle_t given(void)
{
	return SLOT_SPACE + 1 + draw(SLOT_FIRST_SERVICE - SLOT_SPACE);
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

static error_t call_by_lot(uint64_t frames)
{
	uint64_t frame = draw(frames + 1);
	switch (draw(14)) {
	case 0:
	case 1:
	case 2:
		return object_create(draw(12) == 0 ? draw(~0ul) : 1 + draw(3), memory(), frame, slot(), space());
	case 3: {
		handle_t handle = slot();
		return handle < FIRST_SLOT ? ERROR_HANDLE : object_destroy(handle);
	}
	case 4:
		return range_grant(space(), slot(), draw(2) == 0 ? slot() : given(), draw(256), draw(8), 1 + draw(8));
	case 5:
	case 6: {
		handle_t handle = slot();
		return handle < FIRST_SLOT ? ERROR_HANDLE : handle_close(space(), handle);
	}
	case 7:
		return memory_map(space(), address(), memory(), frame, 1 + draw(3), RIGHT_READ | draw(4) * RIGHT_WRITE);
	case 8:
		return memory_map_table(space(), address(), memory(), frame);
	case 9:
		return memory_unmap(space(), address(), draw(8));
	case 10:
		return thread_configure(slot(), draw(12), draw(2) == 0 ? 0 : slot(), draw(2) == 0 ? 0 : slot());
	case 11:
		return thread_start(slot(), draw(4) == 0 ? draw(~0ul) : (uint64_t)work, 0, 0);
	case 12:
		return call_plain(draw(24) + CALL_INTERRUPT_ATTACH, slot(), slot(), draw(4), draw(4), 0, 0);
	default:
		return io_allow(space(), slot());
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
	uint64_t done = 0;
	for (unsigned i = 0; i < CALLS; i++) {
		done += call_by_lot(startup->memory_frames) == ERROR_OK;
	}
	return done < CALLS / 20;
}
