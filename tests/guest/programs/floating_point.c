/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * floating_point.c: x87 and SSE arithmetic, #MF and #XM.
 */
#include "cpu.h"
#include "descriptors.h"
#include "report.h"

static const uint16_t divide_unmasked __attribute__((used)) = 0x037b;
static const uint32_t sse_divide_unmasked __attribute__((used)) = 0x1d80,
										  sse_default __attribute__((used)) = 0x1f80;
static const float six __attribute__((used)) = 6.0f, two __attribute__((used)) = 2.0f;

SNIPPET(x87_divide, "fninit\n\tfldcw divide_unmasked\n\tfld1\n\tfldz\n\tfdivrp", "fwait");
SNIPPET(x87_masked, "fninit\n\tfld1\n\tfldz\n\tfdivrp", "fwait");
SNIPPET(sse_divide, "ldmxcsr sse_divide_unmasked\n\tmovss two, %xmm0\n\txorps %xmm1, %xmm1", "divss %xmm1, %xmm0");
SNIPPET(sse_masked, "ldmxcsr sse_default\n\tmovss two, %xmm0\n\txorps %xmm1, %xmm1", "divss %xmm1, %xmm0");

static void check_arithmetic(void)
{
	uint32_t x87 = 0, sse = 0;

	__asm__ volatile("fninit\n\tflds six\n\tfdivs two\n\tfstps %0" : "=m"(x87));
	report_equal("x87: 6 / 2 is 3", x87, 0x40400000);
	__asm__ volatile("movss six, %%xmm0\n\tdivss two, %%xmm0\n\tmovss %%xmm0, %0" : "=m"(sse)::"memory");
	report_equal("SSE: 6 / 2 is 3", sse, 0x40400000);
}

static void check_state_image(void)
{
	static uint8_t image[512] __attribute__((aligned(16)));
	uint32_t sse = 0;

	__asm__ volatile("movss six, %%xmm5\n\tfxsave %0\n\txorps %%xmm5, %%xmm5\n\tfxrstor %0\n\tmovss %%xmm5, %1"
	                 : "+m"(image), "=m"(sse)::"memory");
	report_equal("fxsave and fxrstor keep a register", sse, 0x40c00000);
}

void guest_main(void)
{
	write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT);
	check_arithmetic();
	check_state_image();
	report_no_trap("a masked x87 division by zero is silent", x87_masked);
	report_trap("#MF: an unmasked one is reported by the next fwait", x87_divide, VECTOR_MF, 0,
	            x87_divide_at);
	__asm__ volatile("fninit");
	report_no_trap("a masked SSE division by zero is silent", sse_masked);
	report_trap("#XM: an unmasked one faults at the division", sse_divide, VECTOR_XM, 0, sse_divide_at);
	write_cr4(read_cr4() & ~CR4_OSXMMEXCPT);
	report_trap("without CR4.OSXMMEXCPT it is #UD", sse_divide, VECTOR_UD, 0, sse_divide_at);
}
