// SPDX-License-Identifier: GPL-2.0
/* The step of the demo that is about the view: kind=gmem. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../kvm/attributes.h"
#include "../memory/probe.h"
#include "demo_probe.h"

/* By the kernel, which walks this process's page tables. Return: 0 or an errno. */
static int view_copy(uint8_t *view, uint8_t *byte)
{
	struct iovec here = { byte, 1 }, there = { view, 1 };

	return process_vm_readv(getpid(), &here, 1, &there, 1, 0) == 1 ? 0 : errno;
}

static bool view_refuses(uint8_t *view)
{
	uint8_t byte;

	return probe_read(view, &byte) == -EFAULT &&
	       probe_write(view, 0) == -EFAULT && view_copy(view, &byte) == EFAULT;
}

int demo_try_view(struct demo *demo, struct error *error)
{
	const struct view *view = guest_memory_view(&demo->payload.machine.memory);
	volatile struct guest_params *params = demo->payload.params;
	uint8_t *page = machine_host(&demo->payload.machine, GUEST_PROBE_GPA);
	uint8_t *at = view_find(view, (struct range){ GUEST_PROBE_GPA,
				GUEST_PROBE_GPA + GUEST_PAGE_SIZE });
	uint8_t byte;
	int rc;

	page_fill(page, HOST_PATTERN);
	demo_say("a page holds the host's 0xa5a5...; it is made private");
	rc = demo_probe_convert(demo, true, error);
	if (rc)
		return rc;
	demo_check(demo, view_refuses(at), "the host reads and writes it through the "
		   "view itself: SIGSEGV; process_vm_readv(): EFAULT");
	demo_check(demo, probe_read(page, &byte) == -EFAULT,
		   "the host reads it through its own mapping: SIGBUS");
	rc = demo_touch(demo, error);
	if (!rc)
		rc = demo_probe_convert(demo, false, error);
	if (rc)
		return rc;
	demo_check(demo, params->observed[0] == HOST_PATTERN,
		   "the guest reads the host's 0xa5a5... there, and writes 0x5a5a...");
	demo_check(demo, page_is_filled(page, GUEST_PATTERN),
		   "shared again, the host reads the guest's 0x5a5a...");
	return 0;
}
