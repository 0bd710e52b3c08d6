// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "../base/calls.h"
#include "../gmem/gmem.h"
#include "view.h"

/* A place that is aligned for huge pages, as guest addresses are. */
static int view_map(struct view *view, uint64_t size, struct error *error)
{
	int rc = reservation_create(&view->place, size, 0);

	if (!rc)
		rc = calls->map_at(view->place.base, size, PROT_NONE, MAP_SHARED,
				   view->fd, 0);
	return rc ? error_set(error, rc, "view of guest memory", "mmap", NULL) : 0;
}

/* This thread runs no vCPU: it only sees whether the call is there. */
static int view_check_fault(const struct view *view)
{
	struct gmem_ioctl_view_fault fault;
	int rc = gmem_view_fault(view->fd, &fault);

	return rc == -EAGAIN ? 0 : rc;
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

int view_create(struct view *view, const struct backing *backing,
		struct error *error)
{
	int rc;

	*view = (struct view){ .request = backing->request };
	view->fd = gmem_view(backing->fd, 0, backing->size);
	if (view->fd < 0)
		return view_refuse(view, view->fd, "GMEM_IOCTL_VIEW", error);
	rc = view_check_fault(view);
	if (rc)
		return view_refuse(view, rc, "GMEM_IOCTL_VIEW_FAULT", error);
	rc = view_map(view, backing->size, error);
	if (rc)
		view_destroy(view);
	return rc;
}

void view_destroy(struct view *view)
{
	reservation_destroy(&view->place);
	if (view->fd >= 0)
		calls->close(view->fd);
	view->fd = -1;
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

int view_fill(const struct view *view)
{
	uint64_t size;

	if (view->fd < 0)
		return 0;
	memory_request_size(view->request, &size);
	return gmem_view_populate(view->fd, GMEM_VIEW_POPULATE_F_NOALLOC,
				  view->place.base, size, NULL);
}
