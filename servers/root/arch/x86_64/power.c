/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * power.c: the exit port of emulated PCs (QEMU's isa-debug-exit). The root gives it to itself, and to nobody else.
 */
#include "power.h"

#include "print.h"
#include "resources.h"

#define EXIT_PORT 0xf4
#define EXIT_PORTS 4ul

void power_off(uint64_t status)
{
	print_flush();
	handle_t ports = resources_slot();
	range_grant(ROOT_HANDLE_SPACE, ports, ROOT_HANDLE_IOPORTS, RIGHT_MANAGE, EXIT_PORT, EXIT_PORTS);
	io_allow(ROOT_HANDLE_SPACE, ports);
	for (;;) {
		stub_out(EXIT_PORT, (uint8_t)status);
	}
}
