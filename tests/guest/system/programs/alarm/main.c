/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * main.c: a driver of the board's clock (PL031, Arm DDI 0224): sets its alarm and waits for the interrupt, three times.
 * Its status is 0 if each message was the clock's and the alarm was due.
 */
#include <stdbool.h>

#include "print.h"
#include "program.h"

#define SECONDS (STARTUP_DEVICE + 0x00)
#define ALARM (STARTUP_DEVICE + 0x04)
#define INTERRUPT_MASK (STARTUP_DEVICE + 0x10)
#define INTERRUPT_REQUEST (STARTUP_DEVICE + 0x14)
#define INTERRUPT_CLEAR (STARTUP_DEVICE + 0x1c)

#define LINE 2u
#define TIMES 3u

/* Wait for the alarm, one second ahead. */
static bool hear(void)
{
	uint32_t due = stub_read_device(SECONDS) + 1;
	stub_write_device(ALARM, due);
	struct message message;
	error_t error = ipc_receive(SLOT_INTERRUPT_PORT, &message);
	bool right = error == ERROR_OK && message_kind(&message) == KIND_INTERRUPT && message.word[0] == LINE;
	right = right && stub_read_device(SECONDS) >= due && stub_read_device(INTERRUPT_REQUEST) == 1;
	stub_write_device(INTERRUPT_CLEAR, 1);
	return interrupt_acknowledge(SLOT_INTERRUPT) == ERROR_OK && right;
}

uint64_t program_main(const void *argument)
{
	print_to(program_service(argument, "console"));
	interrupt_attach(SLOT_INTERRUPT, SLOT_INTERRUPT_PORT);
	stub_write_device(INTERRUPT_MASK, 1);
	uint64_t heard = 0;
	for (unsigned i = 0; i < TIMES; i++) {
		heard += hear();
	}
	print("alarm: heard %lu of %lu\n", heard, (uint64_t)TIMES);
	return heard != TIMES;
}
