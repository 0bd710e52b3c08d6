// SPDX-License-Identifier: GPL-2.0
/* The probe page: a page that host and guest both know. */
#include <string.h>

#include "../kvm/attributes.h"
#include "demo_probe.h"

bool page_is_filled(const uint8_t *page, uint64_t pattern)
{
	for (uint64_t i = 0; i < GUEST_PAGE_SIZE; i += sizeof(pattern))
		if (memcmp(page + i, &pattern, sizeof(pattern)))
			return false;
	return true;
}

void page_fill(uint8_t *page, uint64_t pattern)
{
	for (uint64_t i = 0; i < GUEST_PAGE_SIZE; i += sizeof(pattern))
		memcpy(page + i, &pattern, sizeof(pattern));
}

int demo_try_touch(struct demo *demo, struct error *error)
{
	demo->payload.params->pattern = GUEST_PATTERN;
	return payload_run(&demo->payload, GUEST_PAYLOAD_TOUCH, 0, 0, error);
}

/* The guest reads the probe page, writes to it, and reads again. */
int demo_touch(struct demo *demo, struct error *error)
{
	int rc = demo_try_touch(demo, error);

	return rc ? rc : demo_ended_badly(demo, error);
}

int demo_probe_convert(struct demo *demo, bool to_private, struct error *error)
{
	const struct range what = { GUEST_PROBE_GPA,
				    GUEST_PROBE_GPA + GUEST_PAGE_SIZE };
	char why[256];
	int rc = machine_convert(&demo->payload.machine, NULL, what, to_private,
				 why, sizeof(why));

	return rc ? error_set(error, rc, "probe page", to_private ?
			      "convert to private" : "convert to shared", "%s",
			      why) : 0;
}
