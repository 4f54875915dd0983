/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * floating_point.c: a thread's SIMD and x87 registers are its own.
 *
 * Two threads fill all of them with different values and look at them again and again until the timer has taken the
 * processor from each several times; then the same with an IPC in between.
 */
#include "claim.h"
#include "tests.h"
#include "worker.h"

#define ECHO_LABEL 3
#define SWITCHES 2
#define PATIENCE 2000000000ul

static volatile uint64_t rounds[2];

struct registers_image {
	uint64_t xmm[16][2];
	uint64_t x87;
	uint32_t mxcsr;
};

static void load(const struct registers_image *image)
{
	__asm__ volatile(
		"movdqu 0(%0), %%xmm0\n\tmovdqu 16(%0), %%xmm1\n\tmovdqu 32(%0), %%xmm2\n\tmovdqu 48(%0), %%xmm3\n\t"
		"movdqu 64(%0), %%xmm4\n\tmovdqu 80(%0), %%xmm5\n\tmovdqu 96(%0), %%xmm6\n\tmovdqu 112(%0), %%xmm7\n\t"
		"movdqu 128(%0), %%xmm8\n\tmovdqu 144(%0), %%xmm9\n\tmovdqu 160(%0), %%xmm10\n\tmovdqu 176(%0), %%xmm11\n\t"
		"movdqu 192(%0), %%xmm12\n\tmovdqu 208(%0), %%xmm13\n\tmovdqu 224(%0), %%xmm14\n\tmovdqu 240(%0), %%xmm15\n\t"
		"fninit\n\tfildq %1\n\tldmxcsr %2" ::"r"(image),
		"m"(image->x87), "m"(image->mxcsr)
		: "memory");
}

/* Store them all, leaving them as they are. */
static void store(struct registers_image *image)
{
	__asm__ volatile(
		"movdqu %%xmm0, 0(%2)\n\tmovdqu %%xmm1, 16(%2)\n\tmovdqu %%xmm2, 32(%2)\n\tmovdqu %%xmm3, 48(%2)\n\t"
		"movdqu %%xmm4, 64(%2)\n\tmovdqu %%xmm5, 80(%2)\n\tmovdqu %%xmm6, 96(%2)\n\tmovdqu %%xmm7, 112(%2)\n\t"
		"movdqu %%xmm8, 128(%2)\n\tmovdqu %%xmm9, 144(%2)\n\tmovdqu %%xmm10, 160(%2)\n\tmovdqu %%xmm11, 176(%2)\n\t"
		"movdqu %%xmm12, 192(%2)\n\tmovdqu %%xmm13, 208(%2)\n\tmovdqu %%xmm14, 224(%2)\n\tmovdqu %%xmm15, 240(%2)\n\t"
		"fld %%st(0)\n\tfistpq %0\n\tstmxcsr %1"
		: "=m"(image->x87), "=m"(image->mxcsr)
		: "r"(image)
		: "memory");
}

static struct registers_image image_of(uint64_t self)
{
	struct registers_image image = { .x87 = 1000 + self, .mxcsr = self == 0 ? 0x1f80 : 0x3f80 };
	for (unsigned i = 0; i < 16; i++) {
		image.xmm[i][0] = (self + 1) * 0x1111111111111111 + i;
		image.xmm[i][1] = ~image.xmm[i][0];
	}
	return image;
}

/* Word by word and without floating point: this runs while the registers are under observation. */
__attribute__((target("general-regs-only"))) static bool same(const struct registers_image *a, const struct registers_image *b)
{
	bool equal = a->x87 == b->x87 && a->mxcsr == b->mxcsr;
	for (unsigned i = 0; i < 16; i++) {
		equal = equal && a->xmm[i][0] == b->xmm[i][0] && a->xmm[i][1] == b->xmm[i][1];
	}
	return equal;
}

static struct registers_image expected[2], found[2];

/* Ends with 1 if the registers were right after each of the processor's changes of hands, else with 0. */
__attribute__((target("general-regs-only"))) static void keep_through_preemption(uint64_t self)
{
	load(&expected[self]);
	uint64_t switches = 0, last = rounds[1 - self];
	for (uint64_t i = 0; i < PATIENCE && switches < SWITCHES; i++) {
		rounds[self]++;
		store(&found[self]);
		if (!same(&expected[self], &found[self])) {
			worker_done(0);
		}
		uint64_t now = rounds[1 - self];
		switches += now != last;
		last = now;
	}
	/* Until the other has seen enough, too. */
	rounds[self] = 0;
	worker_done(switches == SWITCHES);
}

__attribute__((target("general-regs-only"))) static void keep_through_ipc(uint64_t self)
{
	load(&expected[self]);
	for (unsigned i = 0; i < SWITCHES; i++) {
		struct message message = { .tag = ECHO_LABEL };
		ipc_call(SLOT_KEEPER, &message);
		store(&found[self]);
		if (!same(&expected[self], &found[self])) {
			worker_done(0);
		}
	}
	worker_done(1);
}

static void look_at_fresh(uint64_t argument)
{
	(void)argument;
	struct registers_image image;
	uint16_t tags[14];
	__asm__ volatile("fnstenv %0" : "=m"(tags) : : "memory"); /* before store(), which would overflow an empty stack */
	bool empty = tags[4] == 0xffff;
	__asm__ volatile("fldz");
	store(&image);
	uint64_t all = image.mxcsr ^ 0x1f80;
	for (unsigned i = 0; i < 16; i++) {
		all |= image.xmm[i][0] | image.xmm[i][1];
	}
	worker_done(empty && all == 0);
}

/* Answer calls until both workers have ended; returns how many ended well. */
static uint64_t serve_both(void)
{
	uint64_t ended = 0, good = 0;
	struct message message = worker_event();
	for (;;) {
		if (message_label(&message) == WORKER_DONE) {
			good += message.word[0];
			if (++ended == 2) {
				return good;
			}
			ipc_receive(SLOT_EVENTS, &message);
		} else {
			ipc_reply_wait(SLOT_EVENTS, &message);
		}
	}
}

static uint64_t run_both(worker_main *main)
{
	worker_start(0, main, 0, WORKER_PRIORITY, 0);
	worker_start(1, main, 1, WORKER_PRIORITY, 0);
	uint64_t good = serve_both();
	worker_end(0);
	worker_end(1);
	return good;
}

void test_floating_point(void)
{
	expected[0] = image_of(0);
	expected[1] = image_of(1);
	struct message message = worker_run(look_at_fresh, 0, 0);
	claim_equal(message.word[0], 1, "a new thread finds the floating-point registers clear");
	claim_equal(run_both(keep_through_ipc), 2, "floating-point registers survive IPC with a thread that uses its own");
	claim_equal(run_both(keep_through_preemption), 2,
	            "floating-point registers survive preemption by a thread that uses its own");
	message = worker_run(look_at_fresh, 0, 0);
	claim_equal(message.word[0], 1, "a new thread finds nothing of an ended thread's");
}
