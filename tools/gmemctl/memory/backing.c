// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/calls.h"
#include "../gmem/gmem.h"
#include "backing.h"
#include "file.h"

#define HINT_MEMORY "the host is short of memory: choose a smaller --memory, " \
	"or raise the memory cgroup's limit"

static int backing_fail(struct error *error, int rc, const char *object,
			const char *action)
{
	return error_set(error, rc, object, action,
			 rc == -ENOMEM ? "%s" : NULL, HINT_MEMORY);
}

static int backing_open_memfd(struct backing *backing, const char *name,
			      struct error *error)
{
	int rc = file_room_limit(backing->size, "guest memory", error);
	int fd;

	if (rc)
		return rc;
	fd = calls->memfd(name, backing->size);
	return fd < 0 ? backing_fail(error, fd, "memfd", "create") : fd;
}

static int backing_open_hugetlb(struct backing *backing, const char *name,
				struct error *error)
{
	unsigned int shift = (unsigned int)__builtin_ctzll(backing->page_size);
	int fd, rc = file_room_limit(backing->size, "guest memory", error);
	char text[32];

	if (rc)
		return rc;
	fd = calls->hugetlb(name, backing->size, shift);
	if (fd >= 0)
		return fd;
	return error_set(error, fd, "hugetlb memory", "create",
			 "does the host have huge pages of %s? See "
			 "/sys/kernel/mm/hugepages",
			 memory_size_text(backing->page_size, text));
}

static int backing_open_gmem(struct backing *backing, struct error *error)
{
	uint32_t flags = GMEM_CREATE_F_INIT_SHARED |
			 (backing->request->consent ?
			  GMEM_CREATE_F_GUEST_CONSENT : 0);
	int device = gmem_open(error);
	int fd, rc;

	if (device < 0)
		return device;
	rc = gmem_check_abi(device, NULL, error);
	if (!rc)
		rc = gmem_check_length(device, backing->size, error);
	fd = rc ? rc : gmem_create(device, backing->size, flags);
	calls->close(device);
	if (rc)
		return rc;
	return fd < 0 ? backing_fail(error, fd, GMEM_DEVICE_PATH,
				     "GMEM_IOCTL_CREATE") : fd;
}

/* Whether a file has the size of the memory. */
static int backing_check_size(const struct backing *backing, int fd,
			      const char *object, struct error *error)
{
	char action[192], has[32], expected[32];
	struct stat status;

	if (fstat(fd, &status))
		return error_set(error, -errno, object, "fstat", NULL);
	if ((uint64_t)status.st_size == backing->size)
		return 0;
	snprintf(action, sizeof(action),
		 "memory backing file has size %s, expected %s",
		 memory_size_text((uint64_t)status.st_size, has),
		 memory_size_text(backing->size, expected));
	return error_set(error, -EINVAL, object, action,
			 "size=%s, or another file", has);
}

static int backing_grow_file(const struct backing *backing, int fd,
			     const char *path, struct error *error)
{
	int rc = file_room_limit(backing->size, path, error);

	if (rc)
		return rc;
	if (ftruncate(fd, (off_t)backing->size))
		return error_set(error, -errno, path, "ftruncate", NULL);
	rc = file_room_take(fd, backing->size, path, error);
	/* Free the space that was allocated before the error. */
	if (rc && ftruncate(fd, 0))
		return rc;
	return rc;
}

/* A new file gets the size of the memory. An existing one must have it. */
static int backing_size_file(const struct backing *backing, int fd,
			     const char *path, struct error *error)
{
	struct stat status;
	int rc;

	if (fstat(fd, &status))
		return error_set(error, -errno, path, "fstat", NULL);
	if (!S_ISREG(status.st_mode))
		return error_set(error, -EINVAL, path, "use as guest memory",
				 "expected a regular file");
	rc = file_lock(fd, path, true, error);
	if (rc)
		return rc;
	/* Read the size again: another process may have set it before the lock was taken. */
	if (fstat(fd, &status))
		return error_set(error, -errno, path, "fstat", NULL);
	if (!status.st_size)
		return backing_grow_file(backing, fd, path, error);
	rc = backing_check_size(backing, fd, path, error);
	return rc ? rc : file_room_take(fd, backing->size, path, error);
}

static int backing_open_file(struct backing *backing, struct error *error)
{
	const char *path = backing->request->path;
	/* O_NONBLOCK: open() must not wait for a FIFO or a terminal. */
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
	int rc;

	if (fd < 0)
		return error_set(error, -errno, path, "open",
				 "guest memory needs a file that can be read "
				 "and written");
	rc = backing_size_file(backing, fd, path, error);
	if (rc)
		close(fd);
	return rc ? rc : fd;
}

/* The lock of a guest that is handed over comes along, because it belongs to the open file. */
static int backing_open_existing(struct backing *backing, struct error *error)
{
	int fd = fcntl(backing->request->existing_fd, F_DUPFD_CLOEXEC, 0);
	int rc;

	if (fd < 0)
		return error_set(error, -errno, "existing memory", "duplicate",
				 NULL);
	rc = file_lock(fd, "existing memory", true, error);
	if (!rc)
		rc = backing_check_size(backing, fd, "existing memory", error);
	if (rc)
		close(fd);
	return rc ? rc : fd;
}

static int backing_open_fd(struct backing *backing, const char *name,
			   struct error *error)
{
	enum backing_kind kind = backing->request->kind;

	if (backing->request->existing_fd >= 0)
		return backing_open_existing(backing, error);
	if (backing->page_size != RANGE_PAGE_SIZE)
		return backing_open_hugetlb(backing, name, error);
	if (kind == BACKING_FILE)
		return backing_open_file(backing, error);
	if (kind == BACKING_GMEM || kind == BACKING_GMEM_STORE)
		return backing_open_gmem(backing, error);
	return backing_open_memfd(backing, name, error);
}

static int huge_fail(const struct backing *backing, int rc,
		     struct error *error)
{
	char action[192], unit[32], total[32], hint[96] = "";
	int node = backing->request->node;

	snprintf(action, sizeof(action),
		 "failed to reserve %llu hugetlb pages of %s each (%s total); "
		 "increase the hugetlb pool or reduce guest memory size",
		 (unsigned long long)(backing->size / backing->page_size),
		 memory_size_text(backing->page_size, unit),
		 memory_size_text(backing->size, total));
	if (node >= 0)
		snprintf(hint, sizeof(hint), "the pool of node %d is in "
			 "/sys/devices/system/node/node%d/hugepages", node,
			 node);
	return error_set(error, rc, "guest memory", action,
			 node >= 0 ? "%s" : NULL, hint);
}

/*
 * The policy of a shared file stays with the file. Only hugetlb keeps it in the mapping, so
 * huge pages are allocated here.
 */
static int backing_bind_node(struct backing *backing, struct error *error)
{
	bool huge = backing->page_size != RANGE_PAGE_SIZE;
	int node = backing->request->node;
	void *address;
	int rc;

	if (node < 0 || backing->fd < 0)
		return 0;
	rc = calls->map(backing->size, PROT_READ | PROT_WRITE, MAP_SHARED,
			backing->fd, backing->fd_offset, &address);
	if (rc)
		return huge ? huge_fail(backing, rc, error) :
			      backing_fail(error, rc, "guest memory", "mmap");
	rc = calls->advise(address, backing->size, MADV_DONTDUMP);
	if (rc) {
		backing_fail(error, rc, "guest memory", "MADV_DONTDUMP");
		goto out_unmap;
	}
	rc = calls->bind_node(address, backing->size, (unsigned int)node);
	if (rc) {
		error_set(error, rc, "guest memory", "bind to NUMA node",
			  "is there memory at node %d? See "
			  "/sys/devices/system/node", node);
		goto out_unmap;
	}
	/* Allocate now: if the node's pool is empty, a later fault would be SIGBUS. */
	if (huge)
		rc = calls->advise(address, backing->size, MADV_POPULATE_WRITE);
	if (rc)
		rc = huge_fail(backing, rc == -EFAULT ? -ENOMEM : rc, error);
out_unmap:
	calls->unmap(address, backing->size);
	return rc;
}

static int backing_init(struct backing *backing,
			const struct memory_request *request,
			struct error *error)
{
	uint64_t hugepage = memory_request_hugepage(request);
	int rc;

	memset(backing, 0, sizeof(*backing));
	backing->request = request;
	backing->fd = -1;
	backing->view = (struct view){ .request = request, .fd = -1 };
	backing->page_size = hugepage ? hugepage : RANGE_PAGE_SIZE;
	rc = memory_request_size(request, &backing->size);
	if (rc)
		return error_set(error, rc, "guest memory", "add up ranges",
				 NULL);
	return 0;
}

int backing_open(struct backing *backing, const struct memory_request *request,
		 const char *name, struct error *error)
{
	int rc = backing_init(backing, request, error);

	if (rc || request->kind == BACKING_PRIVATE)
		return rc;
	backing->fd = backing_open_fd(backing, name, error);
	if (backing->fd < 0)
		return backing->fd;
	rc = backing_bind_node(backing, error);
	if (!rc && backing->page_size != RANGE_PAGE_SIZE) {
		rc = calls->allocate(backing->fd, 0, backing->size);
		if (rc)
			huge_fail(backing, rc, error);
	}
	if (rc)
		backing_close(backing);
	return rc;
}

int backing_use(struct backing *backing, const struct memory_request *request,
		int fd, uint64_t fd_offset, struct error *error)
{
	int rc = backing_init(backing, request, error);

	if (rc)
		return rc;
	backing->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (backing->fd < 0)
		return error_set(error, -errno, "guest memory", "duplicate",
				 NULL);
	backing->fd_offset = fd_offset;
	rc = backing_bind_node(backing, error);
	if (rc)
		backing_close(backing);
	return rc;
}

int backing_empty(struct backing *backing, struct error *error)
{
	const char *path = backing->request->path;

	if (backing->request->kind != BACKING_FILE)
		return 0;
	if (ftruncate(backing->fd, 0))
		return error_set(error, -errno, path, "empty",
				 "the guest needs a file whose contents can be "
				 "replaced: choose another one");
	return backing_grow_file(backing, backing->fd, path, error);
}

static void view_destroy(struct view *view)
{
	reservation_destroy(&view->place);
	if (view->fd >= 0)
		calls->close(view->fd);
	view->fd = -1;
}

void backing_close(struct backing *backing)
{
	view_destroy(&backing->view);
	if (backing->fd >= 0)
		calls->close(backing->fd);
	backing->fd = -1;
}

struct extent backing_extent(const struct backing *backing, const struct layout_range *ram)
{
	return (struct extent){
		.range = ram->range,
		.fd = backing->fd,
		.fd_offset = backing->fd_offset + ram->part,
		.page_size = backing->page_size,
		.writable = true,
		.thp = backing->request->thp &&
		       backing->page_size == RANGE_PAGE_SIZE,
		.dump = backing->request->dump,
		.node = backing->request->node,
	};
}

static int view_refuse(struct view *view, int rc, const char *action,
		       struct error *error)
{
	view_destroy(view);
	view->refusal = gmem_view_refusal(rc);
	if (view->refusal)
		return 0;
	return error_set(error, rc, "gmem fd", action, NULL);
}

int view_create(struct backing *backing, struct error *error)
{
	struct gmem_ioctl_view_fault fault;
	struct view *view = &backing->view;
	int rc;

	view->fd = gmem_view(backing->fd, 0, backing->size);
	if (view->fd < 0)
		return view_refuse(view, view->fd, "GMEM_IOCTL_VIEW", error);
	/* This thread runs no vCPU. EAGAIN shows that the module has the ioctl. */
	rc = gmem_view_fault(view->fd, &fault);
	if (rc && rc != -EAGAIN)
		return view_refuse(view, rc, "GMEM_IOCTL_VIEW_FAULT", error);
	/* The mapping is aligned for huge pages like guest addresses. */
	rc = reservation_create(&view->place, backing->size, 0);
	if (!rc)
		rc = calls->map_at(view->place.base, backing->size, PROT_NONE, MAP_SHARED,
				   view->fd, 0);
	if (!rc)
		return 0;
	view_destroy(view);
	return error_set(error, rc, "view of guest memory", "mmap", NULL);
}

uint8_t *view_find(const struct view *view, struct range ram)
{
	uint64_t offset = 0;

	for (unsigned int i = 0; view->fd >= 0 &&
	     i < view->request->nr_ranges; i++) {
		struct range range = view->request->ranges[i];

		if (range_contains(range, ram))
			return view->place.base + offset + ram.start - range.start;
		offset += range_size(range);
	}
	return NULL;
}

int view_fill(const struct backing *backing)
{
	const struct view *view = &backing->view;

	return view->fd < 0 ? 0 : gmem_view_populate(view->fd, GMEM_VIEW_POPULATE_F_NOALLOC,
						     view->place.base, backing->size, NULL);
}
