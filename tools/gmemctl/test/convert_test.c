// SPDX-License-Identifier: GPL-2.0
/*
 * The order of the steps of a conversion, and what is left after any of them
 * has failed: gmem and KVM's attribute agree again, page by page.
 */
#include <sched.h>

#include "../base/calls.h"
#include "../gmem/gmem.h"
#include "../kvm/abi.h"
#include "../kvm/slot.h"
#include "../memory/convert.h"
#include "../memory/guest_memory.h"
#include "ksft.h"

#define PAGES 16
#define SHARED_FD 10
#define STORE_FD 11
#define VM_FD 12

/**
 * struct kernel - what the made-up kernel knows
 * @gmem: by page: private for gmem
 * @attribute: by page: private for KVM
 * @log: one character per call: C and c convert to private and to shared, A
 *	and a set and clear the attribute, P and p punch the shared side and the
 *	store
 * @calls: length of @log
 * @fail: call that fails, 0: none, and @fail_rc with what
 */
static struct kernel {
	uint8_t gmem[PAGES];
	uint8_t attribute[PAGES];
	char log[64];
	unsigned int calls;
	char fail;
	int fail_rc;
} kernel;

/* Held by a test to keep a conversion in the kernel. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static bool use_gate;

static int kernel_log(char call)
{
	unsigned int at = __atomic_fetch_add(&kernel.calls, 1, __ATOMIC_SEQ_CST);

	kernel.log[at % (sizeof(kernel.log) - 1)] = call;
	if (call != kernel.fail)
		return 0;
	/* Once: what undoes it may use the same call. */
	kernel.fail = 0;
	return kernel.fail_rc;
}

static void kernel_set(uint8_t *pages, uint64_t offset, uint64_t size, uint8_t to)
{
	memset(pages + (offset >> GUEST_PAGE_SHIFT), to, size >> GUEST_PAGE_SHIFT);
}

static int kernel_convert(struct gmem_ioctl_convert *convert)
{
	int rc = kernel_log(convert->target == GMEM_STATE_PRIVATE ? 'C' : 'c');

	if (use_gate && !convert->offset) {
		pthread_mutex_lock(&gate);
		pthread_mutex_unlock(&gate);
	}
	if (rc) {
		convert->error_offset = convert->offset;
		convert->refs_seen = 3;
		convert->refs_expected = 2;
		return rc;
	}
	kernel_set(kernel.gmem, convert->offset, convert->length, (uint8_t)convert->target);
	return 0;
}

static int kernel_attributes(const struct kvm_memory_attributes *set)
{
	bool private = set->attributes & KVM_MEMORY_ATTRIBUTE_PRIVATE;
	int rc = kernel_log(private ? 'A' : 'a');

	if (!rc)
		kernel_set(kernel.attribute, set->address, set->size, private);
	return rc;
}

static int fake_ioctl(int fd, unsigned long request, void *arg)
{
	if (fd == SHARED_FD && request == GMEM_IOCTL_CONVERT)
		return kernel_convert(arg);
	if (fd == VM_FD && request == KVM_SET_MEMORY_ATTRIBUTES)
		return kernel_attributes(arg);
	return -ENOTTY;
}

static int fake_punch(int fd, uint64_t offset, uint64_t length)
{
	return kernel_log(fd == SHARED_FD ? 'P' : 'p');
}

static const struct calls fake_calls = {
	.ioctl = fake_ioctl,
	.punch = fake_punch,
};

static struct vm fake_vm = { .fd = VM_FD };
static uint64_t known_words[(PAGES + 63) / 64];
static struct memory_request request;
static struct memory_config config = { .requests = &request, .nr_requests = 1 };
static struct layout_range ram = { { 0, PAGES * GUEST_PAGE_SIZE }, 0, &request, 0 };
static struct backing backing = { .request = &request, .fd = SHARED_FD, .view.fd = -1 };
static struct guest_memory memory = {
	.config = &config,
	.vm = &fake_vm,
	.memfd = { STORE_FD, false, { &ram, 1, PAGES * GUEST_PAGE_SIZE }, { known_words } },
	.backings = &backing,
	.nr_backings = 1,
	.range_lock = RANGE_LOCK_INITIALIZER,
};

static char why[256];

static void start(enum memory_strategy strategy)
{
	calls = &fake_calls;
	memset(&kernel, 0, sizeof(kernel));
	memset(known_words, 0, sizeof(known_words));
	request.kind = strategy == MEMORY_INPLACE ? BACKING_GMEM_STORE : BACKING_SHARED;
}

static int convert(uint64_t page, uint64_t count, bool to_private)
{
	struct range range = { page * GUEST_PAGE_SIZE, (page + count) * GUEST_PAGE_SIZE };

	return guest_memory_convert(&memory, range, to_private, why, sizeof(why));
}

static bool known_is(const uint8_t *private)
{
	for (uint64_t i = 0; i < PAGES; i++)
		if (page_map_get(&memory.memfd.private, i) != private[i])
			return false;
	return true;
}

/* Some page is private before, and has to be so after a failure, and no other. */
TEST_OF(convert, steps)
{
	static const struct {
		enum memory_strategy strategy;
		uint64_t before, before_count;	/* private at first */
		uint64_t page, count;
		bool to_private;
		char fail;
		int rc;
		const char *log, *why;
	} cases[] = {
		{ MEMORY_INPLACE, 0, 0, 2, 4, true, 0, 0, "CA", "" },
		{ MEMORY_INPLACE, 2, 4, 2, 4, false, 0, 0, "ac", "" },
		{ MEMORY_INPLACE, 0, 0, 3, 2, true, 'C', -EAGAIN, "C",
		  "the page at offset 0x3000 is still held: 3 references" },
		{ MEMORY_INPLACE, 4, 1, 2, 6, true, 'A', -ENOMEM, "CAcc",
		  "KVM_SET_MEMORY_ATTRIBUTES" },
		{ MEMORY_INPLACE, 4, 1, 4, 1, false, 'a', -ENOMEM, "a",
		  "KVM_SET_MEMORY_ATTRIBUTES" },
		{ MEMORY_INPLACE, 4, 3, 2, 8, false, 'c', -ENOMEM, "acA", "" },
		{ MEMORY_DISCARD, 0, 0, 0, PAGES, true, 0, 0, "AP", "" },
		{ MEMORY_DISCARD, 0, PAGES, 1, 1, false, 0, 0, "ap", "" },
		{ MEMORY_DISCARD, 4, 1, 3, 3, true, 'P', -EINTR, "APaa", "stale side" },
		{ MEMORY_DISCARD, 4, 1, 3, 3, true, 'A', -EINTR, "A", "KVM_SET_MEMORY_ATTRIBUTES" },
	};

	ksft_for_each(row, cases) {
		uint8_t expected[PAGES] = { 0 };

		start(row->strategy);
		why[0] = '\0';
		if (row->before_count)
			EXPECT_FALSE(convert(row->before, row->before_count, true));
		memset(expected + row->before, 1, row->before_count);
		memset(kernel.log, 0, sizeof(kernel.log));
		kernel.calls = 0;
		kernel.fail = row->fail;
		kernel.fail_rc = row->rc;
		EXPECT_EQ(convert(row->page, row->count, row->to_private), row->rc);
		EXPECT_STREQ(kernel.log, row->log);
		EXPECT_STRSTR(why, row->why);
		if (!row->rc)
			memset(expected + row->page, row->to_private, row->count);
		/* What gmem, KVM and the VMM take each page for is the same. */
		EXPECT_TRUE(known_is(expected));
		EXPECT_FALSE(memcmp(kernel.attribute, expected, PAGES));
		if (row->strategy == MEMORY_INPLACE)
			EXPECT_FALSE(memcmp(kernel.gmem, expected, PAGES));
	}
}

static void *to_private_main(void *rc)
{
	*(int *)rc = convert(0, 4, true);
	return NULL;
}

static void *to_shared_main(void *rc)
{
	*(int *)rc = convert(2, 4, false);
	return NULL;
}

/*
 * While pages 0 to 3 are in the kernel, pages 8 to 11 convert; pages 2 to 5
 * wait, so that the steps of the two do not mix.
 */
TEST_OF(convert, overlap)
{
	static const uint8_t expected[PAGES] = { 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1 };
	int first = -1, second = -1;
	pthread_t threads[2];

	start(MEMORY_INPLACE);
	pthread_mutex_lock(&gate);
	use_gate = true;
	EXPECT_FALSE(pthread_create(&threads[0], NULL, to_private_main, &first));
	while (__atomic_load_n(&kernel.calls, __ATOMIC_SEQ_CST) < 1)
		sched_yield();
	EXPECT_FALSE(pthread_create(&threads[1], NULL, to_shared_main, &second));
	/* Time enough for a conversion that does not wait. */
	usleep(50000);
	EXPECT_EQ(kernel.calls, 1);
	EXPECT_FALSE(convert(8, 4, true));
	EXPECT_EQ(kernel.calls, 3);
	pthread_mutex_unlock(&gate);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	EXPECT_FALSE(first);
	EXPECT_FALSE(second);
	EXPECT_STREQ(kernel.log, "CCAAac");
	EXPECT_TRUE(known_is(expected));
	EXPECT_FALSE(memcmp(kernel.gmem, expected, PAGES));
	EXPECT_FALSE(memcmp(kernel.attribute, expected, PAGES));
}

/* The end of a turn on nothing, as for no certificates, is not that of another one. */
TEST_OF(convert, empty_turn)
{
	struct range empty = { GUEST_PAGE_SIZE, GUEST_PAGE_SIZE };
	struct range range = { 0, 4 * GUEST_PAGE_SIZE };
	struct range_lock *lock = &memory.range_lock;
	struct range *nothing, *turn;

	nothing = range_lock_enter(lock, empty);
	turn = range_lock_enter(lock, range);
	range_lock_leave(lock, nothing);
	EXPECT_TRUE(range_equal(*turn, range));
	EXPECT_EQ(lock->nr_busy, 1);
	range_lock_leave(lock, turn);
	EXPECT_EQ(range_lock_wait_idle(lock), range_lock_ended(lock));
}
