/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * messages.c: what IPC promises.
 */
#include "claim.h"
#include "tests.h"
#include "worker.h"

#define PORT SLOT_TEST            /* all rights */
#define SENDER (SLOT_TEST + 1)    /* send only, with a badge */
#define SECOND (SLOT_TEST + 2)    /* another port */
#define PORT_FRAME FIRST_TEST_FRAME
#define SECOND_FRAME (FIRST_TEST_FRAME + 1)
#define BADGE 0x1234ul

static struct message sample(void)
{
	return (struct message){ .tag = 0xabcdef01, .word = { 1, ~0ul, 0x0123456789abcdef, 42 } };
}

static bool same_content(const struct message *a, const struct message *b)
{
	bool same = message_label(a) == message_label(b);
	for (unsigned i = 0; i < ABI_WORDS; i++) {
		same &= a->word[i] == b->word[i];
	}
	return same;
}

static void call_sample(uint64_t port)
{
	struct message message = sample();
	error_t error = ipc_call(port, &message);
	worker_done(error != ERROR_OK ? error << 32 : message.word[0]);
}

static void send_forged(uint64_t port)
{
	struct message message = { .tag = (uint64_t)KIND_INTERRUPT << TAG_KIND_SHIFT | 5 };
	worker_done(ipc_send(port, &message));
}

static void test_content(void)
{
	struct message received, expected = sample();
	worker_start(0, call_sample, SENDER, WORKER_PRIORITY, 0);
	ipc_receive(PORT, &received);
	claim(same_content(&received, &expected), "a message keeps its label and its words");
	claim_equal(received.badge, BADGE, "the receiver learns the badge of the sender's handle");
	claim_equal(message_kind(&received), KIND_MESSAGE, "a thread's message is of the kind message");
	struct message reply = { .word = { 99 } };
	ipc_reply_wait(0, &reply);
	claim_equal(worker_event().word[0], 99, "a reply carries words too");
	worker_end(0);

	worker_start(0, send_forged, SENDER, WORKER_PRIORITY, 0);
	ipc_receive(PORT, &received);
	claim_equal(message_kind(&received), KIND_MESSAGE, "a sender cannot forge the kind of a message");
	claim_equal(worker_event().word[0], ERROR_OK, "send returns when the message was taken");
	worker_end(0);
}

/* Two callers wait for replies at once, owed by different threads: the test and worker 2. */
static void serve_second(uint64_t port)
{
	struct message message;
	ipc_receive(port, &message);
	message.word[0] = 222;
	ipc_reply_wait(0, &message);
	worker_done(0);
}

static void call_and_tell(uint64_t port)
{
	struct message message = { .tag = 1 };
	ipc_call(port, &message);
	worker_done(port << 32 | message.word[0]);
}

static void test_replies(void)
{
	worker_start(2, serve_second, SECOND, 1, 0);
	worker_start(0, call_and_tell, SENDER, WORKER_PRIORITY, 0);
	worker_start(1, call_and_tell, SECOND, WORKER_PRIORITY, 0);
	struct message message;
	ipc_receive(PORT, &message);
	message.word[0] = 111;
	ipc_reply_wait(0, &message);
	bool seen[2] = { false, false };
	for (unsigned i = 0; i < 3; i++) {
		uint64_t result = worker_event().word[0];
		seen[0] |= result == ((uint64_t)SENDER << 32 | 111);
		seen[1] |= result == ((uint64_t)SECOND << 32 | 222);
	}
	claim(seen[0] && seen[1], "each reply goes to the caller that it is owed");
	worker_end(0);
	worker_end(1);
	worker_end(2);

	message = (struct message){ .word = { 5 } };
	claim_equal(ipc_reply_wait(0, &message), ERROR_OK, "a reply that is owed to nobody is no error");
}

static void receive_only(uint64_t port)
{
	struct message message;
	worker_done(ipc_receive(port, &message));
}

static void test_lost_partners(void)
{
	struct message message;
	worker_start(0, call_sample, SENDER, WORKER_PRIORITY, 0);
	ipc_receive(PORT, &message);
	worker_start(1, call_sample, SENDER, WORKER_PRIORITY, 0);
	ipc_receive(PORT, &message);
	claim_equal(worker_event().word[0] >> 32, ERROR_ABANDONED, "a caller whose server takes another call is told");
	worker_end(1);
	message = (struct message){ 0 };
	claim_equal(ipc_reply_wait(0, &message), ERROR_OK, "a reply to a caller that has ended is no error");
	worker_end(0);

	worker_start(0, receive_only, PORT, WORKER_PRIORITY, 0);
	worker_start(1, call_sample, SENDER, WORKER_PRIORITY, 0);
	worker_event();
	worker_end(0);
	claim_equal(worker_event().word[0] >> 32, ERROR_DEAD, "a caller whose server ends is told");
	worker_end(1);

	/* Worker 0 waits at the port before worker 1, of lower priority, can say that it runs. */
	worker_start(0, call_sample, SECOND, WORKER_PRIORITY, 0);
	worker_start(1, worker_tell, 0, 1, 0);
	worker_event();
	object_destroy(SECOND);
	claim_equal(worker_event().word[0] >> 32, ERROR_DEAD, "a caller whose port ends is told");
	worker_end(0);
	worker_end(1);

	object_create(OBJECT_PORT, SLOT_MEMORY, SECOND_FRAME, SECOND, 0);
	worker_start(0, receive_only, SECOND, WORKER_PRIORITY, 0);
	worker_start(1, worker_tell, 0, 1, 0);
	worker_event();
	claim_equal(ipc_receive(SECOND, &message), ERROR_BUSY, "a port has one receiver at a time");
	object_destroy(SECOND);
	claim_equal(worker_event().word[0], ERROR_DEAD, "a receiver whose port ends is told");
	worker_end(0);
	worker_end(1);
}

void test_messages(void)
{
	object_create(OBJECT_PORT, SLOT_MEMORY, PORT_FRAME, PORT, 0);
	object_create(OBJECT_PORT, SLOT_MEMORY, SECOND_FRAME, SECOND, 0);
	handle_grant(SLOT_SPACE, SENDER, PORT, RIGHT_SEND, BADGE);
	test_content();
	test_replies();
	test_lost_partners();
	handle_close(SLOT_SPACE, SENDER);
	object_destroy(PORT);
}
