// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "pvmemctl.h"

#define ERRNO_MAX 4095

struct hint {
	int rc;
	const char *text;
};

static const struct hint open_hints[] = {
	{ -ENOENT, "load the driver, `modprobe pvmemcontrol`; if it is, the VMM has no such "
		   "device (PCI 1ae0:0087)" },
	{ -EACCES, "CAP_SYS_ADMIN is needed: run it as root" },
	{ -EPERM, "the kernel is locked down, as with Secure Boot" },
	{ -ENXIO, "the device has just been unplugged" },
	{ 0 }
};

static const struct hint ioctl_hints[] = {
	{ -EINVAL, "this is not a node of pvmemcontrol" },
	{ -ENOTTY, "this is not a node of pvmemcontrol" },
	{ -EIO, "the VMM does not answer: bind the driver again, or see its log" },
	{ -ENODEV, "the device has been unplugged" },
	{ -EAGAIN, "the guest is being suspended" },
	{ 0 }
};

/* Hints for errors of the VMM */
static const struct hint vmm_hints[] = {
	{ -EINVAL, "the range must be whole pages (see `pvmemctl info`) of one piece of guest "
		   "memory, and remove is for shared memory, most others for anonymous" },
	{ -EOPNOTSUPP, "the VMM does not do this, or not with this kind of memory" },
	{ -ENOMEM, "the VMM may not lock so much (RLIMIT_MEMLOCK), or has too many mappings "
		   "(vm.max_map_count)" },
	{ -EPERM, "the VMM may not lock memory (RLIMIT_MEMLOCK)" },
	{ -EBADF, "only anonymous memory of the VMM has a name" },
	{ 0 }
};

int error_set(struct error *error, int rc, const char *object, const char *action, const char *hint)
{
	error->rc = rc;
	snprintf(error->object, sizeof(error->object), "%s", object);
	snprintf(error->action, sizeof(error->action), "%s", action);
	error->hint = hint;
	return rc ? rc : -EINVAL;
}

void error_print(const struct error *error, FILE *stream)
{
	fprintf(stream, "pvmemctl: %s: %s%s%s%s%s\n", error->object, error->action,
		error->rc ? ": " : "", error->rc ? strerror(-error->rc) : "",
		error->hint ? "; " : "", error->hint ? error->hint : "");
}

static const char *hint_find(const struct hint *hints, int rc)
{
	for (; hints->rc; hints++)
		if (hints->rc == rc)
			return hints->text;
	return NULL;
}

int device_open(struct device *device, const char *path, struct error *error)
{
	struct pvmemcontrol_buf buf = { .call.func_code = PVMEMCONTROL_INFO };
	int rc;

	device->path = path;
	device->fd = open(path, O_RDWR | O_CLOEXEC);
	if (device->fd < 0)
		return error_set(error, -errno, path, "open", hint_find(open_hints, -errno));
	if (!ioctl(device->fd, PVMEMCONTROL_IOCTL_VMM, &buf)) {
		device->info = buf.ret;
		return 0;
	}
	rc = -errno;
	device_close(device);
	return error_set(error, rc, path, "info", hint_find(ioctl_hints, rc));
}

void device_close(struct device *device)
{
	close(device->fd);
}

int device_call(struct device *device, uint64_t func, const char *name,
		const struct range *range, uint64_t arg, struct error *error)
{
	struct pvmemcontrol_buf buf = {
		.call = {
			.func_code = func,
			.addr = range->addr,
			.length = range->length,
			.arg = arg,
		},
	};
	char object[64];
	int rc;

	if (ioctl(device->fd, PVMEMCONTROL_IOCTL_VMM, &buf)) {
		rc = -errno;
		return error_set(error, rc, device->path, name, hint_find(ioctl_hints, rc));
	}
	if (!buf.ret.ret_errno)
		return 0;
	/* The VMM can return any number, so check that it is an errno. */
	rc = buf.ret.ret_errno <= ERRNO_MAX ? -(int)buf.ret.ret_errno : -EIO;
	snprintf(object, sizeof(object), "0x%" PRIx64 "+0x%" PRIx64, range->addr, range->length);
	return error_set(error, rc, object, name, hint_find(vmm_hints, rc));
}
