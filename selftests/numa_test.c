// SPDX-License-Identifier: GPL-2.0
/*
 * Memory comes from the node that CREATE or mbind() sets, for the whole file, and for
 * later allocations. The mbind and allocation cases of guest_memfd_test.
 *
 * get_mempolicy() reports the node of a page, and needs no page migration in the kernel.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/mempolicy.h>

#include "gmem_utils.h"
#include "ksft.h"

#define NR_PAGES 16
#define LENGTH (NR_PAGES * PAGE)

FIXTURE(numa) {
	int fd;
	uint8_t *p;
};

FIXTURE_SETUP(numa)
{
	struct gmem_ioctl_info info;

	ASSERT_EQ(0, gmem_info(&info));
	if (!(info.features & GMEM_FEATURE_NUMA))
		SKIP(return, KSFT_BY_DESIGN " a kernel without NUMA");
	if (access("/sys/devices/system/node/node1", F_OK))
		SKIP(return, KSFT_BY_DESIGN " one NUMA node");
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
}

FIXTURE_TEARDOWN(numa)
{
	close(self->fd);
}

static int set_policy(void *p, size_t length, int mode, unsigned long nodes)
{
	if (syscall(SYS_mbind, p, length, mode, nodes ? &nodes : NULL,
		    8 * sizeof(nodes), 0))
		return -errno;
	return 0;
}

/* Return: the mode of the policy at an address, or a negative errno. */
static int get_policy(void *p, unsigned long *nodes)
{
	/* As many bits as nodes that the kernel may support. */
	unsigned long mask[16] = { 0 };
	int mode = -1;

	if (syscall(SYS_get_mempolicy, &mode, mask, 8 * sizeof(mask), p,
		    MPOL_F_ADDR))
		return -errno;
	*nodes = mask[0];
	return mode;
}

/* Return: the node of the page at an address; populates it. */
static int node_of(void *p)
{
	int node = -1;

	if (syscall(SYS_get_mempolicy, &node, NULL, 0, p,
		    MPOL_F_NODE | MPOL_F_ADDR))
		return -errno;
	return node;
}

static void expect_nodes(uint8_t *p, int count, int node)
{
	int i;

	for (i = 0; i < count; i++) {
		p[i * PAGE] = 1;
		EXPECT_EQ(node, node_of(p + i * PAGE));
	}
}

/* CREATE with a node: pages come from it, in every way of populating them. */
TEST_F(numa, create_node)
{
	int node, fd;

	for (node = 0; node < 2; node++) {
		struct gmem_ioctl_create c = {
			.size = sizeof(c),
			.flags = GMEM_CREATE_F_NODE | GMEM_CREATE_F_INIT_SHARED,
			.length = LENGTH,
			.node = node,
		};
		int dev = gmem_open_dev();
		uint8_t *p;

		ASSERT_EQ(0, gmem_ioctl(dev, GMEM_IOCTL_CREATE, &c));
		close(dev);
		fd = c.out_fd;
		p = test_gmem_map(fd, 0, LENGTH);
		test_gmem_convert(fd, 8 * PAGE, 8 * PAGE, PRIVATE, PRESERVE);
		test_gmem_commit(fd, 4 * PAGE, 8 * PAGE);
		test_gmem_convert(fd, 0, LENGTH, SHARED, PRESERVE);
		expect_nodes(p, NR_PAGES, node);
		close(fd);
	}
}

/* A policy is reported as it was set. */
TEST_F(numa, told_as_set)
{
	unsigned long nodes;

	EXPECT_EQ(0, set_policy(self->p, LENGTH, MPOL_INTERLEAVE, 3));
	EXPECT_EQ(MPOL_INTERLEAVE, get_policy(self->p, &nodes));
	EXPECT_EQ(3, nodes);
	EXPECT_EQ(0, set_policy(self->p, LENGTH, MPOL_BIND, 2));
	EXPECT_EQ(MPOL_BIND, get_policy(self->p + LENGTH - 1, &nodes));
	EXPECT_EQ(2, nodes);
	EXPECT_EQ(0, set_policy(self->p, LENGTH, MPOL_PREFERRED, 1));
	EXPECT_EQ(MPOL_PREFERRED, get_policy(self->p, &nodes));
	EXPECT_EQ(1, nodes);
	EXPECT_EQ(0, set_policy(self->p, LENGTH, MPOL_DEFAULT, 0));
	EXPECT_EQ(MPOL_DEFAULT, get_policy(self->p, &nodes));
}

/* BIND and PREFERRED determine the node of new pages. */
TEST_F(numa, bind_and_preferred)
{
	EXPECT_EQ(0, set_policy(self->p, 4 * PAGE, MPOL_BIND, 2));
	EXPECT_EQ(0, set_policy(self->p + 4 * PAGE, 4 * PAGE, MPOL_BIND, 1));
	EXPECT_EQ(0, set_policy(self->p + 8 * PAGE, 4 * PAGE, MPOL_PREFERRED,
				2));
	EXPECT_EQ(0, set_policy(self->p + 12 * PAGE, 4 * PAGE,
				MPOL_PREFERRED_MANY, 1));
	expect_nodes(self->p, 4, 1);
	expect_nodes(self->p + 4 * PAGE, 4, 0);
	expect_nodes(self->p + 8 * PAGE, 4, 1);
	expect_nodes(self->p + 12 * PAGE, 4, 0);
}

/* INTERLEAVE spreads the pages evenly. */
TEST_F(numa, interleave)
{
	int i, node, count[2] = { 0 };

	EXPECT_EQ(0, set_policy(self->p, LENGTH, MPOL_INTERLEAVE, 3));
	for (i = 0; i < NR_PAGES; i++) {
		self->p[i * PAGE] = 1;
		node = node_of(self->p + i * PAGE);
		ASSERT_TRUE(node == 0 || node == 1);
		count[node]++;
	}
	EXPECT_EQ(NR_PAGES / 2, count[0]);
	EXPECT_EQ(NR_PAGES / 2, count[1]);
}

/* Existing pages stay; after a hole new pages follow the new policy. */
TEST_F(numa, punch_reallocates)
{
	EXPECT_EQ(0, set_policy(self->p, LENGTH, MPOL_BIND, 1));
	expect_nodes(self->p, NR_PAGES, 0);
	EXPECT_EQ(0, set_policy(self->p, LENGTH, MPOL_BIND, 2));
	expect_nodes(self->p, NR_PAGES, 0);
	test_gmem_punch(self->fd, 0, 8 * PAGE);
	expect_nodes(self->p, 8, 1);
	expect_nodes(self->p + 8 * PAGE, 8, 0);
}

/* The policy belongs to the file: other mappings and commits use it. */
TEST_F(numa, policy_of_the_file)
{
	uint8_t *q = test_gmem_map(self->fd, 4 * PAGE, 8 * PAGE);

	EXPECT_EQ(0, set_policy(q, 8 * PAGE, MPOL_BIND, 2));
	munmap(q, 8 * PAGE);
	test_gmem_commit(self->fd, 4 * PAGE, 4 * PAGE);
	expect_nodes(self->p + 4 * PAGE, 8, 1);
}

/* The policy of private pages applies when they are populated, and later. */
TEST_F(numa, private_pages)
{
	EXPECT_EQ(0, set_policy(self->p, LENGTH, MPOL_BIND, 2));
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	test_gmem_commit(self->fd, 0, LENGTH);
	EXPECT_EQ(-EFAULT, node_of(self->p));
	EXPECT_EQ(0, set_policy(self->p, LENGTH, MPOL_BIND, 1));
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_nodes(self->p, NR_PAGES, 1);
}

/* DEFAULT removes a policy. */
TEST_F(numa, default_policy)
{
	unsigned long nodes;

	EXPECT_EQ(0, set_policy(self->p, LENGTH, MPOL_BIND, 2));
	EXPECT_EQ(0, set_policy(self->p, 8 * PAGE, MPOL_DEFAULT, 0));
	EXPECT_EQ(MPOL_DEFAULT, get_policy(self->p, &nodes));
	EXPECT_EQ(MPOL_BIND, get_policy(self->p + 8 * PAGE, &nodes));
	ASSERT_EQ(0, gmem_pin_cpu(0));
	self->p[0] = 1;
	EXPECT_GE(node_of(self->p), 0);
	expect_nodes(self->p + 8 * PAGE, 8, 1);
}

/*
 * Set a policy for every second page, each by a mapping of its own. Return: the number
 * set.
 */
static int set_policies(int fd, int count)
{
	int i;

	for (i = 0; i < count; i++) {
		void *p = gmem_map(fd, 2 * i * PAGE, PAGE);
		int rc;

		ASSERT_NE(MAP_FAILED, p);
		rc = set_policy(p, PAGE, MPOL_PREFERRED, 1);
		munmap(p, PAGE);
		if (rc) {
			EXPECT_EQ(-ENOMEM, rc);
			break;
		}
	}
	return i;
}

/*
 * The number of policies is limited, because they are not charged. They are freed with
 * the file, a little later; this once failed with 2000 policies.
 */
TEST_F(numa, many_policies)
{
	int fd = test_gmem_create(2 * 2300 * PAGE, GMEM_CREATE_F_INIT_SHARED);
	uint8_t *p = test_gmem_map(fd, 0, 2 * 2300 * PAGE);
	int count;

	EXPECT_EQ(GMEM_POLICY_MAX_RANGES, set_policies(fd, 2300));
	/* The same policy again, one more, one replaced by another, and one for all pages. */
	EXPECT_EQ(0, set_policy(p, PAGE, MPOL_BIND, 1));
	EXPECT_EQ(-ENOMEM, set_policy(p + PAGE, PAGE, MPOL_BIND, 2));
	EXPECT_EQ(0, set_policy(p, PAGE, MPOL_DEFAULT, 0));
	EXPECT_EQ(0, set_policy(p + PAGE, PAGE, MPOL_BIND, 2));
	EXPECT_EQ(-ENOMEM, set_policy(p + 3 * PAGE, PAGE, MPOL_BIND, 1));
	p = test_gmem_map(fd, 0, 2 * 2300 * PAGE);
	EXPECT_EQ(0, set_policy(p, 2 * 2300 * PAGE, MPOL_BIND, 1));
	EXPECT_EQ(0, set_policy(p + 3 * PAGE, PAGE, MPOL_BIND, 2));
	close(fd);

	for (count = 1700; count < 2300; count += 100) {
		fd = test_gmem_create(2 * count * PAGE, GMEM_CREATE_F_INIT_SHARED);
		EXPECT_EQ(GMEM_POLICY_MAX_RANGES, set_policies(fd, count));
		close(fd);
	}
	sleep(1);
}

#define MAPPINGS 2000

/* How long it takes to set the policy of so many mappings, of one page, in one call. */
static uint64_t set_policy_ms(int fd)
{
	uint8_t *p = mmap(NULL, MAPPINGS * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t start;
	int i;

	ASSERT_NE(MAP_FAILED, (void *)p);
	for (i = 0; i < MAPPINGS; i++)
		ASSERT_NE(MAP_FAILED, mmap(p + i * PAGE, PAGE, PROT_READ | PROT_WRITE,
					   MAP_SHARED | MAP_FIXED, fd, 0));
	start = ksft_now_ms();
	EXPECT_EQ(0, set_policy(p, MAPPINGS * PAGE, MPOL_PREFERRED, 1));
	start = ksft_now_ms() - start;
	munmap(p, MAPPINGS * PAGE);
	return start;
}

/*
 * The policies of other pages of the file do not make it slower. mbind() holds mmap_lock for
 * writing, and cannot be killed.
 */
TEST_F(numa, many_mappings)
{
	int fd = test_gmem_create(2 * 1000 * PAGE, GMEM_CREATE_F_INIT_SHARED);
	uint64_t alone = set_policy_ms(fd), took;

	EXPECT_EQ(1000, set_policies(fd, 1000));
	took = set_policy_ms(fd);
	TH_LOG("%u ms, and %u ms with 1000 ranges", (unsigned int)alone, (unsigned int)took);
	EXPECT_LT(took, 3 * alone + 3000);
	close(fd);
}

/* Read a list of nodes from sysfs. All numbers are below 64. */
static unsigned long read_nodes(const char *path)
{
	unsigned long nodes = 0, first, last;
	char text[256], *p = text;

	ASSERT_GT(gmem_read_file(path, text, sizeof(text)), 0);
	while (*p >= '0' && *p <= '9') {
		first = strtoul(p, &p, 10);
		last = *p == '-' ? strtoul(p + 1, &p, 10) : first;
		for (; first <= last; first++)
			nodes |= 1UL << first;
		p += *p == ',';
	}
	return nodes;
}

/*
 * A node with movable memory only, as CXL memory often is, has no memory for guests. A policy
 * for such nodes alone is ignored, as the kernel does for its own unmovable memory.
 */
TEST_F(numa, movable_node)
{
	unsigned long nodes = read_nodes("/sys/devices/system/node/has_memory") &
			      ~read_nodes("/sys/devices/system/node/has_normal_memory");
	pid_t pid;

	if (!nodes)
		SKIP(return, KSFT_BY_DESIGN " no node with movable memory alone");
	EXPECT_EQ(0, set_policy(self->p, LENGTH / 2, MPOL_BIND, nodes));
	EXPECT_EQ(0, set_policy(self->p + LENGTH / 2, LENGTH / 2, MPOL_BIND, nodes | 2));
	pid = fork();
	if (!pid) {
		alarm(10);
		gmem_fill(self->p, 'A', LENGTH / 2);
		_exit(0);
	}
	EXPECT_EQ(0, gmem_wait_pid(pid));
	test_gmem_commit(self->fd, 0, LENGTH / 2);
	expect_nodes(self->p + LENGTH / 2, NR_PAGES / 2, 1);
}

/* An invalid policy is refused, and changes nothing. */
TEST_F(numa, bad_policies)
{
	unsigned long nodes;

	EXPECT_EQ(0, set_policy(self->p, LENGTH, MPOL_BIND, 2));
	EXPECT_EQ(-EINVAL, set_policy(self->p, LENGTH, 999, 1));
	EXPECT_EQ(-EINVAL, set_policy(self->p, LENGTH, MPOL_BIND, 0));
	EXPECT_EQ(-EINVAL, set_policy(self->p, LENGTH, MPOL_BIND, 1UL << 40));
	EXPECT_EQ(-EINVAL, set_policy(self->p + 1, LENGTH, MPOL_BIND, 1));
	EXPECT_EQ(MPOL_BIND, get_policy(self->p, &nodes));
	EXPECT_EQ(2, nodes);
	expect_nodes(self->p, NR_PAGES, 1);
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
