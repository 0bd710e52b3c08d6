// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "calls.h"

#ifndef MFD_HUGE_SHIFT
#define MFD_HUGE_SHIFT 26
#endif
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif
#define MPOL_BIND	2
#define NODE_MAX	0xffff
#define NODE_WORD_BITS	(8 * sizeof(unsigned long))

static int system_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int system_close(int fd)
{
	return close(fd) ? -errno : 0;
}

static int system_ioctl(int fd, unsigned long request, void *arg)
{
	int rc = ioctl(fd, request, arg);

	return rc < 0 ? -errno : rc;
}

static int system_map(size_t length, int prot, int flags, int fd,
		      uint64_t offset, void **out)
{
	void *address = mmap(NULL, length, prot, flags, fd, (off_t)offset);

	if (address == MAP_FAILED)
		return -errno;
	*out = address;
	return 0;
}

static int system_unmap(void *address, size_t length)
{
	return munmap(address, length) ? -errno : 0;
}

static int memfd_open(const char *name, uint64_t length, unsigned int flags)
{
	int fd = memfd_create(name, MFD_CLOEXEC | flags);
	int rc;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)length)) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

static int system_memfd(const char *name, uint64_t length)
{
	return memfd_open(name, length, 0);
}

static int system_hugetlb(const char *name, uint64_t length, unsigned int shift)
{
	return memfd_open(name, length, MFD_HUGETLB | shift << MFD_HUGE_SHIFT);
}

static int system_punch(int fd, uint64_t offset, uint64_t length)
{
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			 (off_t)offset, (off_t)length) ? -errno : 0;
}

/* guest_memfd requires FALLOC_FL_KEEP_SIZE, and no caller needs a larger file. */
static int system_allocate(int fd, uint64_t offset, uint64_t length)
{
	return fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)offset,
			 (off_t)length) ? -errno : 0;
}

static int system_map_at(void *address, size_t length, int prot, int flags,
			 int fd, uint64_t offset)
{
	void *at = mmap(address, length, prot, flags | MAP_FIXED, fd,
			(off_t)offset);

	return at == MAP_FAILED ? -errno : 0;
}

static int system_protect(void *address, size_t length, int prot)
{
	return mprotect(address, length, prot) ? -errno : 0;
}

static int system_advise(void *address, size_t length, int advice)
{
	return madvise(address, length, advice) ? -errno : 0;
}

static int system_lock(void *address, size_t length)
{
	/* Not mlock(), because the sanitizers replace it by a function that does nothing. */
	return syscall(SYS_mlock2, address, length, 0) ? -errno : 0;
}

static int system_unlock(void *address, size_t length)
{
	return syscall(SYS_munlock, address, length) ? -errno : 0;
}

/* mbind() uses one bit less than the number that it is given. */
static int system_bind_node(void *address, size_t length, unsigned int node)
{
	unsigned long mask[NODE_MAX / NODE_WORD_BITS + 1] = { 0 };

	if (node > NODE_MAX)
		return -EINVAL;
	mask[node / NODE_WORD_BITS] = 1UL << node % NODE_WORD_BITS;
	return syscall(SYS_mbind, address, length, MPOL_BIND, mask,
		       (unsigned long)node + 2, 0) ? -errno : 0;
}

static int system_name(void *address, size_t length, const char *name)
{
	return prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, address, length, name) ?
	       -errno : 0;
}

/* Convert the result of process_vm_readv() or process_vm_writev() to an errno. */
static int copied(ssize_t got, size_t length)
{
	if (got < 0)
		return -errno;
	return (size_t)got == length ? 0 : -EFAULT;
}

static int system_peek(void *to, const void *address, size_t length)
{
	struct iovec local = { to, length }, remote = { (void *)address, length };

	return copied(process_vm_readv(getpid(), &local, 1, &remote, 1, 0), length);
}

static int system_poke(void *address, const void *from, size_t length)
{
	struct iovec local = { (void *)from, length }, remote = { address, length };

	return copied(process_vm_writev(getpid(), &local, 1, &remote, 1, 0), length);
}

const struct calls calls_system = {
	.open	= system_open,
	.close	= system_close,
	.ioctl	= system_ioctl,
	.map	= system_map,
	.unmap	= system_unmap,
	.memfd	= system_memfd,
	.punch	= system_punch,
	.map_at	= system_map_at,
	.protect = system_protect,
	.advise	= system_advise,
	.lock	= system_lock,
	.unlock	= system_unlock,
	.bind_node = system_bind_node,
	.name	= system_name,
	.peek	= system_peek,
	.poke	= system_poke,
	.hugetlb = system_hugetlb,
	.allocate = system_allocate,
};

const struct calls *calls = &calls_system;
