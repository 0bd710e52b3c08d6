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
#include "unit.h"

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
static uint8_t known[PAGES];

static struct convertible fake_memory(enum memory_strategy strategy)
{
	calls = &fake_calls;
	memset(&kernel, 0, sizeof(kernel));
	memset(known, 0, sizeof(known));
	return (struct convertible){
		.strategy = strategy,
		.size = PAGES * GUEST_PAGE_SIZE,
		.shared_fd = SHARED_FD,
		.store_fd = STORE_FD,
		.private = known,
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

/* What gmem, KVM and the VMM take each page for is the same. */
static bool all_agree(void)
{
	return !memcmp(kernel.gmem, kernel.attribute, PAGES) &&
	       !memcmp(kernel.gmem, known, PAGES);
}

static bool only_private(uint64_t page, uint64_t count)
{
	for (uint64_t i = 0; i < PAGES; i++)
		if (known[i] != (i >= page && i < page + count))
			return false;
	return true;
}

static void test_convert_order(void)
{
	struct convertible memory = fake_memory(MEMORY_INPLACE);

	CHECK(!convert(&memory, 2, 4, true));
	CHECK(only_private(2, 4) && all_agree());
	CHECK(!convert(&memory, 2, 4, false));
	CHECK(only_private(0, 0) && all_agree());
	CHECK_STR(kernel.log, "CAac");
}

/* A held page: the attribute is never touched, and the reason names the page. */
static void test_convert_refused(void)
{
	struct convertible memory = fake_memory(MEMORY_INPLACE);

	kernel.fail = 'C';
	kernel.fail_rc = -EAGAIN;
	CHECK_EQ(convert(&memory, 3, 2, true), -EAGAIN);
	CHECK_STR(kernel.log, "C");
	CHECK(strstr(why, "0x3000") && strstr(why, "3 references"));
	CHECK(only_private(0, 0) && all_agree());
}

/* Page 4 was private before, and has to be so afterwards. */
static void test_convert_attribute_fails(void)
{
	struct convertible memory = fake_memory(MEMORY_INPLACE);

	CHECK(!convert(&memory, 4, 1, true));
	kernel.fail = 'A';
	kernel.fail_rc = -ENOMEM;
	CHECK_EQ(convert(&memory, 2, 6, true), -ENOMEM);
	CHECK_STR(kernel.log, "CACAcc");
	CHECK(strstr(why, "KVM_SET_MEMORY_ATTRIBUTES"));
	CHECK(only_private(4, 1) && all_agree());
	kernel.fail = 'a';
	CHECK_EQ(convert(&memory, 4, 1, false), -ENOMEM);
	CHECK(only_private(4, 1) && all_agree());
}

/* Pages 2 and 3 were shared before: their attribute must not come back set. */
static void test_convert_gmem_fails(void)
{
	struct convertible memory = fake_memory(MEMORY_INPLACE);

	CHECK(!convert(&memory, 4, 3, true));
	kernel.fail = 'c';
	kernel.fail_rc = -ENOMEM;
	CHECK_EQ(convert(&memory, 2, 8, false), -ENOMEM);
	CHECK_STR(kernel.log, "CAacA");
	CHECK(only_private(4, 3) && all_agree());
}

static void test_discard_order(void)
{
	struct convertible memory = fake_memory(MEMORY_DISCARD);

	CHECK(!convert(&memory, 0, PAGES, true));
	CHECK(!convert(&memory, 1, 1, false));
	CHECK_STR(kernel.log, "APap");
	CHECK(!memcmp(kernel.attribute, known, PAGES));
}

static void test_discard_punch_fails(void)
{
	struct convertible memory = fake_memory(MEMORY_DISCARD);

	CHECK(!convert(&memory, 4, 1, true));
	kernel.fail = 'P';
	kernel.fail_rc = -EINTR;
	CHECK_EQ(convert(&memory, 3, 3, true), -EINTR);
	CHECK_STR(kernel.log, "APAPaa");
	CHECK(only_private(4, 1) && !memcmp(kernel.attribute, known, PAGES));
}

static void test_convert_bad_range(void)
{
	struct convertible memory = fake_memory(MEMORY_INPLACE);

	CHECK_EQ(convert(&memory, 0, 0, true), -EINVAL);
	CHECK_EQ(convert(&memory, PAGES, 1, true), -EINVAL);
	CHECK_EQ(convert(&memory, 1, PAGES, true), -EINVAL);
	CHECK_EQ(convert_bytes(&memory, 0x800, 0x1000, true), -EINVAL);
	CHECK_EQ(convert_bytes(&memory, 0x1000, 0x800, true), -EINVAL);
	CHECK_EQ(convert_bytes(&memory, 0x1000, UINT64_MAX - 0xfff, true),
		 -EINVAL);
	CHECK(!kernel.calls);
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
static void test_convert_overlap(void)
{
	struct convertible memory = fake_memory(MEMORY_INPLACE);
	struct overlap first = { &memory, { 0, 0x4000 }, true, -1 };
	struct overlap second = { &memory, { 0x2000, 0x6000 }, false, -1 };
	pthread_t threads[2];

	pthread_mutex_lock(&gate);
	use_gate = true;
	CHECK(!pthread_create(&threads[0], NULL, overlap_main, &first));
	wait_for_calls(1);
	CHECK(!pthread_create(&threads[1], NULL, overlap_main, &second));
	/* Time enough for a conversion that does not wait. */
	usleep(50000);
	CHECK_EQ(kernel.calls, 1);
	CHECK(!convert(&memory, 8, 4, true));
	CHECK_EQ(kernel.calls, 3);
	pthread_mutex_unlock(&gate);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	use_gate = false;
	CHECK(!first.rc && !second.rc);
	CHECK_STR(kernel.log, "CCAAac");
	CHECK(known[1] && !known[2] && !known[5] && known[8] && all_agree());
}

static const struct unit_test tests[] = {
	{ "convert.order", test_convert_order },
	{ "convert.refused", test_convert_refused },
	{ "convert.attribute_fails", test_convert_attribute_fails },
	{ "convert.gmem_fails", test_convert_gmem_fails },
	{ "convert.bad_range", test_convert_bad_range },
	{ "convert.overlap", test_convert_overlap },
	{ "discard.order", test_discard_order },
	{ "discard.punch_fails", test_discard_punch_fails },
};

UNIT_TESTS(tests)
