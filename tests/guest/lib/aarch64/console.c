/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * console.c: characters to the PL011 and the way out through PSCI.
 */
#include "console.h"

#include "board.h"

#define UARTDR 0x00
#define UARTFR 0x18
#define UARTFR_TXFF (1u << 5)
#define PSCI_SYSTEM_OFF 0x84000008ul

void console_put(char c)
{
	while ((chip_read(UART + UARTFR) & UARTFR_TXFF) != 0)
		continue;
	chip_write(UART + UARTDR, (uint8_t)c);
}

_Noreturn void machine_exit(unsigned char status)
{
	register unsigned long function __asm__("x0") = PSCI_SYSTEM_OFF;

	(void)status; /* the board has no place for it */
	__asm__ volatile("hvc #0" : "+r"(function)::"memory");
	for (;;)
		__asm__ volatile("wfi");
}
