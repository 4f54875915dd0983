/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * main.c: the first program: starts all others, keeps their faults, and ends the system when its clients have ended.
 *
 * The root calls the pager and the console, and neither ever calls the root, so nobody waits in a circle. Reading
 * order: plan.h (what the command lines say), programs.c, grants.c (who gets what), image.c (ELF files).
 */
#include "grants.h"
#include "power.h"
#include "print.h"
#include "program.h"
#include "programs.h"
#include "protocols/root.h"

static const char *const fault_names[] = {
	[FAULT_PAGE] = "touched memory that it may not touch",
	[FAULT_ILLEGAL] = "used an instruction that user mode does not have",
	[FAULT_PROTECTION] = "used an instruction or port that it may not use",
	[FAULT_ARITHMETIC] = "divided by zero, or the like",
	[FAULT_BREAKPOINT] = "met a breakpoint",
	[FAULT_ALIGNMENT] = "touched misaligned memory",
	[FAULT_OTHER] = "caused an exception",
};

static void tell_about(const struct bootinfo *info)
{
	uint64_t frames = 0;
	for (uint32_t i = 0; i < info->memories; i++) {
		frames += info->memory[i].frames;
	}
	print("root: %lu MiB of memory are free, %lu programs are here\n", frames * ABI_PAGE_SIZE >> 20,
	      (uint64_t)info->modules);
}

static void tell_about_start(const struct program *program)
{
	const struct plan *plan = &program->plan;
	print("root: started %s, priority %lu", plan->name, plan->priority);
	if (plan->io_count > 0) {
		print(", I/O ports %lx-%lx", plan->io_first, plan->io_first + plan->io_count - 1);
	}
	if (plan->device_pages > 0) {
		print(", device memory %lx-%lx", plan->device_address,
		      plan->device_address + plan->device_pages * ABI_PAGE_SIZE - 1);
	}
	if (plan->irq != PLAN_NO_IRQ) {
		print(", interrupt line %lu", plan->irq);
	}
	if (plan->quota > 0) {
		print(", quota %lu pages", plan->quota);
	}
	print("\n");
}

static uint64_t clients_running(void)
{
	uint64_t count = 0;
	for (uint64_t i = 1; i < programs_count; i++) {
		count += programs[i].runs && !programs[i].plan.serves;
	}
	return count;
}

/* Servers first: the console, so that the rest can be told; then those that it does not need; then their clients. */
static void start_all(const struct bootinfo *info, handle_t root_port)
{
	struct program *console = programs_find("console");
	struct program *pager = programs_find("pager");
	if (pager != NULL) {
		programs_start(pager, root_port);
	}
	if (console != NULL) {
		programs_start(console, root_port);
		handle_t handle = resources_slot();
		handle_grant(ROOT_HANDLE_SPACE, handle, console->port, RIGHT_SEND, 0);
		print_to(handle);
	}
	tell_about(info);
	for (int clients = 0; clients < 2; clients++) {
		for (uint64_t i = 1; i < programs_count; i++) {
			struct program *program = &programs[i];
			if (program->plan.serves == (clients == 0)) {
				if (!program->runs) {
					programs_start(program, root_port);
				}
				tell_about_start(program);
			}
		}
	}
}

/* A program ended or failed; the result is its status. */
static uint64_t end(const struct message *message)
{
	struct program *program = &programs[message->badge];
	const uint64_t *word = message->word;
	uint64_t status = 1;
	if (message_kind(message) == KIND_EXCEPTION) {
		print("root: %s %s: instruction %lx, address %lx, detail %lx\n", program->plan.name,
		      fault_names[word[0] <= FAULT_OTHER ? word[0] : FAULT_OTHER], word[1], word[2], word[3]);
	} else {
		status = word[0];
	}
	struct balance balance = programs_end(program);
	print("root: %s ended with status %lu; %lu frames taken, %lu given back\n", program->plan.name, status,
	      balance.taken, balance.given_back);
	if (program->plan.serves) {
		resources_fail("%s is a server, and its clients cannot do without it", program->plan.name);
	}
	return balance.taken == balance.given_back ? status : 1;
}

uint64_t program_main(const void *argument)
{
	const struct bootinfo *info = argument;
	resources_start(info);
	power_start();
	print_without_console(power_tell);
	handle_t root_port = resources_make(OBJECT_PORT, 0);
	programs_make(info);
	grants_connect(root_port);
	start_all(info, root_port);

	uint64_t status = 0;
	while (clients_running() > 0) {
		struct message message;
		ipc_receive(root_port, &message);
		status |= end(&message);
	}
	print("root: every client has ended; power off\n");
	power_off(status);
}
