/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * console.h: what a client says to the console driver.
 */
#ifndef PROTOCOL_CONSOLE_H
#define PROTOCOL_CONSOLE_H

#include "abi/abi.h"

/* Write the characters in the message's words, first character in the lowest byte; a zero byte ends a shorter text.
 * The reply (label 0) comes when the UART has taken them. */
#define CONSOLE_WRITE 1
#define CONSOLE_WRITE_BYTES (8 * ABI_WORDS)

/* The reply comes when the last character has left the machine. */
#define CONSOLE_FLUSH 2

/* Label of the reply to anything else. */
#define CONSOLE_REFUSED 1

#endif
