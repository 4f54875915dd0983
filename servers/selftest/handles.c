/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * handles.c: there is no authority but that of handles.
 */
#include "claim.h"
#include "tests.h"
#include "worker.h"

#define PORT SLOT_TEST
#define COPY (SLOT_TEST + 1)
#define PART (SLOT_TEST + 2)
#define EMPTY (SLOT_TEST + 3)
#define PORT_FRAME FIRST_TEST_FRAME
#define FREE_FRAME (FIRST_TEST_FRAME + 1)

static void test_wrong_handles(void)
{
	struct message message = { 0 };
	claim_equal(ipc_call(EMPTY, &message), ERROR_HANDLE, "an empty slot names nothing");
	claim_equal(ipc_call(ABI_HANDLES, &message), ERROR_HANDLE, "a slot beyond the table names nothing");
	claim_equal(ipc_call(~0ul, &message), ERROR_HANDLE, "the largest number names nothing");
	claim_equal(ipc_call(SLOT_SPACE, &message), ERROR_HANDLE, "a space is not a port");
	claim_equal(ipc_receive(SLOT_MEMORY, &message), ERROR_HANDLE, "memory is not a port");
	claim_equal(ipc_reply_wait(EMPTY, &message), ERROR_HANDLE, "a server cannot wait at nothing");
	claim_equal(interrupt_attach(SLOT_INTERRUPT, PORT), ERROR_HANDLE, "no handle, no interrupt");
	claim_equal(io_allow(SLOT_SPACE, EMPTY), ERROR_HANDLE, "no handle, no I/O port");
	claim_equal(power_off_machine(EMPTY), ERROR_HANDLE, "no handle, no end of the machine");
	claim_equal(power_off_machine(SLOT_MEMORY), ERROR_HANDLE, "memory does not turn the machine off");
	claim_equal(call_plain(CALL_COUNT, 0, 0, 0, 0, 0, 0), ERROR_CALL, "a call that does not exist is an error");
	claim_equal(call_plain(~0ul, 0, 0, 0, 0, 0, 0), ERROR_CALL, "the largest number is no call either");
}

static void test_rights(void)
{
	struct message message = { 0 };
	handle_grant(SLOT_SPACE, COPY, PORT, RIGHT_SEND, 0);
	claim_equal(ipc_receive(COPY, &message), ERROR_RIGHTS, "the right to send is not the right to receive");
	claim_equal(object_destroy(COPY), ERROR_RIGHTS, "the right to send is not the right to destroy");
	claim_equal(handle_grant(SLOT_SPACE, EMPTY, COPY, RIGHT_ALL, 0), ERROR_OK, "a copy can be copied");
	claim_equal(ipc_receive(EMPTY, &message), ERROR_RIGHTS, "a copy never has more rights");
	handle_close(SLOT_SPACE, EMPTY);
	handle_close(SLOT_SPACE, COPY);

	handle_grant(SLOT_SPACE, COPY, PORT, RIGHT_RECEIVE, 0);
	claim_equal(ipc_send(COPY, &message), ERROR_RIGHTS, "the right to receive is not the right to send");
	claim_equal(handle_grant(SLOT_SPACE, COPY, PORT, RIGHT_ALL, 0), ERROR_SLOT, "a slot that is taken stays as it is");
	handle_close(SLOT_SPACE, COPY);
	claim_equal(handle_close(SLOT_SPACE, COPY), ERROR_HANDLE, "a slot is closed once");
}

static void test_ranges(void)
{
	claim_equal(range_grant(SLOT_SPACE, PART, SLOT_MEMORY, RIGHT_READ, 2, 3), ERROR_OK, "a part of memory is memory");
	claim_equal(object_create(OBJECT_PORT, PART, 0, EMPTY, 0), ERROR_RIGHTS,
	            "what may be read may not become an object");
	claim_equal(range_grant(SLOT_SPACE, EMPTY, PART, RIGHT_READ, 1, 3), ERROR_ARGUMENT, "a part does not grow");
	claim_equal(range_grant(SLOT_SPACE, EMPTY, PART, RIGHT_READ, ~0ul, 2), ERROR_ARGUMENT,
	            "a part does not wrap around");
	claim_equal(range_grant(SLOT_SPACE, EMPTY, PART, RIGHT_READ, 0, 0), ERROR_ARGUMENT, "a part is not empty");
	handle_close(SLOT_SPACE, PART);
}

static void test_ends(void)
{
	struct message message = { 0 };
	object_create(OBJECT_PORT, SLOT_MEMORY, FREE_FRAME, PART, 0);
	handle_grant(SLOT_SPACE, COPY, PART, RIGHT_SEND, 0);
	object_destroy(PART);
	claim_equal(ipc_send(COPY, &message), ERROR_HANDLE, "a handle to an object that has ended names nothing");
	claim_equal(object_create(OBJECT_PORT, SLOT_MEMORY, FREE_FRAME, PART, 0), ERROR_BUSY,
	            "the frame of an ended object stays taken while a handle is left");
	handle_close(SLOT_SPACE, COPY);
	claim_equal(object_create(OBJECT_PORT, SLOT_MEMORY, FREE_FRAME, PART, 0), ERROR_OK,
	            "the frame of an ended object is free after its last handle");
	object_destroy(PART);
}

/* The test keeps a handle to the first of three spaces only, and each of them the only one to the next. */
static void test_chains(void)
{
	uint64_t before = frames_in_use();
	for (uint64_t i = 0; i < 3; i++) {
		object_create(OBJECT_SPACE, SLOT_MEMORY, FREE_FRAME + i * OBJECT_FRAMES_SPACE, COPY + i, 0);
	}
	for (uint64_t i = 2; i > 0; i--) {
		handle_grant(COPY + i - 1, 1, COPY + i, RIGHT_ALL, 0);
		handle_close(SLOT_SPACE, COPY + i);
	}
	claim_equal(frames_in_use(), before + 3 * OBJECT_FRAMES_SPACE, "an object that a space can name stays");
	handle_close(SLOT_SPACE, COPY);
	claim_equal(frames_in_use(), before, "what nobody can name any more ends, and what only it could name");
}

/* A space that can name itself is not unreachable; its memory's holder has the last word. */
static void test_reclaim(void)
{
	uint64_t before = frames_in_use();
	object_create(OBJECT_SPACE, SLOT_MEMORY, FREE_FRAME, COPY, 0);
	handle_grant(COPY, 1, COPY, RIGHT_ALL, 0);
	handle_close(SLOT_SPACE, COPY);
	claim_equal(frames_in_use(), before + OBJECT_FRAMES_SPACE, "a space that names itself stays");
	range_grant(SLOT_SPACE, PART, SLOT_MEMORY, RIGHT_READ, FREE_FRAME, OBJECT_FRAMES_SPACE);
	claim_equal(memory_reclaim(PART), ERROR_RIGHTS, "who may not make objects may not reclaim them");
	handle_close(SLOT_SPACE, PART);
	range_grant(SLOT_SPACE, PART, SLOT_MEMORY, RIGHT_MAKE, FREE_FRAME, OBJECT_FRAMES_SPACE);
	memory_reclaim(PART);
	claim_equal(frames_in_use(), before, "memory is reclaimed from every object that is made of it");
	handle_close(SLOT_SPACE, PART);
}

void test_handles(void)
{
	object_create(OBJECT_PORT, SLOT_MEMORY, PORT_FRAME, PORT, 0);
	test_wrong_handles();
	test_rights();
	test_ranges();
	test_ends();
	test_chains();
	test_reclaim();
	object_destroy(PORT);
}
