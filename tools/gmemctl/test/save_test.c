// SPDX-License-Identifier: GPL-2.0
/* A guest's memory in a file comes back as it was, and no file is trusted. */
#include <fcntl.h>
#include <sys/socket.h>

#include "../base/calls.h"
#include "../memory/file.h"
#include "../memory/save.h"
#include "ram.h"
#include "ksft.h"

#define PAGE RANGE_PAGE_SIZE

/* Records of the file that start() and build() lead to, and where they are */
#define SUM		SAVE_CHECKSUM_SIZE
#define HEADER_SIZE	32
#define DESCRIPTION_SIZE (32 + 2 * 16 + 3 * 16)
#define DESCRIPTION	(HEADER_SIZE + SUM)
#define STATE_SIZE	(16 + 5)
#define STATE		(DESCRIPTION + DESCRIPTION_SIZE + SUM)
#define FIRST_RUN	(STATE + STATE_SIZE + SUM)
#define RUN_SIZE	(16 + (off_t)PAGE)
#define RUNS		4
#define END		(FIRST_RUN + RUNS * (RUN_SIZE + SUM))
#define END_SIZE	16
#define FILE_SIZE	(END + END_SIZE + SUM)

static struct tlv state;
static struct saved saved;
static const char *memory_file;
static int file;

static void start(enum backing_kind first, enum backing_kind second)
{
	ram_start_two(first, second);
	tlv_add(&state, 7, 0, "state", 5);
	file = memfd_create("saved", MFD_CLOEXEC);
	EXPECT_GE(file, 0);
}

static void stop(void)
{
	tlv_free(&state);
	close(file);
	calls = &calls_system;
}

static void create(const struct memory_config *what)
{
	EXPECT_FALSE(guest_memory_create(&ram.memory, what, &kvm_fake.vm, &ram.error));
	EXPECT_FALSE(guest_memory_attach(&ram.memory, &ram.error));
	kvm_fake.log[0] = '\0';
}

/* A page that holds zeros is populated all the same. */
static void build(void)
{
	ram_build();
	*ram_at(3) = 1;
	*ram_at(70) = 2;
	*ram_at(39) = 3;
	*(volatile uint8_t *)ram_at(35) = 0;
}

static int save(void)
{
	lseek(file, 0, SEEK_SET);
	EXPECT_FALSE(ftruncate(file, 0));
	return save_write(file, -1, &ram.memory, &state, &ram.error);
}

/* From the file to memory. Return: the first failure. */
static int restore(void)
{
	int rc;

	lseek(file, 0, SEEK_SET);
	rc = save_read(file, "the-file", &saved, &ram.error);
	if (rc)
		return rc;
	saved.description.requests[0].path = memory_file;
	create(&saved.description.config);
	rc = save_read_memory(&saved, &ram.memory, &ram.error);
	if (rc) {
		guest_memory_destroy(&ram.memory);
		save_free(&saved);
	}
	return rc;
}

static void restored_end(void)
{
	guest_memory_destroy(&ram.memory);
	save_free(&saved);
}

/* Which of the pages of a request are populated, as bits. */
static uint64_t populated(unsigned int request, uint64_t page, uint64_t count)
{
	uint8_t pages[64];
	uint64_t bits = 0;

	EXPECT_FALSE(populated_pages(ram.memory.backings[request].fd,
				     ram.memory.backings[request].fd_offset, ram_at(page), count,
				     pages));
	for (uint64_t i = 0; i < count; i++)
		bits |= (uint64_t)pages[i] << i;
	return bits;
}

static void round_trip(enum backing_kind first, enum backing_kind second)
{
	char text[5];

	start(first, second);
	ram.requests[1].hugepage_size = second == BACKING_HUGETLB ? PAGE : 0;
	build();
	EXPECT_FALSE(save());
	guest_memory_destroy(&ram.memory);
	kvm_fake_start();
	EXPECT_FALSE(restore());
	EXPECT_TRUE(tlv_get(&saved.state, 7, 0, text, sizeof(text)));
	EXPECT_MEMEQ(text, "state", sizeof(text));
	EXPECT_EQ(ram.memory.config->requests[1].kind, second);
	EXPECT_EQ(populated(0, 64, 16), 1 << 6);
	if (second == BACKING_PRIVATE)
		EXPECT_EQ(populated(1, 32, 8), (1 << 7 | 1 << 3));
	EXPECT_EQ(*ram_at(3), 1);
	EXPECT_EQ(*ram_at(70), 2);
	EXPECT_EQ(*ram_at(39), 3);
	EXPECT_FALSE(*ram_at(35));
	EXPECT_FALSE(*ram_at(36));
	EXPECT_FALSE(*ram_at(64));
	restored_end();
	stop();
}

TEST_OF(save, round_trip)
{
	round_trip(BACKING_SHARED, BACKING_PRIVATE);
	round_trip(BACKING_GMEM, BACKING_SHARED);
	round_trip(BACKING_SHARED, BACKING_HUGETLB);
}

/* What an old file has where the guest had no page must not show. */
TEST_OF(save, old_file)
{
	char path[] = "/tmp/gmemctl-test.XXXXXX", old[PAGE];
	int fd = mkstemp(path);

	EXPECT_GE(fd, 0);
	start(BACKING_FILE, BACKING_SHARED);
	ram.requests[0].path = path;
	build();
	EXPECT_FALSE(save());
	guest_memory_destroy(&ram.memory);
	memset(old, 0xff, sizeof(old));
	for (int i = 0; i < 24; i++)
		EXPECT_EQ(pwrite(fd, old, sizeof(old), i * (off_t)PAGE), (ssize_t)PAGE);
	memory_file = path;
	EXPECT_FALSE(restore());
	memory_file = NULL;
	EXPECT_EQ(*ram_at(3), 1);
	EXPECT_EQ(*ram_at(70), 2);
	EXPECT_EQ(*ram_at(39), 3);
	EXPECT_FALSE(ram_at(70)[1]);
	EXPECT_FALSE(*ram_at(64));
	EXPECT_FALSE(*ram_at(79));
	EXPECT_FALSE(*ram_at(7));
	EXPECT_EQ(lseek(fd, 0, SEEK_END), 24 * (off_t)PAGE);
	restored_end();
	stop();
	close(fd);
	EXPECT_FALSE(unlink(path));
}

/* In place to shared and back on one side, to private on the other. */
TEST_OF(save, store)
{
	start(BACKING_GMEM_STORE, BACKING_GMEM_STORE);
	build();
	EXPECT_FALSE(ram_convert(70, 74, true));
	kvm_fake.log[0] = '\0';
	EXPECT_FALSE(save());
	EXPECT_TRUE(kvm_fake_said("a46-4a v6-a V6-a A46-4a"));
	EXPECT_TRUE(guest_memfd_is_private(&ram.memory.memfd, 70 * PAGE));
	guest_memory_destroy(&ram.memory);
	kvm_fake_start();
	EXPECT_FALSE(restore());
	EXPECT_TRUE(kvm_fake_said("V6-a A46-4a"));
	EXPECT_TRUE(guest_memfd_is_private(&ram.memory.memfd, 70 * PAGE));
	EXPECT_FALSE(guest_memfd_is_private(&ram.memory.memfd, 74 * PAGE));
	EXPECT_EQ(*ram_at(70), 2);
	EXPECT_EQ(*ram_at(3), 1);
	restored_end();
	stop();
}

/* What cannot be read is not written; what was shared is private again. */
TEST_OF(save, refused)
{
	start(BACKING_GMEM_STORE, BACKING_GMEM_STORE);
	build();
	EXPECT_FALSE(ram_convert(70, 74, true));
	EXPECT_FALSE(ram_convert(1, 2, true));
	kvm_fake.log[0] = '\0';
	kvm_fake.fail = 'v';
	kvm_fake.pass = 1;
	kvm_fake.rc = -EPERM;
	EXPECT_EQ(save(), -EPERM);
	EXPECT_STRSTR(ram.error.hint, "consent");
	EXPECT_TRUE(kvm_fake_said("a1-2 v11-12 a46-4a v6-a A46-4a V11-12 A1-2"));
	EXPECT_FALSE(lseek(file, 0, SEEK_END));
	guest_memory_destroy(&ram.memory);
	stop();
	start(BACKING_SHARED, BACKING_SHARED);
	ram.config.guest_memfd = true;
	build();
	EXPECT_FALSE(ram_convert(1, 2, true));
	EXPECT_EQ(save(), -EOPNOTSUPP);
	guest_memory_destroy(&ram.memory);
	stop();
}

/* A disk that is full, and a private page that cannot become private again. */
TEST_OF(save, fails)
{
	int full;

	start(BACKING_GMEM_STORE, BACKING_SHARED);
	build();
	full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	EXPECT_EQ(save_write(full, -1, &ram.memory, &state, &ram.error), -ENOSPC);
	EXPECT_STRSTR(ram.error.hint, "room");
	close(full);
	EXPECT_FALSE(ram_convert(1, 2, true));
	kvm_fake.fail = 'V';
	kvm_fake.pass = 0;
	kvm_fake.rc = -EAGAIN;
	EXPECT_EQ(save(), -EAGAIN);
	EXPECT_FALSE(guest_memfd_is_private(&ram.memory.memfd, PAGE));
	guest_memory_destroy(&ram.memory);
	stop();
}

static void no_handler(int number)
{
}

/*
 * A child that passes on what is read from @from. Before it takes any of it, and before it
 * goes on, signals interrupt this process, which waits for it.
 */
static pid_t pass_on(int from, int to, int not_its)
{
	char bytes[4096];
	pid_t pid = fork();
	ssize_t got = 1;

	if (pid)
		return pid;
	close(not_its);
	while (got > 0) {
		for (int i = 0; i < 4; i++) {
			usleep(10000);
			kill(getppid(), SIGUSR1);
		}
		got = read(from, bytes, sizeof(bytes));
		if (got > 0 && write(to, bytes, (size_t)got) != got)
			_exit(1);
	}
	_exit(got ? 1 : 0);
}

static int passed_on(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* A signal while a pipe is full, or empty, does no harm. */
TEST_OF(save, interrupted)
{
	static const struct sigaction action = { .sa_handler = no_handler };
	int ends[2], whole;
	pid_t child;

	start(BACKING_SHARED, BACKING_SHARED);
	build();
	ASSERT_FALSE(sigaction(SIGUSR1, &action, NULL));
	ASSERT_FALSE(pipe2(ends, O_CLOEXEC));
	ASSERT_GE(fcntl(ends[1], F_SETPIPE_SZ, 4096), 0);
	child = pass_on(ends[0], file, ends[1]);
	close(ends[0]);
	EXPECT_FALSE(save_write(ends[1], -1, &ram.memory, &state, &ram.error));
	close(ends[1]);
	EXPECT_FALSE(passed_on(child));
	guest_memory_destroy(&ram.memory);
	kvm_fake_start();

	whole = file;
	EXPECT_FALSE(lseek(whole, 0, SEEK_SET));
	ASSERT_FALSE(pipe2(ends, O_CLOEXEC));
	child = pass_on(whole, ends[1], ends[0]);
	close(ends[1]);
	file = ends[0];
	EXPECT_FALSE(restore());
	EXPECT_EQ(*ram_at(70), 2);
	EXPECT_FALSE(passed_on(child));
	close(whole);
	restored_end();
	stop();
}

static void make_file(void)
{
	start(BACKING_SHARED, BACKING_PRIVATE);
	build();
	EXPECT_FALSE(save());
	guest_memory_destroy(&ram.memory);
}

/* Cut anywhere, it is refused. */
TEST_OF(save, truncated)
{
	off_t all, size;

	make_file();
	all = lseek(file, 0, SEEK_END);
	EXPECT_EQ(all, FILE_SIZE);
	for (size = all - 1; size >= 0; size -= size > 400 ? 97 : 1) {
		EXPECT_FALSE(ftruncate(file, size));
		EXPECT_EQ(restore(), -EBADMSG);
	}
	stop();
}

/**
 * struct record - where one is in the file
 * @start: its first byte
 * @size: without its checksum
 */
struct record {
	off_t start;
	off_t size;
};

static struct record record_of(uint64_t number)
{
	switch (number) {
	case 0:
		return (struct record){ 0, HEADER_SIZE };
	case 1:
		return (struct record){ DESCRIPTION, DESCRIPTION_SIZE };
	case 2:
		return (struct record){ STATE, STATE_SIZE };
	case 3 + RUNS:
		return (struct record){ END, END_SIZE };
	default:
		return (struct record){ FIRST_RUN + ((off_t)number - 3) *
					(RUN_SIZE + SUM), RUN_SIZE };
	}
}

/* What somebody would do who changes a file on purpose. */
static void seal(uint64_t number)
{
	struct record record = record_of(number);
	uint8_t bytes[8 + RUN_SIZE], sum[SUM];

	memcpy(bytes, &number, sizeof(number));
	EXPECT_EQ(pread(file, bytes + 8, (size_t)record.size, record.start), record.size);
	EXPECT_TRUE(EVP_Digest(bytes, 8 + (size_t)record.size, sum, NULL, EVP_sha256(), NULL));
	EXPECT_EQ(pwrite(file, sum, SUM, record.start + record.size), SUM);
}

/* Each field by itself: where it is, and a value that it must not have. */
TEST_OF(save, fields)
{
	static const struct {
		uint64_t record;
		off_t at;
		uint64_t value;
	} cases[] = {
		{ 0, 0, 0 },				/* magic */
		{ 0, 8, 0 }, { 0, 8, 3 },		/* version */
		{ 0, 8, 2 | UINT64_C(1) << 32 },	/* reserved */
		{ 0, 16, 0 }, { 0, 16, DESCRIPTION_SIZE - 1 },
		{ 0, 16, UINT64_MAX },
		{ 0, 16, DESCRIPTION_SIZE_MAX + UINT64_C(1) },
		{ 0, 24, STATE_SIZE - 1 }, { 0, 24, UINT64_MAX },
		{ 0, 24, TLV_SIZE_MAX + UINT64_C(1) },
		{ 1, 0, 0 },			/* the description's magic */
		{ 3, 0, 1 }, { 3, 0, 8 * PAGE },
		{ 3, 0, UINT64_MAX & ~(PAGE - 1) },
		{ 3, 8, 0 }, { 3, 8, PAGE - 1 },
		{ 3, 8, 17 * PAGE }, { 3, 8, UINT64_MAX },
	};
	uint64_t before;

	make_file();
	ksft_for_each(c, cases) {
		off_t at = record_of(c->record).start + c->at;

		EXPECT_EQ(pread(file, &before, 8, at), 8);
		EXPECT_EQ(pwrite(file, &c->value, 8, at), 8);
		seal(c->record);
		EXPECT_EQ(restore(), -EBADMSG);
		EXPECT_EQ(pwrite(file, &before, 8, at), 8);
		seal(c->record);
	}
	lseek(file, 0, SEEK_END);
	EXPECT_EQ(write(file, "x", 1), 1);
	EXPECT_EQ(restore(), -EBADMSG);
	EXPECT_FALSE(ftruncate(file, lseek(file, 0, SEEK_END) - 1));
	EXPECT_FALSE(restore());
	restored_end();
	stop();
}

/* Whether it is refused, and the message has the file and the record. */
static bool refused(uint64_t record)
{
	char text[32];
	int rc = restore();

	if (!rc)
		restored_end();
	snprintf(text, sizeof(text), "(record %u,", (unsigned int)record);
	return rc == -EBADMSG && !strcmp(ram.error.object, "the-file") &&
	       (strstr(ram.error.hint, text) ||
		(!record && strstr(ram.error.hint, "is not one of")) ||
		(!record && strstr(ram.error.hint, "it has format")));
}

/* One bit anywhere: in registers, in memory, in what says where they are. */
TEST_OF(save, flipped_C9)
{
	make_file();
	for (uint64_t number = 0; number <= 3 + RUNS; number++) {
		struct record record = record_of(number);
		off_t end = record.start + record.size + SUM;

		for (off_t at = record.start; at < end;
		     at += record.size > 400 && at > record.start + 16 ? 61 : 1) {
			uint8_t byte;
			bool ok;

			EXPECT_EQ(pread(file, &byte, 1, at), 1);
			byte ^= (uint8_t)(1 << at % 8);
			EXPECT_EQ(pwrite(file, &byte, 1, at), 1);
			ok = refused(number);
			if (!ok)
				printf("# byte %lld of record %llu: %s\n",
				       (long long)at, (unsigned long long)number,
				       ram.error.hint);
			EXPECT_TRUE(ok);
			byte ^= (uint8_t)(1 << at % 8);
			EXPECT_EQ(pwrite(file, &byte, 1, at), 1);
		}
	}
	EXPECT_FALSE(restore());
	EXPECT_TRUE(save_is_checked(&saved));
	restored_end();
	stop();
}

static void copy(off_t to, off_t from, size_t size)
{
	uint8_t bytes[3 * (RUN_SIZE + SUM)];

	EXPECT_LE(size, sizeof(bytes));
	EXPECT_EQ(pread(file, bytes, size, from), (ssize_t)size);
	EXPECT_EQ(pwrite(file, bytes, size, to), (ssize_t)size);
}

/* A record that is whole, but not where it was; one that is left out. */
TEST_OF(save, moved_C9)
{
	const off_t run = RUN_SIZE + SUM;

	make_file();
	copy(FIRST_RUN + run, FIRST_RUN, (size_t)run);
	EXPECT_TRUE(refused(4));
	stop();
	make_file();
	copy(FIRST_RUN, FIRST_RUN + run, 3 * (size_t)run);
	copy(END - run, END, END_SIZE + SUM);
	EXPECT_FALSE(ftruncate(file, FILE_SIZE - run));
	EXPECT_TRUE(refused(3));
	stop();
}

/* A file of the version before: it had no checksums, and was the same otherwise. */
TEST_OF(save, version_1)
{
	uint32_t version = 1;
	off_t to = 0;

	make_file();
	for (uint64_t number = 0; number <= 3 + RUNS; number++) {
		struct record record = record_of(number);

		copy(to, record.start, (size_t)record.size);
		to += record.size;
	}
	EXPECT_FALSE(ftruncate(file, to));
	EXPECT_EQ(pwrite(file, &version, sizeof(version), 8), sizeof(version));
	EXPECT_FALSE(restore());
	EXPECT_FALSE(save_is_checked(&saved));
	EXPECT_EQ(*ram_at(3), 1);
	EXPECT_EQ(*ram_at(70), 2);
	EXPECT_EQ(*ram_at(39), 3);
	EXPECT_FALSE(*ram_at(35));
	restored_end();
	EXPECT_FALSE(ftruncate(file, to - 1));
	EXPECT_EQ(restore(), -EBADMSG);
	stop();
}

/* Nobody waits for the file any more: the guest stands still for no one. */
TEST_OF(save, asker_gone_C5)
{
	int sockets[2];

	start(BACKING_SHARED, BACKING_PRIVATE);
	build();
	EXPECT_FALSE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets));
	EXPECT_FALSE(save_write(file, sockets[0], &ram.memory, &state, &ram.error));
	close(sockets[1]);
	EXPECT_EQ(save_write(file, sockets[0], &ram.memory, &state, &ram.error), -ECANCELED);
	close(sockets[0]);
	guest_memory_destroy(&ram.memory);
	stop();
}

/*
 * No page is left out of a file because its data begins in the middle of one, as
 * where blocks are smaller than pages, or because holes cannot be asked for: what
 * is not in the page cache is still there. A file that does not seek is one in memory.
 */
TEST_OF(save, file_pages)
{
	uint8_t pages[4], *host = mmap(NULL, sizeof(pages) * PAGE, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = memfd_create("blocks", MFD_CLOEXEC), fds[2];

	EXPECT_NE(host, MAP_FAILED);
	host[PAGE] = 1;
	EXPECT_FALSE(ftruncate(fd, 8 * PAGE));
	EXPECT_EQ(pwrite(fd, "x", 1, PAGE), 1);
	EXPECT_FALSE(populated_pages(fd, 1024, host, sizeof(pages), pages));
	EXPECT_MEMEQ(pages, "\1\1\0\0", sizeof(pages));
	close(fd);
	fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	EXPECT_FALSE(populated_pages(fd, 1024, host, sizeof(pages), pages));
	EXPECT_MEMEQ(pages, "\1\1\1\1", sizeof(pages));
	close(fd);
	EXPECT_FALSE(pipe2(fds, O_CLOEXEC));
	EXPECT_FALSE(populated_pages(fds[0], 1024, host, sizeof(pages), pages));
	EXPECT_MEMEQ(pages, "\0\1\0\0", sizeof(pages));
	close(fds[0]);
	close(fds[1]);
	munmap(host, sizeof(pages) * PAGE);
}

static bool punches;

/* A guest that gives a page back, and uses it again. */
static void *punch_main(void *data)
{
	const int *fd = data;

	while (__atomic_load_n(&punches, __ATOMIC_RELAXED)) {
		EXPECT_EQ(pwrite(*fd, "x", 1, PAGE), 1);
		EXPECT_FALSE(calls_system.punch(*fd, PAGE, PAGE));
	}
	return NULL;
}

/* A dump of a running guest does not end because a page has just gone. */
TEST_OF(save, page_goes)
{
	int fd = memfd_create("goes", MFD_CLOEXEC), rc = 0;
	uint8_t pages[3], last = 0;
	pthread_t thread;

	EXPECT_FALSE(ftruncate(fd, sizeof(pages) * PAGE));
	EXPECT_EQ(pwrite(fd, "x", 1, 2 * PAGE), 1);
	punches = true;
	EXPECT_FALSE(pthread_create(&thread, NULL, punch_main, &fd));
	for (int i = 0; !rc && i < 100000; i++) {
		rc = populated_pages(fd, 0, NULL, sizeof(pages), pages);
		last = !rc && !pages[0] && pages[2];
	}
	__atomic_store_n(&punches, false, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	EXPECT_FALSE(rc);
	EXPECT_TRUE(last);
	close(fd);
}
