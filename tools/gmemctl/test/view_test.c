// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of kind gmem in a view: what KVM is given, conversions, and what is asked of
 * gmem.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/calls.h"
#include "../memory/page_states.h"
#include "kvm_fake.h"
#include "unit.h"
#include "view_fake.h"

#define PAGE RANGE_PAGE_SIZE

static struct range ranges[2];
static struct memory_request request;
static struct memory_config config;
static struct guest_memory memory;
static struct error error;

/* 1024 pages at 0, and 64 at 2048, which follow them in the fd. */
static void start(void)
{
	kvm_fake_start();
	view_fake_start();
	ranges[0] = (struct range){ 0, 1024 * PAGE };
	ranges[1] = (struct range){ 2048 * PAGE, 2112 * PAGE };
	request = (struct memory_request){
		.ranges = ranges, .nr_ranges = 2, .kind = BACKING_GMEM,
		.existing_fd = -1, .node = -1,
	};
	config = (struct memory_config){ .requests = &request,
					 .nr_requests = 1 };
}

static int build(void)
{
	int rc = guest_memory_create(&memory, &config, &kvm_fake.vm, 0, &error);

	if (!rc)
		rc = guest_memory_attach(&memory, &error);
	kvm_fake.log[0] = '\0';
	return rc;
}

static void stop(void)
{
	guest_memory_destroy(&memory);
	calls = &calls_system;
}

static int convert(uint64_t first, uint64_t end, bool to_private)
{
	struct range range = { first * PAGE, end * PAGE };

	return guest_memory_convert(&memory, range, to_private, NULL, 0);
}

/* KVM is given the view; this process has its own mapping. */
static void test_slots(void)
{
	const struct slot *high;

	start();
	CHECK(!build());
	CHECK(view_fake_slot(0) == 0 && view_fake_slot(2048 * PAGE) == 1024);
	CHECK(!((uintptr_t)view_fake.base % (2 << 20)));
	high = slot_find(&kvm_fake.vm.slots, 2052 * PAGE);
	CHECK(high && high->host == memory.reservation.base + 2048 * PAGE);
	CHECK(slot_covers_private(&kvm_fake.vm.slots, 2048 * PAGE, 64 * PAGE));
	CHECK(!slot_covers_private(&kvm_fake.vm.slots, 2048 * PAGE, 65 * PAGE));
	memory.reservation.base[2052 * PAGE] = 1;
	CHECK(!guest_memory_no_private(&memory));
	CHECK(!view_fake.populates);
	stop();
}

/* The alias map, and the pieces of the first MiB, have a part of the same view. */
static void test_alias(void)
{
	start();
	config.x86_legacy = true;
	config.alias = true;
	config.alias_offset = 8192 * PAGE;
	CHECK(!build());
	CHECK_EQ(view_fake_slot(0xc0 * PAGE), 0xc0);
	CHECK_EQ(view_fake_slot((8192 + 0xc0) * PAGE), 0xc0);
	CHECK_EQ(view_fake_slot((8192 + 2048) * PAGE), 1024);
	stop();
}

static void test_prefetch(void)
{
	start();
	request.prefetch = true;
	CHECK(!build() && !memory.partition.prefetch_rc);
	CHECK(view_fake.populates == 2 && !view_fake.flags);
	CHECK(view_fake.start == 1024 && view_fake.length == 64);
	stop();
	start();
	request.prefetch = true;
	view_fake.populate_rc = -ENOMEM;
	CHECK(!build() && memory.partition.prefetch_rc == -ENOMEM);
	stop();
}

/* What has memory, and no more. */
static void test_fill(void)
{
	start();
	CHECK(!build());
	view_fake.memory[3] = 1;
	CHECK(!guest_memory_fill_views(&memory, &error));
	CHECK(view_fake.populates == 1 && view_fake.length == 1088);
	CHECK_EQ(view_fake.flags, GMEM_VIEW_POPULATE_F_NOALLOC);
	CHECK(view_fake.present[3] && !view_fake.memory[4]);
	view_fake.populate_rc = -EHWPOISON;
	CHECK_EQ(guest_memory_fill_views(&memory, &error), -EHWPOISON);
	stop();
}

static int add_run(struct range run, bool private, void *data)
{
	char *text = data;
	size_t used = strlen(text);

	snprintf(text + used, 256 - used, "%s%llx-%llx", private ? " P" : " s",
		 (unsigned long long)(run.start / PAGE),
		 (unsigned long long)(run.end / PAGE));
	return 0;
}

static int stop_at_once(struct range run, bool private, void *data)
{
	(void)run;
	(void)private;
	(*(int *)data)++;
	return 7;
}

/* One call of gmem's, nothing of KVM's; and gmem says what is what. */
static void test_convert(void)
{
	char text[256] = "";
	int visited = 0;

	start();
	CHECK(!build());
	CHECK(!convert(1, 3, true) && kvm_fake_said("V1-3"));
	CHECK(!convert(2049, 2051, true) && kvm_fake_said("V401-403"));
	CHECK(page_is_private(&memory, 2 * PAGE));
	CHECK(page_is_private(&memory, 2050 * PAGE + 17));
	CHECK(!page_is_private(&memory, 3 * PAGE));
	CHECK(!page_is_private(&memory, 2000 * PAGE));
	CHECK_EQ(page_states_private(&memory), 4 * PAGE);
	CHECK(!page_states(&memory, (struct range){ 0, 10 * PAGE }, add_run, text));
	CHECK_STR(text, " s0-1 P1-3 s3-a");
	CHECK_EQ(page_states(&memory, ranges[0], stop_at_once, &visited), 7);
	CHECK_EQ(visited, 1);
	CHECK(!convert(1, 2, false) && kvm_fake_said("v1-2"));
	CHECK_EQ(convert(1000, 1025, true), -EFAULT);
	CHECK_EQ(convert(1024, 1025, true), -EFAULT);
	CHECK(convert(2, 2, true) == -EFAULT && kvm_fake_said(""));
	kvm_fake.fail = 'V';
	kvm_fake.rc = -EAGAIN;
	CHECK_EQ(convert(8, 9, true), -EAGAIN);
	CHECK(!page_is_private(&memory, 8 * PAGE));
	stop();
}

/* What stays private when the memory is handed over, and what a file has to have. */
static void test_runs(void)
{
	struct private_runs runs;

	start();
	CHECK(!build() && !convert(1, 3, true) && !convert(2052, 2053, true));
	CHECK(!private_runs_find(&runs, &memory, true, "test", &error));
	CHECK(!runs.count);
	private_runs_free(&runs);
	CHECK(!private_runs_find(&runs, &memory, false, "test", &error));
	CHECK(runs.count == 2 && runs.ranges[1].start == 2052 * PAGE);
	CHECK(!private_runs_share(&runs, &memory, "test", &error));
	CHECK(view_fake_private(0, 0));
	CHECK(!private_runs_restore(&runs, &memory, &error));
	CHECK_EQ(page_states_private(&memory), 3 * PAGE);
	private_runs_free(&runs);
	stop();
}

/* No views here: the memory is all shared, and it is known why. */
static void test_refused(void)
{
	static const struct {
		int view_rc, fault_rc;
		const char *why;
	} cases[] = {
		{ -ENOTTY, -EAGAIN, "module gmem has no views" },
		{ -EOPNOTSUPP, -EAGAIN, "offers no views" },
		{ -EPERM, -EAGAIN, "consent" },
		{ -EBUSY, -EAGAIN, "bound" },
		{ 0, -EOPNOTSUPP, "gmem_kvm" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *why;

		start();
		view_fake.view_rc = cases[i].view_rc;
		view_fake.fault_rc = cases[i].fault_rc;
		CHECK(!build());
		why = guest_memory_no_private(&memory);
		CHECK(why && strstr(why, cases[i].why));
		CHECK(view_fake_slot(0) == -1 && !guest_memory_view(&memory));
		CHECK(!slot_covers_private(&kvm_fake.vm.slots, 0, PAGE));
		CHECK_EQ(convert(1, 2, true), -EFAULT);
		CHECK(!page_states_private(&memory));
		stop();
		/* Somebody who cannot do without. */
		start();
		view_fake.view_rc = cases[i].view_rc;
		view_fake.fault_rc = cases[i].fault_rc;
		config.view = true;
		CHECK_EQ(build(), -EOPNOTSUPP);
		CHECK(strstr(error.hint, cases[i].why));
		CHECK(strstr(error.hint, "gmem-store"));
		calls = &calls_system;
	}
}

/* What is no matter of what is offered is a failure. */
static void test_failed(void)
{
	start();
	view_fake.view_rc = -EMFILE;
	CHECK(build() == -EMFILE && !strcmp(error.action, "GMEM_IOCTL_VIEW"));
	calls = &calls_system;
	start();
	view_fake.fault_rc = -ENOMEM;
	CHECK_EQ(build(), -ENOMEM);
	CHECK_STR(error.action, "GMEM_IOCTL_VIEW_FAULT");
	calls = &calls_system;
}

/* Private pages that come along are not shown to a guest as something else. */
static void test_existing(void)
{
	int fd;

	start();
	fd = calls->memfd("existing", 1088 * PAGE);
	request.existing_fd = fd;
	view_fake.view_rc = -EOPNOTSUPP;
	CHECK(!build());
	stop();
	start();
	request.existing_fd = fd;
	view_fake.view_rc = -EOPNOTSUPP;
	view_fake.private[5] = 1;
	CHECK_EQ(build(), -EOPNOTSUPP);
	calls = &calls_system;
	start();
	request.existing_fd = fd;
	view_fake.private[5] = 1;
	CHECK(!build() && page_is_private(&memory, 5 * PAGE));
	stop();
	calls->close(fd);
}

/* Beside a guest_memfd there is none: it is that which has private pages. */
static void test_discard(void)
{
	start();
	config.guest_memfd = true;
	CHECK(!build() && !guest_memory_view(&memory));
	CHECK(view_fake_slot(0) == -1 && !guest_memory_no_private(&memory));
	CHECK(!convert(1, 2, true) && kvm_fake_said("A1-2 P1-2"));
	stop();
}

static const struct unit_test tests[] = {
	{ "view.slots", test_slots },
	{ "view.alias", test_alias },
	{ "view.prefetch", test_prefetch },
	{ "view.fill", test_fill },
	{ "view.convert", test_convert },
	{ "view.runs", test_runs },
	{ "view.refused", test_refused },
	{ "view.failed", test_failed },
	{ "view.existing", test_existing },
	{ "view.discard", test_discard },
};

UNIT_TESTS(tests)
