/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * power.c: the serial port, before it is the console's, and the firmware's off switch, which the kernel turns. The
 * switch takes no status: what the root prints last says how the run went.
 */
#include "power.h"

#include "print.h"
#include "protocols/console.h"
#include "resources.h"

#define SERIAL_FRAME (0x09000000ul / ABI_PAGE_SIZE) /* where QEMU's `virt` board has its PL011 */
#define SERIAL 0x10000000ul                        /* a window of the root's */
#define DATA (SERIAL + 0x00)
#define FLAGS (SERIAL + 0x18)
#define CONTROL (SERIAL + 0x30)
#define FLAGS_FULL 0x20u
#define CONTROL_SEND 0x101u

void power_start(void)
{
	mapping_add(ROOT_HANDLE_SPACE, SERIAL, ROOT_HANDLE_DEVICES, SERIAL_FRAME, RIGHT_READ | RIGHT_WRITE, &resources_own);
}

static void send(uint8_t character)
{
	while ((stub_read_device(FLAGS) & FLAGS_FULL) != 0) {
	}
	stub_write_device(DATA, character);
}

void power_tell(const struct message *message)
{
	stub_write_device(CONTROL, CONTROL_SEND);
	for (unsigned i = 0; i < CONSOLE_WRITE_BYTES; i++) {
		uint8_t character = (uint8_t)(message->word[i / 8] >> i % 8 * 8);
		if (character == '\n') {
			send('\r');
		}
		if (character != 0) {
			send(character);
		}
	}
}

void power_off(uint64_t status)
{
	(void)status;
	print_flush();
	for (;;) {
		power_off_machine(ROOT_HANDLE_POWER);
	}
}
