// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../base/calls.h"
#include "gmem.h"

/* The unit of offsets and lengths, on all architectures that gmem supports */
#define PAGE 4096
#define QUERY_RANGES 64

/* What to do when /dev/gmem cannot be opened, or NULL */
static const char *gmem_open_hint(int rc)
{
	switch (rc) {
	case -ENOENT:
	case -ENODEV:
	case -ENXIO:
		return "the module gmem is not loaded: `gmemctl load`";
	case -EACCES:
	case -EPERM:
		return "the device is root's (mode 0600): run as root, or have "
		       "a udev rule give it to a group of yours";
	default:
		return NULL;
	}
}

int gmem_open(struct error *error)
{
	int fd = calls->open(GMEM_DEVICE_PATH, O_RDWR);
	const char *hint;

	if (fd >= 0)
		return fd;
	hint = gmem_open_hint(fd);
	return error_set(error, fd, GMEM_DEVICE_PATH, "open",
			 hint ? "%s" : NULL, hint);
}

int gmem_info(int device, struct gmem_ioctl_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	return calls->ioctl(device, GMEM_IOCTL_INFO, info);
}

int gmem_check_abi(int device, unsigned int *abi, struct error *error)
{
	struct gmem_ioctl_info info;
	int rc = gmem_info(device, &info);

	if (rc)
		return error_set(error, rc, GMEM_DEVICE_PATH, "GMEM_IOCTL_INFO",
				 "the loaded module is not one that this gmemctl "
				 "knows: `gmemctl unload`, then load the module "
				 "that was built together with it");
	if (abi)
		*abi = info.abi_version;
	if (info.abi_version == GMEM_ABI_VERSION)
		return 0;
	return error_set(error, -EPROTO, "gmem", "check the ABI version",
			 "the loaded module has version %u, this gmemctl has %u: "
			 "`gmemctl unload`, then load the module that was built "
			 "together with gmemctl", info.abi_version,
			 GMEM_ABI_VERSION);
}

int gmem_check_length(int device, uint64_t length, struct error *error)
{
	struct gmem_ioctl_info info;
	int rc = gmem_info(device, &info);

	if (rc)
		return error_set(error, rc, GMEM_DEVICE_PATH, "GMEM_IOCTL_INFO",
				 NULL);
	if (length <= info.max_length)
		return 0;
	return error_set(error, -EFBIG, "guest memory", "create in gmem",
			 "it has %" PRIu64 " bytes, but a gmem fd has at most %" PRIu64
			 " (GMEM_IOCTL_INFO)", length, (uint64_t)info.max_length);
}

int gmem_create(int device, uint64_t length, uint32_t flags)
{
	struct gmem_ioctl_create create = {
		.size = sizeof(create),
		.flags = flags,
		.length = length,
		.fd_flags = O_CLOEXEC,
	};
	int rc = calls->ioctl(device, GMEM_IOCTL_CREATE, &create);

	return rc ? rc : create.out_fd;
}

int gmem_convert(int fd, struct gmem_ioctl_convert *convert)
{
	convert->size = sizeof(*convert);
	return calls->ioctl(fd, GMEM_IOCTL_CONVERT, convert);
}

void gmem_convert_reason(const struct gmem_ioctl_convert *convert, int rc,
			 char *text, size_t size)
{
	unsigned long long at = convert->error_offset;

	switch (rc) {
	case -EAGAIN:
		snprintf(text, size,
			 "the page at offset 0x%llx is still held: %u references, "
			 "%u expected, mapped %u times, %s", at,
			 convert->refs_seen, convert->refs_expected,
			 convert->mapcount,
			 convert->out_flags & GMEM_CONVERT_OUT_PINNED ?
			 "pinned for DMA" : "not pinned");
		return;
	case -EEXIST:
		snprintf(text, size,
			 "the store has a page of its own at offset 0x%llx: KVM's "
			 "PRIVATE attribute was set before the conversion", at);
		return;
	default:
		snprintf(text, size, "%s", strerror(-rc));
		return;
	}
}

int gmem_query(int fd, uint64_t offset, uint64_t length,
	       int (*visit)(const struct gmem_range *range, void *data),
	       void *data)
{
	struct gmem_range ranges[QUERY_RANGES], run = { .length = 0 };
	struct gmem_ioctl_query query = {
		.size = sizeof(query),
		.offset = offset,
		.length = length,
		.ranges = (uintptr_t)ranges,
	};
	uint32_t i;
	int rc;

	while (query.length) {
		query.nr_ranges = QUERY_RANGES;
		rc = calls->ioctl(fd, GMEM_IOCTL_QUERY, &query);
		if (rc)
			return rc;
		/* A kernel that reports nothing would keep this loop forever. */
		if (!query.nr_ranges || query.nr_ranges > QUERY_RANGES)
			return -EPROTO;
		for (i = 0; i < query.nr_ranges; i++) {
			if (run.length && run.state == ranges[i].state) {
				run.length += ranges[i].length;
				run.populated += ranges[i].populated;
				continue;
			}
			rc = run.length ? visit(&run, data) : 0;
			if (rc)
				return rc;
			run = ranges[i];
		}
	}
	return run.length ? visit(&run, data) : 0;
}

int gmem_held(int fd, uint64_t offset, uint64_t length,
	      int (*visit)(const struct gmem_ioctl_holder *page, void *data), void *data)
{
	uint64_t end = offset + length;
	int rc = 0;

	while (!rc && offset < end) {
		struct gmem_ioctl_holder page = {
			.size = sizeof(page),
			.offset = offset,
			.length = end - offset,
		};

		rc = calls->ioctl(fd, GMEM_IOCTL_HOLDER, &page);
		if (rc || !page.length)
			break;
		/* A kernel that goes backwards would keep this loop forever. */
		if (page.offset < offset)
			return -EPROTO;
		rc = visit(&page, data);
		offset = page.offset + PAGE;
	}
	return rc;
}

int gmem_stat(int fd, struct gmem_ioctl_stat *stat)
{
	memset(stat, 0, sizeof(*stat));
	stat->size = sizeof(*stat);
	return calls->ioctl(fd, GMEM_IOCTL_STAT, stat);
}

int gmem_bind(int fd, uint64_t offset, uint64_t length, int store_fd,
	      uint64_t store_offset)
{
	struct gmem_ioctl_bind bind = {
		.size = sizeof(bind),
		.offset = offset,
		.length = length,
		.store = GMEM_STORE_KVM,
		.store_fd = store_fd,
		.store_offset = store_offset,
	};

	return calls->ioctl(fd, GMEM_IOCTL_BIND, &bind);
}

int gmem_unbind(int fd, uint64_t offset, uint64_t length)
{
	struct gmem_ioctl_unbind unbind = {
		.size = sizeof(unbind),
		.offset = offset,
		.length = length,
	};

	return calls->ioctl(fd, GMEM_IOCTL_UNBIND, &unbind);
}

int gmem_view(int fd, uint64_t offset, uint64_t length)
{
	struct gmem_ioctl_view view = {
		.size = sizeof(view),
		.offset = offset,
		.length = length,
		.fd_flags = O_CLOEXEC,
	};
	int rc = calls->ioctl(fd, GMEM_IOCTL_VIEW, &view);

	return rc ? rc : view.out_fd;
}

const char *gmem_view_refusal(int rc)
{
	switch (rc) {
	case -ENOTTY:
		return "the loaded module gmem has no views: load the one that was "
		       "built together with gmemctl";
	case -EOPNOTSUPP:
		return "this kernel offers no views: they need x86-64, KVM, and the "
		       "module gmem_kvm (`gmemctl load`)";
	case -EPERM:
		return "it needs the guest's consent (consent=on), but a view is converted by "
		       "the VMM";
	case -EBUSY:
		return "it is bound to a store or to a hypervisor";
	default:
		return NULL;
	}
}

int gmem_view_populate(int view_fd, uint32_t flags, void *address,
		       uint64_t length, uint64_t *pages)
{
	struct gmem_ioctl_view_populate populate = {
		.size = sizeof(populate),
		.flags = flags,
		.address = (uintptr_t)address,
		.length = length,
	};
	int rc = calls->ioctl(view_fd, GMEM_IOCTL_VIEW_POPULATE, &populate);

	if (pages)
		*pages = populate.pages;
	return rc;
}

int gmem_view_fault(int view_fd, struct gmem_ioctl_view_fault *fault)
{
	memset(fault, 0, sizeof(*fault));
	fault->size = sizeof(*fault);
	return calls->ioctl(view_fd, GMEM_IOCTL_VIEW_FAULT, fault);
}
