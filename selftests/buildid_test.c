// SPDX-License-Identifier: GPL-2.0
/*
 * Build ids: to find them, the kernel parses ELF headers in the page cache of a mapped
 * file, without a page table. A header in a shared page determines which bytes are read.
 * The host can write such a header, so the kernel must not read private pages.
 *
 * The first page of the fixture is an ELF header, whose note ends in the second page: the
 * 20 bytes of the build id are the first ones of that page.
 */
#include <elf.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/fs.h>
#include <linux/perf_event.h>

#include "gmem_utils.h"
#include "hold.h"
#include "ksft.h"

#define NR_PAGES 17
#define LENGTH (NR_PAGES * PAGE)
#define ID_SIZE 20
#define NOTE_SIZE (sizeof(Elf64_Nhdr) + 4 + ID_SIZE)
#define RING_PAGES 8
#define RING_SIZE (RING_PAGES * PAGE)

#define STACK_DEPTH 16
#define STACK_ENTRIES 256

static const uint8_t secret[ID_SIZE] = "secret of the guest";

/* Make the kernel read a build id. Return: number of bytes of the id, or a negative errno. */
typedef int (*id_reader)(int fd, uint8_t id[ID_SIZE]);

FIXTURE(buildid) {
	int fd;
	uint8_t *p;
};

/* Write an ELF header to @p. Its only segment is a note at byte @note, with the secret. */
static void put_elf(uint8_t *p, size_t note)
{
	Elf64_Ehdr header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
			     ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_DYN,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(header),
		.e_ehsize = sizeof(header),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 1,
	};
	Elf64_Phdr segment = {
		.p_type = PT_NOTE,
		.p_offset = note,
		.p_filesz = NOTE_SIZE,
		.p_memsz = NOTE_SIZE,
	};
	Elf64_Nhdr head = {
		.n_namesz = 4,
		.n_descsz = ID_SIZE,
		.n_type = NT_GNU_BUILD_ID,
	};

	memcpy(p, &header, sizeof(header));
	memcpy(p + sizeof(header), &segment, sizeof(segment));
	memcpy(p + note, &head, sizeof(head));
	memcpy(p + note + sizeof(head), "GNU", 4);
	memcpy(p + note + sizeof(head) + 4, secret, ID_SIZE);
}

FIXTURE_SETUP(buildid)
{
	unsigned int i;

	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	for (i = 2; i < NR_PAGES; i++)
		gmem_fill(self->p + i * PAGE, 0x40 + i, PAGE);
	put_elf(self->p, PAGE + ID_SIZE - NOTE_SIZE);
}

FIXTURE_TEARDOWN(buildid)
{
	munmap(self->p, LENGTH);
	close(self->fd);
}

/* Find the build id of the mapping in perf's ring, if there is one. */
static int perf_find_id(struct perf_event_mmap_page *ring, uint8_t id[ID_SIZE])
{
	const uint8_t *data = (uint8_t *)ring + PAGE;
	uint64_t head = __atomic_load_n(&ring->data_head, __ATOMIC_ACQUIRE);
	const struct perf_event_header *record;
	uint64_t at;

	for (at = 0; at < head && head <= RING_SIZE; at += record->size) {
		record = (const void *)(data + at);
		if (record->type != PERF_RECORD_MMAP2)
			continue;
		if (!(record->misc & PERF_RECORD_MISC_MMAP_BUILD_ID))
			return 0;
		/* header; pid, tid; addr, len, pgoff; size and three more bytes */
		memcpy(id, data + at + sizeof(*record) + 8 + 24 + 4, ID_SIZE);
		return data[at + sizeof(*record) + 8 + 24];
	}
	return -ENODATA;
}

/* perf reports each mapping to its user, with the build id. */
static int perf_read_id(int fd, uint8_t id[ID_SIZE])
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
		.disabled = 1,
		.mmap = 1,
		.mmap2 = 1,
		.mmap_data = 1,
		.build_id = 1,
		.exclude_kernel = 1,
	};
	int event = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
	void *ring, *p;
	int rc;

	if (event < 0)
		return -errno;
	ring = mmap(NULL, PAGE + RING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
		    event, 0);
	rc = ring == MAP_FAILED ? -errno : 0;
	if (!rc) {
		ioctl(event, PERF_EVENT_IOC_ENABLE, 0);
		p = mmap(NULL, LENGTH, PROT_READ, MAP_SHARED, fd, 0);
		ioctl(event, PERF_EVENT_IOC_DISABLE, 0);
		rc = p == MAP_FAILED ? -errno : perf_find_id(ring, id);
		munmap(p, LENGTH);
		munmap(ring, PAGE + RING_SIZE);
	}
	close(event);
	return rc;
}

static int bpf(int cmd, union bpf_attr *attr)
{
	int rc = (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return rc < 0 ? -errno : rc;
}

/* A map whose entries are stacks of build ids and offsets. */
static int bpf_stack_map(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_STACK_TRACE,
		.key_size = sizeof(uint32_t),
		.value_size = STACK_DEPTH * sizeof(struct bpf_stack_build_id),
		.max_entries = STACK_ENTRIES,
		.map_flags = BPF_F_STACK_BUILD_ID,
	};

	return bpf(BPF_MAP_CREATE, &attr);
}

/* A program that adds the user stack of this process to the map. */
static int bpf_stack_program(int map)
{
	struct bpf_insn program[] = {
		/* r6 = context; if (pid of bpf_get_current_pid_tgid() is other) end */
		{ BPF_ALU64 | BPF_MOV | BPF_X, 6, 1, 0, 0 },
		{ BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_current_pid_tgid },
		{ BPF_ALU64 | BPF_RSH | BPF_K, 0, 0, 0, 32 },
		{ BPF_JMP | BPF_JNE | BPF_K, 0, 0, 5, getpid() },
		/* bpf_get_stackid(context, map, of the user, the last one counts) */
		{ BPF_ALU64 | BPF_MOV | BPF_X, 1, 6, 0, 0 },
		{ BPF_LD | BPF_IMM | BPF_DW, 2, BPF_PSEUDO_MAP_FD, 0, map },
		{ 0, 0, 0, 0, 0 },
		{ BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0,
		  BPF_F_USER_STACK | BPF_F_REUSE_STACKID },
		{ BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_stackid },
		{ BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0 },
		{ BPF_JMP | BPF_EXIT, 0, 0, 0, 0 },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT,
		.insns = (uintptr_t)program,
		.insn_cnt = sizeof(program) / sizeof(program[0]),
		.license = (uintptr_t)"GPL",
	};

	return bpf(BPF_PROG_LOAD, &attr);
}

static int bpf_attach(int program, const char *tracepoint)
{
	union bpf_attr attr = {
		.raw_tracepoint = {
			.name = (uintptr_t)tracepoint,
			.prog_fd = program,
		},
	};

	return bpf(BPF_RAW_TRACEPOINT_OPEN, &attr);
}

/* Make a system call with @where as the return address on the stack. */
static __attribute__((noinline)) void call_from(void *where)
{
	void *volatile *frame = __builtin_frame_address(0);
	void *caller = frame[1];

	frame[1] = where;
	syscall(SYS_getppid);
	frame[1] = caller;
}

/* Find the build id of the frame with this file offset in any stack of the map. */
static int bpf_find_id(int map, uint64_t offset, uint8_t id[ID_SIZE])
{
	struct bpf_stack_build_id stack[STACK_DEPTH];
	uint32_t key = 0;
	union bpf_attr attr = {
		.map_fd = map,
		.next_key = (uintptr_t)&key,
	};
	unsigned int i;

	while (!bpf(BPF_MAP_GET_NEXT_KEY, &attr)) {
		attr.key = (uintptr_t)&key;
		attr.value = (uintptr_t)stack;
		memset(stack, 0, sizeof(stack));
		if (bpf(BPF_MAP_LOOKUP_ELEM, &attr))
			return -ENODATA;
		attr.next_key = (uintptr_t)&key;
		for (i = 0; i < STACK_DEPTH; i++) {
			if (stack[i].status != BPF_STACK_BUILD_ID_VALID ||
			    stack[i].offset != offset)
				continue;
			memcpy(id, stack[i].build_id, ID_SIZE);
			return ID_SIZE;
		}
	}
	return 0;
}

/* A tracing program reads the frames of a stack as build ids of their files. */
static int bpf_read_id(int fd, uint8_t id[ID_SIZE])
{
	uint64_t offset = 0x123;	/* no frame of this program has it */
	uint8_t *p = mmap(NULL, LENGTH, PROT_READ, MAP_SHARED, fd, 0);
	int map = bpf_stack_map();
	int program = map < 0 ? map : bpf_stack_program(map);
	int link = program < 0 ? program : bpf_attach(program, "sys_enter");
	int rc = link;

	if (link >= 0) {
		call_from(p + offset);
		rc = bpf_find_id(map, offset, id);
	}
	close(link);
	close(program);
	close(map);
	munmap(p, LENGTH);
	return rc;
}

#ifndef PROCMAP_QUERY
#define PROCMAP_QUERY _IOWR('f', 17, struct procmap_query)
struct procmap_query {
	__u64 size;
	__u64 query_flags;
	__u64 query_addr;
	__u64 vma_start;
	__u64 vma_end;
	__u64 vma_flags;
	__u64 vma_page_size;
	__u64 vma_offset;
	__u64 inode;
	__u32 dev_major;
	__u32 dev_minor;
	__u32 vma_name_size;
	__u32 build_id_size;
	__u64 vma_name_addr;
	__u64 build_id_addr;
};
#endif

/* An ioctl of /proc/PID/maps, which everybody may use for his own process. */
static int procmap_read_id(int fd, uint8_t id[ID_SIZE])
{
	uint8_t *p = mmap(NULL, LENGTH, PROT_READ, MAP_SHARED, fd, 0);
	int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	struct procmap_query query = {
		.size = sizeof(query),
		.query_addr = (uintptr_t)p,
		.build_id_size = ID_SIZE,
		.build_id_addr = (uintptr_t)id,
	};
	int rc = ioctl(maps, PROCMAP_QUERY, &query) ? -errno : 0;

	if (!rc)
		rc = query.vma_start <= (uintptr_t)p &&
		     query.vma_end > (uintptr_t)p ? (int)query.build_id_size :
						    -EPROTO;
	close(maps);
	munmap(p, LENGTH);
	return rc;
}

/* Whether @read finds the secret. */
static bool finds_secret(id_reader read, int fd)
{
	uint8_t id[ID_SIZE] = { 0 };
	int rc = read(fd, id);

	EXPECT_GE(rc, 0);
	return rc > 0 && !memcmp(id, secret, ID_SIZE);
}

/* Populate a shared page by an access of the host. */
static void touch(struct buildid_data *self, unsigned int page)
{
	EXPECT_EQ(0, gmem_try_read(self->p + page * PAGE, NULL));
}

/* The page with the build id is private, then the page with the header, then both. */
static void expect_closed(struct buildid_data *self, id_reader read)
{
	test_gmem_convert(self->fd, PAGE, PAGE, PRIVATE, PRESERVE);
	EXPECT_FALSE(finds_secret(read, self->fd));
	test_gmem_convert(self->fd, 0, PAGE, PRIVATE, PRESERVE);
	EXPECT_FALSE(finds_secret(read, self->fd));
	test_gmem_convert(self->fd, PAGE, PAGE, SHARED, PRESERVE);
	touch(self, 1);
	EXPECT_FALSE(finds_secret(read, self->fd));
	test_gmem_convert(self->fd, 0, PAGE, SHARED, PRESERVE);
	touch(self, 0);
	EXPECT_EQ(0, memcmp(self->p + PAGE, secret, ID_SIZE));
}

/* The kernel finds the build id in shared pages, before and after they were private. */
TEST_F(buildid, D1_perf_event_mmap2)
{
	uint8_t id[ID_SIZE];
	int rc = perf_read_id(self->fd, id);

	if (rc < 0 && rc != -ENODATA)
		SKIP(return, KSFT_BY_DESIGN " perf_event_open: %s", strerror(-rc));
	EXPECT_TRUE(finds_secret(perf_read_id, self->fd));
	expect_closed(self, perf_read_id);
	EXPECT_TRUE(finds_secret(perf_read_id, self->fd));
}

TEST_F(buildid, D1_bpf_stack_map)
{
	uint8_t id[ID_SIZE];
	int rc = bpf_read_id(self->fd, id);

	if (rc < 0)
		SKIP(return, KSFT_BY_DESIGN " bpf: %s", strerror(-rc));
	EXPECT_TRUE(finds_secret(bpf_read_id, self->fd));
	expect_closed(self, bpf_read_id);
	EXPECT_TRUE(finds_secret(bpf_read_id, self->fd));
}

/* This ioctl may sleep, so the kernel reads by read_iter(), which gmem does not have. */
TEST_F(buildid, D1_procmap_query)
{
	uint8_t id[ID_SIZE];
	int rc = procmap_read_id(self->fd, id);

	if (rc == -ENOTTY)
		SKIP(return, KSFT_BY_DESIGN " no PROCMAP_QUERY");
	EXPECT_EQ(0, rc);
	expect_closed(self, procmap_read_id);
	/* Also if nothing is populated */
	test_gmem_punch(self->fd, 0, LENGTH);
	EXPECT_FALSE(finds_secret(procmap_read_id, self->fd));
}

/* Header, note and build id in the same page. */
TEST_F(buildid, D1_header_and_note)
{
	uint8_t id[ID_SIZE];
	int rc = perf_read_id(self->fd, id);

	if (rc < 0 && rc != -ENODATA)
		SKIP(return, KSFT_BY_DESIGN " perf_event_open: %s", strerror(-rc));
	put_elf(self->p, PAGE / 2);
	EXPECT_TRUE(finds_secret(perf_read_id, self->fd));
	test_gmem_convert(self->fd, 0, PAGE, PRIVATE, PRESERVE);
	EXPECT_FALSE(finds_secret(perf_read_id, self->fd));
	test_gmem_convert(self->fd, 0, PAGE, SHARED, PRESERVE);
	touch(self, 0);
	EXPECT_TRUE(finds_secret(perf_read_id, self->fd));
}

/* After a refused conversion all pages are shared, with their contents. */
TEST_F(buildid, D1_refused_conversion)
{
	struct hold_pipe hold;
	unsigned int i;

	ASSERT_EQ(0, hold_pipe_take(&hold, self->p + (NR_PAGES - 1) * PAGE, 1));
	test_err_gmem_convert(EAGAIN, self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	EXPECT_EQ(0, memcmp(self->p, ELFMAG, SELFMAG));
	EXPECT_EQ(0, memcmp(self->p + PAGE, secret, ID_SIZE));
	for (i = 2; i < NR_PAGES; i++)
		expect_bytes(0x40 + i, self->p + i * PAGE, PAGE);
	hold_pipe_drop(&hold);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	expect_sigbus(self->p);
}

/*
 * A fault also maps shared neighbours, but never private ones. Pages that were private
 * keep their contents.
 */
TEST_F(buildid, D1_fault_around)
{
	unsigned int i;

	test_gmem_convert(self->fd, 2 * PAGE, LENGTH - 2 * PAGE, PRIVATE, PRESERVE);
	for (i = 3; i < NR_PAGES; i += 3)
		test_gmem_convert(self->fd, i * PAGE, 2 * PAGE, SHARED, PRESERVE);
	touch(self, 0);
	touch(self, 3);
	for (i = 2; i < NR_PAGES; i++) {
		if (i % 3 == 2) {
			EXPECT_EQ(0, gmem_pfn(self->p + i * PAGE));
			expect_sigbus(self->p + i * PAGE);
			continue;
		}
		expect_bytes(0x40 + i, self->p + i * PAGE, PAGE);
		EXPECT_NE(0, gmem_pfn(self->p + i * PAGE));
	}
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
