/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * main.c: the echo server. It does nothing but IPC, so its clients measure nothing but IPC.
 */
#include "program.h"

uint64_t program_main(const void *argument)
{
	(void)argument;
	struct message message;
	error_t error = ipc_receive(SLOT_PORT, &message);
	while (error == ERROR_OK) {
		error = ipc_reply_wait(SLOT_PORT, &message);
	}
	return error;
}
