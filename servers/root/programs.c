/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * programs.c: making programs out of plans, and ending them.
 */
#include "programs.h"

#include "bytes.h"
#include "grants.h"
#include "image.h"

struct program programs[PAGER_PROGRAMS];
uint64_t programs_count = 1;

struct program *programs_find(const char *name)
{
	for (uint64_t i = 1; i < programs_count; i++) {
		if (programs[i].plan.serves && text_equal(programs[i].plan.name, name)) {
			return &programs[i];
		}
	}
	return NULL;
}

static void make(struct program *program, const struct bootinfo_module *module)
{
	program->space = resources_make(OBJECT_SPACE, 0);
	program->thread = resources_make(OBJECT_THREAD, program->space);
	if (program->plan.serves) {
		program->port = resources_make(OBJECT_PORT, 0);
	}
	if (program->plan.irq != PLAN_NO_IRQ) {
		program->interrupt_port = resources_make(OBJECT_PORT, 0);
	}
	program->entry = image_load(program->space, module);
	if (program->entry == 0) {
		resources_fail("the module of %s is no ELF program for this machine", program->plan.name);
	}
}

void programs_make(const struct bootinfo *info)
{
	for (uint32_t i = 0; i < info->modules; i++) {
		char wrong[STARTUP_NAME];
		struct program *program = &programs[programs_count];
		if (programs_count == PAGER_PROGRAMS) {
			resources_fail("there are more than %lu programs; leave some out", programs_count - 1);
		}
		if (!plan_read(&info->text[info->module[i].arguments], &program->plan, wrong)) {
			resources_fail("the command line of module %lu has no %s=, or one that no plan can hold",
			               (uint64_t)i + 1, wrong);
		}
		uint64_t before = resources.next;
		programs_count++;
		make(program, &info->module[i]);
		program->frames += resources.next - before;
	}
}

/* The page that tells the program who it is. */
static void write_startup(struct program *program)
{
	const struct plan *plan = &program->plan;
	struct startup startup = { .priority = plan->priority, .memory_frames = plan->memory, .services = plan->uses };
	text_copy(startup.name, plan->name, STARTUP_NAME);
	for (uint64_t i = 0; i < plan->uses; i++) {
		text_copy(startup.service[i], plan->use[i], STARTUP_NAME);
	}
	image_add_page(program->space, STARTUP_ADDRESS, &startup, sizeof(startup), RIGHT_READ);
}

void programs_start(struct program *program, handle_t root_port)
{
	static handle_t keeper, own_pager;
	if (keeper == 0) {
		keeper = resources_slot();
		own_pager = resources_slot();
	}
	uint64_t before = resources.next;
	write_startup(program);
	program->frames += resources.next - before;

	bool paged = grants_pager_port != 0 && program->port != grants_pager_port;
	if (paged) {
		struct message message = { .tag = PAGER_ADD, .word = { programs_number(program), program->plan.quota } };
		ipc_call(grants_pager_port, &message);
		handle_grant(ROOT_HANDLE_SPACE, own_pager, grants_pager_port, RIGHT_SEND, programs_number(program));
	}
	handle_grant(ROOT_HANDLE_SPACE, keeper, root_port, RIGHT_SEND, programs_number(program));
	grants_check(program, "priority",
	             thread_configure(program->thread, program->plan.priority, paged ? own_pager : 0, keeper));
	grants_check(program, "first instruction", thread_start(program->thread, program->entry, 0, STARTUP_ADDRESS));
	program->runs = true;
	handle_close(ROOT_HANDLE_SPACE, keeper);
	handle_close(ROOT_HANDLE_SPACE, own_pager);
}

struct balance programs_end(struct program *program)
{
	struct balance balance = { .taken = program->frames };
	if (program->memory != 0) {
		balance.taken += resources_in_use(program->memory);
	}
	uint64_t before = resources_in_use(resources.memory);
	program->runs = false;
	object_destroy(program->thread);
	object_destroy(program->space);
	if (program->port != 0) {
		object_destroy(program->port);
	}
	if (program->interrupt_port != 0) {
		object_destroy(program->interrupt_port);
	}
	if (program->memory != 0) {
		memory_reclaim(program->memory);
	}
	if (grants_pager_port != 0) {
		/* The pager lets go of the space; then its memory is nobody's. */
		struct message message = { .tag = PAGER_REMOVE, .word = { programs_number(program) } };
		ipc_call(grants_pager_port, &message);
		balance.taken += message.word[0] + message.word[1];
	}
	balance.given_back = before - resources_in_use(resources.memory);
	return balance;
}
