/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * io_permission.c: the TSS's permission bitmap decides, port by port, what ring 3 may touch.
 */
#include "cpu.h"
#include "descriptors.h"
#include "report.h"

#define OPEN 0x80u
#define NEIGHBOUR 0x81u

static struct {
	uint64_t port;
	uint8_t bytes[8];
} user_arguments USER_DATA __attribute__((used));

#define PORT "mov user_arguments, %edx\n\tmov $0x20, %eax"
USER_SNIPPET(user_outb, PORT, "outb %al, %dx");
USER_SNIPPET(user_inb, PORT, "inb %dx, %al");
USER_SNIPPET(user_outw, PORT, "outw %ax, %dx");
USER_SNIPPET(user_outl, PORT, "outl %eax, %dx");
USER_SNIPPET(user_outsb, PORT "\n\tmov $user_arguments + 8, %esi", "outsb (%rsi), %dx");
USER_SNIPPET(user_immediate, "mov $0x20, %eax", "outb %al, $0x80");
USER_SNIPPET(user_sti, "", "sti");

static void set_port(unsigned port, bool allowed)
{
	uint8_t bit = (uint8_t)(1u << (port & 7));
	uint8_t *byte = &tss.bitmap[port / 8];

	*byte = (uint8_t)(allowed ? *byte & ~bit : *byte | bit);
}

static void check(const char *name, trap_body body, const char *at, unsigned port, bool allowed)
{
	struct trap t;

	user_arguments.port = port;
	t = user_provoke(body);
	report(allowed ? t.frame.vector == 0xff
	               : t.frame.vector == VECTOR_GP && t.frame.error == 0 && t.frame.ip == (unsigned long)at,
	       name);
}

static void with_iopl(void)
{
	user_enter((unsigned long)user_outb, (unsigned long)user_stack_top, FLAG_IOPL | 2, SELECTOR_USER_CODE);
}

static void sti_with_iopl(void)
{
	user_enter((unsigned long)user_sti, (unsigned long)user_stack_top, FLAG_IOPL | 2, SELECTOR_USER_CODE);
}

void guest_main(void)
{
	struct trap t;

	check("with no bitmap every port is #GP(0)", user_outb, user_outb_at, OPEN, false);
	for (unsigned i = 0; i < sizeof tss.bitmap; i++)
		tss.bitmap[i] = 0xff;
	tss.bitmap_offset = __builtin_offsetof(struct tss, bitmap);
	check("a set bit is #GP(0)", user_outb, user_outb_at, OPEN, false);
	set_port(OPEN, true);
	check("a clear bit lets out through", user_outb, user_outb_at, OPEN, true);
	check("and in", user_inb, user_inb_at, OPEN, true);
	check("and out with an immediate port", user_immediate, user_immediate_at, OPEN, true);
	check("and outs", user_outsb, user_outsb_at, OPEN, true);
	check("the next port is still #GP(0)", user_outb, user_outb_at, NEIGHBOUR, false);
	check("outs to it too", user_outsb, user_outsb_at, NEIGHBOUR, false);
	check("two bytes need both bits", user_outw, user_outw_at, OPEN, false);
	set_port(NEIGHBOUR, true);
	check("with both they pass", user_outw, user_outw_at, OPEN, true);
	check("four bytes need four", user_outl, user_outl_at, OPEN, false);
	set_port(0x82, true);
	set_port(0x83, true);
	check("with four they pass", user_outl, user_outl_at, OPEN, true);
	set_port(OPEN, false);
	check("a bit set again is #GP(0) again", user_outb, user_outb_at, OPEN, false);
	set_port(0xffff, true);
	check("the last port has its bit too", user_inb, user_inb_at, 0xffff, true);

	user_arguments.port = NEIGHBOUR + 0x10;
	t = trap_provoke(with_iopl);
	report(t.frame.vector == 0xff, "IOPL 3 passes whatever the bitmap says");
	t = trap_provoke(sti_with_iopl);
	report(t.frame.vector == 0xff && (t.frame.flags & FLAG_IF) != 0, "and lets ring 3 set IF");
	t = user_provoke(user_sti);
	report(t.frame.vector == VECTOR_GP && t.frame.ip == (unsigned long)user_sti_at, "IOPL 0 does not");
}
