// SPDX-License-Identifier: GPL-2.0
/*
 * The order of the steps of a conversion, and what is left after any of them
 * has failed: gmem and KVM's attribute agree again, page by page.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "../base/calls.h"
#include "../gmem/gmem.h"
#include "../kvm/abi.h"
#include "../kvm/slot.h"
#include "../memory/convert.h"
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
	kernel_set(kernel.gmem, convert->offset, convert->length,
		   (uint8_t)convert->target);
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
	(void)offset;
	(void)length;
	return kernel_log(fd == SHARED_FD ? 'P' : 'p');
}

static const struct calls fake_calls = {
	.ioctl = fake_ioctl,
	.punch = fake_punch,
};

static struct vm fake_vm = { .fd = VM_FD };
static struct range_lock turns = RANGE_LOCK_INITIALIZER;
static uint64_t known_words[(PAGES + 63) / 64];
static struct page_map known = { known_words };

static struct convertible fake_memory(enum memory_strategy strategy)
{
	calls = &fake_calls;
	memset(&kernel, 0, sizeof(kernel));
	memset(known_words, 0, sizeof(known_words));
	return (struct convertible){
		.strategy = strategy,
		.size = PAGES * GUEST_PAGE_SIZE,
		.shared_fd = SHARED_FD,
		.store_fd = STORE_FD,
		.private = &known,
	};
}

static char why[256];

static int convert_bytes(const struct convertible *memory, uint64_t start,
			 uint64_t size, bool to_private)
{
	struct range range = { start, start + size };

	why[0] = '\0';
	return memory_convert_range(memory, &turns, &fake_vm, range, to_private,
				    why, sizeof(why));
}

static int convert(const struct convertible *memory, uint64_t page,
		   uint64_t count, bool to_private)
{
	return convert_bytes(memory, page * GUEST_PAGE_SIZE,
			     count * GUEST_PAGE_SIZE, to_private);
}

static bool known_is(const uint8_t *private)
{
	for (uint64_t i = 0; i < PAGES; i++)
		if (page_map_get(&known, i) != private[i])
			return false;
	return true;
}

/* What gmem, KVM and the VMM take each page for is the same. */
static bool all_agree(void)
{
	return !memcmp(kernel.gmem, kernel.attribute, PAGES) &&
	       known_is(kernel.gmem);
}

static bool only_private(uint64_t page, uint64_t count)
{
	for (uint64_t i = 0; i < PAGES; i++)
		if (page_map_get(&known, i) != (i >= page && i < page + count))
			return false;
	return true;
}

TEST_OF(convert, order)
{
	struct convertible memory = fake_memory(MEMORY_INPLACE);

	EXPECT_FALSE(convert(&memory, 2, 4, true));
	EXPECT_TRUE(only_private(2, 4));
	EXPECT_TRUE(all_agree());
	EXPECT_FALSE(convert(&memory, 2, 4, false));
	EXPECT_TRUE(only_private(0, 0));
	EXPECT_TRUE(all_agree());
	EXPECT_STREQ(kernel.log, "CAac");
}

/* A held page: the attribute is never touched, and the reason names the page. */
TEST_OF(convert, refused)
{
	struct convertible memory = fake_memory(MEMORY_INPLACE);

	kernel.fail = 'C';
	kernel.fail_rc = -EAGAIN;
	EXPECT_EQ(convert(&memory, 3, 2, true), -EAGAIN);
	EXPECT_STREQ(kernel.log, "C");
	EXPECT_STRSTR(why, "0x3000");
	EXPECT_STRSTR(why, "3 references");
	EXPECT_TRUE(only_private(0, 0));
	EXPECT_TRUE(all_agree());
}

/* Page 4 was private before, and has to be so afterwards. */
TEST_OF(convert, attribute_fails)
{
	struct convertible memory = fake_memory(MEMORY_INPLACE);

	EXPECT_FALSE(convert(&memory, 4, 1, true));
	kernel.fail = 'A';
	kernel.fail_rc = -ENOMEM;
	EXPECT_EQ(convert(&memory, 2, 6, true), -ENOMEM);
	EXPECT_STREQ(kernel.log, "CACAcc");
	EXPECT_STRSTR(why, "KVM_SET_MEMORY_ATTRIBUTES");
	EXPECT_TRUE(only_private(4, 1));
	EXPECT_TRUE(all_agree());
	kernel.fail = 'a';
	EXPECT_EQ(convert(&memory, 4, 1, false), -ENOMEM);
	EXPECT_TRUE(only_private(4, 1));
	EXPECT_TRUE(all_agree());
}

/* Pages 2 and 3 were shared before: their attribute must not come back set. */
TEST_OF(convert, gmem_fails)
{
	struct convertible memory = fake_memory(MEMORY_INPLACE);

	EXPECT_FALSE(convert(&memory, 4, 3, true));
	kernel.fail = 'c';
	kernel.fail_rc = -ENOMEM;
	EXPECT_EQ(convert(&memory, 2, 8, false), -ENOMEM);
	EXPECT_STREQ(kernel.log, "CAacA");
	EXPECT_TRUE(only_private(4, 3));
	EXPECT_TRUE(all_agree());
}

TEST_OF(discard, order)
{
	struct convertible memory = fake_memory(MEMORY_DISCARD);

	EXPECT_FALSE(convert(&memory, 0, PAGES, true));
	EXPECT_FALSE(convert(&memory, 1, 1, false));
	EXPECT_STREQ(kernel.log, "APap");
	EXPECT_TRUE(known_is(kernel.attribute));
}

TEST_OF(discard, punch_fails)
{
	struct convertible memory = fake_memory(MEMORY_DISCARD);

	EXPECT_FALSE(convert(&memory, 4, 1, true));
	kernel.fail = 'P';
	kernel.fail_rc = -EINTR;
	EXPECT_EQ(convert(&memory, 3, 3, true), -EINTR);
	EXPECT_STREQ(kernel.log, "APAPaa");
	EXPECT_TRUE(only_private(4, 1));
	EXPECT_TRUE(known_is(kernel.attribute));
}

TEST_OF(convert, bad_range)
{
	struct convertible memory = fake_memory(MEMORY_INPLACE);

	EXPECT_EQ(convert(&memory, 0, 0, true), -EINVAL);
	EXPECT_EQ(convert(&memory, PAGES, 1, true), -EINVAL);
	EXPECT_EQ(convert(&memory, 1, PAGES, true), -EINVAL);
	EXPECT_EQ(convert_bytes(&memory, 0x800, 0x1000, true), -EINVAL);
	EXPECT_EQ(convert_bytes(&memory, 0x1000, 0x800, true), -EINVAL);
	EXPECT_EQ(convert_bytes(&memory, 0x1000, UINT64_MAX - 0xfff, true), -EINVAL);
	EXPECT_FALSE(kernel.calls);
}

struct overlap {
	const struct convertible *memory;
	struct range range;
	bool to_private;
	int rc;
};

static void *overlap_main(void *data)
{
	struct overlap *overlap = data;

	overlap->rc = memory_convert_range(overlap->memory, &turns, &fake_vm,
					   overlap->range, overlap->to_private,
					   NULL, 0);
	return NULL;
}

static void wait_for_calls(unsigned int calls_wanted)
{
	while (__atomic_load_n(&kernel.calls, __ATOMIC_SEQ_CST) < calls_wanted)
		sched_yield();
}

/*
 * While pages 0 to 3 are in the kernel, pages 8 to 11 convert; pages 2 to 5
 * wait, so that the steps of the two do not mix.
 */
TEST_OF(convert, overlap)
{
	struct convertible memory = fake_memory(MEMORY_INPLACE);
	struct overlap first = { &memory, { 0, 0x4000 }, true, -1 };
	struct overlap second = { &memory, { 0x2000, 0x6000 }, false, -1 };
	pthread_t threads[2];

	pthread_mutex_lock(&gate);
	use_gate = true;
	EXPECT_FALSE(pthread_create(&threads[0], NULL, overlap_main, &first));
	wait_for_calls(1);
	EXPECT_FALSE(pthread_create(&threads[1], NULL, overlap_main, &second));
	/* Time enough for a conversion that does not wait. */
	usleep(50000);
	EXPECT_EQ(kernel.calls, 1);
	EXPECT_FALSE(convert(&memory, 8, 4, true));
	EXPECT_EQ(kernel.calls, 3);
	pthread_mutex_unlock(&gate);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	use_gate = false;
	EXPECT_FALSE(first.rc);
	EXPECT_FALSE(second.rc);
	EXPECT_STREQ(kernel.log, "CCAAac");
	EXPECT_TRUE(page_map_get(&known, 1));
	EXPECT_FALSE(page_map_get(&known, 2));
	EXPECT_FALSE(page_map_get(&known, 5));
	EXPECT_TRUE(page_map_get(&known, 8));
	EXPECT_TRUE(all_agree());
}
