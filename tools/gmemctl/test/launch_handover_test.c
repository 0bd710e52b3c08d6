// SPDX-License-Identifier: GPL-2.0
/*
 * An SNP guest with memory of gmem: pages change hands between gmem and the
 * guest_memfd without their contents, and no page is ever there twice.
 */
#include <fcntl.h>
#include <linux/gmem.h>

#include "../base/calls.h"
#include "gmem_mock.h"
#include "launch_world.h"
#include "ksft.h"

#define GPA UINT64_C(0x100000)
#define SIZE UINT64_C(0x4000)

static uint8_t *host(void)
{
	return world.memory.reservation.base + GPA;
}

static int convert(bool to_private)
{
	char why[128];

	return guest_memory_convert(&world.memory, (struct range){ GPA, GPA + SIZE },
				    to_private, why, sizeof(why));
}

static void start(enum backing_kind kind)
{
	launch_world_init(SIM_LINUX_7_3);
	world.kind = kind;
	world.starts_shared = true;
	EXPECT_FALSE(launch_world_run(SNP_LAUNCH_FINISHED));
}

TEST_OF(launch_handover, launch)
{
	start(BACKING_GMEM_STORE);
	EXPECT_TRUE(launch_world_digest());
	/* What the launch has put in is the guest's, and nobody else's. */
	EXPECT_TRUE(sim_is_guests(world.sim, world.vm.fd, 0x800000));
	EXPECT_TRUE(gmem_mock_is_private(0x800000));
	EXPECT_FALSE(gmem_mock_is_private(GPA));
	EXPECT_FALSE(gmem_mock_twice());
	EXPECT_FALSE(gmem_mock.violations);
	launch_world_free();
}

static void exchange(void)
{
	int vm = world.vm.fd;

	memset(host(), 0x5a, SIZE);
	EXPECT_FALSE(convert(true));
	EXPECT_TRUE(sim_vm_is_private(world.sim, vm, GPA));
	for (uint64_t gpa = GPA; gpa < GPA + SIZE; gpa += RANGE_PAGE_SIZE)
		EXPECT_FALSE(sim_touch(world.sim, vm, gpa));
	EXPECT_TRUE(sim_is_guests(world.sim, vm, GPA));
	EXPECT_FALSE(gmem_mock_twice());
	EXPECT_FALSE(convert(false));
	EXPECT_FALSE(sim_vm_is_private(world.sim, vm, GPA));
	EXPECT_FALSE(sim_is_guests(world.sim, vm, GPA));
	/* Neither side sees what the other had. */
	for (uint64_t i = 0; i < SIZE; i++)
		EXPECT_FALSE(host()[i]);
}

TEST_OF(launch_handover, exchange)
{
	unsigned int launched;

	start(BACKING_GMEM_STORE);
	launched = gmem_mock.to_private;
	for (int i = 0; i < 3; i++)
		exchange();
	EXPECT_EQ(gmem_mock.to_private, launched + 3);
	EXPECT_EQ(gmem_mock.to_shared, 3);
	EXPECT_FALSE(gmem_mock.violations);
	launch_world_free();
}

/* The default: the same, but nobody asks whether a page is held. */
TEST_OF(launch_handover, discard)
{
	start(BACKING_SHARED);
	exchange();
	launch_world_free();
}

/* A page that a device has pinned: with discard it would be there twice. */
TEST_OF(launch_handover, held)
{
	start(BACKING_GMEM_STORE);
	memset(host(), 0x5a, SIZE);
	gmem_mock.held = (GPA + SIZE) / RANGE_PAGE_SIZE - 1;
	EXPECT_EQ(convert(true), -EAGAIN);
	EXPECT_FALSE(sim_vm_is_private(world.sim, world.vm.fd, GPA));
	EXPECT_EQ(host()[0], 0x5a);
	gmem_mock.held = -1;
	EXPECT_FALSE(convert(true));
	EXPECT_FALSE(gmem_mock.violations);
	launch_world_free();
}

TEST_OF(launch_handover, held_at_launch)
{
	launch_world_init(SIM_LINUX_6_12);
	world.kind = BACKING_GMEM_STORE;
	EXPECT_FALSE(launch_world_run(SNP_LAUNCH_STARTED));
	gmem_mock.held = 0x80d000 / RANGE_PAGE_SIZE;
	EXPECT_EQ(launch_world_run(SNP_LAUNCH_POPULATED), -EAGAIN);
	EXPECT_STRSTR(world.error.action, "make private");
	EXPECT_STRSTR(world.error.hint, "0x80d000 is still held");
	launch_world_free();
}

/* The module refuses to preserve what nobody could read. */
TEST_OF(launch_handover, preserve)
{
	launch_world_init(SIM_LINUX_6_12);
	world.kind = BACKING_GMEM_STORE;
	world.preserve = true;
	EXPECT_EQ(launch_world_run(SNP_LAUNCH_FINISHED), -EOPNOTSUPP);
	EXPECT_STRSTR(world.error.action, "make private");
	launch_world_free();
}

/* Shared memory that the launch finds converted already stays so. */
TEST_OF(launch_handover, converted)
{
	struct range part = { 0x802000, 0x804000 };
	char why[128];

	launch_world_init(SIM_LINUX_7_3);
	world.kind = BACKING_GMEM_STORE;
	EXPECT_FALSE(launch_world_run(SNP_LAUNCH_STARTED));
	EXPECT_FALSE(guest_memory_convert(&world.memory, part, true, why, sizeof(why)));
	EXPECT_EQ(gmem_mock.to_private, 1);
	EXPECT_FALSE(launch_world_run(SNP_LAUNCH_FINISHED));
	EXPECT_TRUE(launch_world_digest());
	EXPECT_FALSE(gmem_mock_twice());
	EXPECT_FALSE(gmem_mock.violations);
	launch_world_free();
}

/* A gmem fd that was made before the guest, and converted in part. */
static int converted_fd(uint64_t length, struct range part)
{
	struct gmem_ioctl_create create = {
		.size = sizeof(create), .length = length,
		.flags = GMEM_CREATE_F_INIT_SHARED,
	};
	struct gmem_ioctl_convert convert = {
		.size = sizeof(convert), .offset = part.start,
		.length = range_size(part), .target = GMEM_STATE_PRIVATE,
		.content = GMEM_CONTENT_ZERO,
	};
	int device = calls->open(GMEM_DEVICE_PATH, O_RDWR);

	EXPECT_GE(device, 0);
	EXPECT_FALSE(calls->ioctl(device, GMEM_IOCTL_CREATE, &create));
	EXPECT_FALSE(calls->ioctl(create.out_fd, GMEM_IOCTL_CONVERT, &convert));
	calls->close(device);
	return create.out_fd;
}

/* The launch is into memory that is there, whatever its state. */
TEST_OF(launch_handover, existing)
{
	struct range part = { 0x802000, 0x804000 };

	launch_world_init(SIM_LINUX_7_3);
	world.kind = BACKING_GMEM_STORE;
	launch_world_vm();
	world.existing_fd = converted_fd(LAUNCH_RAM + world.firmware.size, part);
	EXPECT_TRUE(gmem_mock_is_private(part.start));
	EXPECT_FALSE(launch_world_run(SNP_LAUNCH_FINISHED));
	EXPECT_TRUE(launch_world_digest());
	EXPECT_TRUE(sim_is_guests(world.sim, world.vm.fd, part.start));
	EXPECT_FALSE(gmem_mock_twice());
	EXPECT_FALSE(gmem_mock.violations);
	calls->close(world.existing_fd);
	launch_world_free();
}
