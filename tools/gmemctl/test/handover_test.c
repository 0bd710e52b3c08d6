// SPDX-License-Identifier: GPL-2.0
/*
 * Memory goes to another process, and comes back if that one cannot have it. The
 * taker is a child, with a kernel of its own but for the files.
 */
#include <fcntl.h>
#include <sys/socket.h>

#include "../base/calls.h"
#include "../memory/handover.h"
#include "ram.h"
#include "ksft.h"

#define PAGE RANGE_PAGE_SIZE

static struct tlv state;
static struct handover handover;
static int sockets[2];
static pid_t child;

static void start(enum backing_kind first, enum backing_kind second)
{
	ram_start_two(first, second);
	tlv_add(&state, 7, 0, "state", 5);
	EXPECT_FALSE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets));
}

static void stop(void)
{
	ram_stop();
	tlv_free(&state);
	close(sockets[0]);
	close(sockets[1]);
}

static void build(void)
{
	ram_build();
	*ram_at(3) = 1;
	*ram_at(70) = 2;
	*ram_at(39) = 3;
}

/* The number of the first thing that is wrong, or 0. */
static int taker_check(void)
{
	unsigned int fds = ram_open_fds();
	char text[5];

	kvm_fake_start();
	if (handover_take(sockets[1], &handover, &ram.error) ||
	    !tlv_get(&handover.state, 7, 0, text, sizeof(text)) ||
	    memcmp(text, "state", sizeof(text)))
		return 1;
	if (guest_memory_create(&ram.memory, &handover.description.config,
				&kvm_fake.vm, &ram.error) ||
	    guest_memory_attach(&ram.memory, &ram.error))
		return 2;
	kvm_fake.log[0] = '\0';
	if (handover_restore(&handover, &ram.memory, &ram.error))
		return 3;
	if (!kvm_fake_said("V11-12 A1-2 V1-3 A21-23 V6-a A46-4a"))
		return 4;
	if (*ram_at(3) != 1 || *ram_at(70) != 2 || *ram_at(39) != 3)
		return 5;
	if (!guest_memfd_is_private(&ram.memory.memfd, PAGE) ||
	    guest_memfd_is_private(&ram.memory.memfd, 0))
		return 6;
	handover_close(&handover);
	if (*ram_at(70) != 2 || handover_answer(sockets[1], 0, &ram.error))
		return 7;
	guest_memory_destroy(&ram.memory);
	return ram_open_fds() == fds ? 0 : 8;
}

/* Run @taker in a process that has nothing of the guest's memory. */
static void fork_taker(int (*taker)(void))
{
	child = fork();
	EXPECT_GE(child, 0);
	if (child) {
		/* So that it is noticed if the child dies. */
		close(sockets[1]);
		sockets[1] = -1;
		return;
	}
	close(sockets[0]);
	guest_memory_destroy(&ram.memory);
	_exit(taker());
}

TEST_OF(handover, store)
{
	start(BACKING_GMEM_STORE, BACKING_GMEM_STORE);
	build();
	EXPECT_FALSE(ram_convert(70, 74, true));
	EXPECT_FALSE(ram_convert(1, 2, true));
	EXPECT_FALSE(ram_convert(33, 35, true));
	kvm_fake.log[0] = '\0';
	fork_taker(taker_check);
	EXPECT_FALSE(handover_give(sockets[0], &ram.memory, &state, &ram.error));
	EXPECT_TRUE(kvm_fake_said("a1-2 v11-12 a21-23 v1-3 a46-4a v6-a U0-18 U0-8"));
	EXPECT_EQ(ksft_wait(child), 0);
	stop();
}

static int taker_dies(void)
{
	return 0;
}

/* It takes first: a giver that is slow would find nobody there. So do the next. */
static bool taken(void)
{
	if (handover_take(sockets[1], &handover, &ram.error))
		return false;
	handover_close(&handover);
	return true;
}

static int taker_talks(void)
{
	return taken() && send(sockets[1], "abc", 3, 0) == 3 ? 0 : 1;
}

/* That it cannot; and what is no answer. */
static int answer;

static int taker_answers(void)
{
	return taken() && handover_answer(sockets[1], answer, NULL) == answer ? 0 : 1;
}

/* It has answered, and is no more when it is told to go on. */
static int taker_dies_late(void)
{
	if (!taken())
		return 1;
	shutdown(sockets[1], SHUT_RD);
	return send(sockets[1], "\0\0\0", 4, 0) == 4 ? 0 : 2;
}

/* Whatever the taker does: bound again, and private again. */
static void check_refused(int (*taker)(void), int rc)
{
	start(BACKING_GMEM_STORE, BACKING_GMEM_STORE);
	build();
	EXPECT_FALSE(ram_convert(70, 74, true));
	kvm_fake.log[0] = '\0';
	fork_taker(taker);
	if (taker == taker_dies)
		EXPECT_EQ(ksft_wait(child), 0);
	EXPECT_EQ(handover_give(sockets[0], &ram.memory, &state, &ram.error), rc);
	if (taker != taker_dies)
		EXPECT_EQ(ksft_wait(child), 0);
	EXPECT_TRUE(kvm_fake_said(taker == taker_dies ?
				  "a46-4a v6-a U0-18 U0-8 B0-8g18 B0-18g0 V6-a A46-4a" :
				  "a46-4a v6-a U0-18 U0-8 a46-4a v6-a U0-18 U0-8 "
				  "B0-8g18 B0-18g0 V6-a A46-4a"));
	EXPECT_TRUE(guest_memfd_is_private(&ram.memory.memfd, 70 * PAGE));
	EXPECT_EQ(*ram_at(3), 1);
	EXPECT_EQ(*ram_at(39), 3);
	stop();
}

TEST_OF(handover, refused)
{
	static const int answers[][2] = {
		{ -ENOSPC, -ENOSPC }, { 5, -EBADMSG }, { -4096, -EBADMSG },
	};

	ksft_for_each(pair, answers) {
		answer = (*pair)[0];
		check_refused(taker_answers, (*pair)[1]);
	}
	check_refused(taker_dies, -EPIPE);
	check_refused(taker_talks, -EPIPE);
	check_refused(taker_dies_late, -EPIPE);
}

/* A step before the sending fails: nothing is sent but the reason. */
TEST_OF(handover, fails)
{
	start(BACKING_GMEM_STORE, BACKING_GMEM_STORE);
	build();
	EXPECT_FALSE(ram_convert(70, 74, true));
	EXPECT_FALSE(ram_convert(1, 2, true));
	kvm_fake.log[0] = '\0';
	kvm_fake.fail = 'v';
	kvm_fake.pass = 1;
	kvm_fake.rc = -EPERM;
	EXPECT_EQ(handover_give(sockets[0], &ram.memory, &state, &ram.error), -EPERM);
	EXPECT_STRSTR(ram.error.hint, "consent");
	EXPECT_TRUE(kvm_fake_said("a1-2 v11-12 a46-4a v6-a A46-4a V11-12 A1-2"));
	kvm_fake.fail = 'U';
	kvm_fake.pass = 1;
	kvm_fake.rc = -EBADF;
	EXPECT_EQ(handover_give(sockets[0], &ram.memory, &state, &ram.error), -EBADF);
	EXPECT_TRUE(kvm_fake_said("a1-2 v11-12 a46-4a v6-a U0-18 U0-8 B0-18g0 V6-a "
				  "A46-4a V11-12 A1-2"));
	EXPECT_EQ(handover_take(sockets[1], &handover, &ram.error), -EPERM);
	EXPECT_STRSTR(ram.error.hint, "consent");
	EXPECT_EQ(handover_take(sockets[1], &handover, &ram.error), -EBADF);
	stop();
}

/* Kinds that cannot leave, and pages that cannot. */
TEST_OF(handover, kinds)
{
	static const enum backing_kind kinds[] = {
		BACKING_PRIVATE, BACKING_HUGETLB, BACKING_GUEST_MEMFD,
	};

	ksft_for_each(kind, kinds) {
		start(BACKING_SHARED, *kind);
		ram.requests[1].hugepage_size = PAGE;
		build();
		EXPECT_EQ(handover_give(sockets[0], &ram.memory, &state, &ram.error), -EOPNOTSUPP);
		EXPECT_STRSTR(ram.error.action, backing_kind_name(*kind));
		EXPECT_EQ(handover_take(sockets[1], &handover, &ram.error), -EOPNOTSUPP);
		EXPECT_STRSTR(ram.error.hint, backing_kind_name(*kind));
		stop();
	}
	start(BACKING_SHARED, BACKING_SHARED);
	ram.config.guest_memfd = true;
	build();
	EXPECT_FALSE(ram_convert(1, 2, true));
	EXPECT_EQ(handover_give(sockets[0], &ram.memory, &state, &ram.error), -EOPNOTSUPP);
	EXPECT_STREQ(ram.error.action, "hand over private pages");
	stop();
}

static int taker_shared(void)
{
	kvm_fake_start();
	if (handover_take(sockets[1], &handover, &ram.error))
		return 1;
	if (guest_memory_create(&ram.memory, &handover.description.config, NULL,
				&ram.error))
		return 2;
	if (*ram_at(3) != 1 || *ram_at(70) != 2 || *ram_at(39) != 3)
		return 3;
	*ram_at(3) = 9;
	guest_memory_destroy(&ram.memory);
	handover_close(&handover);
	return handover_answer(sockets[1], 0, &ram.error) ? 4 : 0;
}

TEST_OF(handover, shared)
{
	start(BACKING_SHARED, BACKING_GMEM);
	build();
	fork_taker(taker_shared);
	EXPECT_FALSE(handover_give(sockets[0], &ram.memory, &state, &ram.error));
	EXPECT_EQ(ksft_wait(child), 0);
	EXPECT_EQ(*ram_at(3), 9);
	stop();
}

static int taker_expects_garbage(void)
{
	unsigned int fds = ram_open_fds();

	if (handover_take(sockets[1], &handover, &ram.error) != -EBADMSG)
		return 1;
	return ram_open_fds() == fds ? 0 : 2;
}

/* A message with two fds that says it is something else. */
static void send_stranger(void)
{
	uint32_t message[4] = { 0x12345678, 32 };
	struct iovec part = { message, sizeof(message) };
	union {
		struct cmsghdr header;
		uint8_t bytes[CMSG_SPACE(2 * sizeof(int))];
	} control = { .bytes = { 0 } };
	struct msghdr header = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(2 * sizeof(int));
	memcpy(CMSG_DATA(&control.header), sockets, 2 * sizeof(int));
	EXPECT_EQ(sendmsg(sockets[0], &header, 0), sizeof(message));
}

/* What no giver would send: refused, with every fd closed again. */
TEST_OF(handover, garbage)
{
	/* Without fds; a text that is too long; a state that is too large. */
	static const uint32_t messages[][4] = {
		{ 0x324d4748, 32, 0, 0 },
		{ 0x324d4748, HANDOVER_TEXT_MAX + 1, 0, (uint32_t)-EPERM },
		{ 0x324d4748, 32, UINT32_MAX, 0 },
		{ 0x324d4748, 32, 0, 1 },
	};
	unsigned int fds;

	start(BACKING_SHARED, BACKING_SHARED);
	ksft_for_each(message, messages) {
		EXPECT_EQ(write(sockets[0], *message, sizeof(*message)), sizeof(*message));
		EXPECT_EQ(handover_take(sockets[1], &handover, &ram.error), -EBADMSG);
	}
	fds = ram_open_fds();
	send_stranger();
	EXPECT_EQ(handover_take(sockets[1], &handover, &ram.error), -EBADMSG);
	EXPECT_EQ(ram_open_fds(), fds);
	EXPECT_EQ(write(sockets[0], "x", 1), 1);
	EXPECT_EQ(handover_take(sockets[1], &handover, &ram.error), -EBADMSG);
	build();
	/* A description of two requests, with the file of one. */
	ram.memory.nr_backings = 1;
	fork_taker(taker_expects_garbage);
	EXPECT_EQ(handover_give(sockets[0], &ram.memory, &state, &ram.error), -EPIPE);
	ram.memory.nr_backings = 2;
	EXPECT_EQ(ksft_wait(child), 0);
	stop();
	start(BACKING_SHARED, BACKING_SHARED);
	close(sockets[0]);
	sockets[0] = -1;
	EXPECT_EQ(handover_take(sockets[1], &handover, &ram.error), -EPIPE);
	stop();
}

/* The taker asks: the word of the giver, and what the giver's death means. */
TEST_OF(handover, verdict)
{
	start(BACKING_SHARED, BACKING_SHARED);
	EXPECT_EQ(write(sockets[0], "!GO ", 4), 4);
	EXPECT_FALSE(handover_answer(sockets[1], 0, &ram.error));
	EXPECT_EQ(write(sockets[0], "!NO ", 4), 4);
	EXPECT_EQ(handover_answer(sockets[1], 0, &ram.error), -ECANCELED);
	EXPECT_EQ(write(sockets[0], "what", 4), 4);
	EXPECT_EQ(handover_answer(sockets[1], 0, &ram.error), -EBADMSG);
	close(sockets[0]);
	sockets[0] = -1;
	EXPECT_FALSE(handover_answer(sockets[1], 0, &ram.error));
	stop();
}

/* One who has given up waiting gets no "go" that the giver takes for heard. */
TEST_OF(handover, late)
{
	start(BACKING_SHARED, BACKING_SHARED);
	EXPECT_FALSE(fcntl(sockets[1], F_SETFL, O_NONBLOCK));
	EXPECT_EQ(handover_answer(sockets[1], 0, &ram.error), -ETIMEDOUT);
	EXPECT_EQ(send(sockets[0], "!GO ", 4, MSG_NOSIGNAL), -1);
	EXPECT_EQ(errno, EPIPE);
	stop();
}

static void no_handler(int number)
{
}

/* Whoever waits for a word is interrupted, and waits on. */
TEST_OF(handover, interrupted)
{
	static const struct sigaction action = { .sa_handler = no_handler };
	int status = -1;

	start(BACKING_SHARED, BACKING_SHARED);
	ASSERT_FALSE(sigaction(SIGUSR1, &action, NULL));
	child = fork();
	for (int i = 0; !child && i < 4; i++) {
		usleep(10000);
		kill(getppid(), SIGUSR1);
	}
	if (!child)
		_exit(write(sockets[0], "!GO ", 4) != 4);
	EXPECT_FALSE(handover_answer(sockets[1], 0, &ram.error));
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	EXPECT_FALSE(status);
	stop();
}

/* A state that is no list of records. */
TEST_OF(handover, state)
{
	start(BACKING_SHARED, BACKING_SHARED);
	build();
	state.size--;
	fork_taker(taker_expects_garbage);
	EXPECT_EQ(handover_give(sockets[0], &ram.memory, &state, &ram.error), -EPIPE);
	EXPECT_EQ(ksft_wait(child), 0);
	stop();
}
