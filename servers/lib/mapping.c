/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mapping.c: the dialogue with the kernel that mapping is.
 */
#include "mapping.h"

uint64_t frames_take(struct frames *frames)
{
	return frames->next < frames->end ? frames->next++ : NO_FRAME;
}

error_t mapping_add(handle_t space, uint64_t address, handle_t memory, uint64_t frame, uint64_t rights,
                    struct frames *tables)
{
	error_t error;
	while ((error = memory_map(space, address, memory, frame, 1, rights)) == ERROR_TABLE) {
		uint64_t table = frames_take(tables);
		if (table == NO_FRAME) {
			return ERROR_FULL;
		}
		error = memory_map_table(space, address, tables->memory, table);
		if (error != ERROR_OK) {
			return error;
		}
	}
	return error;
}
