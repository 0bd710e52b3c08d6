// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of kind gmem in a view: what KVM is given, conversions, and what is asked of
 * gmem.
 */
#include "../base/calls.h"
#include "../memory/access.h"
#include "ram.h"
#include "ksft.h"
#include "view_fake.h"

#define PAGE RANGE_PAGE_SIZE

static int build(void)
{
	int rc = ram_create();

	if (!rc)
		rc = ram_attach();
	kvm_fake.log[0] = '\0';
	return rc;
}

/* KVM is given the view; this process has its own mapping. */
TEST_OF(view, slots)
{
	const struct slot *high;

	view_fake_start();
	EXPECT_FALSE(build());
	EXPECT_EQ(view_fake_slot(0), 0);
	EXPECT_EQ(view_fake_slot(2048 * PAGE), 1024);
	EXPECT_FALSE((uintptr_t)view_fake.base % (2 << 20));
	high = slot_find(&kvm_fake.vm.slots, 2052 * PAGE);
	EXPECT_TRUE(high);
	EXPECT_EQ(high->host, ram.memory.reservation.base + 2048 * PAGE);
	EXPECT_TRUE(slot_covers_private(&kvm_fake.vm.slots, 2048 * PAGE, 64 * PAGE));
	EXPECT_FALSE(slot_covers_private(&kvm_fake.vm.slots, 2048 * PAGE, 65 * PAGE));
	ram.memory.reservation.base[2052 * PAGE] = 1;
	EXPECT_FALSE(guest_memory_no_private(&ram.memory));
	EXPECT_FALSE(view_fake.populates);
	ram_stop();
}

TEST_OF(view, prefetch)
{
	view_fake_start();
	ram.requests[0].prefetch = true;
	EXPECT_FALSE(build());
	EXPECT_FALSE(ram.memory.partition.prefetch_rc);
	EXPECT_EQ(view_fake.populates, 2);
	EXPECT_FALSE(view_fake.flags);
	EXPECT_EQ(view_fake.start, 1024);
	EXPECT_EQ(view_fake.length, 64);
	ram_stop();
	view_fake_start();
	ram.requests[0].prefetch = true;
	view_fake.populate_rc = -ENOMEM;
	EXPECT_FALSE(build());
	EXPECT_EQ(ram.memory.partition.prefetch_rc, -ENOMEM);
	ram_stop();
}

/* What has memory, and no more. */
TEST_OF(view, fill)
{
	view_fake_start();
	EXPECT_FALSE(build());
	view_fake.memory[3] = 1;
	EXPECT_FALSE(guest_memory_fill_views(&ram.memory, &ram.error));
	EXPECT_EQ(view_fake.populates, 1);
	EXPECT_EQ(view_fake.length, 1088);
	EXPECT_EQ(view_fake.flags, GMEM_VIEW_POPULATE_F_NOALLOC);
	EXPECT_TRUE(view_fake.present[3]);
	EXPECT_FALSE(view_fake.memory[4]);
	view_fake.populate_rc = -EHWPOISON;
	EXPECT_EQ(guest_memory_fill_views(&ram.memory, &ram.error), -EHWPOISON);
	ram_stop();
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
	(*(int *)data)++;
	return 7;
}

/* One call of gmem's, nothing of KVM's; and gmem says what is what. */
TEST_OF(view, convert)
{
	char text[256] = "";
	int visited = 0;

	view_fake_start();
	EXPECT_FALSE(build());
	EXPECT_FALSE(ram_convert(1, 3, true));
	EXPECT_TRUE(kvm_fake_said("V1-3"));
	EXPECT_FALSE(ram_convert(2049, 2051, true));
	EXPECT_TRUE(kvm_fake_said("V401-403"));
	EXPECT_TRUE(page_is_private(&ram.memory, 2 * PAGE));
	EXPECT_TRUE(page_is_private(&ram.memory, 2050 * PAGE + 17));
	EXPECT_FALSE(page_is_private(&ram.memory, 3 * PAGE));
	EXPECT_FALSE(page_is_private(&ram.memory, 2000 * PAGE));
	EXPECT_EQ(page_states_private(&ram.memory), 4 * PAGE);
	/* gmem is asked for whole pages, whatever bytes a device wants. */
	EXPECT_TRUE(access_is_shared(&ram.memory, 3 * PAGE, 8));
	EXPECT_TRUE(access_is_shared(&ram.memory, 3 * PAGE + 8, 8));
	EXPECT_FALSE(access_is_shared(&ram.memory, 3 * PAGE - 1, 2));
	EXPECT_FALSE(access_is_shared(&ram.memory, PAGE - 8, 16));
	EXPECT_FALSE(page_states(&ram.memory, (struct range){ 0, 10 * PAGE }, add_run, text));
	EXPECT_STREQ(text, " s0-1 P1-3 s3-a");
	EXPECT_EQ(page_states(&ram.memory, ram.ranges[0], stop_at_once, &visited), 7);
	EXPECT_EQ(visited, 1);
	EXPECT_FALSE(ram_convert(1, 2, false));
	EXPECT_TRUE(kvm_fake_said("v1-2"));
	EXPECT_EQ(ram_convert(1000, 1025, true), -EFAULT);
	EXPECT_EQ(ram_convert(1024, 1025, true), -EFAULT);
	EXPECT_EQ(ram_convert(2, 2, true), -EFAULT);
	EXPECT_TRUE(kvm_fake_said(""));
	kvm_fake.fail = 'V';
	kvm_fake.rc = -EAGAIN;
	EXPECT_EQ(ram_convert(8, 9, true), -EAGAIN);
	EXPECT_FALSE(page_is_private(&ram.memory, 8 * PAGE));
	ram_stop();
}

/* What stays private when the memory is handed over, and what a file has to have. */
TEST_OF(view, runs)
{
	struct private_runs runs;

	view_fake_start();
	EXPECT_FALSE(build());
	EXPECT_FALSE(ram_convert(1, 3, true));
	EXPECT_FALSE(ram_convert(2052, 2053, true));
	EXPECT_FALSE(private_runs_find(&runs, &ram.memory, true, "test", &ram.error));
	EXPECT_FALSE(runs.count);
	private_runs_free(&runs);
	EXPECT_FALSE(private_runs_find(&runs, &ram.memory, false, "test", &ram.error));
	EXPECT_EQ(runs.count, 2);
	EXPECT_EQ(runs.ranges[1].start, 2052 * PAGE);
	EXPECT_FALSE(private_runs_share(&runs, &ram.memory, "test", &ram.error));
	EXPECT_TRUE(view_fake_private(0, 0));
	EXPECT_FALSE(private_runs_restore(&runs, &ram.memory, &ram.error));
	EXPECT_EQ(page_states_private(&ram.memory), 3 * PAGE);
	private_runs_free(&runs);
	ram_stop();
}

/*
 * No views here: the memory is all shared, and it is known why. What is no matter of what
 * is offered is a failure.
 */
TEST_OF(view, refused)
{
	static const struct {
		int view_rc, fault_rc, rc;
		const char *why;
	} cases[] = {
		{ -ENOTTY, -EAGAIN, 0, "module gmem has no views" },
		{ -EOPNOTSUPP, -EAGAIN, 0, "offers no views" },
		{ -EPERM, -EAGAIN, 0, "consent" },
		{ -EBUSY, -EAGAIN, 0, "bound" },
		{ 0, -EOPNOTSUPP, 0, "gmem_kvm" },
		{ -EMFILE, -EAGAIN, -EMFILE, "GMEM_IOCTL_VIEW" },
		{ 0, -ENOMEM, -ENOMEM, "GMEM_IOCTL_VIEW_FAULT" },
	};

	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		const char *why = cases[i / 2].why;
		int rc = cases[i / 2].rc;

		view_fake_start();
		view_fake.view_rc = cases[i / 2].view_rc;
		view_fake.fault_rc = cases[i / 2].fault_rc;
		/* Every second is somebody who cannot do without. */
		ram.config.view = i % 2;
		EXPECT_EQ(build(), rc || !ram.config.view ? rc : -EOPNOTSUPP);
		if (rc) {
			EXPECT_STREQ(ram.error.action, why);
		} else if (ram.config.view) {
			EXPECT_STRSTR(ram.error.hint, why);
			EXPECT_STRSTR(ram.error.hint, "gmem-store");
		} else {
			EXPECT_STRSTR(guest_memory_no_private(&ram.memory), why);
			EXPECT_EQ(view_fake_slot(0), -1);
			EXPECT_FALSE(guest_memory_view(&ram.memory));
			EXPECT_FALSE(slot_covers_private(&kvm_fake.vm.slots, 0, PAGE));
			EXPECT_EQ(ram_convert(1, 2, true), -EFAULT);
			EXPECT_FALSE(page_states_private(&ram.memory));
			guest_memory_destroy(&ram.memory);
		}
		calls = &calls_system;
	}
}

/* Private pages that come along are not shown to a guest as something else. */
TEST_OF(view, existing)
{
	int fd;

	view_fake_start();
	fd = calls->memfd("existing", 1088 * PAGE);
	ram.requests[0].existing_fd = fd;
	view_fake.view_rc = -EOPNOTSUPP;
	EXPECT_FALSE(build());
	ram_stop();
	view_fake_start();
	ram.requests[0].existing_fd = fd;
	view_fake.view_rc = -EOPNOTSUPP;
	view_fake.private[5] = 1;
	EXPECT_EQ(build(), -EOPNOTSUPP);
	calls = &calls_system;
	view_fake_start();
	ram.requests[0].existing_fd = fd;
	view_fake.private[5] = 1;
	EXPECT_FALSE(build());
	EXPECT_TRUE(page_is_private(&ram.memory, 5 * PAGE));
	ram_stop();
	calls->close(fd);
}

/* Beside a guest_memfd there is none: it is that which has private pages. */
TEST_OF(view, discard)
{
	view_fake_start();
	ram.config.guest_memfd = true;
	EXPECT_FALSE(build());
	EXPECT_FALSE(guest_memory_view(&ram.memory));
	EXPECT_EQ(view_fake_slot(0), -1);
	EXPECT_FALSE(guest_memory_no_private(&ram.memory));
	EXPECT_FALSE(ram_convert(1, 2, true));
	EXPECT_TRUE(kvm_fake_said("A1-2 P1-2"));
	ram_stop();
}
