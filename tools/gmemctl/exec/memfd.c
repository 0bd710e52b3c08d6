// SPDX-License-Identifier: GPL-2.0
/*
 * DOC: QEMU's memory-backend-memfd
 *
 * The library replaces a memfd that QEMU creates for the guest's RAM by a gmem fd with the
 * same number. It recognises it by its name. That happens in ftruncate(), because a gmem fd
 * needs its size at creation. The size of a gmem fd does not change, so the seals that QEMU
 * sets are true, and the library answers them. Other memfds are not changed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../base/calls.h"
#include "../gmem/gmem.h"
#include "exec.h"
#include "report.h"

#define QEMU_NAME	"memory-backend-memfd"
#define PAGE_SIZE	4096u
#define SEALS		(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW)

enum memfd_kind {
	MEMFD_OTHER,
	MEMFD_WANTED,	/* still a memfd, to be replaced */
	MEMFD_GMEM,
};

/* The kind of each descriptor, and the seals that QEMU sees. */
static struct memfd {
	enum memfd_kind kind;
	unsigned int seals;
} memfds[EXEC_FDS];

static struct memfd *memfd_of(int fd, enum memfd_kind kind)
{
	if (fd < 0 || fd >= EXEC_FDS || __atomic_load_n(&memfds[fd].kind, __ATOMIC_ACQUIRE) != kind)
		return NULL;
	return &memfds[fd];
}

static void set_kind(struct memfd *memfd, enum memfd_kind kind)
{
	__atomic_store_n(&memfd->kind, kind, __ATOMIC_RELEASE);
}

bool exec_memfd_wanted(const char *name)
{
	return name && !strncmp(name, QEMU_NAME, strlen(QEMU_NAME));
}

bool exec_memfd_refused(unsigned int flags)
{
	if (!(flags & MFD_HUGETLB))
		return false;
	exec_say(QEMU_NAME ": gmem has no hugetlb pages: leave out hugetlb=on");
	return true;
}

void exec_memfd_made(int fd, unsigned int flags)
{
	struct memfd *memfd = memfd_of(fd, MEMFD_OTHER);

	if (!memfd)
		return;
	memfd->seals = flags & MFD_ALLOW_SEALING ? 0 : F_SEAL_SEAL;
	set_kind(memfd, MEMFD_WANTED);
}

/* Return: a gmem fd, all of it shared, or a negative errno. */
static int gmem_make(uint64_t size)
{
	struct gmem_ioctl_create create = {
		.size = sizeof(create),
		.flags = GMEM_CREATE_F_INIT_SHARED,
		.length = size,
	};
	int device = calls->open(GMEM_DEVICE_PATH, O_RDWR | O_CLOEXEC);
	int rc;

	if (device < 0)
		return device;
	if (exec_settings.name)
		memcpy(create.name, exec_settings.name,
		       strnlen(exec_settings.name, GMEM_NAME_MAX - 1));
	rc = calls->ioctl(device, GMEM_IOCTL_CREATE, &create);
	calls->close(device);
	return rc ? rc : create.out_fd;
}

bool exec_memfd_resize(int fd, uint64_t size)
{
	struct memfd *memfd = memfd_of(fd, MEMFD_WANTED);
	int rc, made;

	if (!memfd)
		return false;
	made = size && size % PAGE_SIZE == 0 ? gmem_make(size) : -EINVAL;
	rc = made < 0 ? made : 0;
	/* Keep the VMM's number of the descriptor, and its close-on-exec flag. */
	if (!rc && dup3(made, fd, fcntl(fd, F_GETFD) & FD_CLOEXEC ? O_CLOEXEC : 0) < 0)
		rc = -errno;
	if (made >= 0)
		calls->close(made);
	if (rc) {
		exec_say(QEMU_NAME ": cannot create a gmem fd of 0x%llx bytes, so the guest has no "
			 "private memory in it: %s", (unsigned long long)size, strerror(-rc));
		set_kind(memfd, MEMFD_OTHER);
		return false;
	}
	set_kind(memfd, MEMFD_GMEM);
	return true;
}

static int seals_add(struct memfd *memfd, unsigned int seals)
{
	if (memfd->seals & F_SEAL_SEAL)
		return -EPERM;
	if (seals & ~SEALS)
		return -EINVAL;
	memfd->seals |= seals;
	return 0;
}

bool exec_memfd_seals(int fd, int request, unsigned int seals, int *rc)
{
	struct memfd *memfd = memfd_of(fd, MEMFD_GMEM);

	if (!memfd || (request != F_ADD_SEALS && request != F_GET_SEALS))
		return false;
	*rc = request == F_ADD_SEALS ? seals_add(memfd, seals) :
	      (int)memfd->seals;
	return true;
}

void exec_memfd_closing(int fd)
{
	if (fd >= 0 && fd < EXEC_FDS && memfds[fd].kind)
		set_kind(&memfds[fd], MEMFD_OTHER);
}
