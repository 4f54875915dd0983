/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * single_step.c: with TF set there is one #DB behind every instruction, and where the manual says there is none.
 */
#include "console.h"
#include "cpu.h"
#include "descriptors.h"
#include "report.h"

#define MOST 32u

static unsigned long seen[MOST];
static unsigned count;

/* Each walk sets TF, runs to its label _off, clears TF by popf, and returns. TF set by popf acts from the next one. */
#define STEP_ON "pushfq\n\torq $0x100, (%rsp)\n\tpopfq\n"
#define STEP_OFF "\tpushfq\n\tandq $~0x100, (%rsp)\n\tpopfq\n"
__asm__(".text\n"
        "walk_plain:\n" STEP_ON "p0:	nop\np1:	mov $3, %eax\np2:	jmp p4\np3:	ud2\np4:	call p6\np5:	jmp p7\n"
        "p6:	ret\np7:\n" STEP_OFF "	ret\n"
        "walk_string:\n	lea -64(%rsp), %rdi\n	xor %eax, %eax\n	mov $3, %ecx\n" STEP_ON
        "s0:	rep stosb\ns1:	nop\ns2:\n" STEP_OFF "	ret\n"
        "walk_stack_load:\n	mov %ss, %eax\n" STEP_ON "l0:	nop\nl1:	mov %eax, %ss\nl2:	nop\nl3:	nop\nl4:\n" STEP_OFF
        "	ret\n"
        "walk_interrupt:\n" STEP_ON "i0:	nop\ni1:	int $0x80\ni2:	nop\ni3:\n" STEP_OFF "	ret\n");
void walk_plain(void), walk_string(void), walk_stack_load(void), walk_interrupt(void);
extern const char p1[], p2[], p4[], p5[], p6[], p7[], s0[], s1[], s2[], l1[], l2[], l3[], l4[], i1[], i2[],
	i3[];

static void note(struct frame *frame)
{
	if (count < MOST)
		seen[count++] = frame->ip;
}

static unsigned long handler_flags;
static void note_flags(struct frame *frame)
{
	(void)frame;
	handler_flags = read_flags();
}

/* The trailing steps belong to the code that turns stepping off: pushf, and. */
static void check(const char *name, trap_body walk, const char *const *wanted, unsigned n)
{
	bool right = true;

	count = 0;
	walk();
	for (unsigned i = 0; i < n; i++)
		right = right && i < count && seen[i] == (unsigned long)wanted[i];
	if (!right) {
		for (unsigned i = 0; i < count; i++)
			print("# step to 0x%lx\n", seen[i]);
	}
	report(right, name);
}

#define CHECK(name, walk, ...)                                                   \
	do {                                                                         \
		static const char *const wanted[] = {__VA_ARGS__};                       \
		check(name, walk, wanted, sizeof wanted / sizeof wanted[0]);             \
	} while (0)

void guest_main(void)
{
	trap_handle(VECTOR_DB, note);
	trap_handle(0x80, note_flags);
	CHECK("one step for each instruction, jump, call and return", walk_plain, p1, p2, p4, p6, p5, p7);
	CHECK("one for each iteration of a string instruction", walk_string, s0, s0, s1, s2);
	CHECK("none behind a load of ss", walk_stack_load, l1, l3, l4);
	CHECK("none for int n: the handler runs without TF", walk_interrupt, i1, i3);
	report_equal("in the handler TF is clear", handler_flags & FLAG_TF, 0);
}
