/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * power.c: the debug console and the exit port of emulated PCs (QEMU's isa-debugcon and isa-debug-exit). On a real PC
 * nobody listens there, and the root stays in a loop.
 */
#include "power.h"

#include "print.h"
#include "protocols/console.h"
#include "resources.h"

#define DEBUG_PORT 0xe9
#define EXIT_PORT 0xf4

static void allow(uint64_t port)
{
	handle_t ports = resources_slot();
	range_grant(ROOT_HANDLE_SPACE, ports, ROOT_HANDLE_IOPORTS, RIGHT_MANAGE, port, 1);
	io_allow(ROOT_HANDLE_SPACE, ports);
}

void power_start(void)
{
	allow(DEBUG_PORT);
	allow(EXIT_PORT);
}

void power_tell(const struct message *message)
{
	for (unsigned i = 0; i < CONSOLE_WRITE_BYTES; i++) {
		uint8_t character = (uint8_t)(message->word[i / 8] >> i % 8 * 8);
		if (character != 0) {
			stub_out(DEBUG_PORT, character);
		}
	}
}

void power_off(uint64_t status)
{
	print_flush();
	for (;;) {
		stub_out(EXIT_PORT, (uint8_t)status);
	}
}
