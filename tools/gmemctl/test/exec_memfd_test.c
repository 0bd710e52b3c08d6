// SPDX-License-Identifier: GPL-2.0
/* The memfd of QEMU's memory-backend-memfd, which `gmemctl exec` makes a gmem fd. */
#include <fcntl.h>
#include <sys/stat.h>

#include "../exec/exec.h"
#include "../exec/report.h"
#include "exec_fake.h"
#include "ksft.h"

#define MIB	(UINT64_C(1) << 20)

static ino_t inode(int fd)
{
	struct stat status;

	return fstat(fd, &status) ? 0 : status.st_ino;
}

/* As QEMU makes one, which the library sees. */
static int make(unsigned int flags)
{
	int fd = memfd_create("memory-backend-memfd", flags);

	exec_memfd_made(fd, flags);
	return fd;
}

static void end(int fd)
{
	exec_memfd_closing(fd);
	close(fd);
}

static int seals(int fd, int request, unsigned int value)
{
	int rc = 12345;

	EXPECT_TRUE(exec_memfd_seals(fd, request, value, &rc));
	return rc;
}

FIXTURE(exec_memfd) {
};

FIXTURE_SETUP(exec_memfd)
{
	exec_fake_start();
}

FIXTURE_TEARDOWN(exec_memfd)
{
	exec_fake_stop();
}

TEST_OF(exec_memfd, names)
{
	EXPECT_TRUE(exec_memfd_wanted("memory-backend-memfd"));
	EXPECT_FALSE(exec_memfd_wanted("test"));
	EXPECT_FALSE(exec_memfd_wanted(""));
	EXPECT_FALSE(exec_memfd_wanted(NULL));
	EXPECT_FALSE(exec_memfd_wanted("memory-backend"));
	EXPECT_FALSE(exec_memfd_refused(MFD_CLOEXEC | MFD_ALLOW_SEALING));
	EXPECT_TRUE(exec_memfd_refused(MFD_CLOEXEC | MFD_HUGETLB));
}

TEST_F(exec_memfd, resize)
{
	const char *before = exec_settings.name;
	ino_t was;
	int fd;

	exec_settings.name = "guest";
	fd = make(MFD_CLOEXEC | MFD_ALLOW_SEALING);
	was = inode(fd);
	EXPECT_TRUE(exec_memfd_resize(fd, 3 * MIB));
	EXPECT_EQ(exec_fake.created.length, 3 * MIB);
	EXPECT_EQ(exec_fake.created.flags, GMEM_CREATE_F_INIT_SHARED);
	EXPECT_STREQ(exec_fake.created.name, "guest");
	EXPECT_NE(inode(fd), was);
	EXPECT_EQ(lseek(fd, 0, SEEK_END), (off_t)(3 * MIB));
	EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	/* It has its size: the next one is the kernel's to refuse. */
	EXPECT_FALSE(exec_memfd_resize(fd, 4 * MIB));
	end(fd);
	fd = make(0);
	EXPECT_TRUE(exec_memfd_resize(fd, MIB));
	EXPECT_FALSE(fcntl(fd, F_GETFD));
	end(fd);
	exec_settings.name = before;
}

TEST_F(exec_memfd, seals)
{
	int fd, rc;

	fd = make(MFD_ALLOW_SEALING);
	/* A memfd as long as it has no size. */
	EXPECT_FALSE(exec_memfd_seals(fd, F_GET_SEALS, 0, &rc));
	EXPECT_TRUE(exec_memfd_resize(fd, MIB));
	EXPECT_EQ(seals(fd, F_GET_SEALS, 0), 0);
	EXPECT_EQ(seals(fd, F_ADD_SEALS, F_SEAL_WRITE), -EINVAL);
	EXPECT_EQ(seals(fd, F_ADD_SEALS, F_SEAL_GROW), 0);
	EXPECT_EQ(seals(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL), 0);
	EXPECT_EQ(seals(fd, F_GET_SEALS, 0), F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
	EXPECT_EQ(seals(fd, F_ADD_SEALS, F_SEAL_GROW), -EPERM);
	EXPECT_FALSE(exec_memfd_seals(fd, F_GETFD, 0, &rc));
	end(fd);
	EXPECT_FALSE(exec_memfd_seals(fd, F_GET_SEALS, 0, &rc));
	fd = make(0);
	EXPECT_TRUE(exec_memfd_resize(fd, MIB));
	EXPECT_EQ(seals(fd, F_ADD_SEALS, F_SEAL_GROW), -EPERM);
	end(fd);
}

/* What cannot be a gmem fd stays the memfd that it was. */
TEST_F(exec_memfd, others)
{
	int fd, other, rc;
	ino_t was;

	other = memfd_create("other", 0);
	EXPECT_FALSE(exec_memfd_resize(other, MIB));
	EXPECT_FALSE(exec_memfd_resize(-1, MIB));
	EXPECT_FALSE(exec_memfd_resize(1 << 30, MIB));
	EXPECT_FALSE(exec_memfd_seals(other, F_GET_SEALS, 0, &rc));
	close(other);
	fd = make(0);
	was = inode(fd);
	EXPECT_FALSE(exec_memfd_resize(fd, MIB + 1));
	EXPECT_EQ(inode(fd), was);
	EXPECT_FALSE(exec_memfd_resize(fd, MIB));
	EXPECT_FALSE(exec_fake.created.length);
	end(fd);
	fd = make(0);
	was = inode(fd);
	exec_fake.create_rc = -ENOMEM;
	EXPECT_FALSE(exec_memfd_resize(fd, MIB));
	EXPECT_EQ(inode(fd), was);
	EXPECT_EQ(exec_fake.created.length, MIB);
	end(fd);
	/* The number may be something else's by then. */
	exec_fake.create_rc = 0;
	fd = make(0);
	end(fd);
	EXPECT_FALSE(exec_memfd_resize(fd, MIB));
}
