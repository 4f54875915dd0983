/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * echo.h: the shortest conversation there is: the reply is the message.
 */
#ifndef PROTOCOL_ECHO_H
#define PROTOCOL_ECHO_H

#define ECHO_PING 1

#endif
