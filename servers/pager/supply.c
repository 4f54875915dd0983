/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * supply.c: one byte per frame says to which program it was given. A frame is cleared through a window in the pager's
 * own space before anybody gets it.
 */
#include "supply.h"

#include "bytes.h"
#include "mapping.h"
#include "program.h"
#include "protocols/pager.h"

#define FRAMES 65536u /* 256 MiB; what lies beyond stays unused */
#define NOBODY 0xff
#define WINDOW 0x30000000ul

static uint8_t owner[FRAMES];
static uint64_t frame_count;
static uint64_t search_from; /* no free frame lies below */

static uint64_t take(uint8_t program)
{
	for (uint64_t frame = search_from; frame < frame_count; frame++) {
		if (owner[frame] == NOBODY) {
			owner[frame] = program;
			search_from = frame + 1;
			return frame;
		}
	}
	return NO_FRAME;
}

/* Map a frame that the program (or the pager, as program 0) owns. */
static bool map(uint8_t program, handle_t space, uint64_t address, uint64_t frame)
{
	error_t error;
	while ((error = memory_map(space, address, SLOT_MEMORY, frame, 1, RIGHT_READ | RIGHT_WRITE)) == ERROR_TABLE) {
		uint64_t table = take(program);
		if (table == NO_FRAME || memory_map_table(space, address, SLOT_MEMORY, table) != ERROR_OK) {
			return false;
		}
	}
	return error == ERROR_OK;
}

void supply_start(uint64_t frames)
{
	frame_count = frames < FRAMES ? frames : FRAMES;
	memset(owner, NOBODY, sizeof(owner));
}

bool supply_page(uint64_t program, uint64_t address)
{
	uint64_t frame = take((uint8_t)program);
	if (frame == NO_FRAME || !map(PAGER_ROOT, SLOT_SPACE, WINDOW, frame)) {
		return false;
	}
	page_clear((void *)WINDOW);
	memory_unmap(SLOT_SPACE, WINDOW, 1);
	return map((uint8_t)program, PAGER_SLOT_SPACE + program, address, frame);
}

uint64_t supply_take_back(uint64_t program)
{
	uint64_t count = 0;
	for (uint64_t frame = 0; frame < frame_count; frame++) {
		if (owner[frame] == program) {
			owner[frame] = NOBODY;
			count++;
		}
	}
	search_from = 0;
	return count;
}
