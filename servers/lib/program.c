/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * program.c: the end of a program, and finding what it was given.
 */
#include "program.h"

#include "bytes.h"
#include "protocols/root.h"

void program_exit(uint64_t status)
{
	struct message message = { .tag = ROOT_EXIT, .word = { status } };
	ipc_call(SLOT_ROOT, &message);
	__builtin_trap();
}

handle_t program_service(const struct startup *startup, const char *name)
{
	for (uint64_t i = 0; i < startup->services; i++) {
		if (text_equal(startup->service[i], name)) {
			return SLOT_FIRST_SERVICE + i;
		}
	}
	return 0;
}
