// SPDX-License-Identifier: GPL-2.0
/*
 * The fuzzer's other system calls: what a process can do with descriptors and mappings of
 * guest memory, including what must be refused.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/mempolicy.h>

#include "fuzz.h"
#include "hold.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

/* Most memory that one call commits. The memory limit must not stop the test. */
#define COMMIT_MAX (400 * PAGE)

static long result(long rc)
{
	return rc < 0 ? -errno : rc;
}

static long call_fallocate(struct fuzz_thread *t)
{
	static const int modes[] = {
		0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE,
		FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_ZERO_RANGE,
		FALLOC_FL_INSERT_RANGE, FALLOC_FL_UNSHARE_RANGE,
		FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 0x100, -1,
	};
	int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
	uint64_t length, offset, bytes;
	int fd = fuzz_fd(t, fuzz_chance(t, 16) ? FUZZ_STORE : FUZZ_GMEM,
			 &length);

	if (fuzz_chance(t, 8))
		mode = modes[fuzz_rand(t, sizeof(modes) / sizeof(*modes))];
	else if (fuzz_chance(t, 2))
		mode = FALLOC_FL_KEEP_SIZE;
	offset = fuzz_offset(t, length);
	bytes = fuzz_length(t, offset, length);
	if (!(mode & FALLOC_FL_PUNCH_HOLE) && bytes > COMMIT_MAX &&
	    !fuzz_chance(t, 64))
		bytes = COMMIT_MAX;
	fuzz_args(t, fd, mode, offset, bytes);
	return result(fallocate(fd, mode, offset, bytes));
}

static long call_lseek(struct fuzz_thread *t)
{
	uint64_t length, offset;
	int whence = fuzz_u32(t, SEEK_HOLE);
	int fd = fuzz_fd(t, FUZZ_GMEM, &length);

	offset = fuzz_offset(t, length);
	fuzz_args(t, fd, offset, whence);
	return lseek(fd, offset, whence) < 0 ? -errno : 0;
}

static long call_touch(struct fuzz_thread *t)
{
	uint8_t *p = fuzz_address(t);
	int i, n = 1 + fuzz_rand(t, 4), sig = 0;

	fuzz_args(t, (uintptr_t)p, n);
	for (i = 0; i < n; i++, p += PAGE)
		sig = fuzz_chance(t, 2) ? gmem_try_write(p, i) :
					  gmem_try_read(p, NULL);
	return sig == SIGBUS ? -EHWPOISON : sig ? -EFAULT : 0;
}

static uint64_t arena_length(struct fuzz_thread *t, const uint8_t *p)
{
	uint64_t left = t->fuzz->arena + FUZZ_ARENA - p;
	uint64_t length = fuzz_chance(t, 8) ? fuzz_rand(t, left) :
			  (1 + fuzz_rand(t, 600)) * PAGE;

	return length < left ? length : left;
}

/*
 * Fill a possible hole. Otherwise the stack of a new thread could be mapped there, and
 * the next call would overwrite it.
 */
static void plug(void *p, uint64_t length)
{
	mmap(p, length, PROT_NONE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
}

/* mmap() may have removed the old mapping even if it fails. */
static long mmap_plugged(void *p, uint64_t length, int prot, int flags, int fd,
			 uint64_t offset)
{
	long rc;

	if (mmap(p, length, prot, flags, fd, offset) != MAP_FAILED)
		return 0;
	rc = -errno;
	plug(p, length);
	return rc;
}

/* Likewise for mremap(): plug the target, and the source as well if it succeeds. */
static long mremap_plugged(uint8_t *p, uint64_t old, uint64_t new, uint8_t *to)
{
	int flags = MREMAP_MAYMOVE | MREMAP_FIXED;
	long rc = mremap(p, old, new, flags, to) == MAP_FAILED ? -errno : 0;

	plug(to, new);
	if (!rc)
		plug(p, old ? old : PAGE);
	return rc;
}

static long call_mmap(struct fuzz_thread *t)
{
	static const int prots[] = { PROT_NONE, PROT_READ, PROT_WRITE,
				     PROT_READ | PROT_EXEC };
	int prot = PROT_READ | PROT_WRITE, flags = MAP_SHARED | MAP_FIXED;
	uint64_t file_length, length, offset;
	int fd = fuzz_fd(t, FUZZ_GMEM, &file_length);
	uint8_t *p = fuzz_address(t);

	p -= (uintptr_t)p % PAGE;
	length = arena_length(t, p);
	offset = fuzz_chance(t, 2) ? 0 : fuzz_offset(t, file_length);
	if (fuzz_chance(t, 8))
		prot = prots[fuzz_rand(t, 4)];
	if (fuzz_chance(t, 16))
		flags = MAP_FIXED | (fuzz_chance(t, 2) ? MAP_PRIVATE :
							 MAP_SHARED_VALIDATE);
	if (fuzz_chance(t, 16))
		flags |= fuzz_chance(t, 2) ? MAP_POPULATE : MAP_NORESERVE;
	if (fuzz_chance(t, 64))
		flags |= MAP_LOCKED;
	fuzz_args(t, (uintptr_t)p, length, prot, flags, fd, offset);
	return mmap_plugged(p, length, prot, flags, fd, offset);
}

/*
 * Map a view. Such a mapping cannot be split, so each has a fixed place of its own, where
 * it replaces the old mapping.
 */
static long call_view_mmap(struct fuzz_thread *t)
{
	int prot = fuzz_chance(t, 16) ? (int)fuzz_u32(t, 7) : PROT_NONE;
	int flags = MAP_SHARED | MAP_FIXED;
	uint64_t end, length, offset;
	int fd = fuzz_fd(t, FUZZ_VIEW, &end);
	uint8_t *p = fuzz_view_address(t);

	if (!fuzz_chance(t, 8))
		p -= (p - t->fuzz->arena) % FUZZ_PLACE;
	length = (1 + fuzz_rand(t, FUZZ_PLACE / PAGE)) * PAGE;
	if (fuzz_chance(t, 4))
		length = FUZZ_PLACE;
	offset = end > length ? (end - length) / PAGE * PAGE : 0;
	if (fuzz_chance(t, 3))
		offset = fuzz_offset(t, end);
	if (fuzz_chance(t, 16))
		flags = MAP_FIXED | (fuzz_chance(t, 2) ? MAP_PRIVATE :
							 MAP_SHARED_VALIDATE);
	if (fuzz_chance(t, 16))
		flags |= fuzz_chance(t, 2) ? MAP_POPULATE : MAP_LOCKED;
	if (p + length > t->fuzz->arena + FUZZ_ARENA)
		length = t->fuzz->arena + FUZZ_ARENA - p;
	fuzz_args(t, (uintptr_t)p, length, prot, flags, fd, offset);
	return mmap_plugged(p, length, prot, flags, fd, offset);
}

static void *view_unmap(struct fuzz_thread *t, uint8_t *p)
{
	p -= (p - t->fuzz->arena) % FUZZ_PLACE;
	return mmap(p, FUZZ_PLACE, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1,
		    0);
}

/*
 * Unmap a view, but keep its place reserved; or make a call that must not change the
 * mapping.
 */
static long call_view_vma(struct fuzz_thread *t)
{
	uint8_t *p = fuzz_view_address(t), *to = fuzz_view_address(t);
	uint64_t length = (1 + fuzz_rand(t, 64)) * PAGE;
	long rc;

	fuzz_args(t, (uintptr_t)p, length, (uintptr_t)to);
	switch (fuzz_rand(t, 8)) {
	case 0:
		return result(mprotect(p, length, (int)fuzz_u32(t, 7)));
	case 1:
		return result(madvise(p, length, (int)fuzz_u32(t, 25)));
	case 2:
		return mremap_plugged(p, length, length, to);
	case 3:
		return mremap_plugged(p, fuzz_chance(t, 2) ? 0 : length, length,
				      to);
	case 4:
		rc = result(syscall(SYS_remap_file_pages, p, length, 0,
				    fuzz_rand(t, 1200), 0));
		plug(p, length);
		return rc;
	case 5:
		gmem_try_write(p, 1);
		return gmem_try_read(p, NULL) ? -EFAULT : 0;
	default:
		return view_unmap(t, p) == MAP_FAILED ? -errno : 0;
	}
}

/* Unmap, but keep the range reserved, so that nothing else is mapped there. */
static long call_munmap(struct fuzz_thread *t)
{
	uint8_t *p = fuzz_address(t);
	uint64_t length;

	p -= (uintptr_t)p % PAGE;
	length = arena_length(t, p);
	if (length > 32 * PAGE && !fuzz_chance(t, 8))
		length = 32 * PAGE;
	fuzz_args(t, (uintptr_t)p, length);
	return mmap(p, length, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1,
		    0) == MAP_FAILED ? -errno : 0;
}

static long call_mremap(struct fuzz_thread *t)
{
	uint8_t *from = fuzz_address(t), *to = fuzz_address(t);
	uint64_t old = (1 + fuzz_rand(t, 16)) * PAGE;
	uint64_t new = (1 + fuzz_rand(t, 32)) * PAGE;

	if (fuzz_chance(t, 8))
		old = 0;
	if (to + new > t->fuzz->arena + FUZZ_ARENA)
		to = t->fuzz->arena;
	fuzz_args(t, (uintptr_t)from, old, new, (uintptr_t)to);
	return mremap_plugged(from, old, new, to);
}

static long call_mprotect(struct fuzz_thread *t)
{
	uint8_t *p = fuzz_address(t);
	uint64_t length = (1 + fuzz_rand(t, 64)) * PAGE;
	int prot = fuzz_chance(t, 2) ? PROT_READ | PROT_WRITE :
				       (int)fuzz_u32(t, 7);

	fuzz_args(t, (uintptr_t)p, length, prot);
	return result(mprotect(p, length, prot));
}

/* Poisoned memory is lost until the next boot, so poison only a few pages. */
static long call_poison(struct fuzz_thread *t)
{
	unsigned int *left = &t->fuzz->shared->poison_left;
	uint8_t *p = fuzz_address(t);

	fuzz_args(t, (uintptr_t)p);
	if (__atomic_load_n(left, __ATOMIC_RELAXED) == 0)
		return 0;
	__atomic_fetch_sub(left, 1, __ATOMIC_RELAXED);
	return gmem_try_madvise(p, PAGE, MADV_HWPOISON);
}

static long call_madvise(struct fuzz_thread *t)
{
	static const int advices[] = {
		MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED,
		MADV_DONTNEED, MADV_FREE, MADV_REMOVE, MADV_DONTFORK,
		MADV_DOFORK, MADV_MERGEABLE, MADV_UNMERGEABLE, MADV_HUGEPAGE,
		MADV_NOHUGEPAGE, MADV_DONTDUMP, MADV_DODUMP, MADV_WIPEONFORK,
		MADV_KEEPONFORK, MADV_COLD, MADV_PAGEOUT, MADV_POPULATE_READ,
		MADV_POPULATE_WRITE, MADV_COLLAPSE, 999,
	};
	int advice = advices[fuzz_rand(t, sizeof(advices) / sizeof(*advices))];
	uint64_t length = (1 + fuzz_rand(t, 64)) * PAGE;
	uint8_t *p = fuzz_address(t);

	fuzz_args(t, (uintptr_t)p, length, advice);
	return result(madvise(p, length, advice));
}

static long call_mbind(struct fuzz_thread *t)
{
	unsigned long mask = fuzz_chance(t, 8) ? fuzz_number(t) :
						 1 + fuzz_rand(t, 3);
	uint64_t length = (1 + fuzz_rand(t, 64)) * PAGE;
	int mode = fuzz_u32(t, MPOL_PREFERRED_MANY);
	uint8_t *p = fuzz_address(t);

	fuzz_args(t, (uintptr_t)p, length, mode, mask);
	return result(syscall(SYS_mbind, p, length, mode, &mask, 64,
			      fuzz_u32(t, 7)));
}

static long call_mlock(struct fuzz_thread *t)
{
	uint64_t length = (1 + fuzz_rand(t, 16)) * PAGE;
	uint8_t *p = fuzz_address(t);

	fuzz_args(t, (uintptr_t)p, length);
	switch (fuzz_rand(t, 4)) {
	case 0:
		return result(mlock2(p, length, 1));
	case 1:
		return result(msync(p, length, fuzz_u32(t, 7)));
	case 2:
		return result(mincore(p, length, t->buffer));
	default:
		return result(munlock(p, length));
	}
}

/* Hold pages in a pipe for a short time. */
static long call_vmsplice(struct fuzz_thread *t)
{
	struct hold_pipe hold;
	uint8_t *p = fuzz_address(t);
	int pages = 1 + fuzz_rand(t, 4), rc;

	fuzz_args(t, (uintptr_t)p, pages);
	rc = hold_pipe_take(&hold, p, pages * PAGE);
	if (rc)
		return rc;
	if (!fuzz_chance(t, 4))
		usleep(fuzz_rand(t, 30000));
	hold_pipe_drop(&hold);
	return 0;
}

static long call_process_vm(struct fuzz_thread *t)
{
	uint8_t buf[256];
	struct iovec local = { .iov_base = buf, .iov_len = sizeof(buf) };
	struct iovec remote = { .iov_base = fuzz_address(t),
				.iov_len = 1 + fuzz_rand(t, sizeof(buf)) };

	fuzz_args(t, (uintptr_t)remote.iov_base, remote.iov_len);
	if (fuzz_chance(t, 2))
		return result(process_vm_readv(getpid(), &local, 1, &remote, 1,
					       0));
	memset(buf, 1, sizeof(buf));
	return result(process_vm_writev(getpid(), &local, 1, &remote, 1, 0));
}

/* File operations that gmem does not offer. */
static long call_file(struct fuzz_thread *t)
{
	struct stat st;
	uint64_t length, offset;
	int fd = fuzz_fd(t, fuzz_chance(t, 4) ? FUZZ_MOCK :
			    fuzz_chance(t, 4) ? FUZZ_VIEW : FUZZ_GMEM, &length);
	unsigned int what = fuzz_rand(t, 14);

	offset = fuzz_offset(t, length);
	fuzz_args(t, fd, what, offset);
	switch (what) {
	case 0:
		return result(pread(fd, t->buffer, PAGE, offset));
	case 1:
		return result(pwrite(fd, t->buffer, PAGE, offset));
	case 2:
		return result(ftruncate(fd, offset));
	case 3:
		return result(fsync(fd));
	case 4:
		return result(fstat(fd, &st));
	case 5:
		return result(posix_fadvise(fd, offset, PAGE,
					    fuzz_u32(t, POSIX_FADV_NOREUSE)));
	case 6:
		return result(sendfile(fd, fuzz_fd(t, FUZZ_GMEM, NULL), NULL,
				       PAGE));
	case 7:
		return result(copy_file_range(fd, NULL,
					      fuzz_fd(t, FUZZ_GMEM, NULL), NULL,
					      PAGE, 0));
	case 8:
		return result(flock(fd, LOCK_NB | fuzz_u32(t, 15)));
	case 9:
		return result(fcntl(fd, F_SETFL, fuzz_number(t) & ~O_ASYNC));
	case 10:
		/* The fd may be a device now, and its mode would outlive the test. */
		return result(fchmod(fd, 0600));
	case 11:
		return result(readahead(fd, offset, PAGE));
	case 12:
		return result(sync_file_range(fd, offset, PAGE,
					      fuzz_u32(t, 7)));
	default:
		return result(fcntl(fd, F_ADD_SEALS, fuzz_u32(t, 31)));
	}
}

/* Open the file again, perhaps without write access. */
static long call_reopen(struct fuzz_thread *t)
{
	static const int modes[] = { O_RDWR, O_RDONLY, O_WRONLY, O_PATH };
	uint64_t length;
	int fd = fuzz_fd(t, FUZZ_GMEM, &length);
	char path[48];
	int new;

	fuzz_args(t, fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	new = fuzz_chance(t, 3) ? dup(fd) :
	      open(path, O_CLOEXEC | modes[fuzz_chance(t, 3) ?
					   fuzz_rand(t, 4) : 0]);
	if (new < 0)
		return -errno;
	if (new > 2)
		fuzz_put_fd(t, FUZZ_GMEM, new, length);
	return 0;
}

static long call_open(struct fuzz_thread *t)
{
	bool mock = fuzz_chance(t, 2);
	int fd;

	fuzz_args(t, mock);
	fd = open(mock ? "/dev/gmem_test" : GMEM_DEVICE_PATH,
		  O_CLOEXEC | (fuzz_chance(t, 8) ? O_RDONLY : O_RDWR));
	if (fd < 0)
		return -errno;
	fuzz_put_fd(t, mock ? FUZZ_MOCK : FUZZ_DEV, fd, 0);
	return 0;
}

/* Close an fd. Its slot may keep the number, so that other threads still use it. */
static long call_close(struct fuzz_thread *t)
{
	static const enum fuzz_kind kinds[] = {
		FUZZ_GMEM, FUZZ_GMEM, FUZZ_MOCK, FUZZ_DEV, FUZZ_VM, FUZZ_STORE,
		FUZZ_VIEW, FUZZ_VIEW,
	};
	struct fuzz_slot *slot = fuzz_slot(t, kinds[fuzz_rand(t, 8)]);
	int fd = slot->fd;

	if (!fuzz_chance(t, 8))
		fd = __atomic_exchange_n(&slot->fd, -1, __ATOMIC_RELAXED);
	fuzz_args(t, fd);
	return fd > 2 ? result(close(fd)) : 0;
}

/* Send a descriptor in a message, so that for a while only the message refers to it. */
static long call_pass(struct fuzz_thread *t)
{
	enum fuzz_kind kind = fuzz_chance(t, 3) ? FUZZ_VIEW : FUZZ_GMEM;
	uint64_t length;
	int fd = fuzz_fd(t, kind, &length);
	int pair[2], got, rc;

	fuzz_args(t, fd);
	if (fd <= 2)
		return -EBADF;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	rc = gmem_send_fd(pair[0], fd);
	if (!rc && fuzz_chance(t, 2)) {
		got = gmem_recv_fd(pair[1]);
		if (got > 2)
			fuzz_put_fd(t, kind, got, length);
	}
	close(pair[0]);
	close(pair[1]);
	return rc;
}

/* Fork a process that uses its copies of descriptors and mappings, and exits. */
static long call_fork(struct fuzz_thread *t)
{
	uint64_t random = gmem_rand(&t->rng);
	uint8_t *p = fuzz_address(t);
	int fd = fuzz_slot(t, FUZZ_GMEM)->fd;
	int view = fuzz_slot(t, FUZZ_VIEW)->fd;
	uint8_t *v = fuzz_view_address(t);
	pid_t pid;

	fuzz_args(t, (uintptr_t)p, fd, view, (uintptr_t)v);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		gmem_try_write(p, 1);
		gmem_try_read(p + PAGE, NULL);
		/* The view may be another thread's, or its fd something else now */
		gmem_try_write(v, 1);
		mmap(v, PAGE, PROT_NONE, MAP_SHARED | MAP_FIXED, view, 0);
		gmem_convert(fd, 0, 4 * PAGE, random & 1, PRESERVE);
		if (random & 2)
			close(fd);
		gmem_try_read(p, NULL);
		_exit(0);
	}
	if (fuzz_chance(t, 2)) {
		usleep(fuzz_rand(t, 3000));
		kill(pid, SIGKILL);
	}
	gmem_wait_pid(pid);
	return 0;
}

/* Send signals to other threads: calls without SA_RESTART end with EINTR. */
static long call_signal(struct fuzz_thread *t)
{
	struct fuzz_note *note =
		&t->fuzz->shared->note[fuzz_rand(t, FUZZ_THREADS)];

	fuzz_args(t, note->tid);
	return result(syscall(SYS_tgkill, getpid(), note->tid, SIGUSR1));
}

static long call_poll(struct fuzz_thread *t)
{
	struct pollfd p = { .events = POLLIN | POLLOUT };

	p.fd = fuzz_fd(t, fuzz_chance(t, 2) ? FUZZ_GMEM : FUZZ_MOCK, NULL);
	fuzz_args(t, p.fd);
	return result(poll(&p, 1, 0));
}

const struct fuzz_call fuzz_calls[] = {
	{ "fallocate",	40, call_fallocate,	NULL },
	{ "lseek",	10, call_lseek,		NULL },
	{ "touch",	60, call_touch,		NULL },
	{ "mmap",	30, call_mmap,		NULL },
	{ "view mmap",	20, call_view_mmap,	NULL },
	{ "view vma",	16, call_view_vma,	NULL },
	{ "munmap",	 8, call_munmap,	NULL },
	{ "mremap",	10, call_mremap,	NULL },
	{ "mprotect",	 8, call_mprotect,	NULL },
	{ "madvise",	20, call_madvise,	NULL },
	{ "poison",	 1, call_poison,	NULL },
	{ "mbind",	 8, call_mbind,		NULL },
	{ "mlock",	12, call_mlock,		NULL },
	{ "vmsplice",	24, call_vmsplice,	NULL },
	{ "process_vm",	10, call_process_vm,	NULL },
	{ "file call",	20, call_file,		NULL },
	{ "reopen",	 6, call_reopen,	NULL },
	{ "open",	 6, call_open,		NULL },
	{ "close",	 6, call_close,		NULL },
	{ "pass fd",	 4, call_pass,		NULL },
	{ "fork",	 1, call_fork,		NULL },
	{ "signal",	 6, call_signal,	NULL },
	{ "poll",	 4, call_poll,		NULL },
	{ NULL, 0, NULL, NULL },
};
