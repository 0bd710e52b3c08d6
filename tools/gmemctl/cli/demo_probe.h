/* SPDX-License-Identifier: GPL-2.0 */
/* The probe page: a page that host and guest both know. */
#ifndef GMEMCTL_CLI_DEMO_PROBE_H
#define GMEMCTL_CLI_DEMO_PROBE_H

#include "demo.h"

/* What the host puts into the probe page, and what the guest does. */
#define HOST_PATTERN	UINT64_C(0xa5a5a5a5a5a5a5a5)
#define GUEST_PATTERN	UINT64_C(0x5a5a5a5a5a5a5a5a)

bool page_is_filled(const uint8_t *page, uint64_t pattern);
void page_fill(uint8_t *page, uint64_t pattern);

/** demo_try_touch() - the guest reads the page, fills it, and reads again */
int demo_try_touch(struct demo *demo, struct error *error);

/** demo_touch() - the same, and it has to end well */
int demo_touch(struct demo *demo, struct error *error);

/** demo_probe_convert() - convert the page, as the host may */
int demo_probe_convert(struct demo *demo, bool to_private, struct error *error);

#endif /* GMEMCTL_CLI_DEMO_PROBE_H */
