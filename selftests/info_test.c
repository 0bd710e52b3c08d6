// SPDX-License-Identifier: GPL-2.0
/*
 * GMEM_IOCTL_INFO reports version, features and limits of /dev/gmem, and other ioctls
 * keep these limits.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "ksft.h"

/* The values that the header documents. */
TEST(values)
{
	struct gmem_ioctl_info info;

	ASSERT_EQ(0, gmem_info(&info));
	EXPECT_EQ(sizeof(info), info.size);
	EXPECT_EQ(GMEM_ABI_VERSION, info.abi_version);
	EXPECT_EQ(GMEM_LENGTH_MAX, info.max_length);
	EXPECT_EQ(sysconf(_SC_PAGESIZE), info.page_size);
	EXPECT_EQ(GMEM_CONVERT_TIMEOUT_MAX, info.max_timeout_ms);
	EXPECT_TRUE(info.create_flags & GMEM_CREATE_F_INIT_SHARED);
	EXPECT_EQ(0, info.reserved[0]);
	EXPECT_EQ(0, info.reserved[1]);
	EXPECT_EQ(GMEM_FEATURE_RANGES | GMEM_FEATURE_EVENT | GMEM_FEATURE_HOLDER,
		  info.features & ~(uint64_t)(GMEM_FEATURE_STORE_KVM |
					      GMEM_FEATURE_NUMA |
					      GMEM_FEATURE_VIEW |
					      GMEM_FEATURE_VIEW_FAULT));
}

/* create_flags are exactly the flags of CREATE: all other bits are refused. */
TEST(create_flags_are_the_ones_that_work)
{
	struct gmem_ioctl_info info;
	int bit, fd;

	ASSERT_EQ(0, gmem_info(&info));
	for (bit = 0; bit < 32; bit++) {
		fd = gmem_create(PAGE, 1U << bit);
		if (info.create_flags & (1ULL << bit)) {
			EXPECT_GE(fd, 0);
			close(fd);
		} else {
			EXPECT_EQ(-EINVAL, fd);
		}
	}
	EXPECT_EQ(0, info.create_flags >> 32);
}

/* NUMA: the feature bit and the create flag agree. */
TEST(numa_feature_matches_flag)
{
	struct gmem_ioctl_info info;

	ASSERT_EQ(0, gmem_info(&info));
	EXPECT_EQ(!!(info.features & GMEM_FEATURE_NUMA),
		  !!(info.create_flags & GMEM_CREATE_F_NODE));
}

/* VIEW is reported if GMEM_IOCTL_VIEW works, which depends on the page tables. */
TEST(view_feature_matches_ioctl)
{
	struct gmem_ioctl_view v = { .size = sizeof(v), .length = PAGE };
	int fd = test_gmem_create(PAGE, 0), rc;
	struct gmem_ioctl_info info;

	ASSERT_EQ(0, gmem_info(&info));
#ifdef __x86_64__
	EXPECT_TRUE(info.features & GMEM_FEATURE_VIEW);
#endif
	rc = gmem_ioctl(fd, GMEM_IOCTL_VIEW, &v);
	EXPECT_EQ(info.features & GMEM_FEATURE_VIEW ? 0 : -EOPNOTSUPP, rc);
	if (!rc)
		EXPECT_EQ(0, close(v.out_fd));
	close(fd);
}

/* STORE_KVM and VIEW_FAULT are reported if gmem_kvm is loaded. */
TEST(kvm_feature_matches_module)
{
	struct gmem_ioctl_info info;

	ASSERT_EQ(0, gmem_info(&info));
	EXPECT_EQ(!access("/sys/module/gmem_kvm", F_OK),
		  !!(info.features & GMEM_FEATURE_STORE_KVM));
	EXPECT_EQ(!!(info.features & GMEM_FEATURE_STORE_KVM),
		  !!(info.features & GMEM_FEATURE_VIEW_FAULT));
}

/* The node is a character device that only its owner can open. */
TEST(device_node)
{
	struct stat st;

	ASSERT_EQ(0, stat(GMEM_DEVICE_PATH, &st));
	EXPECT_TRUE(S_ISCHR(st.st_mode));
	EXPECT_EQ(0600, st.st_mode & 07777);
	EXPECT_EQ(0, st.st_uid);
}

/* A size smaller than the first version is refused. */
TEST(size_below_first_version)
{
	struct gmem_ioctl_info info = { 0 };
	int dev = gmem_open_dev();

	ASSERT_GE(dev, 0);
	for (info.size = 0; info.size < sizeof(info); info.size++)
		EXPECT_EQ(-EINVAL, gmem_ioctl(dev, GMEM_IOCTL_INFO, &info));
	close(dev);
}

/* The device itself cannot be read, written or mapped. */
TEST(device_is_only_ioctls)
{
	int dev = gmem_open_dev();
	char byte = 0;

	ASSERT_GE(dev, 0);
	EXPECT_EQ(-1, read(dev, &byte, 1));
	EXPECT_EQ(-1, write(dev, &byte, 1));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, dev, 0));
	close(dev);
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
