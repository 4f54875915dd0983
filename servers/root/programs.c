/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * programs.c: making programs out of plans. This is the only place where authority is handed out.
 */
#include "programs.h"

#include "bytes.h"
#include "image.h"
#include "print.h"

struct program programs[PAGER_PROGRAMS];
uint64_t programs_count = 1;

static handle_t pager_port; /* 0: there is no pager */

struct program *programs_find(const char *name)
{
	for (uint64_t i = 1; i < programs_count; i++) {
		if (programs[i].plan.serves && text_equal(programs[i].plan.name, name)) {
			return &programs[i];
		}
	}
	return NULL;
}

static uint64_t number_of(const struct program *program)
{
	return (uint64_t)(program - programs);
}

/* Something was to be given to a program; end the system if the kernel refused. */
static void check(error_t error, const char *what, const struct program *program)
{
	if (error != ERROR_OK) {
		resources_fail("%s cannot be given its %s (error %lu)", program->plan.name, what, error);
	}
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

static void give_resources(struct program *program)
{
	const struct plan *plan = &program->plan;
	if (plan->io_count > 0) {
		handle_t ports = resources_slot();
		check(range_grant(ROOT_HANDLE_SPACE, ports, ROOT_HANDLE_IOPORTS, RIGHT_MANAGE, plan->io_first, plan->io_count),
		      "I/O ports", program);
		check(io_allow(program->space, ports), "I/O permission bitmap", program);
	}
	if (plan->irq != PLAN_NO_IRQ) {
		check(range_grant(program->space, SLOT_INTERRUPT, ROOT_HANDLE_INTERRUPTS, RIGHT_MANAGE, plan->irq, 1),
		      "interrupt line", program);
		check(handle_grant(program->space, SLOT_INTERRUPT_PORT, program->interrupt_port, RIGHT_RECEIVE, 0),
		      "interrupt port", program);
	}
}

static void give_memory(struct program *program, uint64_t first, uint64_t frames)
{
	const uint64_t rights = RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE | RIGHT_MAKE;
	program->memory = resources_slot();
	range_grant(ROOT_HANDLE_SPACE, program->memory, resources.memory, rights, first, frames);
	check(range_grant(program->space, SLOT_MEMORY, resources.memory, rights, first, frames),
	      "memory", program);
	check(handle_grant(program->space, SLOT_SPACE, program->space, RIGHT_MANAGE, 0),
	      "own space", program);
}

/* The pager gets the root's largest gift, and every other program's space to map into. */
static void give_pager(struct program *pager)
{
	pager->plan.memory = resources_pager_count;
	give_memory(pager, resources_pager_first, resources_pager_count);
	for (uint64_t i = 1; i < programs_count; i++) {
		if (&programs[i] != pager) {
			check(handle_grant(pager->space, PAGER_SLOT_SPACE + i, programs[i].space, RIGHT_MANAGE, 0),
			      "clients' spaces", pager);
		}
	}
}

static void connect(struct program *program, handle_t root_port)
{
	uint64_t number = number_of(program);
	const struct plan *plan = &program->plan;
	check(handle_grant(program->space, SLOT_ROOT, root_port, RIGHT_SEND, number), "way to the root", program);
	if (plan->serves) {
		check(handle_grant(program->space, SLOT_PORT, program->port, RIGHT_RECEIVE, 0), "own port", program);
	}
	if (pager_port != 0 && program->port != pager_port) {
		check(handle_grant(program->space, SLOT_PAGER, pager_port, RIGHT_SEND, number), "way to the pager", program);
	}
	for (uint64_t i = 0; i < plan->uses; i++) {
		struct program *server = programs_find(plan->use[i]);
		if (server == NULL) {
			resources_fail("%s uses %s, but no module has name=%s serves=yes", plan->name, plan->use[i], plan->use[i]);
		}
		check(handle_grant(program->space, SLOT_FIRST_SERVICE + i, server->port, RIGHT_SEND, number),
		      "way to a server", program);
	}
	give_resources(program);
	if (plan->memory > 0 && program->port != pager_port) {
		uint64_t first = resources.next;
		resources.next += plan->memory;
		give_memory(program, first, plan->memory);
	}
}

void programs_connect(handle_t root_port)
{
	struct program *pager = programs_find("pager");
	pager_port = pager == NULL ? 0 : pager->port;
	for (uint64_t i = 1; i < programs_count; i++) {
		connect(&programs[i], root_port);
	}
	if (pager != NULL) {
		give_pager(pager);
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

	bool paged = pager_port != 0 && program->port != pager_port;
	if (paged) {
		struct message message = { .tag = PAGER_ADD, .word = { number_of(program), program->plan.quota } };
		ipc_call(pager_port, &message);
		handle_grant(ROOT_HANDLE_SPACE, own_pager, pager_port, RIGHT_SEND, number_of(program));
	}
	handle_grant(ROOT_HANDLE_SPACE, keeper, root_port, RIGHT_SEND, number_of(program));
	check(thread_configure(program->thread, program->plan.priority, paged ? own_pager : 0, keeper),
	      "priority", program);
	check(thread_start(program->thread, program->entry, 0, STARTUP_ADDRESS),
	      "first instruction", program);
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
	if (pager_port != 0) {
		/* The pager lets go of the space; then its memory is nobody's. */
		struct message message = { .tag = PAGER_REMOVE, .word = { number_of(program) } };
		ipc_call(pager_port, &message);
		balance.taken += message.word[0] + message.word[1];
	}
	balance.given_back = before - resources_in_use(resources.memory);
	return balance;
}
