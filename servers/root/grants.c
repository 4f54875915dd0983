/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * grants.c: who gets what. This is the only place where authority is handed out.
 */
#include "grants.h"

#include "resources.h"

handle_t grants_pager_port;

void grants_check(const struct program *program, const char *what, error_t error)
{
	if (error != ERROR_OK) {
		resources_fail("%s cannot be given its %s (error %lu)", program->plan.name, what, error);
	}
}

static void give_port(struct program *program, handle_t slot, handle_t port, uint64_t right, const char *what)
{
	uint64_t badge = right == RIGHT_SEND ? programs_number(program) : 0;
	grants_check(program, what, handle_grant(program->space, slot, port, right, badge));
}

/* The registers appear in the driver's space; it has no handle to them. */
static void give_device_memory(struct program *program)
{
	const uint64_t first = program->plan.device_address / ABI_PAGE_SIZE, before = resources.next;
	for (uint64_t i = 0; i < program->plan.device_pages; i++) {
		grants_check(program, "device memory",
		             mapping_add(program->space, STARTUP_DEVICE + i * ABI_PAGE_SIZE, ROOT_HANDLE_DEVICES, first + i,
		                         RIGHT_READ | RIGHT_WRITE, &resources));
	}
	program->frames += resources.next - before;
}

static void give_devices(struct program *program)
{
	const struct plan *plan = &program->plan;
	const handle_t own = ROOT_HANDLE_SPACE;
	if (plan->io_count > 0) {
		handle_t ports = resources_slot();
		grants_check(program, "I/O ports",
		             range_grant(own, ports, ROOT_HANDLE_IOPORTS, RIGHT_MANAGE, plan->io_first, plan->io_count));
		grants_check(program, "I/O permission bitmap", io_allow(program->space, ports));
		handle_close(own, ports);
	}
	if (plan->device_pages > 0) {
		give_device_memory(program);
	}
	if (plan->irq != PLAN_NO_IRQ) {
		grants_check(program, "interrupt line",
		             range_grant(program->space, SLOT_INTERRUPT, ROOT_HANDLE_INTERRUPTS, RIGHT_MANAGE, plan->irq, 1));
		give_port(program, SLOT_INTERRUPT_PORT, program->interrupt_port, RIGHT_RECEIVE, "interrupt port");
	}
}

/* Memory, and the program's own space to use it with. The root keeps a handle to take it back. */
static void give_memory(struct program *program, uint64_t first, uint64_t frames)
{
	const uint64_t rights = RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE | RIGHT_MAKE;
	const handle_t all = resources.memory;
	program->memory = resources_slot();
	grants_check(program, "memory", range_grant(ROOT_HANDLE_SPACE, program->memory, all, RIGHT_MAKE, first, frames));
	grants_check(program, "memory", range_grant(program->space, SLOT_MEMORY, all, rights, first, frames));
	grants_check(program, "own space", handle_grant(program->space, SLOT_SPACE, program->space, RIGHT_MANAGE, 0));
}

/* The pager gets all memory that the root does not keep, and every other program's space to map it into. */
static void give_pager(struct program *pager)
{
	pager->plan.memory = resources_pager_count;
	give_memory(pager, resources_pager_first, resources_pager_count);
	for (uint64_t i = 1; i < programs_count; i++) {
		if (&programs[i] != pager) {
			grants_check(pager, "clients' spaces",
			             handle_grant(pager->space, PAGER_SLOT_SPACE + i, programs[i].space, RIGHT_MANAGE, 0));
		}
	}
}

static void give_services(struct program *program)
{
	const struct plan *plan = &program->plan;
	for (uint64_t i = 0; i < plan->uses; i++) {
		const struct program *server = programs_find(plan->use[i]);
		if (server == NULL) {
			resources_fail("%s uses %s, but no module has name=%s serves=yes", plan->name, plan->use[i], plan->use[i]);
		}
		give_port(program, SLOT_FIRST_SERVICE + i, server->port, RIGHT_SEND, "way to a server");
	}
}

static void connect(struct program *program, handle_t root_port)
{
	bool is_pager = program->port != 0 && program->port == grants_pager_port;
	give_port(program, SLOT_ROOT, root_port, RIGHT_SEND, "way to the root");
	if (program->plan.serves) {
		give_port(program, SLOT_PORT, program->port, RIGHT_RECEIVE, "own port");
	}
	if (grants_pager_port != 0 && !is_pager) {
		give_port(program, SLOT_PAGER, grants_pager_port, RIGHT_SEND, "way to the pager");
	}
	give_services(program);
	give_devices(program);
	if (is_pager) {
		give_pager(program);
	} else if (program->plan.memory > 0) {
		uint64_t first = resources.next;
		resources.next += program->plan.memory;
		give_memory(program, first, program->plan.memory);
	}
}

void grants_connect(handle_t root_port)
{
	struct program *pager = programs_find("pager");
	grants_pager_port = pager == NULL ? 0 : pager->port;
	for (uint64_t i = 1; i < programs_count; i++) {
		connect(&programs[i], root_port);
	}
}
