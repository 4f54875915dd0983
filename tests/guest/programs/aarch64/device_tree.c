/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * device_tree.c: the device tree describes this board: what it names answers where and how it says.
 *
 * Source: Devicetree Specification 0.4, chapters 2, 3 and 5. Only nodes below the root are looked at, and the
 * processor's; addresses and sizes are two cells each below the root.
 */
#include "chips.h"
#include "console.h"
#include "report.h"

#define MAGIC 0xd00dfeedu
#define BEGIN_NODE 1u
#define END_NODE 2u
#define PROPERTY 3u
#define NOP_TOKEN 4u
#define END 9u
#define PRIMECELL(base) (chip_read((base) + 0xfe0) | (chip_read((base) + 0xfe4) & 0xf) << 8)
#define VIRTIO_MAGIC 0x74726976u
#define GIC_CPU_IDENTITY (0xfc)
#define UARTIMSC 0x38
#define UARTICR 0x44
#define RTC_MATCH 0x04
#define RTC_MASK 0x10
#define RTC_CLEAR 0x1c
#define PSCI_VERSION 0x84000000ul

extern struct {
	uint64_t x0;
} entry_state;

/* What a node says of itself; pointers are into the tree. */
struct node {
	const char *name, *compatible;
	const uint32_t *reg, *interrupts;
	uint32_t compatible_bytes, reg_cells, interrupt_cells;
};

static const uint32_t *tree;
static unsigned long stdout_at;
static uint32_t frequency;
/* The nodes there should be one of, and how many there are. Claims are made in one order whatever the tree's is. */
static struct found {
	struct node node;
	unsigned count;
} uart, clock, gic, timer, cpu, memory, firmware;
static unsigned slots, slots_right;

static uint32_t big(uint32_t word) { return __builtin_bswap32(word); }
static uint64_t pair(const uint32_t *cells) { return (uint64_t)big(cells[0]) << 32 | big(cells[1]); }

static bool same(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b)
		a++, b++;
	return *a == *b;
}

static bool begins(const char *text, const char *with)
{
	while (*with != '\0' && *text == *with)
		text++, with++;
	return *with == '\0';
}

static unsigned long hexadecimal(const char *text)
{
	unsigned long value = 0;

	for (; *text != '\0'; text++)
		value = value << 4 | (unsigned long)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
	return value;
}

/* The address behind the @ of a node's name. */
static unsigned long unit_address(const char *name)
{
	while (*name != '\0' && *name != '@')
		name++;
	return *name == '@' ? hexadecimal(name + 1) : 0;
}

static bool is_a(const struct node *node, const char *what)
{
	for (uint32_t at = 0; at < node->compatible_bytes;) {
		if (same(node->compatible + at, what))
			return true;
		while (node->compatible[at++] != '\0')
			continue;
	}
	return false;
}

/* The interrupt of three cells at `index`: its kind, and the number in it. */
static unsigned interrupt_of(const struct node *node, unsigned index)
{
	if (node->interrupt_cells < 3 * index + 3)
		return INTID_SPURIOUS;
	return big(node->interrupts[3 * index + 1]) + (big(node->interrupts[3 * index]) == 0 ? 32 : 16);
}

static void check_uart(const struct node *node)
{
	unsigned long base = pair(node->reg);
	unsigned intid = interrupt_of(node, 0);
	bool quiet;

	report_equal("the PL011 is where the tree says", PRIMECELL(base), 0x011);
	quiet = !gic_is_pending(intid);
	chip_write(base + UARTIMSC, 0x20);
	print("# this line makes the transmitter interrupt\n");
	report(quiet && gic_is_pending(intid), "and has the interrupt that the tree says");
	chip_write(base + UARTIMSC, 0);
	chip_write(base + UARTICR, 0x7ff);
	report(!gic_is_pending(intid) && (big(node->interrupts[2]) & 0xf) == 4, "a level");
}

static void check_clock(const struct node *node)
{
	unsigned long base = pair(node->reg);
	unsigned intid = interrupt_of(node, 0);
	bool quiet;

	report_equal("the PL031 is where the tree says", PRIMECELL(base), 0x031);
	chip_write(base + RTC_CLEAR, 1);
	quiet = !gic_is_pending(intid);
	chip_write(base + RTC_MASK, 1);
	chip_write(base + RTC_MATCH, chip_read(base) + 1);
	for (unsigned i = 0; i < 2000 && !gic_is_pending(intid); i++)
		timer_sleep(read_cntfrq_el0() / 1000);
	report(quiet && gic_is_pending(intid), "and has the interrupt that the tree says, a second later");
	chip_write(base + RTC_CLEAR, 1);
	chip_write(base + RTC_MASK, 0);
}

static void check_gic(const struct node *node)
{
	unsigned long distributor = pair(node->reg), interface = pair(node->reg + 4);

	report(distributor == GIC_DISTRIBUTOR && interface == GIC_CPU_INTERFACE, "the GIC has both of its windows");
	report((chip_read(distributor + 0xfe8) >> 4 & 0xf) == 2, "it is of version 2");
	chip_write(interface + 0x04, 0x5a);
	report_equal("and keeps a priority mask", chip_read(interface + 0x04), 0x5a);
	chip_write(interface + 0x04, 0xff);
}

static void check_timer(const struct node *node)
{
	unsigned physical = interrupt_of(node, 1), virtual = interrupt_of(node, 2);

	write_cntp_cval_el0(0);
	write_cntp_ctl_el0(TIMER_ENABLE);
	report(gic_is_pending(physical) && !gic_is_pending(virtual), "the physical timer has the interrupt of the tree");
	write_cntp_ctl_el0(0);
	write_cntv_cval_el0(0);
	write_cntv_ctl_el0(TIMER_ENABLE);
	report(gic_is_pending(virtual) && !gic_is_pending(physical), "and so has the virtual one");
	write_cntv_ctl_el0(0);
}

static void check_slot(const struct node *node)
{
	unsigned long base = pair(node->reg);

	slots++;
	slots_right += chip_read(base) == VIRTIO_MAGIC && interrupt_of(node, 0) == INTID_VIRTIO((base - VIRTIO) / VIRTIO_STRIDE);
}

static void check_memory(const struct node *node)
{
	unsigned long base = pair(node->reg), bytes = pair(node->reg + 2);
	volatile uint64_t *last = (volatile uint64_t *)(base + bytes - sizeof *last);

	report(base <= entry_state.x0 && entry_state.x0 < base + bytes, "the tree lies in the memory that it describes");
	*last = 0x123456789abcdef;
	report_equal("whose last word is memory", *last, 0x123456789abcdef);
}

static void check_firmware(void)
{
	register unsigned long x0 __asm__("x0") = PSCI_VERSION;

	__asm__ volatile("hvc #0" : "+r"(x0)::"x1", "x2", "x3", "memory");
	report((int)x0 >= 2, "the PSCI that it describes answers");
}

static void check_cpu(const struct node *node)
{
	unsigned long mpidr;

	__asm__("mrs %0, mpidr_el1" : "=r"(mpidr));
	report(big(*node->reg) == (mpidr & 0xffffff), "the processor has the number that it reads in MPIDR_EL1");
	report(is_a(node, "arm,cortex-a57"), "and is the one that it reads in MIDR_EL1");
}

static void keep(struct found *found, const struct node *node)
{
	found->node = *node;
	found->count++;
}

static void look_at(const struct node *node, unsigned depth)
{
	if (depth == 3 && begins(node->name, "cpu@"))
		keep(&cpu, node);
	if (depth != 2)
		return;
	if (is_a(node, "arm,pl011"))
		keep(&uart, node);
	else if (is_a(node, "arm,pl031"))
		keep(&clock, node);
	else if (is_a(node, "arm,cortex-a15-gic"))
		keep(&gic, node);
	else if (is_a(node, "arm,armv8-timer"))
		keep(&timer, node);
	else if (is_a(node, "arm,psci-0.2"))
		keep(&firmware, node);
	else if (begins(node->name, "memory@"))
		keep(&memory, node);
	else if (is_a(node, "virtio,mmio"))
		check_slot(node);
}

static void take_property(struct node *node, unsigned depth, const char *name, const uint32_t *value, uint32_t bytes)
{
	if (same(name, "compatible")) {
		node->compatible = (const char *)value;
		node->compatible_bytes = bytes;
	} else if (same(name, "reg")) {
		node->reg = value;
		node->reg_cells = bytes / 4;
	} else if (same(name, "interrupts")) {
		node->interrupts = value;
		node->interrupt_cells = bytes / 4;
	} else if (same(name, "stdout-path") && depth == 2) {
		stdout_at = unit_address((const char *)value);
	} else if (same(name, "clock-frequency") && depth == 2) {
		frequency = big(*value);
	}
}

/* Looks at every node as it ends, or as the first one inside it begins; returns whether the tree is whole. */
static bool walk(void)
{
	const char *names = (const char *)tree + big(tree[3]);
	const uint32_t *at = (const uint32_t *)((const char *)tree + big(tree[2]));
	const uint32_t *end = (const uint32_t *)((const char *)at + big(tree[9]));
	struct node node = {0};
	unsigned depth = 0;
	bool open = false;

	while (at < end && big(*at) != END) {
		uint32_t token = big(*at++), length = 0;

		if (token == BEGIN_NODE) {
			if (open)
				look_at(&node, depth);
			node = (struct node){.name = (const char *)at};
			while (node.name[length++] != '\0')
				continue;
			at += (length + 3) / 4;
			depth++;
			open = true;
		} else if (token == END_NODE) {
			if (open)
				look_at(&node, depth);
			open = false;
			depth--;
		} else if (token == PROPERTY) {
			take_property(&node, depth, names + big(at[1]), at + 2, big(at[0]));
			at += 2 + (big(at[0]) + 3) / 4;
		} else if (token != NOP_TOKEN) {
			return false;
		}
	}
	return at + 1 == end && depth == 0;
}

void guest_main(void)
{
	tree = (const uint32_t *)entry_state.x0;
	gic_start();
	report_equal("x0 is the address of a tree", big(tree[0]), MAGIC);
	report(big(tree[5]) >= 17 && big(tree[6]) <= 17, "of a version that is read as version 17 is");
	report(walk(), "whose structure ends where it says");
	report(gic.count == 1 && timer.count == 1 && uart.count == 1 && clock.count == 1,
	       "it describes a GIC, the timer, a PL011 and a PL031");
	report(cpu.count == 1 && memory.count == 1 && firmware.count == 1, "one processor, memory and firmware");
	report(slots == VIRTIO_SLOTS && slots_right == slots, "and 32 virtio slots that answer, each with its interrupt");
	check_cpu(&cpu.node);
	check_memory(&memory.node);
	check_firmware();
	check_gic(&gic.node);
	check_timer(&timer.node);
	check_uart(&uart.node);
	report_equal("it is the standard output", stdout_at, pair(uart.node.reg));
	report_equal("its clock has 24 MHz", frequency, 24000000);
	check_clock(&clock.node);
}
