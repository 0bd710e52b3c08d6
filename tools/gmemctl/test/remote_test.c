// SPDX-License-Identifier: GPL-2.0
/*
 * Another process has the guest's memory: it sees what is there, and may do whatever it
 * likes otherwise. It is a child that has nothing of the memory but what it is given.
 */
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "../base/calls.h"
#include "../base/fdpass.h"
#include "../memory/remote.h"
#include "ram.h"
#include "ksft.h"

#define PAGE RANGE_PAGE_SIZE
#define SIZE_MAX_ASKED 64

/**
 * struct question - what the test asks the child
 * @gpa: to be read from
 * @size: bytes
 */
struct question {
	uint64_t gpa;
	uint32_t size;
};

/**
 * struct reply - what it says
 * @rc: of remote_mapper_read(), likewise @fault
 * @bytes: what it has read
 */
struct reply {
	int rc;
	uint64_t fault;
	uint8_t bytes[SIZE_MAX_ASKED];
};

static struct reply reply;
static int sockets[2], questions[2];
static pid_t child;

static void start(enum backing_kind kind)
{
	ram_start(kind);
	EXPECT_FALSE(ram_create());
	EXPECT_FALSE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets));
	EXPECT_FALSE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, questions));
}

static void stop(void)
{
	ram_stop();
	close(sockets[0]);
	close(sockets[1]);
	close(questions[0]);
	close(questions[1]);
}

/* Answer questions until there are none. Return: 0 if nothing is left behind. */
static int child_main(void)
{
	unsigned int fds = ram_open_fds();
	struct remote_mapper mapper;
	struct question question;
	struct reply answer;
	int rc = remote_mapper_start(&mapper, sockets[1], &ram.error);

	answer = (struct reply){ .rc = rc };
	send(questions[1], &answer, sizeof(answer), 0);
	while (!rc && recv(questions[1], &question, sizeof(question), 0) > 0) {
		answer = (struct reply){ 0 };
		answer.rc = remote_mapper_read(&mapper, question.gpa,
					       answer.bytes, question.size,
					       &answer.fault);
		send(questions[1], &answer, sizeof(answer), 0);
	}
	if (!rc)
		remote_mapper_stop(&mapper);
	return ram_open_fds() == fds ? 0 : 1;
}

static void fork_child(void)
{
	child = fork();
	EXPECT_GE(child, 0);
	if (child) {
		close(sockets[1]);
		close(questions[1]);
		sockets[1] = -1;
		questions[1] = -1;
		return;
	}
	close(sockets[0]);
	close(questions[0]);
	guest_memory_destroy(&ram.memory);
	_exit(child_main());
}

static bool child_reply(void)
{
	return recv(questions[0], &reply, sizeof(reply), 0) == sizeof(reply);
}

static void share(void)
{
	fork_child();
	EXPECT_FALSE(remote_share(sockets[0], &ram.memory, &ram.error));
	EXPECT_TRUE(child_reply());
	EXPECT_FALSE(reply.rc);
}

static int child_ends(void)
{
	close(questions[0]);
	questions[0] = -1;
	return ksft_wait(child);
}

static void unshare_memory(void)
{
	shutdown(sockets[0], SHUT_RDWR);
	EXPECT_EQ(child_ends(), 0);
}

/* Have the child read. Return: what its remote_mapper_read() does. */
static int child_read(uint64_t gpa, uint32_t size)
{
	struct question question = { .gpa = gpa, .size = size };

	memset(&reply, 0xff, sizeof(reply));
	EXPECT_EQ(send(questions[0], &question, sizeof(question), 0), sizeof(question));
	EXPECT_TRUE(child_reply());
	return reply.rc;
}

/* Whether the child sees @byte on @page. */
static bool child_sees(uint64_t page, uint8_t byte)
{
	return !child_read(page * PAGE + 7, 1) && reply.bytes[0] == byte;
}

static blkcnt_t populated_blocks(void)
{
	struct stat stat;

	return fstat(ram.memory.backings[0].fd, &stat) ? -1 : stat.st_blocks;
}

TEST_OF(remote, sees)
{
	start(BACKING_SHARED);
	memset(ram_at(3), 3, PAGE);
	memset(ram_at(70), 70, PAGE);
	share();
	EXPECT_TRUE(child_sees(3, 3));
	EXPECT_TRUE(child_sees(70, 70));
	memset(ram_at(3), 4, PAGE);
	EXPECT_TRUE(child_sees(3, 4));
	/* Over the end of a page, onto one that is not populated, nor will be. */
	memset(&reply, 0, sizeof(reply));
	EXPECT_FALSE(child_read(4 * PAGE - 2, 4));
	EXPECT_FALSE(memcmp(reply.bytes, "\4\4\0\0", 4));
	EXPECT_EQ(populated_blocks(), 2 * PAGE / 512);
	/* Over the end of RAM, into the gap, and beyond everything. */
	EXPECT_EQ(child_read(16 * PAGE - 1, 2), -EFAULT);
	EXPECT_EQ(reply.fault, 16 * PAGE);
	EXPECT_EQ(child_read(20 * PAGE, 1), -EFAULT);
	EXPECT_EQ(child_read(80 * PAGE, 1), -EFAULT);
	EXPECT_EQ(child_read(UINT64_MAX, 2), -EFAULT);
	EXPECT_EQ(reply.fault, UINT64_MAX);
	unshare_memory();
	stop();
}

TEST_OF(remote, kinds)
{
	static const enum backing_kind kinds[] = {
		BACKING_HUGETLB, BACKING_GMEM, BACKING_GUEST_MEMFD,
	};

	ksft_for_each(kind, kinds) {
		start(*kind);
		memset(ram_at(70), 70, PAGE);
		share();
		EXPECT_TRUE(child_sees(70, 70));
		EXPECT_TRUE(child_sees(0, 0));
		unshare_memory();
		stop();
	}
}

/* Anonymous memory is nobody else's. */
TEST_OF(remote, private)
{
	start(BACKING_PRIVATE);
	fork_child();
	EXPECT_EQ(remote_share(sockets[0], &ram.memory, &ram.error), -EINVAL);
	EXPECT_TRUE(strstr(ram.error.hint, "no backing fd (private RAM)"));
	EXPECT_TRUE(child_reply());
	EXPECT_EQ(reply.rc, -EINVAL);
	EXPECT_EQ(child_ends(), 0);
	stop();
}

/* The end of the connection is on its way. */
static bool child_loses(void)
{
	for (int i = 0; i < 1000 && child_read(0, 1) != -EPIPE; i++)
		usleep(1000);
	return reply.rc == -EPIPE;
}

/* It is no more, or as good as: the VM ends all the same. */
static void check_lost(int signal)
{
	start(BACKING_SHARED);
	share();
	EXPECT_FALSE(kill(child, signal));
	if (signal == SIGKILL)
		EXPECT_EQ(child_ends(), -SIGKILL);
	else
		EXPECT_EQ(waitpid(child, NULL, WUNTRACED), child);
	shutdown(sockets[0], SHUT_RDWR);
	if (signal == SIGSTOP) {
		EXPECT_FALSE(kill(child, SIGCONT));
		EXPECT_TRUE(child_loses());
		EXPECT_EQ(child_ends(), 0);
	}
	stop();
}

TEST_OF(remote, dies)
{
	check_lost(SIGKILL);
}

TEST_OF(remote, hangs)
{
	check_lost(SIGSTOP);
}

/* The VM ends: the other one keeps nothing of its memory. */
TEST_OF(remote, vm_ends)
{
	start(BACKING_SHARED);
	memset(ram_at(3), 3, PAGE);
	share();
	EXPECT_TRUE(child_sees(3, 3));
	shutdown(sockets[0], SHUT_RDWR);
	EXPECT_TRUE(child_loses());
	EXPECT_EQ(child_read(3 * PAGE, 1), -EPIPE);
	EXPECT_EQ(child_ends(), 0);
	stop();
}

/* One that has answered in advance for both ranges. */
static int start_answered(int32_t first, int32_t second)
{
	int32_t answers[] = { first, second };

	start(BACKING_SHARED);
	EXPECT_EQ(write(sockets[1], answers, sizeof(answers)), sizeof(answers));
	return remote_share(sockets[0], &ram.memory, &ram.error);
}

TEST_OF(remote, answers)
{
	EXPECT_EQ(start_answered(-ENOMEM, 0), -ENOMEM);
	stop();
	EXPECT_EQ(start_answered(0, -ENOMEM), -ENOMEM);
	EXPECT_STREQ(ram.error.action, "failed to map range for DMA");
	stop();
	EXPECT_EQ(start_answered(0, 5), -EBADMSG);
	stop();
	/* It has never been there. */
	start(BACKING_SHARED);
	close(sockets[1]);
	sockets[1] = -1;
	EXPECT_EQ(remote_share(sockets[0], &ram.memory, &ram.error), -EPIPE);
	stop();
}

/* Whatever a VM says instead, nothing is mapped, and nothing stays open. */
static int mapper_told(const struct remote_message *messages, size_t count,
		       int fd)
{
	struct files files = { .fds = { fd }, .count = 1 };
	unsigned int fds = ram_open_fds();
	struct remote_mapper mapper;
	int rc;

	for (size_t i = 0; i < count; i++)
		EXPECT_FALSE(files_send(sockets[0], &messages[i], sizeof(messages[i]),
					messages[i].kind == REMOTE_START ? NULL : &files));
	shutdown(sockets[0], SHUT_WR);
	rc = remote_mapper_start(&mapper, sockets[1], &ram.error);
	EXPECT_EQ(ram_open_fds(), fds);
	return rc;
}

static void check_told(const struct remote_message *messages, size_t count,
		       int wanted)
{
	start(BACKING_SHARED);
	EXPECT_EQ(mapper_told(messages, count, ram.memory.backings[0].fd), wanted);
	stop();
}

TEST_OF(remote, garbage)
{
	static const struct range all = { 0, 80 * PAGE }, some = { 0, PAGE };
	static const struct remote_message begin = {
		REMOTE_MAGIC, REMOTE_START, all, PAGE };
	struct remote_message said[2] = { begin, begin };

	check_told(NULL, 0, -EPIPE);
	check_told(said, 2, -EBADMSG);
	said[1].kind = REMOTE_REFUSED;
	check_told(said, 2, -EBADMSG);
	said[1].kind = REMOTE_KINDS;
	check_told(said, 2, -EBADMSG);
	said[1] = (struct remote_message){ 1, REMOTE_READY, some, 0 };
	check_told(said, 2, -EBADMSG);
	said[1] = (struct remote_message){ REMOTE_MAGIC, REMOTE_MAP, some, 0 };
	check_told(&said[1], 1, -EBADMSG);
	/* Only a mapping that cannot be is answered, and then all ends. */
	said[1].range.end = 81 * PAGE;
	check_told(said, 2, -EPIPE);
	said[1].kind = REMOTE_MAP + 1;
	check_told(said, 2, -EBADMSG);
	said[0].range.end = 0;
	check_told(said, 1, -EINVAL);
	said[0] = begin;
	said[0].offset = 3;
	check_told(said, 1, -EINVAL);
	said[0].kind = REMOTE_READY;
	check_told(said, 1, -EBADMSG);
}

/* A guest_memfd does not say what it has (ESPIPE, as a pipe): the mapping does. */
TEST_OF(remote, no_seek)
{
	struct remote_mapper mapper = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct extent extent = { .range = { 0, 2 * PAGE }, .fd = -1, .page_size = PAGE,
				 .writable = true, .node = -1 };
	uint8_t bytes[2] = { 0xff, 0xff };
	unsigned char resident[2];
	int ends[2];

	calls = &calls_system;
	EXPECT_FALSE(pipe(ends));
	EXPECT_FALSE(reservation_create(&mapper.reservation, 2 * PAGE, 0));
	EXPECT_FALSE(reservation_map(&mapper.reservation, &extent));
	mapper.reservation.extents[0].fd = ends[0];
	mapper.reservation.base[PAGE - 1] = 7;
	EXPECT_FALSE(remote_mapper_read(&mapper, PAGE - 1, bytes, 2, NULL));
	EXPECT_EQ(bytes[0], 7);
	EXPECT_EQ(bytes[1], 0);
	EXPECT_FALSE(mincore(mapper.reservation.base, 2 * PAGE, resident));
	EXPECT_FALSE(resident[1] & 1);
	reservation_destroy(&mapper.reservation);
	close(ends[0]);
	close(ends[1]);
}
