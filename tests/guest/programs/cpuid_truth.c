/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cpuid_truth.c: CPUID offers nothing that the processor does not do.
 *
 * For every feature there is one instruction that it brings. If CPUID offers the feature, the instruction must not
 * be undefined. What a processor does beyond its offer is its own affair.
 */
#include "cpu.h"
#include "descriptors.h"
#include "report.h"

SNIPPET(try_cmov, "", "cmovz %eax, %edx");
SNIPPET(try_cmpxchg8b, "lea -64(%rsp), %rdi", "cmpxchg8b (%rdi)");
SNIPPET(try_clflush, "", "clflush -64(%rsp)");
SNIPPET(try_mmx, "", "pxor %mm0, %mm0\n\temms");
SNIPPET(try_sse, "", "xorps %xmm0, %xmm0");
SNIPPET(try_sse2, "", "pxor %xmm0, %xmm0");
SNIPPET(try_sse3, "", "haddps %xmm0, %xmm0");
SNIPPET(try_ssse3, "", "pabsb %xmm0, %xmm0");
SNIPPET(try_sse41, "", "pmaxsb %xmm0, %xmm0");
SNIPPET(try_sse42, "", "crc32 %eax, %edx");
SNIPPET(try_popcnt, "", "popcnt %eax, %edx");
SNIPPET(try_cmpxchg16b, "lea -64(%rsp), %rdi\n\tand $-16, %rdi", "cmpxchg16b (%rdi)");
SNIPPET(try_movbe, "", "movbe -64(%rsp), %eax");
SNIPPET(try_aes, "", "aesenc %xmm0, %xmm0");
SNIPPET(try_pclmul, "", "pclmulqdq $0, %xmm0, %xmm0");
SNIPPET(try_rdrand, "", "rdrand %eax");
SNIPPET(try_xsave, "xor %ecx, %ecx\n\tmov %cr4, %rdx\n\tbts $18, %rdx\n\tmov %rdx, %cr4", "xgetbv");
SNIPPET(try_monitor, "xor %ecx, %ecx\n\txor %edx, %edx\n\tlea -64(%rsp), %rax", "monitor");
SNIPPET(try_rdtsc, "", "rdtsc");
SNIPPET(try_rdtscp, "", "rdtscp");
SNIPPET(try_rdpmc_msr, "mov $0x1b, %ecx", "rdmsr");
SNIPPET(try_lahf, "", "lahf");
SNIPPET(try_lzcnt, "mov $1, %eax", "lzcnt %eax, %edx");
SNIPPET(try_prefetchw, "", "prefetchw -64(%rsp)");
SNIPPET(try_fsgsbase, "mov %cr4, %rdx\n\tbts $16, %rdx\n\tmov %rdx, %cr4", "rdfsbase %rax");
SNIPPET(try_bmi1, "", "andn %eax, %edx, %ecx");
SNIPPET(try_bmi2, "", "pdep %eax, %edx, %ecx");
SNIPPET(try_adx, "", "adcx %eax, %edx");
SNIPPET(try_rdseed, "", "rdseed %eax");
SNIPPET(try_clac, "", "clac");
SNIPPET(try_clflushopt, "", "clflushopt -64(%rsp)");
SNIPPET(try_avx, "mov %cr4, %rdx\n\tbts $18, %rdx\n\tmov %rdx, %cr4\n\txor %ecx, %ecx\n\txor %edx, %edx\n\tmov $7, %eax\n\txsetbv",
        "vxorps %ymm0, %ymm0, %ymm0");

enum word { EDX1, ECX1, EBX7, EDX81, ECX81 };

static const struct {
	const char *name;
	enum word where;
	unsigned bit;
	trap_body attempt;
} features[] = {
    {"TSC", EDX1, 4, try_rdtsc},           {"MSR", EDX1, 5, try_rdpmc_msr},
    {"CX8", EDX1, 8, try_cmpxchg8b},       {"CMOV", EDX1, 15, try_cmov},
    {"CLFSH", EDX1, 19, try_clflush},      {"MMX", EDX1, 23, try_mmx},
    {"SSE", EDX1, 25, try_sse},            {"SSE2", EDX1, 26, try_sse2},
    {"SSE3", ECX1, 0, try_sse3},           {"PCLMULQDQ", ECX1, 1, try_pclmul},
    {"MONITOR", ECX1, 3, try_monitor},     {"SSSE3", ECX1, 9, try_ssse3},
    {"CMPXCHG16B", ECX1, 13, try_cmpxchg16b}, {"SSE4.1", ECX1, 19, try_sse41},
    {"SSE4.2", ECX1, 20, try_sse42},       {"MOVBE", ECX1, 22, try_movbe},
    {"POPCNT", ECX1, 23, try_popcnt},      {"AESNI", ECX1, 25, try_aes},
    {"XSAVE", ECX1, 26, try_xsave},        {"AVX", ECX1, 28, try_avx},
    {"RDRAND", ECX1, 30, try_rdrand},      {"FSGSBASE", EBX7, 0, try_fsgsbase},
    {"BMI1", EBX7, 3, try_bmi1},           {"BMI2", EBX7, 8, try_bmi2},
    {"RDSEED", EBX7, 18, try_rdseed},      {"ADX", EBX7, 19, try_adx},
    {"SMAP", EBX7, 20, try_clac},          {"CLFLUSHOPT", EBX7, 23, try_clflushopt},
    {"RDTSCP", EDX81, 27, try_rdtscp},     {"LAHF", ECX81, 0, try_lahf},
    {"LZCNT", ECX81, 5, try_lzcnt},        {"PREFETCHW", ECX81, 8, try_prefetchw},
};

void guest_main(void)
{
	struct cpuid one = cpuid(1, 0), extended = cpuid(0x80000001, 0);
	uint32_t words[] = {one.edx, one.ecx, cpuid_ebx7(), extended.edx, extended.ecx};
	uint64_t first = rdtsc();

	report((words[EDX1] & 0x7) != 0 && (words[EDX81] & 1u << 29) != 0,
	       "CPUID offers long mode, in which this runs");
	report(rdtsc() > first, "the time stamp counter runs");
	write_cr4(read_cr4() | CR4_OSFXSR);
	for (unsigned i = 0; i < sizeof features / sizeof features[0]; i++) {
		bool offered = (words[features[i].where] >> features[i].bit & 1) != 0;
		report(!offered || !trap_provoke(features[i].attempt).taken, features[i].name);
	}
}
