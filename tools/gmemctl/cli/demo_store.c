// SPDX-License-Identifier: GPL-2.0
/* The step of the demo that is about KVM's attribute: kind=gmem-store. */
#include "../base/calls.h"
#include "../kvm/attributes.h"
#include "demo_probe.h"

static int demo_flip(struct demo *demo, bool private, struct error *error)
{
	int rc = vm_set_private(&demo->payload.machine.vm, GUEST_PROBE_GPA,
				GUEST_PAGE_SIZE, private);

	if (rc)
		error_set(error, rc, "VM", "KVM_SET_MEMORY_ATTRIBUTES", NULL);
	return rc;
}

/* The page KVM has allocated for the attribute is of no use to anybody. */
static int demo_drop_stray(struct demo *demo, struct error *error)
{
	int rc = calls->punch(demo->payload.machine.memory.memfd.fd, GUEST_PROBE_GPA,
			      GUEST_PAGE_SIZE);

	if (rc)
		error_set(error, rc, "guest_memfd", "punch a hole", NULL);
	return rc;
}

/*
 * The other way round: a page that is private for gmem, and shared for KVM. The
 * guest cannot reach it then, and finds it as it was once that is put right.
 */
static int demo_flip_private(struct demo *demo, struct error *error)
{
	volatile struct guest_params *params = demo->payload.params;
	int rc = demo_probe_convert(demo, true, error);

	if (!rc)
		rc = demo_flip(demo, false, error);
	if (!rc)
		rc = demo_try_touch(demo, error);
	if (rc)
		return rc;
	demo_check(demo, demo->payload.machine.end == END_MEMORY,
		   "the reverse, on a private page: the guest's access ends in "
		   "EFAULT");
	rc = demo_flip(demo, true, error);
	if (!rc)
		rc = demo_touch(demo, error);
	if (rc)
		return rc;
	demo_check(demo, params->observed[0] == GUEST_PATTERN,
		   "put right, the guest reads what it wrote");
	return 0;
}

int demo_flip_attribute(struct demo *demo, struct error *error)
{
	volatile struct guest_params *params = demo->payload.params;
	uint8_t *page = machine_host(&demo->payload.machine, GUEST_PROBE_GPA);
	int rc;

	page_fill(page, HOST_PATTERN);
	demo_say("a shared page holds the host's 0xa5a5...; KVM is told that it is "
		 "private, gmem is not");
	rc = demo_flip(demo, true, error);
	if (!rc)
		rc = demo_touch(demo, error);
	if (rc)
		return rc;
	demo_check(demo, !params->observed[1],
		   "the guest reads a fresh page of zeros, not the host's");
	demo_check(demo, params->observed[2] == GUEST_PATTERN,
		   "the guest writes 0x5a5a... and reads it back");
	demo_check(demo, page_is_filled(page, HOST_PATTERN),
		   "the host still reads its own 0xa5a5...: no alias");
	rc = demo_flip(demo, false, error);
	if (!rc)
		rc = demo_drop_stray(demo, error);
	if (!rc)
		rc = demo_touch(demo, error);
	if (rc)
		return rc;
	demo_check(demo, params->observed[0] == HOST_PATTERN &&
		   page_is_filled(page, GUEST_PATTERN),
		   "attribute cleared: host and guest share the page as before");
	return demo_flip_private(demo, error);
}
