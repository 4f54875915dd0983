/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * sleeper.c: a server that takes its first call and never replies, so that nobody in the system can run.
 */
#include "program.h"

uint64_t program_main(const void *argument)
{
	(void)argument;
	struct message message;
	while (ipc_receive(SLOT_PORT, &message) == ERROR_OK) {
	}
	return 1;
}
